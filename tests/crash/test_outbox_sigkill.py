"""The relay, killed without warning in the middle of its calls: every effect exists once at the provider."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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

    def __init__(self, folder: Path, database: str, standins: StandIns) -> None:
        super().__init__(folder, database)
        for slug in ("hubspot", "woocommerce"):
            options = standins.options(slug).items()
            self.environment |= {f"{slug.upper()}_{name.upper()}": value for name, value in options if value}

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
