"""The relay, killed without warning in the middle of its calls: every effect exists once at the provider."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from higherself.integrations.client import Attempt
from higherself.integrations.registry import PROVIDERS
from tests.crash.test_sigkill import ROOT, Server, database_url, wait_until
from tests.standins.server import StandIns
from tests.standins.services import SERVICES

__all__ = ["database_url"]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc")
LEADS, NOTES = 10, 16
# After these shares of the notes.
KILLS = (0.3, 0.7)
_WANT_NOTES = """
from django.db import transaction
from higherself.integrations.outbox import enqueue
with transaction.atomic():
    for number in range({notes}):
        content = {{"order_id": 727, "note": f"Note {{number}}."}}
        enqueue("woocommerce", "order.note", content, dedupe_key=f"n{{number}}")
"""
_STATES = """
import json
from django.db.models import Count
from higherself.integrations.models import InboundEvent, OutboundCall
rows = OutboundCall.objects.order_by().values_list("status").annotate(Count("pk"))
print(json.dumps({"calls": dict(rows), "events": InboundEvent.objects.filter(status="processed").count()}))
"""


class Calling(Server):
    """The server, with providers that can be called."""

    def __init__(self, folder: Path, database: str, standins: StandIns, *slugs: str) -> None:
        super().__init__(folder, database)
        for slug in slugs or ("hubspot", "woocommerce"):
            options = standins.options(slug).items()
            known = {f"{slug.upper()}_{name.upper()}": value for name, value in options if value}
            # What has a value keeps it: leads are signed with a secret of the server's own.
            self.environment = known | self.environment

    def shell(self, code: str) -> str:
        command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout

    def states(self) -> dict[str, Any]:
        return dict(json.loads(self.shell(_STATES).splitlines()[-1]))


def test_a_relay_killed_in_the_middle_of_its_calls_has_every_effect_exist_once(tmp_path: Path, database_url: str):
    with StandIns([service() for service in SERVICES]) as standins, Calling(tmp_path, database_url, standins) as server:
        shop, crm = standins["woocommerce"], standins["hubspot"]
        shop.delay = crm.delay = 0.15
        # Some effects happen and their answers are lost on the way, besides.
        shop.after(3, "lost")
        crm.after(5, "lost")
        first = LEADS - len(KILLS)
        assert [server.submit(number) for number in range(first)] == [202] * first
        server.shell(_WANT_NOTES.format(notes=NOTES))
        for number, share in enumerate(KILLS, start=first):
            wait_until(lambda share=share: len(shop.notes[727]) >= share * NOTES, "notes to be written")
            wait_until(lambda: server.children("qcluster") != [], "a worker to run")
            server.kill("qcluster")
            # Whatever comes next wakes the relay, which takes up what the dead one held.
            assert server.submit(number) == 202
        wait_until(
            lambda: server.states() == {"calls": {"done": NOTES + LEADS}, "events": LEADS}, "all calls to be made"
        )
        notes = [note["note"].rpartition(" [")[0] for note in shop.notes[727]]
        # One order: its calls were made in order, too.
        assert notes == [f"Note {number}." for number in range(NOTES)]
        addresses = sorted(row["email"] for row in crm.records["contacts"].values())
        assert addresses == sorted(f"lead{number}@example.org" for number in range(LEADS))


PEOPLE = [f"person{number}@example.org" for number in range(3)]
# Every operation that has an effect, at every provider.
WANTED: list[tuple[str, str, dict[str, Any]]] = [
    *(("hubspot", "contact.upsert", {"email": email, "first_name": "Ada"}) for email in PEOPLE),
    *(("hubspot", "deal.upsert", {"ref": email, "name": "Retreat", "contact_email": email}) for email in PEOPLE),
    *(
        ("hubspot", "note.add", {"contact_email": email, "text": "Paid.", "at": "2026-11-23T10:00:00Z"})
        for email in PEOPLE
    ),
    ("woocommerce", "order.note", {"order_id": 727, "note": "Shipped."}),
    ("woocommerce", "order.meta", {"order_id": 727, "values": {"higherself_instance": "INST-1"}}),
    ("woocommerce", "order.status", {"order_id": 727, "status": "completed"}),
    ("woocommerce", "stock.set", {"product_id": 93, "quantity": 4}),
    *(("beehiiv", "subscription.upsert", {"email": email, "tags": ["Lead"]}) for email in PEOPLE),
    *(("circle", "member.invite", {"email": email}) for email in PEOPLE),
    *(("circle", "member.tag", {"email": email, "tag": "Newcomer"}) for email in PEOPLE),
    *(
        ("airtable", "records.upsert", {"table": "People", "merge_on": ["Key"], "records": rows})
        for rows in ([{"Key": f"{start}-{number}"} for number in range(12)] for start in range(2))
    ),
    *(("snovio", "prospect.add", {"list_id": "9", "email": email}) for email in PEOPLE[:2]),
    *(
        ("tutorlm", "enrolment.create", {"user_id": str(user), "course_id": "4505", "status": "completed"})
        for user in (225, 226, 227)
    ),
    ("typeform", "webhook.register", {"form_id": "abc123", "url": "https://hub.example.org/webhooks/typeform"}),
]
_WANT = """
import json
from django.db import transaction
from higherself.integrations.outbox import enqueue
with transaction.atomic():
    for number, (provider, operation, payload) in enumerate(json.loads({wanted!r})):
        enqueue(provider, operation, payload, dedupe_key=f"w{{number}}")
