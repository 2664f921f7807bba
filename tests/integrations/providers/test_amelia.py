"""Reading Amelia's deliveries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from higherself.integrations.base import Ignore
from higherself.integrations.delivery import Delivery, Unreadable
from higherself.integrations.events import EventKind
from higherself.integrations.material import CustomAnswer, Payment, Person
from higherself.integrations.providers.amelia.bookings import payment_status
from higherself.integrations.providers.amelia.schemas import Payment as Paid
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.support import RECEIVED, material, one, read, utc
from tests.integrations.support import json_delivery, payload, sent

AMELIA = PROVIDERS["amelia"]


@pytest.fixture(autouse=True)
def _madrid(settings: Any) -> None:
    settings.PROVIDERS = {"amelia": {"webhook_secret": "s3cret", "time_zone": "Europe/Madrid"}}


def of(file: str, **options: Any) -> Any:
    return read("amelia", sent(f"amelia/{file}", received_at=RECEIVED, **options))


def at(start: str, end: str = "", **more: Any) -> dict[str, Any]:
    appointment = {"id": 1, "bookingStart": start, "bookingEnd": end, "bookings": {"0": {"id": 5, **more}}}
    return {"appointment": appointment, "bookings": {}}


def test_an_added_booking_is_read_with_its_customer_service_and_time():
    (event,) = of("appointment.bookingAdded.json")
    assert (event.kind, event.source, event.source_id) == (EventKind.BOOKING_CREATED, "Amelia", "3")
    assert (event.occurred_at, event.key) == (RECEIVED, "appointment:3")
    found = material(event)
    assert (found.booking_id, found.reservation_id, found.reservation_type) == ("3", "3", "appointment")
    assert (found.change, found.status, found.reservation_status) == ("bookingAdded", "approved", "approved")
    assert (found.service_id, found.service_name) == ("1", "Demo Service")
    assert found.customer == Person(
        id="2", email="jondoecustomer@test.test", first_name="Jon", last_name="Doe", name="Jon Doe"
    )
    assert (found.provider.id, found.provider.email) == ("1", "jondoe@test.test")
    # The site's wall clock says 14:00; Madrid is an hour before UTC in winter.
    assert (found.starts_at, found.ends_at) == (utc(2021, 12, 30, 13), utc(2021, 12, 30, 14))
    assert (found.time_zone, found.persons, found.price) == ("Europe/Madrid", 1, Decimal(20))
    assert found.payments == [Payment(id="3", amount=Decimal(0), gateway="onSite", status="pending")]
    assert (found.payment_status, found.paid) == ("pending", Decimal(0))
    assert (found.answers, found.extras, found.problems) == ([], [], [])


def test_a_changed_status_and_a_cancellation_are_told_apart():
    (changed,) = of("appointment.bookingStatusUpdated.json")
    assert (changed.kind, changed.data["status"]) == (EventKind.BOOKING_STATUS_CHANGED, "pending")
    (canceled,) = of("appointment.bookingCanceled.json")
    assert (canceled.kind, canceled.data["status"]) == (EventKind.BOOKING_CANCELED, "canceled")
    # Older releases call an administrator's cancellation a change of status.
    (older,) = of("appointment.bookingCanceled.json", query="action=bookingStatusUpdated")
    assert older.kind == EventKind.BOOKING_CANCELED


def test_a_moved_appointment_concerns_all_who_still_come_and_tells_the_old_time():
    (event,) = of("appointment.bookingTimeUpdated.json")
    assert (event.kind, event.source_id) == (EventKind.BOOKING_RESCHEDULED, "3")
    found = material(event)
    assert (found.starts_at, found.ends_at) == (utc(2021, 12, 31, 9), utc(2021, 12, 31, 10))
    assert (found.previous_starts_at, found.previous_ends_at) == (utc(2021, 12, 30, 13), utc(2021, 12, 30, 14))


def test_a_moved_appointment_is_known_without_its_action_too():
    (event,) = of("appointment.bookingTimeUpdated.json", query="")
    assert event.kind == EventKind.BOOKING_RESCHEDULED


def test_an_event_of_two_days_with_two_bookings_gives_two_events_of_ours():
    first, second = of("event.bookingAdded.json")
    assert [first.source_id, second.source_id] == ["11", "12"]
    assert [event.key for event in (first, second)] == ["event:4186", "event:4186"]
    found = material(first)
    assert (found.reservation_type, found.service_id, found.service_name) == ("event", "4186", "Autumn retreat")
    # The clocks go back in the night between the two days.
    assert [(slot.starts_at, slot.ends_at) for slot in found.slots] == [
        (utc(2024, 10, 26, 16), utc(2024, 10, 26, 18)),
        (utc(2024, 10, 27, 9), utc(2024, 10, 27, 15)),
    ]
    assert (found.starts_at, found.ends_at) == (utc(2024, 10, 26, 16), utc(2024, 10, 27, 15))
    assert (found.customer.email, found.customer.phone) == ("ada@example.com", "+34 600 000 0011")
    assert (found.persons, found.payment_status, found.paid) == (2, "partially_paid", Decimal(100))
    assert found.answers == [CustomAnswer(label="Dietary needs", type="checkbox", value=["Vegan", "No nuts"])]
    assert (material(second).status, material(second).payment_status) == ("pending", "")


def test_a_bought_package_names_its_buyer():
    (event,) = of("package.packagePurchased.json")
    assert (event.kind, event.source_id, event.key) == (EventKind.PACKAGE_PURCHASED, "33", "package:7")
    found = material(event)
    assert (found.package_id, found.purchase_id, found.name, found.price) == ("7", "33", "Five lessons", Decimal(150))
    assert (found.customer.email, found.payments[0].status) == ("jane@example.com", "paid")
    (back,) = of("package.packagePurchased.json", query="action=packageCanceled")
    assert back.kind == EventKind.PACKAGE_CANCELED


def test_real_lists_say_the_same_as_objects_with_number_keys():
    body = payload("amelia/appointment.bookingAdded.json")
    body["bookings"] = list(body["bookings"].values())
    body["appointment"]["bookings"] = list(body["appointment"]["bookings"].values())
    header = {"X-WP-Webhook-Name": "aml_booking_added"}
    (event,) = read("amelia", body, headers=header)
    (same,) = of("appointment.bookingAdded.json")
    assert event.kind == EventKind.BOOKING_CREATED
    assert {**event.data, "change": ""} == {**same.data, "change": ""}


def test_a_form_with_nested_fields_is_read_like_json():
    fields = {
        "appointment[id]": "3",
        "appointment[bookingStart]": "2026-07-01 10:00:00",
        "appointment[bookings][0][id]": "8",
        "appointment[bookings][0][customer][email]": "ada@example.com",
    }
    form = Delivery(
        urlencode(fields).encode(), content_type="application/x-www-form-urlencoded", query="action=bookingAdded"
    )
    (event,) = AMELIA.parse(form)
    found = material(event)
    assert (event.kind, found.booking_id, found.customer.email) == (EventKind.BOOKING_CREATED, "8", "ada@example.com")
    assert found.starts_at == utc(2026, 7, 1, 8)


@pytest.mark.parametrize(
    ("start", "end", "moments"),
    [
        ("2026-01-15 10:00:00", "2026-01-15 11:00:00", (utc(2026, 1, 15, 9), utc(2026, 1, 15, 10))),
        ("2026-07-15 10:00:00", "2026-07-15 11:00:00", (utc(2026, 7, 15, 8), utc(2026, 7, 15, 9))),
        # 02:30 does not exist on that night: half an hour after 02:00 is 03:30.
        ("2026-03-29 02:30:00", "2026-03-29 03:30:00", (utc(2026, 3, 29, 1, 30), utc(2026, 3, 29, 1, 30))),
        # 02:30 comes twice: the first one, unless it would end before it began.
        ("2026-10-25 02:30:00", "2026-10-25 03:30:00", (utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 2, 30))),
        ("2026-10-25 02:45:00", "2026-10-25 02:15:00", (utc(2026, 10, 25, 0, 45), utc(2026, 10, 25, 1, 15))),
    ],
)
def test_the_sites_wall_clock_is_read_through_daylight_saving_time(start: str, end: str, moments: tuple[Any, Any]):
    found = material(one("amelia", at(start, end), query="action=bookingAdded"))
    assert (found.starts_at, found.ends_at) == moments


def test_without_a_zone_of_its_own_the_site_has_the_servers(settings):
    settings.PROVIDERS, settings.TIME_ZONE = {}, "America/New_York"
    assert material(one("amelia", at("2026-01-15 10:00:00"))).starts_at == utc(2026, 1, 15, 15)


def test_a_zone_that_does_not_exist_stops_the_booking_before_it_is_at_a_wrong_time(settings):
    settings.PROVIDERS = {"amelia": {"time_zone": "Madrid/Europe"}}
    with pytest.raises(Unreadable, match="AMELIA_TIME_ZONE is 'Madrid/Europe', which is no time zone"):
        of("appointment.bookingAdded.json")


@pytest.mark.parametrize(
    ("payments", "price", "status"),
    [
        ([], 20, ""),
        ([("20", "paid")], 20, "paid"),
        ([("10", "paid"), ("10", "paid")], 20, "paid"),
        ([("5", "paid"), ("15", "pending")], 20, "partially_paid"),
        ([("20", "paid"), ("0", "pending")], 20, "paid"),
        ([("5", "partiallyPaid")], 20, "partially_paid"),
        ([("20", "refunded")], 20, "refunded"),
        ([("20", "pending")], None, "pending"),
    ],
)
def test_several_payments_come_to_one_status(payments: list[tuple[str, str]], price: int | None, status: str):
    found = [Paid(amount=amount, status=word) for amount, word in payments]
    assert payment_status(found, None if price is None else Decimal(price)) == status


def test_a_payment_is_an_event_of_its_own_where_the_address_says_so():
    (event,) = of("appointment.bookingStatusUpdated.json", query="action=paymentUpdated")
    assert event.kind == EventKind.PAYMENT_UPDATED


def test_what_is_missing_or_wrong_is_reported_without_its_value():
    body = at("soon", status=["secret-value"], price="a lot", customer=None)
    found = material(one("amelia", body, query="action=bookingAdded"))
    assert found.problems == [
        "Booking.status: Value error, is no text",
        "Booking.price: Value error, is no amount",
        "Booking.status: not given",
        "Booking.customer: not given",
        "Reservation.bookingStart: not given",
    ]
    assert (found.booking_id, found.status, found.price, found.starts_at) == ("5", "", None, None)


def test_what_the_customer_typed_in_fills_what_the_account_lacks():
    info = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "phone": "1"}
    found = material(one("amelia", at("2026-01-15 10:00:00", customerId=9, info=json.dumps(info))))
    assert found.customer == Person(
        id="9", email="ada@example.com", first_name="Ada", last_name="Lovelace", name="Ada Lovelace", phone="1"
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"appointment": {"id": 1, "bookings": {}}, "bookings": {}}, "Nobody has booked it"),
        (at("2026-01-15 10:00:00", status="canceled"), "All bookings of it are canceled"),
    ],
)
def test_a_reservation_that_nobody_comes_to_is_ignored(body: dict[str, Any], reason: str):
    with pytest.raises(Ignore, match=reason):
        read("amelia", body, query="action=bookingTimeUpdated")


@pytest.mark.parametrize("body", [{"appointment": {}}, {"event": 7}, {"package": {"name": "x"}}])
def test_what_names_nothing_is_unreadable(body: dict[str, Any]):
    with pytest.raises(Unreadable):
        read("amelia", body)


def test_an_unknown_action_is_ignored_with_its_name():
    with pytest.raises(Ignore, match="Amelia's action 'bookingDreamt' is not one that is acted upon"):
        of("appointment.bookingAdded.json", query="action=bookingDreamt")


def test_a_repeat_is_the_same_body_and_action_within_ten_minutes():
    def key(minutes: int = 0, file: str = "appointment.bookingAdded.json", **options: Any) -> str:
        return AMELIA.delivery_key(sent(f"amelia/{file}", received_at=RECEIVED + timedelta(minutes=minutes), **options))

    assert key() == key(9)
    others = [key(), key(10), key(query="action=bookingStatusUpdated"), key(file="appointment.bookingCanceled.json")]
    assert len(set(others)) == 4


def test_names_and_order_are_those_of_the_reservation():
    delivery = sent("amelia/event.bookingAdded.json")
    assert (AMELIA.event_type(delivery), AMELIA.ordering_key(delivery)) == ("event.bookingAdded", "event:4186")
    nothing = json_delivery([])
    assert (AMELIA.event_type(nothing), AMELIA.ordering_key(nothing)) == ("", "")


def test_the_signature_of_wp_webhooks_proves_a_delivery(settings):
    settings.PROVIDERS = {"amelia": {"webhook_secret": "example-secret"}}
    body = b'{"user_id":123,"course_id":9213}'
    mac = base64.b64encode(hmac.new(b"example-secret", body, hashlib.sha256).digest()).decode()
    assert mac == "v7m5MBB6NEW+qlrAF0Ygzezsw6MNhVQZxXUQSJjn1AM="
    assert AMELIA.verify(Delivery(body, {"X-WP-Webhook-Signature": mac})) is True
    assert AMELIA.verify(Delivery(body + b" ", {"X-WP-Webhook-Signature": mac})) is False
