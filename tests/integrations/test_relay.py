"""The outbox and its relay: wanted with a transaction, lent to one worker, kept in order, given up at last."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from higherself.core import process
from higherself.core.errors import Permanent
from higherself.integrations import gate, outbox, relay, tasks
from higherself.integrations.models import InboundEvent, OutboundCall, ProviderGate
from higherself.integrations.signals import call_done
from tests.factories import make_contact
from tests.standins.server import StandIns

pytestmark = pytest.mark.django_db
Status = OutboundCall.Status
NOTE = {"order_id": 727, "note": "Shipped."}


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr("higherself.core.jobs.wake", names.append)
    monkeypatch.setattr("higherself.core.jobs.wake_in", lambda name, _seconds: names.append(name))
    monkeypatch.setattr("higherself.integrations.gate.time.sleep", lambda _seconds: None)
    return names


def note(key: str = "k1", order: int = 727, **more: Any) -> OutboundCall:
    return outbox.enqueue("woocommerce", "order.note", {**NOTE, "order_id": order}, dedupe_key=key, **more)


def fresh(call: OutboundCall) -> OutboundCall:
    return OutboundCall.objects.get(pk=call.pk)


def due(**filters: Any) -> None:
    OutboundCall.objects.filter(next_attempt_at__isnull=False, **filters).update(next_attempt_at=timezone.now())
    ProviderGate.objects.update(paused_until=None)


def test_a_call_is_wanted_with_the_transaction_or_not_at_all(standins: StandIns):
    with transaction.atomic():
        note()
        transaction.set_rollback(True)
    assert OutboundCall.objects.count() == 0


def test_a_call_wakes_the_relay_and_knows_what_it_is_about(standins: StandIns, woken: list[str]):
    contact = make_contact()
    call = note(about=contact)
    assert woken.count(outbox.JOB) == 1
    assert (call.about_model, call.about_id, call.record) == ("contacts.contact", str(contact.pk), "order:727")


def test_what_no_operation_takes_is_refused_at_once(standins: StandIns):
    for wrong in (
        ("woocommerce", "order.burn", NOTE),
        ("nobody", "order.note", NOTE),
        ("website", "order.note", NOTE),
        ("woocommerce", "order.note", {"order_id": 0, "note": "x"}),
        ("woocommerce", "order.note", {**NOTE, "colour": "red"}),
    ):
        with pytest.raises(Permanent):
            outbox.enqueue(*wrong, dedupe_key="k")
    assert OutboundCall.objects.count() == 0


def test_calls_about_one_record_are_made_in_order_and_others_pass_them(standins: StandIns):
    shop = standins["woocommerce"]
    shop.notes[728] = []
    first, second, other = note("a"), note("b"), note("c", 728)
    shop.fail(500)
    assert [relay.send_one("w"), relay.send_one("w"), relay.send_one("w")] == [True, True, False]
    assert [fresh(call).status for call in (first, second, other)] == [Status.RETRYING, Status.WAITING, Status.DONE]
    due()
    assert [relay.send_one("w"), relay.send_one("w")] == [True, True]
    assert {fresh(first).status, fresh(second).status} == {Status.DONE}
    assert [row["id"] for row in shop.notes[727]] == sorted(row["id"] for row in shop.notes[727])


def test_a_call_that_needs_a_person_does_not_hold_up_those_behind_it(standins: StandIns):
    first, second = note("a"), note("b")
    standins["woocommerce"].fail(400)
    relay.send_one("w")
    relay.send_one("w")
    assert (fresh(first).status, fresh(second).status) == (Status.QUARANTINED, Status.DONE)


def test_a_claimed_call_is_nobody_elses_until_its_lease_ends(standins: StandIns):
    call = note()
    assert relay.claim("one") is not None
    assert relay.claim("two") is None
    due()
    taken = relay.claim("two")
    assert taken is not None
    assert (taken.pk, taken.attempts, taken.worker) == (call.pk, 2, "two")


def test_a_worker_whose_lease_is_over_changes_nothing_any_more(standins: StandIns):
    call = note()
    mine = relay.claim("one")
    due()
    relay.claim("two")
    assert mine is not None
    relay._failed(mine, Permanent("late"))
    assert (fresh(call).status, fresh(call).worker, fresh(call).error) == (Status.SENDING, "two", "")


def test_one_machine_keeps_workers_for_the_inbox(settings, standins: StandIns):
    settings.WORKER_PROCESSES = 3
    note("a")
    other = note("b", 728)
    standins["woocommerce"].notes[728] = []
    home, _, _ = process.identity().rsplit("/", 2)
    # Process 1 lives as long as the machine.
    assert relay.claim(f"{home}/1/{process._started(1)}") is not None
    assert tasks.relay_outbox() == 0
    settings.WORKER_PROCESSES = 4
    assert tasks.relay_outbox() == 1
    assert fresh(other).status == Status.DONE


def test_calls_of_a_killed_worker_are_taken_at_once(standins: StandIns):
    home, _, _ = process.identity().rsplit("/", 2)
    note()
    relay.claim(f"{home}/999999/1")
    assert relay.claim("two") is None
    assert relay.take_from_the_dead() == 1
    assert relay.claim("two") is not None


def test_a_call_that_kills_its_workers_is_given_up_on(standins: StandIns):
    call = note()
    for number in range(relay.MAX_ATTEMPTS):
        due()
        assert relay.claim(f"w{number}") is not None
    due()
    assert relay.claim("last") is None
    assert (fresh(call).status, fresh(call).attempts) == (Status.QUARANTINED, relay.MAX_ATTEMPTS)
    assert "died over it" in fresh(call).error


def test_pauses_grow_with_the_attempts(standins: StandIns):
    call = note()
    pauses = []
    for _ in range(relay.MAX_ATTEMPTS - 1):
        standins["woocommerce"].fail(500)
        due()
        before = timezone.now()
        relay.send_one("w")
        pauses.append((fresh(call).next_attempt_at - before).total_seconds())
    shortest = [float(seconds) for seconds in relay.BACK_OFF]
    assert [low <= pause <= low * 1.3 + 5 for low, pause in zip(shortest, pauses, strict=True)] == [True] * len(pauses)


def test_what_is_not_configured_in_time_expires(settings, standins: StandIns):
    settings.PROVIDERS = {}
    call = note(valid=timedelta(days=-1))
    waiting = note("k2")
    assert tasks.relay_outbox() == 0
    assert (fresh(call).status, fresh(waiting).status) == (Status.EXPIRED, Status.UNCONFIGURED)


def test_credentials_that_are_taken_away_put_the_call_back(settings, standins: StandIns):
    call = note()
    settings.PROVIDERS = {}
    assert relay.send_one("w")
    assert (fresh(call).status, fresh(call).attempts) == (Status.UNCONFIGURED, 0)
    assert "WOOCOMMERCE_CONSUMER_KEY" in fresh(call).error


def test_what_the_listeners_cannot_take_is_tried_again_without_a_second_effect(standins: StandIns):
    heard: list[int] = []

    def listener(call: OutboundCall, **_kwargs: Any) -> None:
        heard.append(call.pk)
        if len(heard) == 1:
            raise ValueError("not today")

    call_done.connect(listener)
    try:
        call = note()
        relay.send_one("w")
        assert fresh(call).status == Status.RETRYING
        due()
        relay.send_one("w")
    finally:
        call_done.disconnect(listener)
    assert (fresh(call).status, len(standins["woocommerce"].notes[727])) == (Status.DONE, 1)


def test_what_was_read_comes_back_through_the_inbox(standins: StandIns):
    outbox.enqueue("beehiiv", "post.stats", {"post_id": "post_1"}, dedupe_key="k1")
    tasks.relay_outbox()
    event = InboundEvent.objects.get()
    assert (event.provider, event.event_type, event.delivery().pulled) == ("beehiiv", "post.measured", "post.stats")


def test_four_failures_in_a_row_leave_the_provider_alone_for_a_while(standins: StandIns):
    shop = standins["woocommerce"]
    shop.fail(500, times=100)
    for number in range(6):
        shop.notes[900 + number] = []
        note(f"k{number}", 900 + number)
    while relay.send_one("w"):
        pass
    assert len(shop.requests) == gate.FAILURES_TO_CLOSE
    row = ProviderGate.objects.get(provider="woocommerce")
    assert row.paused_until is not None
    shop.faults.clear()
    due()
    while relay.send_one("w"):
        pass
    row.refresh_from_db()
    assert (row.failures, row.paused_until, row.reason) == (0, None, "")


def test_requests_are_counted_by_the_month(standins: StandIns):
    ProviderGate.objects.create(provider="woocommerce", month="2020-01", requests=999)
    note()
    relay.send_one("w")
    row = ProviderGate.objects.get(provider="woocommerce")
    assert (row.month, row.requests) == (timezone.now().strftime("%Y-%m"), 1)


def test_a_month_that_is_used_up_makes_calls_wait(standins: StandIns):
    ProviderGate.objects.create(provider="x", month=timezone.now().strftime("%Y-%m"), requests=5)
    with pytest.raises(gate.NotNow, match="a month are used up"):
        gate.take("x", interval=0, patience=1, monthly_limit=5)
    gate.take("x", interval=0, patience=1, monthly_limit=6)


def test_requests_keep_the_pace_and_nobody_waits_longer_than_he_wants():
    gate.take("x", interval=2, patience=0)
    gate.take("x", interval=2, patience=3)
    with pytest.raises(gate.NotNow) as caught:
        gate.take("x", interval=2, patience=3)
    assert 3 < (caught.value.retry_after or 0) <= 4


def test_staff_send_and_drop_calls_from_the_console(standins: StandIns):
    User.objects.create_superuser("owner", password="a-long-password")
    client = Client()
    client.login(username="owner", password="a-long-password")
    standins["woocommerce"].fail(400, times=2)
    stuck, unwanted = note("a"), note("b")
    relay.send_one("w")
    relay.send_one("w")
    for call, action in ((stuck, "replay"), (unwanted, "cancel")):
        client.post(reverse("admin:integrations_outboundcall_do", args=[call.pk, action]))
    assert (fresh(stuck).status, fresh(unwanted).status) == (Status.WAITING, Status.CANCELLED)
    tasks.relay_outbox()
    assert (fresh(stuck).status, fresh(stuck).decided_by) == (Status.DONE, "owner")
    assert len(standins["woocommerce"].notes[727]) == 1
