"""Lending events to workers: in order, counted, and never lost to a worker that dies."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import time_machine
from django.db import connections, transaction
from django.db.models import QuerySet

from higherself.core.errors import Conflict, Permanent, Retryable
from higherself.integrations import inbox
from higherself.integrations.base import Ignore
from higherself.integrations.delivery import Unreadable
from higherself.integrations.events import EventKind
from higherself.integrations.models import InboundEvent
from tests.integrations.support import raw

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def make(key: str, order: str = "", *, age: int = 0, **values: Any) -> InboundEvent:
    """An event that was received so many seconds ago."""
    at = datetime.now(timezone.utc) - timedelta(seconds=age)
    defaults = {"provider": "typeform", "body": b"{}", "received_at": at, "next_attempt_at": at}
    return InboundEvent.objects.create(delivery_key=key, ordering_key=order, **(defaults | values))


def claimed(limit: int = 20, worker: str = "w1") -> list[str]:
    return [event.delivery_key for event in inbox.claim(limit, worker)]


def all_of(**conditions: Any) -> QuerySet[InboundEvent]:
    return InboundEvent.objects.filter(**conditions)


def test_the_oldest_events_are_lent_first_and_the_attempt_is_counted(clock):
    for number in range(5):
        make(f"k{number}", age=10 - number)
    events = inbox.claim(3, "w1")
    assert [event.delivery_key for event in events] == ["k0", "k1", "k2"]
    stored = all_of(status="processing").order_by("delivery_key")
    assert list(stored.values_list("delivery_key", "attempts", "worker")) == [(f"k{n}", 1, "w1") for n in range(3)]
    assert events[0].lease_until == stored[0].lease_until == NOW + inbox.LEASE
    assert claimed() == ["k3", "k4"]
    assert claimed() == []


def test_claiming_takes_two_queries_however_many_events(clock, django_assert_num_queries):
    for number in range(20):
        make(f"k{number}", f"o{number}")
    # The transaction of the test makes a savepoint of the claim's own: two more.
    with django_assert_num_queries(4):
        assert len(inbox.claim(20, "w1")) == 20


def test_an_event_waits_for_an_earlier_one_about_the_same_thing(clock):
    make("a1", "order 1", age=9)
    make("a2", "order 1", age=8)
    make("b1", "order 2", age=7)
    make("c1", "order 1", age=6, provider="website")
    events = inbox.claim(20, "w1")
    assert [event.delivery_key for event in events] == ["a1", "b1", "c1"]
    assert claimed() == []
    for event in events[1:]:
        inbox.mark_processed(event)
    inbox.mark_failed(events[0], Retryable("the shop is closed"))
    assert claimed() == []
    clock.shift(60)
    (again,) = inbox.claim(20, "w1")
    assert again.delivery_key == "a1"
    inbox.mark_processed(again)
    assert claimed() == ["a2"]


@pytest.mark.parametrize("status", ["processed", "ignored", "quarantined"])
def test_a_finished_event_holds_nobody_up(clock, status: str):
    make("a1", "order 1", age=9, status=status, next_attempt_at=None)
    make("a2", "order 1", age=8)
    assert claimed() == ["a2"]


def test_of_two_events_of_one_moment_only_one_is_lent(clock):
    make("a1", "order 1")
    make("a2", "order 1")
    (one,) = inbox.claim(20, "w1")
    assert inbox.claim(20, "w2") == []
    inbox.mark_processed(one)
    (other,) = inbox.claim(20, "w2")
    assert {one.delivery_key, other.delivery_key} == {"a1", "a2"}


def test_an_event_without_an_ordering_key_waits_for_none(clock):
    make("a1", age=9)
    make("a2", age=8)
    assert claimed() == ["a1", "a2"]


def test_what_a_dead_worker_left_behind_is_lent_again_when_its_lease_ends_and_alone(clock):
    for number in range(3):
        make(f"k{number}", age=9 - number)
    assert claimed(2) == ["k0", "k1"]
    assert claimed(2, "w2") == ["k2"]
    clock.shift(inbox.LEASE - timedelta(seconds=1))
    assert claimed() == []
    clock.shift(1)
    assert [claimed(worker="w3") for _ in range(4)] == [["k0"], ["k1"], ["k2"], []]
    assert list(all_of().values_list("attempts", "worker")) == [(2, "w3")] * 3


def test_an_event_over_which_every_worker_dies_is_left_to_a_person(clock):
    make("poison", age=9)
    for attempt in range(1, inbox.MAX_ATTEMPTS + 1):
        assert claimed(1, f"w{attempt}") == ["poison"]
        clock.shift(inbox.LEASE)
    make("sound")
    assert claimed() == ["sound"]
    poison = all_of(delivery_key="poison").get()
    assert (poison.status, poison.attempts, poison.next_attempt_at) == ("quarantined", 8, None)
    assert poison.error == "The worker died over it 8 times: w8."


def test_processed_is_kept_with_what_it_created(clock):
    make("k")
    (event,) = inbox.claim(1, "w1")
    made = {"model": "contacts.contact", "id": 1, "label": "Ada"}
    inbox.mark_processed(event, [made])
    stored = all_of().get()
    assert (stored.status, stored.created, stored.next_attempt_at, stored.worker) == ("processed", [made], None, "")
    assert stored.processed_at == NOW
    assert event.status == "processed"


def test_processed_rolls_back_with_the_work(clock):
    make("k")
    (event,) = inbox.claim(1, "w1")
    with transaction.atomic():
        inbox.mark_processed(event)
        transaction.set_rollback(True)
    assert all_of().get().status == "processing"


def test_ignored_is_kept_with_its_reason(clock):
    make("k")
    (event,) = inbox.claim(1, "w1")
    inbox.mark_ignored(event, "nothing to do\x00")
    stored = all_of().get()
    assert (stored.status, stored.error, stored.processed_at) == ("ignored", "nothing to do�", NOW)


def test_who_lost_the_lease_can_finish_nothing(clock):
    make("k")
    (slow,) = inbox.claim(1, "w1")
    clock.shift(inbox.LEASE)
    (fast,) = inbox.claim(1, "w2")
    with pytest.raises(inbox.LeaseLost, match="the lease of attempt 1 is over"):
        inbox.mark_processed(slow)
    with pytest.raises(Conflict):
        inbox.mark_ignored(slow, "too late")
    inbox.mark_failed(slow, ValueError("too late"))
    assert (all_of().get().status, all_of().get().worker) == ("processing", "w2")
    inbox.mark_processed(fast)
    assert all_of().get().status == "processed"


def test_failures_are_retried_ever_later_and_then_left_to_a_person(clock, monkeypatch):
    monkeypatch.setattr("random.random", lambda: 0.0)
    make("k")
    waits = []
    for _ in range(inbox.MAX_ATTEMPTS - 1):
        (event,) = inbox.claim(1, "w1")
        inbox.mark_failed(event, ConnectionError("no route"))
        waits.append((event.next_attempt_at - datetime.now(timezone.utc)).total_seconds())
        assert (event.status, event.lease_until) == ("retrying", None)
        clock.shift(waits[-1] - 1)
        assert claimed() == []
        clock.shift(1)
    assert waits == [10, 30, 120, 600, 3600, 21600, 21600]
    (event,) = inbox.claim(1, "w1")
    inbox.mark_failed(event, ConnectionError("no route"))
    stored = all_of().get()
    assert (stored.status, stored.attempts, stored.next_attempt_at) == ("quarantined", 8, None)
    assert stored.error == "ConnectionError: no route"


def test_the_wait_is_spread_but_never_shorter(clock, monkeypatch):
    monkeypatch.setattr("random.random", lambda: 1.0)
    make("k")
    (event,) = inbox.claim(1, "w1")
    inbox.mark_failed(event, ValueError("x"))
    assert event.next_attempt_at == NOW + timedelta(seconds=11)


def test_a_named_waiting_time_is_respected(clock, monkeypatch):
    monkeypatch.setattr("random.random", lambda: 0.0)
    make("k")
    (event,) = inbox.claim(1, "w1")
    inbox.mark_failed(event, Retryable("slow down", retry_after=900))
    assert event.next_attempt_at == NOW + timedelta(seconds=900)
    assert event.error == "slow down"


def test_a_permanent_error_needs_a_person_at_once(clock):
    make("k")
    (event,) = inbox.claim(1, "w1")
    inbox.mark_failed(event, Permanent("the form has no email"))
    assert (event.status, event.error, event.attempts) == ("quarantined", "the form has no email", 1)


def test_an_unexpected_error_names_its_place(clock):
    make("k")
    (event,) = inbox.claim(1, "w1")
    try:
        raise KeyError("email")
    except KeyError as error:
        inbox.mark_failed(event, error)
    assert event.error.startswith("KeyError: 'email' (test_an_unexpected_error_names_its_place, line ")


def test_an_event_given_back_has_lost_no_attempt(clock):
    make("k")
    (event,) = inbox.claim(1, "w1")
    inbox.release(event)
    assert list(all_of().values_list("status", "attempts", "worker")) == [("received", 0, "")]
    assert claimed() == ["k"]


def test_replay_starts_over_and_says_who_asked(clock, woken):
    for status in ("processed", "ignored", "quarantined", "retrying"):
        make(status, status=status, attempts=5, error="x", next_attempt_at=None, processed_at=NOW)
    make("in work", status="processing", attempts=1, worker="w1", next_attempt_at=NOW + inbox.LEASE)
    assert inbox.replay(all_of(), "ada") == 4
    replayed = all_of(replayed_by="ada").values_list("status", "attempts", "error", "next_attempt_at", "processed_at")
    assert list(replayed) == [("received", 0, "", NOW, None)] * 4
    assert all_of(delivery_key="in work").get().status == "processing"
    assert woken == ["drain_inbox"]
    assert len(inbox.claim(20, "w2")) == 4


def test_replaying_nothing_wakes_nobody(woken):
    assert inbox.replay(all_of(), "ada") == 0
    assert woken == []


def test_a_stored_event_is_read_by_its_provider(clock):
    body = raw("typeform/form_response.signed.raw")
    (event,) = inbox.read(make("k", body=body, content_type="application/json"))
    assert (event.kind, event.source) == (EventKind.LEAD_SUBMITTED, "Typeform")
    with pytest.raises(Ignore, match="event type 'form_closed' is not one that is acted upon"):
        inbox.read(make("p", body=b'{"event_type": "form_closed"}', content_type="application/json"))
    with pytest.raises(Unreadable):
        inbox.read(make("w", provider="website", content_type="application/json"))
    with pytest.raises(Permanent, match="No provider is called 'gone'"):
        inbox.read(make("g", provider="gone"))


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_share_the_events_and_keep_the_order():
    for number in range(60):
        make(f"k{number:02}", f"o{number % 10}", age=100 - number)
    order: dict[str, list[str]] = {}
    lock = threading.Lock()

    def work(worker: str) -> int:
        done = 0
        try:
            while InboundEvent.objects.filter(next_attempt_at__isnull=False).exists():
                for event in inbox.claim(4, worker):
                    with lock:
                        order.setdefault(event.ordering_key, []).append(event.delivery_key)
                    inbox.mark_processed(event)
                    done += 1
            return done
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, ["w1", "w2", "w3", "w4"])) == 60
    assert order == {f"o{tail}": [f"k{number:02}" for number in range(tail, 60, 10)] for tail in range(10)}
    assert set(all_of().values_list("status", "attempts")) == {("processed", 1)}


def test_an_event_that_waits_for_a_reason_loses_no_attempt_and_comes_back(clock):
    make("k")
    (event,) = inbox.claim(1, "w1")
    inbox.postpone(event, "the agent is switched off", 30)
    stored = all_of().get()
    assert (stored.status, stored.attempts, stored.error) == ("retrying", 0, "the agent is switched off")
    assert claimed() == []
    clock.shift(30)
    assert claimed() == ["k"]
