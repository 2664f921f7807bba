"""A booking of Amelia's as our material."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from higherself.integrations import material as m
from higherself.integrations.providers.amelia.schemas import Booking, Customer, Payment, Period, Reservation
from higherself.integrations.reading import as_list, later_time_of, text, time_of

_PAID = {"paid", "partiallypaid"}
_NOTHING = Booking()


def material(
    booking: Booking, reservation: Reservation, kind: str, change: str, zone: ZoneInfo, problems: list[str]
) -> m.BookingMaterial:
    slots = _slots(reservation, zone)
    starts, ends = (
        [slot.starts_at for slot in slots if slot.starts_at],
        [slot.ends_at for slot in slots if slot.ends_at],
    )
    before, before_end = _previous(reservation, zone)
    if not starts:
        problems = [*problems, "Reservation.bookingStart: not given"]
    return m.BookingMaterial(
        booking_id=booking.id,
        reservation_id=reservation.id or booking.appointment_id,
        reservation_type=kind,
        change=change,
        status=booking.status,
        reservation_status=reservation.status,
        service_id=(reservation.service_id or reservation.service.id) if kind == "appointment" else reservation.id,
        service_name=reservation.service.name or reservation.name,
        provider=person(reservation.provider if reservation.provider.id else _first(reservation.providers)),
        customer=_customer(booking),
        location=_location(reservation),
        starts_at=min(starts, default=None),
        ends_at=max(ends, default=None),
        slots=slots,
        previous_starts_at=before,
        previous_ends_at=before_end,
        time_zone=zone.key,
        persons=max(booking.persons or 1, 1),
        price=booking.price,
        payments=[payment(item) for item in booking.payments],
        payment_status=payment_status(booking.payments, booking.price),
        paid=paid(booking.payments),
        answers=_answers(booking),
        extras=[extra.name or extra.extra_id for extra in booking.extras if extra.name or extra.extra_id],
        coupon=text(booking.coupon.get("code")),
        notes=reservation.internal_notes,
        is_recurring=booking.is_recurring_booking,
        is_from_package=booking.is_package_booking,
        problems=problems,
    )


def completed(booking: Booking, reservation: Reservation) -> Booking:
    """The changed booking, with what only the reservation's copy of it says, such as the customer."""
    whole = next((other for other in reservation.bookings if other.id and other.id == booking.id), None)
    if whole is None:
        return booking
    given = {
        name: value for name in Booking.model_fields if (value := getattr(booking, name)) != getattr(_NOTHING, name)
    }
    return whole.model_copy(update=given)


def person(customer: Customer, customer_id: str = "") -> m.Person:
    return m.Person(
        id=customer.id or customer_id,
        email=customer.email,
        first_name=customer.first_name,
        last_name=customer.last_name,
        name=f"{customer.first_name} {customer.last_name}".strip(),
        phone=customer.phone,
    )


def payment(item: Payment) -> m.Payment:
    return m.Payment(
        id=item.id,
        amount=item.amount,
        gateway=item.gateway,
        status=item.status,
        transaction_id=item.transaction_id,
        order_id=item.wc_order_id,
    )


def paid(payments: list[Payment]) -> Decimal:
    return sum((item.amount or Decimal(0) for item in payments if item.status.lower() in _PAID), Decimal(0))


def payment_status(payments: list[Payment], price: Decimal | None) -> str:
    """What the payments come to. One of several may be open, as after a deposit."""
    found = {item.status.lower() for item in payments if item.status}
    if not found:
        return ""
    if found & _PAID:
        whole = found == {"paid"} or ("paid" in found and price is not None and paid(payments) >= price)
        return "paid" if whole else "partially_paid"
    return "refunded" if "refunded" in found else "pending"


def _customer(booking: Booking) -> m.Person:
    """What the customer typed in fills what the account does not hold."""
    typed = booking.info_array or booking.info
    known = person(booking.customer, booking.customer_id)
    first, last = known.first_name or text(typed.get("firstName")), known.last_name or text(typed.get("lastName"))
    return known.model_copy(
        update={
            "first_name": first,
            "last_name": last,
            "name": f"{first} {last}".strip(),
            "email": known.email or text(typed.get("email")),
            "phone": known.phone or text(typed.get("phone")),
        }
    )


def _slots(reservation: Reservation, zone: ZoneInfo) -> list[m.Slot]:
    periods = reservation.periods or [
        Period(period_start=reservation.booking_start, period_end=reservation.booking_end)
    ]
    found = []
    for period in periods:
        start = time_of(period.period_start, zone)
        end = later_time_of(period.period_end, zone, start)
        if start or end:
            found.append(m.Slot(starts_at=start, ends_at=end))
    return found


def _previous(reservation: Reservation, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    before = reservation.initial_appointment_date_time
    start = time_of(before.get("bookingStart") or reservation.initial_event_start, zone)
    return start, later_time_of(before.get("bookingEnd") or reservation.initial_event_end, zone, start)


def _location(reservation: Reservation) -> str:
    if isinstance(reservation.location, dict):
        return text(reservation.location.get("name")) or text(reservation.location.get("address"))
    return text(reservation.location) or reservation.custom_location


def _answers(booking: Booking) -> list[m.CustomAnswer]:
    """``{"8": {"label": …, "type": …, "value": …}}``; a value may be a list of choices."""
    fields = [item for item in booking.custom_fields.values() if isinstance(item, dict)]
    return [
        m.CustomAnswer(label=text(item.get("label")), type=text(item.get("type")), value=_choices(item.get("value")))
        for item in fields
        if item.get("value") not in (None, "", {}, [])
    ]


def _choices(value: Any) -> Any:
    """A list that came as an object is a list again."""
    items = as_list(value)
    return value if items is None else items


def _first(providers: list[Customer]) -> Customer:
    return providers[0] if providers else Customer()
