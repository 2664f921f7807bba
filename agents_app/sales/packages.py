"""Packages of several bookings that a customer buys at once. Their bookings come as deliveries of their own."""

from __future__ import annotations

from dataclasses import replace

from agents_app.agents.base import Context, Created, Outcome, Result
from agents_app.models import Task
from agents_app.outgoing import access
from agents_app.sales import chores, customers, products
from bookings import evidence
from bookings.choices import RECEIVED, BookingKind, PaymentStatus
from bookings.models import Booking, Product
from contacts.choices import InteractionKind
from higherself.integrations.events import EventKind
from higherself.integrations.material import PackageMaterial, Person


def take(told: PackageMaterial, context: Context) -> Outcome:
    """A package that was bought or given back: money and contact are kept, people are told what is to be done."""
    external = f"package:{told.purchase_id or told.package_id + ':' + (told.customer.id or told.customer.email)}"
    rows = Booking.objects.select_for_update(of=("self",)).select_related("contact", "product")
    booking = rows.filter(system=context.source, external_id=external[:100]).first()
    booking = booking or Booking(system=context.source, external_id=external[:100], created_at=context.now)
    new = booking.pk is None
    bought_at = context.occurred_at if new else booking.created_at
    own = not new or context.kind == EventKind.PACKAGE_PURCHASED
    if customers.erased_of(told.customer, at=bought_at, own=own) is None:
        return _take(booking, told, context)
    return replace(_take(booking, told.model_copy(update={"customer": Person()}), context), about_erased=True)


def _take(booking: Booking, told: PackageMaterial, context: Context) -> Outcome:
    external = booking.external_id
    product, unknown = products.of_package(told, context)
    entity = products.entity_of(product, context.source)
    contact, new_contact = customers.of(told.customer, context, entity=entity, record_id=external)
    new, before = booking.pk is None, booking.evidence
    booking.kind = BookingKind.PACKAGE
    booking.product, booking.contact, booking.business_entity = product, contact or booking.contact, entity
    booking.customer_id = told.customer.id[:100] or booking.customer_id
    booking.price = told.price if told.price is not None else booking.price
    booking.currency = told.currency[:10] or booking.currency
    _conclude(booking, told, context)
    if not new and before == booking.evidence:
        return Outcome(Result.DUPLICATE, f"Package {external} is known.")
    booking.heard_at = context.occurred_at
    booking.save()
    if unknown:
        products.ask_to_describe(product, entity)
    task = _task(booking)
    _access(booking, product)
    if booking.contact is not None:
        deed = customers.Deed(InteractionKind.PURCHASE, f"{booking.system}:{external}", product.name)
        customers.note(booking.contact, context, deed, paid=booking.payment_status in RECEIVED)
    made = [*([contact] if contact and new_contact else []), *([product] if unknown else []), task]
    message = f"Package “{product.name}” of {booking.contact or 'somebody unknown'}: {booking.status}."
    return Outcome(Result.DONE, message, tuple(Created.of(row) for row in made))


def _access(booking: Booking, product: Product) -> None:
    purchase = access.Purchase(
        key=f"{booking.system}:{booking.external_id}",
        contact=booking.contact,
        products=[product],
        about=booking,
        entity=booking.business_entity,
    )
    if booking.status in evidence.OFF or booking.payment_status == PaymentStatus.REFUNDED:
        access.take_back(purchase)
    elif booking.payment_status in (*RECEIVED, PaymentStatus.NOT_NEEDED):
        access.give(purchase)


def _conclude(booking: Booking, told: PackageMaterial, context: Context) -> None:
    canceled = context.kind == EventKind.PACKAGE_CANCELED
    news = evidence.Told(
        at=context.occurred_at,
        status=evidence.CANCELED if canceled else told.status or "approved",
        payments=tuple(evidence.Payment(item.id, item.status, item.amount) for item in told.payments),
    )
    booking.evidence = evidence.join(booking.evidence or {}, news)
    booking.status = evidence.status(booking.evidence)
    booking.payment_status = evidence.payment_status(booking.evidence, booking.price)
    booking.paid = evidence.received(booking.evidence)
    if booking.payment_status in RECEIVED and booking.paid_at is None:
        booking.paid_at = context.occurred_at


def _task(booking: Booking) -> Task:
    who = booking.contact or "a customer"
    if booking.status in evidence.OFF:
        refund = f" {booking.paid} {booking.currency} have been paid for it." if booking.paid else ""
        return chores.once(
            f"{booking.system}:{booking.external_id}:returned:1",
            f"Package given back: {who}",
            f"“{booking.product}” was cancelled in {booking.system}.{refund} See which of its bookings still stand, "
            "and whether money has to go back.",
            role="bookings",
            entity=booking.business_entity,
            contact=booking.contact,
            priority="High",
            category="Financial",
        )
    return chores.once(
        f"{booking.system}:{booking.external_id}:bought:1",
        f"Package bought: {who}",
        f"“{booking.product}” was bought in {booking.system}. See that all of its dates are booked.",
        role="bookings",
        days=2,
        entity=booking.business_entity,
        contact=booking.contact,
    )
