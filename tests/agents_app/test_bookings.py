"""Flow 2, from Amelia's deliveries to the last state."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from agents_app import tasks
from agents_app.models import Notification, Task, WorkflowInstance
from bookings.models import Booking, Product
from contacts.models import Contact
from higherself.integrations.models import InboundEvent
from tests.agents_app.sales import ADA, END, START, booking, deliver, instance_of, messages_of, path_of, tasks_of

pytestmark = pytest.mark.usefixtures("seeded")
NEW_YORK = ZoneInfo("America/New_York")
BEGINS = datetime(2026, 12, 30, 14, 0, tzinfo=NEW_YORK)


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.PROVIDERS = {**settings.PROVIDERS, "amelia": {"webhook_secret": "s3cret", "time_zone": "America/New_York"}}
    settings.TEAM_EMAILS = ["team@example.org"]


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2026, 11, 23, 12, 0, tzinfo=NEW_YORK), tick=False) as traveller:
        yield traveller


def sweep_at(clock: Any, moment: datetime) -> WorkflowInstance:
    clock.move_to(moment)
    tasks.sweep()
    return WorkflowInstance.objects.get(workflow__workflow_id="WF-RETREAT-BOOKING")


def test_a_booking_becomes_a_contact_a_product_a_row_and_an_instance(clock):
    event = deliver(booking(status="pending"))
    assert (event.status, event.error) == ("processed", "")
    row = Booking.objects.get()
    assert (row.external_id, row.status, row.payment_status, row.starts_at) == ("3", "pending", "open", BEGINS)
    contact = Contact.objects.get()
    assert (contact.email, contact.full_name, contact.contact_type) == ("ada@example.com", "Ada Lovelace", "Client")
    assert (contact.lead_source, contact.status) == ("Amelia", "Active Lead")
    product = Product.objects.get()
    assert (product.name, product.integration_system, product.external_id) == ("Autumn retreat", "Amelia", "12")
    assert (product.type, product.status) == ("Retreat", "Inactive")
    instance = instance_of("3")
    assert (instance.instance_name, instance.current_state) == ("Retreat Booking: Ada Lovelace", "new_booking")
    assert (instance.contact, list(instance.products.all())) == (contact, [product])
    assert (row.contact, row.product, instance.business_entity.entity_key) == (
        contact,
        product,
        "the-connection-practice",
    )
    assert tasks_of(instance) == {"review_booking": "To Do"}
    assert Task.objects.filter(task_key=f"{product.product_id}:describe:1").count() == 1


def test_its_key_data_is_told_on_the_clock_of_the_place(clock):
    deliver(booking())
    data = instance_of("3").key_data
    assert data["retreat_start"] == "2026-12-30T14:00:00-05:00"
    assert (data["booking_date"], data["booking_time"]) == ("Wednesday, 30 December 2026", "14:00")
    assert (data["booking_id"], data["service_id"], data["customer_id"]) == ("3", "12", "2")


def test_an_approved_booking_waits_for_its_payment_and_a_paid_one_is_confirmed(clock):
    deliver(booking(status="pending"), booking("bookingStatusUpdated"), booking("paymentUpdated", paid="paid"))
    instance = instance_of("3")
    assert path_of(instance) == ["new_booking", "payment_pending", "payment_confirmed", "booking_confirmed"]
    assert messages_of(instance) == ["payment_received", "booking_confirmation"]
    assert tasks_of(instance) == {
        "review_booking": "To Do",
        "confirmed_follow_through": "To Do",
        "retreat_preparation": "To Do",
    }
    assert Contact.objects.get().status == "Active Client"
    row = Booking.objects.get()
    assert (row.payment_status, row.paid, row.balance) == ("paid", Decimal(450), 0)


def test_a_late_approval_does_not_move_a_paid_booking_back(clock):
    deliver(booking("paymentUpdated", paid="paid"), booking("bookingStatusUpdated"), booking(status="pending"))
    instance = instance_of("3")
    assert instance.current_state == "booking_confirmed"
    assert (Booking.objects.get().status, Booking.objects.get().payment_status) == ("approved", "paid")


def test_a_late_approval_does_not_bring_a_cancelled_booking_back(clock):
    deliver(booking(), booking("bookingCanceled", status="canceled"), booking("bookingStatusUpdated"))
    assert (instance_of("3").current_state, instance_of("3").status) == ("canceled", "Cancelled")


def test_the_same_delivery_again_changes_nothing(clock):
    deliver(booking())
    before = (instance_of("3").updated_at, instance_of("3").history.count())
    clock.shift(timedelta(minutes=30))
    event = deliver(booking())
    assert event.status == "processed"
    assert (instance_of("3").updated_at, instance_of("3").history.count()) == before
    assert Booking.objects.count() == 1


def test_a_deposit_confirms_the_booking_and_the_balance_is_collected(clock):
    deliver(booking(paid="partiallyPaid"))
    instance = instance_of("3")
    assert instance.current_state == "booking_confirmed"
    assert tasks_of(instance)["collect_balance"] == "To Do"
    deliver(booking("paymentUpdated", paid="paid"))
    assert tasks_of(instance)["collect_balance"] == "Cancelled"


def test_a_free_booking_needs_no_payment(clock):
    deliver(booking(price=0))
    instance = instance_of("3")
    assert path_of(instance) == ["new_booking", "booking_confirmed"]
    assert messages_of(instance) == ["booking_confirmation"]
    assert Contact.objects.get().status == "Active Lead"


def test_a_booking_from_a_package_is_paid_with_the_package(clock):
    deliver(booking(isPackageBooking=True))
    assert instance_of("3").current_state == "booking_confirmed"
    assert Booking.objects.get().payment_status == "not needed"


def test_several_bookings_of_one_appointment_go_their_own_ways(clock):
    slug, body, query = booking()
    other = {**body["bookings"]["0"], "id": 4, "customer": {**ADA, "id": 5, "email": "grace@example.com"}}
    other["status"] = "canceled"
    body["bookings"]["1"] = other
    event = deliver((slug, body, query))
    assert event.status == "processed"
    assert [instance_of("3").current_state, instance_of("4").current_state] == ["payment_pending", "canceled"]


def test_who_books_wins_their_open_lead(clock):
    from tests.agents_app import deliveries

    deliveries.deliver(deliveries.lead())
    deliver(booking())
    lead = WorkflowInstance.objects.get(workflow__workflow_id="WF-LEAD-CAPTURE")
    assert (lead.current_state, lead.status) == ("converted", "Completed")


def test_nobody_who_asked_to_be_left_alone_becomes_an_active_client(clock):
    Contact.objects.create(email="ada@example.com", status="Do Not Contact")
    deliver(booking(paid="paid"))
    assert Contact.objects.get().status == "Do Not Contact"


def test_a_customer_without_an_address_is_followed_all_the_same(clock):
    deliver(booking(customer={"id": 9, "firstName": "No", "lastName": "Mail"}))
    instance = instance_of("3")
    assert (instance.contact, instance.client_lead_name, Contact.objects.count()) == (None, "No Mail", 0)


# -- the clock ------------------------------------------------------------------------------------------------------
def test_an_unpaid_booking_is_chased_after_two_days_and_given_up_after_three(clock):
    deliver(booking())
    began = datetime(2026, 11, 23, 12, 0, tzinfo=NEW_YORK)
    assert "chase_payment" not in tasks_of(sweep_at(clock, began + timedelta(hours=47)))
    assert tasks_of(sweep_at(clock, began + timedelta(hours=49)))["chase_payment"] == "To Do"
    instance = sweep_at(clock, began + timedelta(hours=73))
    assert (instance.current_state, instance.status) == ("canceled", "Cancelled")
    assert tasks_of(instance) == {
        "review_booking": "Cancelled",
        "chase_payment": "Cancelled",
        "cancel_there": "To Do",
    }
    assert messages_of(instance) == ["booking_cancelled"]


def test_a_payment_ends_the_chase(clock):
    deliver(booking())
    sweep_at(clock, datetime(2026, 11, 25, 13, 0, tzinfo=NEW_YORK))
    deliver(booking("paymentUpdated", paid="paid"))
    assert tasks_of(instance_of("3"))["chase_payment"] == "Cancelled"


def test_reminders_go_out_seven_days_and_one_day_before(clock):
    deliver(booking(paid="paid"))
    sent = {
        days: messages_of(sweep_at(clock, BEGINS - timedelta(days=days) + timedelta(minutes=1))).count(
            "booking_reminder"
        )
        for days in (8, 7, 2, 1)
    }
    assert sent == {8: 0, 7: 1, 2: 1, 1: 2}


def test_a_booking_runs_through_the_retreat_to_the_feedback_by_the_clock(clock):
    deliver(booking(paid="paid"))
    ends = BEGINS + timedelta(hours=1)
    seen = {
        name: sweep_at(clock, moment).current_state
        for name, moment in {
            "eight days before": BEGINS - timedelta(days=8),
            "six days before": BEGINS - timedelta(days=6),
            "begun": BEGINS + timedelta(minutes=1),
            "over": ends + timedelta(minutes=1),
            "a week later": ends + timedelta(days=7, minutes=1),
            "three weeks later": ends + timedelta(days=21, minutes=2),
        }.items()
    }
    assert seen == {
        "eight days before": "booking_confirmed",
        "six days before": "preparation",
        "begun": "service_delivery",
        "over": "follow_up",
        "a week later": "feedback_collection",
        "three weeks later": "completed",
    }
    instance = instance_of("3")
    assert (instance.status, messages_of(instance).count("survey_request")) == ("Completed", 1)


def test_a_moved_booking_is_reminded_of_its_new_date(clock):
    deliver(booking(paid="paid"))
    sweep_at(clock, BEGINS - timedelta(days=6))
    later, end = "2027-02-10 14:00:00", "2027-02-10 15:00:00"
    deliver(booking("bookingTimeUpdated", paid="paid", start=later, end=end, before=(START, END)))
    instance = instance_of("3")
    new = datetime(2027, 2, 10, 14, 0, tzinfo=NEW_YORK)
    assert (instance.current_state, Booking.objects.get().starts_at) == ("booking_confirmed", new)
    task = Task.objects.get(task_key=f"{instance.instance_id}:retreat_preparation:1")
    assert task.due_date == new - timedelta(days=7)
    counts = [
        messages_of(sweep_at(clock, moment)).count("booking_reminder")
        for moment in (BEGINS, new - timedelta(days=8), new - timedelta(days=7), new - timedelta(days=1))
    ]
    # The one of the old date had gone out before the booking was moved.
    assert counts == [1, 1, 2, 3]


def test_a_cancelled_booking_is_reminded_of_nothing(clock):
    deliver(booking(paid="paid"), booking("bookingCanceled", status="canceled", paid="paid"))
    for days in (7, 1, -2):
        sweep_at(clock, BEGINS - timedelta(days=days))
    assert "booking_reminder" not in messages_of(instance_of("3"))
    assert "survey_request" not in messages_of(instance_of("3"))


def test_a_booking_for_tomorrow_is_not_told_that_it_is_in_a_week(clock):
    deliver(booking(paid="paid", start="2026-11-25 14:00:00", end="2026-11-25 15:00:00"))
    begins = datetime(2026, 11, 25, 14, 0, tzinfo=NEW_YORK)
    assert messages_of(sweep_at(clock, begins - timedelta(hours=26))).count("booking_reminder") == 0
    assert messages_of(sweep_at(clock, begins - timedelta(hours=23))).count("booking_reminder") == 1


def test_reminders_that_were_missed_while_nothing_ran_are_sent_once(clock):
    deliver(booking(paid="paid"))
    instance = sweep_at(clock, BEGINS - timedelta(hours=12))
    assert messages_of(instance).count("booking_reminder") == 1


def test_a_no_show_cancels_the_booking(clock):
    deliver(booking(paid="paid"))
    sweep_at(clock, BEGINS + timedelta(minutes=5))
    deliver(booking("bookingStatusUpdated", status="no-show", paid="paid"))
    assert path_of(instance_of("3"))[-2:] == ["service_delivery", "canceled"]
    assert Notification.objects.filter(template__template_id="survey_request").count() == 0
    assert InboundEvent.objects.exclude(status="processed").count() == 0
