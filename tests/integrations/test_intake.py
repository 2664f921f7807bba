"""Storing: durable, once, many in one commit, and never at a neighbour's expense."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection, connections, transaction

from higherself.integrations import intake
from higherself.integrations.delivery import Delivery
from higherself.integrations.group_commit import GroupCommit
from higherself.integrations.intake import Stored, store
from higherself.integrations.models import InboundEvent, time_ordered_uuid
from higherself.integrations.registry import PROVIDERS
from tests.integrations.support import json_delivery, typeform_body

TYPEFORM = PROVIDERS["typeform"]
PATIENCE = 30


def submit(token: str, **options: Any) -> Stored:
    return store(TYPEFORM, json_delivery(typeform_body(token), **options))


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches that were committed."""
    sizes: list[int] = []
    real = intake._commit

    def commit(rows: Sequence[InboundEvent]) -> list[Stored]:
        sizes.append(len(rows))
        return real(rows)

    monkeypatch.setattr(intake, "_commit", commit)
    return sizes


def together(monkeypatch: pytest.MonkeyPatch, calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Runs the calls in one batch each after the first: they wait until all of them have queued."""
    begun, go = threading.Event(), threading.Event()
    real = intake._write

    def held(rows: Sequence[InboundEvent]) -> Any:
        begun.set()
        assert go.wait(PATIENCE)
        return real(rows)

    group: GroupCommit = GroupCommit(held, 64)
    monkeypatch.setattr(intake, "_group", group)

    def run(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(run, calls[0])]
        assert begun.wait(PATIENCE)
        futures += [pool.submit(run, call) for call in calls[1:]]
        pause = threading.Event()
        for _ in range(PATIENCE * 1000):
            if len(group._waiting) == len(calls) - 1:
                break
            pause.wait(0.001)
        go.set()
        return [future.result(PATIENCE) for future in futures]


@pytest.mark.django_db(transaction=True)
def test_a_delivery_is_stored_as_it_came_and_the_worker_is_woken(woken: list[str]):
    body = typeform_body("t1")
    headers = {"Typeform-Signature": "sha256=x", "Authorization": "Basic c2VjcmV0", "User-Agent": "Typeform Webhooks"}
    delivery = json_delivery(body, headers=headers, query="business_entity=the-7-space", token="a-path-token")
    stored = store(TYPEFORM, delivery)
    event = InboundEvent.objects.get()
    assert stored == Stored(event.pk, duplicate=False)
    assert (event.provider, event.delivery_key, event.event_type) == ("typeform", "lT4Z3j:t1", "form_response")
    assert (event.status, event.attempts, event.error) == ("received", 0, "")
    assert event.headers == {"typeform-signature": "sha256=x", "user-agent": "Typeform Webhooks"}
    assert event.next_attempt_at == event.received_at == delivery.received_at
    again = event.delivery()
    assert (again.body, again.query, again.content_type) == (body, "business_entity=the-7-space", "application/json")
    assert again.token == ""
    assert woken == ["drain_inbox"]


@pytest.mark.django_db(transaction=True)
def test_a_repeat_gets_the_first_ones_id_and_wakes_nobody(woken: list[str]):
    first = submit("t1")
    assert submit("t1") == Stored(first.event_id, duplicate=True)
    assert InboundEvent.objects.count() == 1
    assert woken == ["drain_inbox"]


@pytest.mark.django_db
def test_inside_a_transaction_the_row_belongs_to_it(woken: list[str]):
    with transaction.atomic():
        submit("t1")
        transaction.set_rollback(True)
    assert InboundEvent.objects.count() == 0
    first = submit("t1")
    assert submit("t1") == Stored(first.event_id, duplicate=True)
    assert woken == ["drain_inbox", "drain_inbox"]


@pytest.mark.django_db(transaction=True)
def test_what_nobody_is_to_work_on_is_stored_with_the_reason(woken: list[str], monkeypatch):
    monkeypatch.setattr(PROVIDERS["plaud"], "reads", False)
    store(TYPEFORM, json_delivery(typeform_body("t1")), ignored="just so")
    store(PROVIDERS["plaud"], json_delivery({"event": "transcription.completed"}))
    found = InboundEvent.objects.order_by("received_at").values_list("status", "error", "next_attempt_at")
    assert list(found) == [
        ("ignored", "just so", None),
        ("ignored", "There is no reader for Plaud yet: the delivery is kept and can be replayed later.", None),
    ]
    assert woken == []


@pytest.mark.django_db(transaction=True)
def test_what_waits_is_committed_together_and_wakes_the_worker_once(monkeypatch, batches, woken):
    outcomes = together(monkeypatch, [lambda n=n: submit(f"t{n}") for n in range(12)])
    assert batches == [1, 11]
    assert woken == ["drain_inbox", "drain_inbox"]
    assert [outcome.duplicate for outcome in outcomes] == [False] * 12
    keys = {event.pk: event.delivery_key for event in InboundEvent.objects.all()}
    assert [keys[outcome.event_id] for outcome in outcomes] == [f"lT4Z3j:t{n}" for n in range(12)]


@pytest.mark.django_db(transaction=True)
def test_repeats_within_one_batch_are_one_event(monkeypatch, batches):
    outcomes = together(monkeypatch, [lambda n=n: submit(f"t{n % 3}") for n in range(12)])
    assert batches == [1, 11]
    assert InboundEvent.objects.count() == 3
    assert sum(not outcome.duplicate for outcome in outcomes) == 3
    keys = {event.pk: event.delivery_key for event in InboundEvent.objects.all()}
    assert [keys[outcome.event_id] for outcome in outcomes] == [f"lT4Z3j:t{n % 3}" for n in range(12)]


@pytest.mark.django_db(transaction=True)
def test_one_key_of_two_providers_is_two_events():
    one = store(TYPEFORM, json_delivery({"a": 1}))
    other = store(PROVIDERS["plaud"], json_delivery({"a": 1}))
    assert (one.duplicate, other.duplicate) == (False, False)


@pytest.mark.django_db(transaction=True)
def test_a_row_that_the_database_refuses_does_not_take_its_neighbours_with_it(monkeypatch, woken):
    real = intake._insert

    def insert(rows: Sequence[InboundEvent]) -> list[Stored]:
        if any(row.delivery_key == "lT4Z3j:bad" for row in rows):
            raise DataError("value out of range")
        return real(rows)

    monkeypatch.setattr(intake, "_insert", insert)
    outcomes = together(monkeypatch, [lambda token=token: submit(token) for token in ("a", "b", "bad", "c")])
    refused = [outcome for outcome in outcomes if isinstance(outcome, DataError)]
    assert [str(error) for error in refused] == ["value out of range"]
    assert isinstance(outcomes[2], DataError)
    stored = InboundEvent.objects.order_by("delivery_key").values_list("delivery_key", flat=True)
    assert list(stored) == ["lT4Z3j:a", "lT4Z3j:b", "lT4Z3j:c"]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_fails_the_whole_batch_at_once_and_the_next_one_is_stored(monkeypatch, batches):
    calls = []
    real = intake._insert

    def insert(rows: Sequence[InboundEvent]) -> list[Stored]:
        calls.append(len(rows))
        if len(calls) == 2:
            raise OperationalError("database is locked")
        return real(rows)

    monkeypatch.setattr(intake, "_insert", insert)
    outcomes = together(monkeypatch, [lambda n=n: submit(f"t{n}") for n in range(5)])
    assert calls == [1, 4]
    assert isinstance(outcomes[0], Stored)
    assert [str(outcome) for outcome in outcomes[1:]] == ["database is locked"] * 4
    assert submit("later").duplicate is False
    assert InboundEvent.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_lost_wake_up_does_not_refuse_a_stored_delivery(monkeypatch, caplog):
    def wake(name: str) -> None:
        raise OperationalError("the queue is locked")

    monkeypatch.setattr("higherself.core.jobs.wake", wake)
    assert submit("t1").duplicate is False
    assert [record.message for record in caplog.records] == ["stored, but could not wake the worker"]
    connection.ensure_connection()


@pytest.mark.django_db(transaction=True)
def test_a_crowd_of_threads_stores_each_delivery_once():
    def work(number: int) -> Stored:
        try:
            return submit(f"t{number % 40}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(work, range(160)))
    events = {event.delivery_key: event.pk for event in InboundEvent.objects.all()}
    assert len(events) == 40
    assert [outcome.event_id for outcome in outcomes] == [events[f"lT4Z3j:t{number % 40}"] for number in range(160)]
    assert sum(not outcome.duplicate for outcome in outcomes) == 40


@pytest.mark.django_db(transaction=True)
def test_text_that_no_database_holds_is_stored_readable():
    body = b'{"event_type": "\\u0000\\ud800", "form_response": {"form_id": "\\u0000", "token": "%s"}}' % (b"t" * 500)
    store(TYPEFORM, json_delivery(body, query="\x00=\ud800", headers={"User-Agent": "\x00"}))
    event = InboundEvent.objects.get()
    assert (event.event_type, event.query, event.headers) == ("�?", "�=?", {"user-agent": "�"})
    assert event.delivery_key.startswith("�:ttt")
    assert len(event.delivery_key) == 185
    assert bytes(event.body) == body
    assert store(TYPEFORM, json_delivery(body)).duplicate is True


def test_event_ids_are_version_7_and_sort_by_their_time(monkeypatch):
    clock = iter([1_700_000_000_000_000_000, 1_700_000_000_001_000_000, 1_700_000_000_002_000_000])
    monkeypatch.setattr("higherself.integrations.models.inbox.time.time_ns", lambda: next(clock))
    ids = [time_ordered_uuid() for _ in range(3)]
    assert ids == sorted(ids)
    assert {(found.version, found.variant) for found in ids} == {(7, uuid.RFC_4122)}
    assert ids[0].int >> 80 == 1_700_000_000_000


def test_what_we_asked_for_ourselves_says_so_and_no_sender_can(db: None) -> None:
    provider = PROVIDERS["circle"]
    store(provider, Delivery(b'{"a": 1}', content_type="application/json", pulled="member.read"))
    store(provider, Delivery(b'{"a": 2}', {"x-higherself-pulled": "member.read"}, content_type="application/json"))
    assert [row.delivery().pulled for row in InboundEvent.objects.order_by("received_at")] == ["member.read", ""]
