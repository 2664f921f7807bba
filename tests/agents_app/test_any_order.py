"""The deliveries about a booking or an order in any order, any of them twice: the end is the same."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agents_app.agents.base import Context
from agents_app.agents.registry import AGENTS
from agents_app.choices import OPEN_TASK
from agents_app.models import Approval, Task, WorkflowInstance
from agents_app.services import catalog
from bookings import evidence
from bookings.evidence import Payment, Told
from bookings.models import Booking, Order, OrderLine, Product
from contacts.models import Contact
from higherself.integrations.delivery import Delivery
from higherself.integrations.registry import PROVIDERS
from tests.agents_app.sales import END, START, Sent, booking, order, product

pytestmark = pytest.mark.usefixtures("seeded")
AGENT = AGENTS["BookingAgent"]
BEGAN = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
LATER, LATER_END = "2027-01-12 14:00:00", "2027-01-12 15:00:00"
THIRD, THIRD_END = "2027-02-12 14:00:00", "2027-02-12 15:00:00"
MOVED = {"start": LATER, "end": LATER_END, "before": (START, END)}
AGAIN = {"start": THIRD, "end": THIRD_END, "before": (LATER, LATER_END)}
HOURS = [f"2026-11-20T{hour:02}:00:00" for hour in range(10, 20)]
DELETED: Sent = ("woocommerce", {"id": 727}, "order.deleted")

BOOKINGS: dict[str, list[Sent]] = {
    "paid": [booking(status="pending"), booking("bookingStatusUpdated"), booking("paymentUpdated", paid="paid")],
    "unpaid": [booking(status="pending"), booking("bookingStatusUpdated")],
    "deposit, then all": [
        booking(paid="partiallyPaid"),
        booking("paymentUpdated", paid="partiallyPaid"),
        booking("paymentUpdated", paid="paid"),
    ],
    "cancelled unpaid": [booking(status="pending"), booking("bookingCanceled", status="canceled")],
    "cancelled and paid": [
        booking(),
        booking("paymentUpdated", paid="paid"),
        booking("bookingCanceled", status="canceled", paid="paid"),
    ],
    "rejected": [booking(status="pending"), booking("bookingStatusUpdated", status="rejected")],
    "refunded": [
        booking(paid="paid"),
        booking("bookingCanceled", status="canceled", paid="paid"),
        booking("paymentUpdated", status="canceled", paid="refunded"),
    ],
    "moved twice": [
        booking(paid="paid"),
        booking("bookingTimeUpdated", paid="paid", **MOVED),
        booking("bookingTimeUpdated", paid="paid", **AGAIN),
    ],
    "moved, then cancelled": [
        booking(status="pending"),
        booking("bookingTimeUpdated", **MOVED),
        booking("bookingCanceled", status="canceled", start=LATER, end=LATER_END),
    ],
}
ORDERS: dict[str, list[Sent]] = {
    "delivered": [
        order("pending", modified=HOURS[0]),
        order("processing", modified=HOURS[1]),
        order("completed", modified=HOURS[2]),
    ],
    "failed, then paid": [order("failed", modified=HOURS[0]), order("processing", modified=HOURS[1])],
    "cancelled unpaid": [order("on-hold", modified=HOURS[0]), order("cancelled", modified=HOURS[1])],
    "cancelled and paid": [
        order("processing", modified=HOURS[0]),
        order("cancelled", modified=HOURS[1], paid=True),
    ],
    "refunded": [
        order("processing", modified=HOURS[0]),
        order("completed", modified=HOURS[1]),
        order("refunded", modified=HOURS[2]),
    ],
    "cancelled, then paid after all": [
        order("pending", modified=HOURS[0]),
        order("cancelled", modified=HOURS[1]),
        order("processing", modified=HOURS[2]),
    ],
    "of one second": [order("pending", modified=HOURS[0]), order("processing", modified=HOURS[0])],
    "deleted": [order("pending", modified=HOURS[0]), order("processing", modified=HOURS[1]), DELETED],
    "counted by the shop": [
        product(93, stock=10, modified=HOURS[0]),
        order("processing", modified=HOURS[1]),
        product(93, stock=8, modified=HOURS[2]),
        order("refunded", modified=HOURS[3]),
    ],
}


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.PROVIDERS = {**settings.PROVIDERS, "amelia": {"webhook_secret": "s3cret", "time_zone": "America/New_York"}}


def _work(sent: Sent, at: datetime, event_id: str) -> None:
    """What the worker does with one delivery, without the inbox."""
    slug, body, topic = sent
    headers = {"X-WC-Webhook-Topic": topic} if slug == "woocommerce" else {}
    query = "" if slug == "woocommerce" else topic
    delivery = Delivery(
        body=json.dumps(body).encode(), content_type="application/json", received_at=at, query=query, headers=headers
    )
    for event in PROVIDERS[slug].parse(delivery):
        context = Context(
            kind=event.kind,
            actor=AGENT.agent_id,
            source=event.source,
            source_id=event.source_id,
            event_id=event_id,
            now=at,
            occurred_at=event.occurred_at,
        )
        AGENT.handle(AGENT.consumes[event.kind].model_validate(event.data), context)


def _end_of(deliveries: list[tuple[Sent, str]]) -> dict[str, Any]:
    """The end state after these deliveries; nothing of it is kept."""
    with transaction.atomic():
        for number, (sent, event_id) in enumerate(deliveries):
            _work(sent, BEGAN + timedelta(minutes=number), event_id)
        found = _state()
        transaction.set_rollback(True)
    catalog.forget()
    return found


def _state() -> dict[str, Any]:
    """Everything that people see of it, without ids and times of our own."""
    return {
        "bookings": list(
            Booking.objects.order_by("external_id").values_list(
                "external_id", "status", "payment_status", "paid", "price", "starts_at", "ends_at", "persons"
            )
        ),
        "orders": list(
            Order.objects.order_by("external_id").values_list(
                "external_id", "number", "status", "total", "refunded", "paid_at", "modified_at", "deleted", "stages"
            )
        ),
        "lines": sorted(
            (line.external_id, line.quantity, line.taken_at, line.returned_at is not None)
            for line in OrderLine.objects.all()
        ),
        "products": sorted(Product.objects.values_list("external_id", "name", "inventory_count", "status"), key=str),
        "contacts": list(Contact.objects.order_by("email").values_list("email", "full_name", "contact_type", "status")),
        "instances": [
            (row.source_record_id, row.current_state, row.status, row.key_data, row.products.count())
            for row in WorkflowInstance.objects.order_by("source_record_id")
        ],
        "open tasks": sorted(
            Task.objects.filter(status__in=OPEN_TASK).values_list("task_name", "assignee_text", "priority")
        ),
        "waiting": sorted(Approval.objects.filter(status="pending").values_list("action", "subject_label")),
    }


STORIES = [
    *(pytest.param(sent, id=f"booking {name}") for name, sent in BOOKINGS.items()),
    *(pytest.param(sent, id=f"order {name}") for name, sent in ORDERS.items()),
]


@pytest.mark.parametrize("story", STORIES)
@given(data=st.data())
@settings(max_examples=4, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_the_end_does_not_depend_on_the_order_or_the_number_of_deliveries(
    story: list[Sent], data: st.DataObject
) -> None:
    told = [(sent, str(uuid4())) for sent in story]
    numbers = list(range(len(told)))
    again = data.draw(st.lists(st.sampled_from(numbers), max_size=len(told)), label="again")
    shuffled = data.draw(st.permutations([*numbers, *again]), label="order")
    assert _end_of([told[number] for number in shuffled]) == _end_of(told)


# -- the evidence alone ---------------------------------------------------------------------------------------------
_MOMENTS = st.integers(0, 5).map(lambda days: BEGAN + timedelta(days=days))
_PAYMENTS = st.builds(
    Payment,
    id=st.sampled_from(["", "1", "2"]),
    status=st.sampled_from(["pending", "partiallyPaid", "paid", "refunded", "odd"]),
    amount=st.one_of(st.none(), st.decimals(0, 100, places=2)),
)
_TOLD = st.builds(
    Told,
    at=_MOMENTS,
    status=st.sampled_from([*evidence.RANK, "Cancelled", "no_show", "odd"]),
    payments=st.lists(_PAYMENTS, max_size=2).map(tuple),
    starts_at=st.one_of(st.none(), _MOMENTS),
    ends_at=st.one_of(st.none(), _MOMENTS),
    moved=st.booleans(),
    left=st.one_of(st.none(), _MOMENTS),
)


def _joined(told: list[Told]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for one in told:
        known = evidence.join(known, one)
    return json.loads(json.dumps(known))


@given(told=st.lists(_TOLD, max_size=6), data=st.data())
def test_evidence_is_the_same_in_any_order_and_told_twice(told: list[Told], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(told), max_size=4) if told else st.just([]))
    assert _joined(data.draw(st.permutations([*told, *again]))) == _joined(told)


@given(told=st.lists(_TOLD, min_size=1, max_size=6))
def test_a_status_never_goes_back(told: list[Told]) -> None:
    ranks = [evidence.RANK.get(evidence.status(_joined(told[: n + 1])), 0) for n in range(len(told))]
    assert ranks == sorted(ranks)


@given(told=st.lists(_TOLD, max_size=6))
def test_everything_that_follows_from_evidence_can_be_computed(told: list[Told]) -> None:
    known = _joined(told)
    assert evidence.times(known)[0] is None or evidence.times(known)[0] in [one.starts_at for one in told]
    assert evidence.received(known) >= 0
    assert evidence.payment_status(known, None) in ("open", "partly", "paid", "refunded")
