"""Back-fill: what was missed is fetched, what came is recognised, and a run that dies is continued."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone as clock

from higherself.core import process
from higherself.core.errors import Permanent, Retryable
from higherself.integrations import backfill, tasks
from higherself.integrations.delivery import Delivery
from higherself.integrations.intake import store
from higherself.integrations.models import BackfillState, InboundEvent
from higherself.integrations.registry import PROVIDERS
from tests.standins.server import StandIns
from tests.standins.woocommerce import WooCommerce

pytestmark = pytest.mark.django_db
SINCE = datetime(2025, 1, 1, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("higherself.core.jobs.wake", lambda _name: None)
    monkeypatch.setattr("higherself.integrations.gate.time.sleep", lambda _seconds: None)
    monkeypatch.setattr("higherself.integrations.backfill.time.sleep", lambda _seconds: None)
    monkeypatch.setattr(PROVIDERS["beehiiv"].client_class, "per_second", 0.0)


def numbers(tally: backfill.Tally) -> tuple[int, int, int]:
    return tally.fetched, tally.new, tally.known


def webhook(slug: str, body: Any, **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    store(PROVIDERS[slug], Delivery(body=json.dumps(body).encode(), content_type="application/json", headers=named))


def _typeform(standins: StandIns) -> None:
    standins["typeform"].respond("t1", "2026-11-20T10:00:00Z")
    standins["typeform"].respond("t2", "2026-11-20T11:00:00Z")
    response = {"form_id": "abc123", "token": "t1", "submitted_at": "2026-11-20T10:00:00Z"}
    webhook("typeform", {"event_id": "x", "event_type": "form_response", "form_response": response})


def _woocommerce(standins: StandIns) -> None:
    shop = standins["woocommerce"]
    shop.products.clear()
    shop.orders[728] = shop.order(728, "2026-11-21T10:00:00")
    hooked = {name: value for name, value in shop.orders[727].items() if name != "_links"}
    webhook("woocommerce", hooked, x_wc_webhook_topic="order.created", x_wc_webhook_id="5")


def _hubspot(standins: StandIns) -> None:
    told = standins["hubspot"].add("contacts", {"email": "ada@example.org"})
    standins["hubspot"].add("contacts", {"email": "bob@example.org"})
    change = {"objectId": int(told["id"]), "subscriptionType": "contact.creation", "portalId": 33, "occurredAt": 1}
    webhook("hubspot", [change])


def _beehiiv(standins: StandIns) -> None:
    service = standins["beehiiv"]
    service.posts.clear()
    told, _new = service.add("ada@example.org"), service.add("bob@example.org")
    webhook("beehiiv", {"uid": "evt_1", "event_type": "subscription.confirmed", "data": told})


HALF_TOLD = {"typeform": _typeform, "woocommerce": _woocommerce, "hubspot": _hubspot, "beehiiv": _beehiiv}


@pytest.mark.parametrize("slug", sorted(HALF_TOLD))
def test_what_came_by_webhook_is_recognised_and_the_gap_is_filled(standins: StandIns, slug: str):
    HALF_TOLD[slug](standins)
    assert numbers(backfill.run(slug, since=SINCE)) == (2, 1, 1)
    assert InboundEvent.objects.filter(provider=slug).count() == 2
    assert numbers(backfill.run(slug, since=SINCE)) == (2, 0, 2)
    assert InboundEvent.objects.filter(provider=slug).count() == 2


@pytest.mark.parametrize("slug", sorted(HALF_TOLD))
def test_what_was_fetched_is_read_like_a_webhook(standins: StandIns, slug: str):
    HALF_TOLD[slug](standins)
    InboundEvent.objects.all().delete()
    backfill.run(slug, since=SINCE)
    rows = list(InboundEvent.objects.order_by("pk"))
    assert [row.delivery().pulled for row in rows] == ["backfill"] * 2
    events = [event for row in rows for event in PROVIDERS[slug].parse(row.delivery())]
    assert [event.data.get("problems", []) for event in events] == [[], []]
    assert len({event.source_id for event in events}) == 2


@pytest.mark.parametrize("slug", sorted(HALF_TOLD))
def test_a_dry_run_stores_nothing(standins: StandIns, slug: str):
    HALF_TOLD[slug](standins)
    assert numbers(backfill.run(slug, since=SINCE, dry_run=True)) == (2, 1, 1)
    assert InboundEvent.objects.count() == 1
    assert BackfillState.objects.get(provider=slug).cursor == {}


def test_a_webhook_that_comes_after_its_back_fill_is_a_duplicate(standins: StandIns):
    standins["typeform"].respond("t1", "2026-11-20T10:00:00Z")
    backfill.run("typeform", since=SINCE)
    response = {"form_id": "abc123", "token": "t1", "submitted_at": "2026-11-20T10:00:00Z"}
    body = json.dumps({"event_id": "x", "event_type": "form_response", "form_response": response}).encode()
    assert store(PROVIDERS["typeform"], Delivery(body=body, content_type="application/json")).duplicate


def test_the_next_run_goes_on_from_the_cursor(standins: StandIns):
    shop = standins["woocommerce"]
    backfill.run("woocommerce", since=SINCE)
    shop.requests.clear()
    shop.orders[729] = shop.order(729, "2026-11-22T10:00:00", "completed")
    assert backfill.run("woocommerce").new == 1
    asked = [request.query["modified_after"] for request in shop.requests if request.path.endswith("/orders")]
    assert asked == ["2026-11-20T09:55:00"]


def test_a_run_that_fails_in_the_middle_keeps_what_it_has_and_is_continued(standins: StandIns, monkeypatch):
    monkeypatch.setattr("higherself.integrations.providers.woocommerce.client._PAGE", 2)
    shop = standins["woocommerce"]
    shop.products.clear()
    for number in range(5):
        shop.orders[800 + number] = WooCommerce.order(800 + number, f"2026-11-21T10:00:0{number}")
    shop.after(2, 500)
    with pytest.raises(Retryable):
        backfill.run("woocommerce", since=SINCE)
    assert InboundEvent.objects.count() == 4
    state = BackfillState.objects.get(provider="woocommerce")
    assert (state.held_until, state.finished_at) == (None, None)
    assert "500" in state.error
    assert numbers(backfill.run("woocommerce", since=SINCE)) == (6, 2, 4)
    assert BackfillState.objects.get(provider="woocommerce").error == ""


def test_a_patient_run_waits_and_tries_again(standins: StandIns):
    shop = standins["woocommerce"]
    shop.products.clear()
    shop.fail(500, times=2)
    assert backfill.run("woocommerce", since=SINCE, patient=True).new == 1


def test_a_shop_that_cannot_sort_by_change_is_read_by_date(standins: StandIns):
    standins["woocommerce"].sorts_by_change = False
    assert backfill.run("woocommerce", since=SINCE).new == 4


def test_every_page_of_a_long_history_is_read(standins: StandIns, monkeypatch):
    monkeypatch.setattr("higherself.integrations.providers.typeform.client._RESPONSES", 3)
    monkeypatch.setattr("higherself.integrations.providers.hubspot.client._PAGE", 3)
    monkeypatch.setattr("higherself.integrations.providers.hubspot.client._QUERY_PAGES", 1)
    monkeypatch.setattr("higherself.integrations.providers.beehiiv.client._PAGE", 3)
    standins["beehiiv"].posts.clear()
    for number in range(7):
        standins["typeform"].respond(f"t{number}", f"2026-11-20T10:00:0{number}Z")
        standins["hubspot"].add("contacts", {"email": f"lead{number}@example.org"})
        standins["beehiiv"].add(f"lead{number}@example.org")
    assert [backfill.run(slug, since=SINCE).new for slug in ("typeform", "hubspot", "beehiiv")] == [7, 7, 7]


def test_who_has_left_the_newsletter_is_found_although_no_date_tells(standins: StandIns):
    service = standins["beehiiv"]
    service.posts.clear()
    row = service.add("ada@example.org", created=1)
    assert backfill.run("beehiiv", since=SINCE).new == 1
    row["status"] = "inactive"
    BackfillState.objects.update(cursor={"created": clock.now().isoformat(), "left": "2026-01-01T00:00:00Z"})
    assert backfill.run("beehiiv").new == 1
    last = InboundEvent.objects.order_by("pk").last()
    assert last is not None
    assert [event.kind.value for event in PROVIDERS["beehiiv"].parse(last.delivery())] == ["subscriber.deleted"]


def test_a_long_scan_that_was_ended_goes_on_with_the_next_page(standins: StandIns, monkeypatch):
    monkeypatch.setattr("higherself.integrations.providers.beehiiv.client._PAGE", 2)
    service = standins["beehiiv"]
    service.posts.clear()
    for number in range(6):
        service.add(f"lead{number}@example.org", "inactive", created=1)
    for _ in range(12):
        backfill.run("beehiiv", since=None, seconds=0)
    assert InboundEvent.objects.count() == 6
    assert "left" in BackfillState.objects.get(provider="beehiiv").cursor


def test_two_runs_at_once_are_one(standins: StandIns):
    BackfillState.objects.create(
        provider="typeform", worker=process.identity() + "#1", held_until=clock.now() + timedelta(minutes=5)
    )
    with pytest.raises(backfill.Running, match="running already"):
        backfill.run("typeform")


def test_a_run_whose_process_has_died_is_taken_over(standins: StandIns):
    home, _, _ = process.identity().rsplit("/", 2)
    BackfillState.objects.create(
        provider="typeform", worker=f"{home}/999999/1#1", held_until=clock.now() + timedelta(minutes=5)
    )
    standins["typeform"].respond("t1", "2026-11-20T10:00:00Z")
    assert backfill.run("typeform", since=SINCE).new == 1


def test_the_schedule_reads_what_is_configured_and_keeps_quiet_about_the_rest(standins: StandIns, settings):
    standins["woocommerce"].orders[727]["date_modified_gmt"] = clock.now().strftime("%Y-%m-%dT%H:%M:%S")
    assert tasks.read_history("woocommerce") == 1
    settings.PROVIDERS = {}
    assert tasks.read_history("woocommerce") == 0


def test_the_schedule_reads_one_history_at_a_time(standins: StandIns, monkeypatch):
    later: list[tuple[str, float]] = []
    monkeypatch.setattr("higherself.core.jobs.wake_in", lambda name, seconds: later.append((name, seconds)))
    BackfillState.objects.create(provider="hubspot", worker="w", held_until=clock.now() + timedelta(minutes=5))
    assert tasks.read_history("woocommerce") == 0
    assert (later, standins["woocommerce"].requests) == ([("backfill_woocommerce", tasks.HISTORY_RETRY)], [])


def test_the_schedule_leaves_a_reason_where_it_could_not(standins: StandIns):
    standins["woocommerce"].fail(401)
    assert tasks.read_history("woocommerce") == 0
    assert "renew" in BackfillState.objects.get(provider="woocommerce").error


def test_the_command_says_what_it_did(standins: StandIns):
    standins["typeform"].respond("t1", "2026-11-20T10:00:00Z")
    out = StringIO()
    call_command("backfill", "typeform", "--since", "2026-11-01", "--dry-run", stdout=out)
    call_command("backfill", "typeform", "--since", "2026-11-01", stdout=out)
    call_command("backfill", "typeform", stdout=out)
    assert out.getvalue().splitlines() == [
        "typeform: 1 fetched, 1 would be new, 0 known.",
        "typeform: 1 fetched, 1 new, 0 known.",
        "typeform: 1 fetched, 0 new, 1 known.",
    ]


def test_the_command_says_why_it_cannot(settings):
    settings.PROVIDERS = {}
    with pytest.raises(CommandError, match="TYPEFORM_API_TOKEN"):
        call_command("backfill", "typeform")
    with pytest.raises(CommandError, match="no history"):
        call_command("backfill", "website")
    with pytest.raises(CommandError, match="no date"):
        call_command("backfill", "typeform", "--since", "yesterday")
    with pytest.raises(Permanent):
        backfill.run("typeform")
