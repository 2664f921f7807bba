"""Flow 2: what Amelia tells about a booking becomes a row, a contact, a retreat and an instance that moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agents_app.agents.base import Context, Created, Outcome, Result
from agents_app.sales import chores, course, customers, instances, products
from agents_app.text import clean, one_line, shorten
from bookings import evidence
from bookings.choices import RECEIVED, BookingKind, PaymentStatus
from bookings.models import Booking, Product
from contacts.choices import InteractionKind
from contacts.models import BusinessEntity, Contact
from higherself.integrations.events import EventKind
from higherself.integrations.material import BookingMaterial, Person

WORKFLOW = "WF-RETREAT-BOOKING"
DATES = ("retreat_start", "retreat_end")
# Key data is read in Notion, where 2000 characters are one item.
ANSWERS, ANSWER_LIMIT = 12, 120


def take(told: BookingMaterial, context: Context) -> Outcome:
    """One booking as one delivery tells of it. The same delivery again, or an older one, changes nothing.

    Of a customer who was erased after they booked, the booking is kept up to date, and nothing else.
    """
    booking = _locked(told, context)
    new = booking.pk is None
    booked_at = context.occurred_at if new else booking.created_at
    own = not new or context.kind == EventKind.BOOKING_CREATED
    if customers.erased_of(told.customer, at=booked_at, own=own) is None:
        return _take(booking, told, context)
    told = told.model_copy(update={"customer": Person(), "answers": [], "notes": ""})
    return replace(_take(booking, told, context), about_erased=True)


def _take(booking: Booking, told: BookingMaterial, context: Context) -> Outcome:
    product, unknown = products.of_booking(told, context)
    entity = products.entity_of(product, context.source)
    contact, new_contact = customers.of(told.customer, context, entity=entity, record_id=told.booking_id)
    was_paid, was_partly = _was_paid(booking), booking.payment_status == PaymentStatus.PARTLY
    fresh = product is not None and product.pk != booking.product_id
    changed = _learn(booking, told, context, product, entity, contact)
    if unknown and product is not None:
        products.ask_to_describe(product, entity)
    moved = instances.carry_on(_case(booking, told, context, fresh), context)
    _clear_up(booking, moved, was_partly)
    _about_the_person(booking, moved, context, was_paid)
    if not (changed or moved.changed):
        return Outcome(Result.DUPLICATE, f"{_name(booking)} is known: {moved.instance.instance_id} stays as it is.")
    rows = [*([contact] if contact and new_contact else []), *([product] if product and unknown else [])]
    rows += [*([moved.instance] if moved.new else []), *moved.followed.tasks]
    return Outcome(Result.DONE, _said(booking, moved), tuple(Created.of(row) for row in rows))


def _locked(told: BookingMaterial, context: Context) -> Booking:
    rows = Booking.objects.select_for_update(of=("self",)).select_related("product", "contact")
    found = rows.filter(system=context.source, external_id=told.booking_id).first()
    return found or Booking(system=context.source, external_id=told.booking_id, created_at=context.now)


def _learn(
    booking: Booking,
    told: BookingMaterial,
    context: Context,
    product: Product | None,
    entity: BusinessEntity | None,
    contact: Contact | None,
) -> bool:
    """Adds the delivery to what is known of the booking, and stores it; returns whether anything is new."""
    new = booking.pk is None
    before = {field.attname: getattr(booking, field.attname) for field in booking._meta.concrete_fields}
    booking.evidence = evidence.join(booking.evidence or {}, _told(told, context))
    if booking.heard_at is None or context.occurred_at >= booking.heard_at:
        _describe(booking, told)
        booking.heard_at = context.occurred_at
    booking.product = product or booking.product
    booking.business_entity = entity or booking.business_entity
    booking.contact = contact or booking.contact
    _conclude(booking, context)
    after = {name: getattr(booking, name) for name in before}
    changed = {name for name in before if before[name] != after[name]}
    if new or changed:
        booking.save()
    return new or bool(changed - {"heard_at", "updated_at"})


def _told(told: BookingMaterial, context: Context) -> evidence.Told:
    # An appointment or event that was called off as a whole takes its bookings with it.
    whole = evidence.spelled(told.reservation_status)
    return evidence.Told(
        at=context.occurred_at,
        status=whole if whole in evidence.OFF else told.status,
        payments=tuple(evidence.Payment(item.id, item.status, item.amount) for item in told.payments),
        starts_at=told.starts_at,
        ends_at=told.ends_at,
        moved=context.kind == EventKind.BOOKING_RESCHEDULED,
        left=told.previous_starts_at,
    )


def _describe(booking: Booking, told: BookingMaterial) -> None:
    """What the newest delivery says; what it leaves out stays."""
    event = told.reservation_type == "event"
    booking.kind = BookingKind.EVENT if event else BookingKind.APPOINTMENT
    booking.persons = told.persons
    booking.is_from_package = booking.is_from_package or told.is_from_package
    fresh: dict[str, Any] = {
        "reservation_id": told.reservation_id[:100],
        "customer_id": told.customer.id[:100],
        "price": told.price,
        "currency": told.currency[:10],
        "time_zone": told.time_zone[:64],
        "location": one_line(told.location, 500),
        "coupon": told.coupon[:200],
        "answers": _answers(told),
        "extras": [one_line(name, 200) for name in told.extras],
    }
    for name, value in fresh.items():
        if value not in ("", None, {}, []):
            setattr(booking, name, value)


def _answers(told: BookingMaterial) -> dict[str, str]:
    found = {}
    for answer in told.answers:
        value = answer.value
        words = ", ".join(clean(item) for item in value) if isinstance(value, list) else clean(value)
        if words:
            found[one_line(answer.label or "Answer", 200)] = words
    return found


def _conclude(booking: Booking, context: Context) -> None:
    """What follows from the evidence."""
    known = booking.evidence
    booking.status = evidence.status(known)
    booking.payment_status = evidence.payment_status(known, booking.price, from_package=booking.is_from_package)
    booking.paid = evidence.received(known)
    if booking.payment_status in RECEIVED and booking.paid_at is None:
        booking.paid_at = context.occurred_at
    starts, ends = evidence.times(known)
    booking.starts_at, booking.ends_at = starts or booking.starts_at, ends or booking.ends_at


# -- the instance ---------------------------------------------------------------------------------------------------
def _case(booking: Booking, told: BookingMaterial, context: Context, fresh: bool) -> instances.Case:
    facts = course.BookingFacts(
        status=booking.status,
        approved=evidence.is_approved(booking.evidence),
        paid=_was_paid(booking),
        free=booking.payment_status == PaymentStatus.NOT_NEEDED,
        starts_at=booking.starts_at,
    )
    who = booking.contact or told.customer.name or told.customer.email or f"customer {told.customer.id}"
    person = {} if booking.contact else _person(told)
    return instances.Case(
        workflow_id=WORKFLOW,
        name=f"Retreat Booking: {who}",
        record_id=booking.external_id,
        key_data=key_data(booking),
        next_event=lambda state: course.booking_event(state, facts, context.now),
        contact=booking.contact,
        entity=booking.business_entity,
        products=[booking.product] if booking.product else [],
        fresh=fresh,
        person=person,
        dates=DATES,
        # Money that a person has noted by hand is not forgotten because Amelia does not know of it.
        sticky=() if booking.payment_status == PaymentStatus.REFUNDED else ("paid",),
        note=_why(told, booking),
    )


def _person(told: BookingMaterial) -> dict[str, str]:
    """Without a contact, the instance itself says who it is about."""
    return {"client_lead_name": one_line(told.customer.name, 500), "client_lead_phone": told.customer.phone[:200]}


def key_data(booking: Booking) -> dict[str, Any]:
    """What guards, messages and people ask about a booking, its times on the clock of the place."""
    entity = booking.business_entity
    zone = booking.zone or (entity.zone if entity else ZoneInfo("UTC"))
    start, end = _local(booking.starts_at, zone), _local(booking.ends_at, zone)
    name = booking.product.name if booking.product else ""
    data: dict[str, Any] = {
        "booking_id": booking.external_id,
        "customer_id": booking.customer_id,
        "service_id": booking.product.external_id if booking.product else "",
        "retreat_name": name,
        "service_name": name,
        "retreat_start": start.isoformat() if start else "",
        "retreat_end": end.isoformat() if end else "",
        "booking_date": f"{start:%A, %d %B %Y}" if start else "",
        "booking_time": f"{start:%H:%M}" if start else "",
        "time_zone": zone.key,
        "booking_status": booking.status,
        "payment_status": booking.payment_status,
        "paid": booking.payment_status in RECEIVED,
        "balance_due": booking.payment_status == PaymentStatus.PARTLY,
        "price": str(booking.price) if booking.price is not None else "",
        "paid_amount": str(booking.paid),
        "persons": booking.persons,
    }
    if booking.location:
        data["location"] = booking.location
    if booking.answers:
        kept = list(booking.answers.items())[:ANSWERS]
        data["answers"] = {label: shorten(value, ANSWER_LIMIT, "of this booking") for label, value in kept}
    return data


def _local(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    return None if moment is None else moment.astimezone(zone)


def _why(told: BookingMaterial, booking: Booking) -> str:
    change = told.change or "news"
    return f"Amelia: {one_line(change, 60)}, {told.status or 'no status'}, payment {booking.payment_status}"


def _clear_up(booking: Booking, moved: instances.Moved, was_partly: bool) -> None:
    """What the money has made pointless, and what it asks of people."""
    if was_partly and booking.payment_status == PaymentStatus.PAID:
        chores.settle(moved.instance, "collect_balance", "Everything has been paid.")
    if booking.payment_status != PaymentStatus.REFUNDED:
        return
    chores.money_went_back(moved.instance)
    chores.while_true(
        f"{moved.instance.instance_id}:refunded_and_booked",
        booking.status not in evidence.OFF,
        f"Refunded, but not cancelled: {moved.instance}",
        f"{booking.system} shows the money as refunded and the booking as {booking.status}. Cancel it there, or find "
        "out why it stands.",
        role="bookings",
        entity=booking.business_entity,
        contact=booking.contact,
        instance=moved.instance,
        category="Financial",
    )


def _about_the_person(booking: Booking, moved: instances.Moved, context: Context, was_paid: bool) -> None:
    contact = booking.contact
    if contact is None:
        return
    deed = None
    if moved.new:
        about = booking.product.name if booking.product else ""
        deed = customers.Deed(InteractionKind.BOOKING, f"{booking.system}:booking:{booking.external_id}", about)
        customers.won(contact, "booking_created", context, f"Booked: {moved.instance.instance_id}")
    customers.note(contact, context, deed, paid=_was_paid(booking) and (moved.new or not was_paid))


def _was_paid(booking: Booking) -> bool:
    """Whether money was ever received, even if it went back later."""
    return booking.payment_status in (*RECEIVED, PaymentStatus.REFUNDED)


def _name(booking: Booking) -> str:
    return f"Booking {booking.external_id}"


def _said(booking: Booking, moved: instances.Moved) -> str:
    way = f" ({' → '.join(moved.fired)})" if moved.fired else ""
    state = moved.instance.current_state
    return f"{_name(booking)}: {moved.instance.instance_id} is {state}{way}, payment {booking.payment_status}."
