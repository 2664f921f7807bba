"""What follows outside of a booking and an order: other services, refunds, feedback, and people's figures."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import Permission, User

from agents_app import tasks
from agents_app.models import Approval, Task, WorkflowInstance
from agents_app.services import approvals
from agents_app.workflow import engine
from bookings.models import Product
from bookings.signals import stock_counted
from campaigns.models import Feedback
from contacts.models import Contact
from higherself.core.signals import record_pulled
from higherself.integrations.models import OutboundCall
from tests.agents_app.sales import booking, deliver, instance_of, order, product, tasks_of
from tests.factories import make_feedback

pytestmark = pytest.mark.usefixtures("seeded")
NEW_YORK = ZoneInfo("America/New_York")
NOON = "2026-11-20T12:00:00"


@pytest.fixture(autouse=True)
def _connected(settings: Any) -> None:
    settings.TEAM_EMAILS = ["team@example.org"]
    settings.PROVIDERS = {
        **settings.PROVIDERS,
        "amelia": {"webhook_secret": "s3cret", "time_zone": "America/New_York"},
        "hubspot": {"access_token": "pat-1", "base_url": "http://127.0.0.1:1"},
        "woocommerce": {
            "webhook_secret": "s3cret",
            "consumer_key": "ck",
            "consumer_secret": "cs",
            "base_url": "http://127.0.0.1:1",
        },
    }


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc), tick=False) as traveller:
        yield traveller


@pytest.fixture
def owner(db: None) -> User:
    user = User.objects.create_user("grace", password="a-long-password", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="decide_approval"))
    return User.objects.get(pk=user.pk)


def calls(operation: str) -> list[dict[str, Any]]:
    return [row.payload for row in OutboundCall.objects.filter(operation=operation).order_by("pk")]


# -- other services -------------------------------------------------------------------------------------------------
def test_a_paid_booking_is_a_deal_that_was_won_and_a_cancelled_one_was_lost(clock):
    deliver(
        booking(), booking("paymentUpdated", paid="paid"), booking("bookingCanceled", status="canceled", paid="paid")
    )
    stages = [(call["stage"], call["contact_email"]) for call in calls("deal.upsert")]
    assert stages == [
        ("appointmentscheduled", "ada@example.com"),
        ("closedwon", "ada@example.com"),
        ("closedlost", "ada@example.com"),
    ]
    assert [call["email"] for call in calls("contact.upsert")] == ["ada@example.com"]


def test_an_order_carries_the_id_of_its_instance_and_nothing_that_the_shop_has_told(clock):
    deliver(order("processing"), order("completed", modified=NOON))
    instance = instance_of("727")
    assert calls("order.meta") == [{"order_id": 727, "values": {"higherself_instance": instance.instance_id}}]
    assert calls("order.status") == []


def test_the_shop_is_told_what_people_have_done(clock):
    deliver(order("processing"))
    for event in ("packing_started", "item_shipped", "delivery_confirmed"):
        engine.advance(instance_of("727"), event, actor="Grace")
    assert calls("order.status") == [{"order_id": 727, "status": "completed"}]


def test_a_booking_that_the_clock_gave_up_has_to_be_cancelled_in_amelia_by_a_person(clock):
    deliver(booking())
    clock.shift(timedelta(hours=73))
    tasks.sweep()
    instance = instance_of("3")
    assert Task.objects.get(task_key=f"{instance.instance_id}:cancel_there:1").status == "To Do"


def test_a_retreat_that_is_over_stands_among_what_the_contact_has_attended(clock):
    deliver(booking(paid="paid"))
    clock.move_to(datetime(2026, 12, 30, 16, 0, tzinfo=NEW_YORK))
    tasks.sweep()
    assert Contact.objects.get().experience_attended == ["Autumn retreat"]


# -- refunds --------------------------------------------------------------------------------------------------------
def test_the_refund_of_a_cancelled_booking_waits_for_a_persons_word(clock, owner):
    deliver(booking(paid="paid"), booking("bookingCanceled", status="canceled", paid="paid"))
    instance = instance_of("3")
    assert "process_refund" not in tasks_of(instance)
    wanted = Approval.objects.get()
    assert (wanted.action, wanted.status, wanted.requested_by) == ("booking.refund", "pending", "BookingAgent")
    approvals.approve(wanted, owner, "Yes")
    assert tasks_of(instance)["process_refund"] == "To Do"


def test_a_payment_that_arrives_after_the_booking_was_given_up_asks_for_its_refund(clock):
    deliver(booking())
    clock.shift(timedelta(hours=73))
    tasks.sweep()
    assert Approval.objects.count() == 0
    deliver(booking("paymentUpdated", paid="paid"))
    assert [row.action for row in Approval.objects.all()] == ["booking.refund"]


def test_a_refund_that_was_made_ends_what_was_asked_for(clock):
    deliver(booking(paid="paid"), booking("bookingCanceled", status="canceled", paid="paid"))
    deliver(booking("paymentUpdated", status="canceled", paid="refunded"))
    assert Approval.objects.get().status == "withdrawn"


def test_an_approved_return_is_refunded_in_the_shop(clock, owner):
    deliver(order("processing"))
    for event in ("packing_started", "item_shipped", "return_requested"):
        engine.advance(instance_of("727"), event, actor="Emma")
    with pytest.raises(engine.Held):
        engine.advance(instance_of("727"), "return_approved", actor="Emma")
    approvals.approve(Approval.objects.get(), owner)
    assert instance_of("727").current_state == "refunded"
    assert calls("order.status") == [{"order_id": 727, "status": "refunded"}]
    deliver(order("refunded", modified=NOON))
    assert len(calls("order.status")) == 1


# -- feedback -------------------------------------------------------------------------------------------------------
def test_feedback_of_the_guest_completes_the_booking(clock):
    deliver(booking(paid="paid"))
    clock.move_to(datetime(2026, 12, 31, 16, 0, tzinfo=NEW_YORK))
    tasks.sweep()
    feedback = make_feedback(contact=Contact.objects.get())
    instance = instance_of("3")
    assert (instance.current_state, list(instance.feedback.all())) == ("completed", [feedback])


def test_feedback_before_the_retreat_moves_nothing(clock):
    deliver(booking(paid="paid"))
    make_feedback(contact=Contact.objects.get())
    assert instance_of("3").current_state == "booking_confirmed"


def test_feedback_about_another_product_moves_nothing(clock):
    deliver(order("completed"))
    other = Product.objects.create(name="Another")
    Feedback.objects.create(feedback_title="Nice", contact=Contact.objects.get(), related_product=other)
    assert instance_of("727").current_state == "delivered"
    Feedback.objects.create(feedback_title="Nice", contact=Contact.objects.get())
    assert instance_of("727").current_state == "completed"


# -- figures --------------------------------------------------------------------------------------------------------
def test_a_figure_that_a_person_enters_in_notion_is_sold_from_and_sent_to_the_shop(clock):
    deliver(product(93, stock=10), order("processing"))
    Product.objects.filter(external_id="93").update(inventory_count=30)
    row = Product.objects.get(external_id="93")
    record_pulled.send(sender=Product, pk=row.pk, changed={"inventory_count": (8, 30)}, actor="Notion (Grace)")
    assert calls("stock.set") == [{"product_id": 93, "quantity": 30}]
    deliver(order("cancelled", modified=NOON, paid=True))
    # What was sold before the count is not given back to it.
    assert Product.objects.get(external_id="93").inventory_count == 30


def test_a_figure_that_a_person_enters_in_the_console_counts_the_same(clock):
    deliver(product(93, stock=10))
    Product.objects.filter(external_id="93").update(inventory_count=3)
    stock_counted.send(sender=Product, pk=Product.objects.get().pk)
    assert calls("stock.set") == [{"product_id": 93, "quantity": 3}]


def test_instances_know_when_the_clock_has_to_look(clock):
    deliver(booking())
    instance = WorkflowInstance.objects.get()
    assert instance.next_timer_at == instance.last_transition_date + timedelta(hours=48)
    engine.change_status(instance, "hold", actor="Grace")
    instance.refresh_from_db()
    assert instance.next_timer_at is None