"""


def effects(standins: StandIns) -> dict[str, Any]:
    """What exists at each provider, by what it is about: ids depend on who came first."""
    crm, shop, learn = standins["hubspot"], standins["woocommerce"], standins["tutorlm"]
    of = {key: row["email"] for key, row in crm.records["contacts"].items()}
    return {
        "contacts": sorted(of.values()),
        "deals": sorted(row["dealname"] for row in crm.records["deals"].values()),
        "links": sorted((of[contact], kind) for contact, kind, _ in crm.links),
        "notes": sorted(note["note"] for note in shop.notes[727]),
        "order": (shop.orders[727]["status"], [row["key"] for row in shop.orders[727]["meta_data"]]),
        "stock": shop.products["93"]["stock_quantity"],
        "readers": sorted((row["email"], row["tags"]) for row in standins["beehiiv"].readers.values()),
        "members": sorted(row["email"] for row in standins["circle"].members.values()),
        "tagged": sorted(standins["circle"].tagged),
        "rows": sorted(row["Key"] for row in standins["airtable"].tables["People"].values()),
        "prospects": sorted(standins["snovio"].prospects),
        "students": sorted((row["user"], row["course"], row["status"]) for row in learn.enrolments.values()),
        "hooks": len(standins["typeform"].hooks),
    }


def without_any_trouble() -> dict[str, Any]:
    with StandIns([service() for service in SERVICES]) as standins:
        for number, (slug, name, payload) in enumerate(WANTED):
            with PROVIDERS[slug].client_class(slug, slug, standins.options(slug)) as client:
                declared = client.operations[name]
                attempt = Attempt(dedupe_key=f"w{number}", created_at=timezone.now())
                declared.run(client, declared.payload.model_validate(payload), attempt)
        return effects(standins)


@pytest.mark.django_db
def test_every_operation_of_every_provider_survives_a_killed_relay_and_lost_answers(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("higherself.integrations.gate.take", lambda *_args, **_options: None)
    expected = without_any_trouble()
    slugs = sorted({slug for slug, _, _ in WANTED})
    with (
        StandIns([service() for service in SERVICES]) as standins,
        Calling(tmp_path, database_url, standins, *slugs) as server,
    ):
        for slug in slugs:
            standins[slug].delay = 0.1
            # The answers to some of the requests are lost, and some are refused for a moment.
            for number, kind in ((1, "lost"), (4, 429)):
                standins[slug].after(number, kind)
        server.shell(_WANT.format(wanted=json.dumps(WANTED)))
        assert server.submit(0) == 202
        for number, requests in enumerate((20, 50), start=1):
            wait_until(
                lambda requests=requests: sum(len(standins[slug].requests) for slug in slugs) >= requests, "requests"
            )
            wait_until(lambda: server.children("qcluster") != [], "a worker to run")
            server.kill("qcluster")
            assert server.submit(number) == 202
        # The leads are told to HubSpot, too.
        wait_until(lambda: server.states()["calls"] == {"done": len(WANTED) + 3}, "all calls to be made")
        found = effects(standins)
        leads = [f"lead{number}@example.org" for number in range(3)]
        assert found | {"contacts": [email for email in found["contacts"] if email not in leads]} == expected
        assert [email for email in found["contacts"] if email in leads] == leads
