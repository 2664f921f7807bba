"""Calls to Airtable: rows in batches, what its bell rang for, its webhooks' life."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from higherself.core.http import NotFound, Rejected
from higherself.integrations import followups, outbox
from higherself.integrations.events import EventKind
from higherself.integrations.models import InboundEvent, OutboundCall
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.calls import events_of, history, kept, run, sent_all, told
from tests.integrations.support import json_delivery
from tests.standins.airtable import BASE, SECRET
from tests.standins.server import StandIns

pytestmark = pytest.mark.django_db
URL = "https://hub.example.com/webhooks/airtable"
RING = {"base_id": BASE, "webhook_id": "ach1"}


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PROVIDERS["airtable"].client_class, "per_second", 0.0)


def ring(service: Any, payloads: int) -> None:
    service.hook(URL, "ach1")
    for number in range(payloads):
        service.payload("ach1", f"rec{number}", {"fldName": f"Person {number}"})


def test_rows_go_out_ten_at_a_time_and_what_is_not_sent_stays(standins: StandIns):
    service = standins["airtable"]
    known = service.add("Leads", {"Name": "Person 3", "Notes": "kept"})
    rows = [{"Name": f"Person {number}", "Score": number} for number in range(25)]
    outcome = run("airtable", "records.upsert", {"table": "Leads", "merge_on": ["Name"], "records": rows})
    assert service.batches == [10, 10, 5]
    assert (len(outcome.result["created"]), outcome.result["updated"]) == (24, [known])
    assert service.tables["Leads"][known] == {"Name": "Person 3", "Notes": "kept", "Score": 3}


def test_rows_that_match_several_are_left_to_a_person(standins: StandIns):
    for _ in range(2):
        standins["airtable"].add("Leads", {"Name": "Twin"})
    with pytest.raises(Rejected, match="INVALID_VALUE_FOR_COLUMN: several records match"):
        run("airtable", "records.upsert", {"table": "Leads", "merge_on": ["Name"], "records": [{"Name": "Twin"}]})


def test_a_429_without_a_time_means_half_a_minute(standins: StandIns):
    standins["airtable"].fail(429)
    with pytest.raises(Exception) as caught:
        run("airtable", "records.upsert", {"table": "Leads", "merge_on": ["Name"], "records": [{"Name": "Ada"}]})
    assert caught.value.retry_after == 30.0


def test_what_the_bell_rang_for_is_fetched_from_where_the_last_call_stopped(standins: StandIns):
    service = standins["airtable"]
    ring(service, 3)
    outbox.enqueue("airtable", "payloads.read", RING, dedupe_key="first")
    sent_all()
    service.payload("ach1", "rec9", {"fldName": "Late"})
    outbox.enqueue("airtable", "payloads.read", RING, dedupe_key="second")
    sent_all()
    cursors = [request.query["cursor"] for request in service.requests if request.path.endswith("/payloads")]
    assert cursors == ["1", "4"]
    assert list(OutboundCall.objects.order_by("pk").values_list("result", flat=True)) == [
        {"cursor": 4, "payloads": 3},
        {"cursor": 5, "payloads": 1},
    ]
    rows = InboundEvent.objects.order_by("received_at")
    assert [row.delivery_key for row in rows] == [f"{BASE}:ach1:{position}" for position in (1, 2, 3, 4)]
    (event,) = PROVIDERS["airtable"].parse(rows[3].delivery())
    assert (event.kind, event.source_id, event.key) == (EventKind.RECORD_UPDATED, "rec9", f"{BASE}:rec9")
    assert (event.data["values"], event.data["origin"], event.data["actor"], event.data["transaction"]) == (
        {"fldName": "Late"},
        "client",
        "staff@example.org",
        8,
    )


def test_a_long_list_is_fetched_in_several_calls(standins: StandIns, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("higherself.integrations.providers.airtable.client.PAGES_A_CALL", 2)
    ring(standins["airtable"], 120)
    outcome = run("airtable", "payloads.read", RING)
    assert (outcome.result, len(outcome.fetched)) == ({"cursor": 101, "payloads": 100}, 101)
    (bell,) = PROVIDERS["airtable"].parse(outcome.fetched[-1])
    assert bell.kind == EventKind.RECORD_CHANGED
    rest = run("airtable", "payloads.read", RING, known=outcome.result)
    assert (rest.result, len(rest.fetched)) == ({"cursor": 121, "payloads": 20}, 20)


def test_the_bell_wants_a_fetch_and_a_repeat_of_it_no_second_one(standins: StandIns):
    provider = PROVIDERS["airtable"]
    ping = {"base": {"id": BASE}, "webhook": {"id": "ach1"}, "timestamp": "2026-11-23T10:00:00.000Z"}
    for _ in range(2):
        (event,) = provider.parse(json_delivery(ping))
        followups.follow(provider, event)
    call = OutboundCall.objects.get()
    assert (call.operation, call.payload) == ("payloads.read", RING)


def test_created_changed_and_deleted_records_are_events_of_their_own(standins: StandIns):
    service = standins["airtable"]
    service.hook(URL, "ach1")
    service.payload("ach1", "rec1", {})
    service.payloads["ach1"][0]["changedTablesById"] = {
        "tbl1": {
            "createdRecordsById": {"recNew": {"cellValuesByFieldId": {"fld1": 0}}},
            "changedRecordsById": {
                "rec1": {
                    "current": {"cellValuesByFieldId": {"fld1": "b"}},
                    "previous": {"cellValuesByFieldId": {"fld1": "a"}},
                }
            },
            "destroyedRecordIds": ["recGone"],
        }
    }
    events = events_of("airtable", run("airtable", "payloads.read", RING))
    assert [(event.kind.value, event.source_id, event.data["values"], event.data["previous"]) for event in events] == [
        ("record.created", "recNew", {"fld1": 0}, {}),
        ("record.updated", "rec1", {"fld1": "b"}, {"fld1": "a"}),
        ("record.deleted", "recGone", {}, {}),
    ]


def test_the_history_knows_what_the_bell_brought(standins: StandIns):
    ring(standins["airtable"], 3)
    outbox.enqueue("airtable", "payloads.read", RING, dedupe_key="first")
    sent_all()
    standins["airtable"].payload("ach1", "rec9", {"fldName": "Missed"})
    found, cursor = history("airtable", since=datetime.now(timezone.utc) - timedelta(days=1))
    assert (kept("airtable", found), cursor["webhooks"]) == ([False, False, False, True], {"ach1": 5})
    assert history("airtable", cursor, datetime.now(timezone.utc) - timedelta(days=1))[0] == []


def test_after_more_than_a_week_the_changed_records_are_listed(standins: StandIns):
    for number in range(101):
        standins["airtable"].add("Leads", {"Name": f"Person {number}"})
    found, _ = history("airtable", since=datetime.now(timezone.utc) - timedelta(days=30))
    events = told("airtable", found)
    assert (len(events), {event.kind for event in events}) == (101, {EventKind.RECORD_UPDATED})
    assert kept("airtable", found) == [True] * 101


def registered(known: dict[str, str]) -> list[Any]:
    client = PROVIDERS["airtable"].client()
    with client:
        return list(client.register_webhooks(URL, "", known))


def test_a_webhook_is_made_with_its_secret_then_renewed_then_switched_on_again(standins: StandIns):
    service = standins["airtable"]
    (made,) = registered({})
    assert (made.change, made.secret, made.expires_at.year) == ("created", SECRET, 2026)
    service.hooks[made.remote_id]["expirationTime"] = "2099-01-01T00:00:00.000Z"
    (renewed,) = registered({"records": made.remote_id})
    assert (renewed.change, renewed.secret, renewed.expires_at.year) == ("unchanged", "", 2099)
    service.hooks[made.remote_id]["areNotificationsEnabled"] = False
    (woken,) = registered({"records": made.remote_id})
    assert (woken.change, service.hooks[made.remote_id]["areNotificationsEnabled"]) == ("updated", True)


def test_a_webhook_whose_secret_nobody_knows_or_that_has_expired_is_made_anew(standins: StandIns):
    service = standins["airtable"]
    service.hook(URL, "achOld")
    (made,) = registered({})
    assert (made.change, list(service.hooks)) == ("created", [made.remote_id])
    service.hooks[made.remote_id]["expirationTime"] = "2020-01-01T00:00:00.000Z"
    (again,) = registered({"records": made.remote_id})
    assert (again.change, list(service.hooks)) == ("created", [again.remote_id])


def test_a_webhook_at_an_older_address_of_ours_is_replaced(standins: StandIns):
    service = standins["airtable"]
    service.hook("https://old.example.com/webhooks/airtable", "achOld")
    service.hook("https://elsewhere.example/", "achTheirs")
    (made,) = registered({"records": "achOld"})
    assert sorted(service.hooks) == sorted(["achTheirs", made.remote_id])


def test_a_webhook_that_is_gone_is_said_so(standins: StandIns):
    with pytest.raises(NotFound):
        run("airtable", "payloads.read", RING)
