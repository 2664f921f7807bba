"""What other services are told when a booking or an order moves: rows of the outbox, in the transaction of the move.

The shop is told only what it does not know: a state that came from the shop is not sent back to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from agents_app.models import WorkflowInstance
from agents_app.outgoing import access, rules
from agents_app.sales import bookings, chores, orders
from agents_app.services import catalog, crm
from agents_app.text import union
from agents_app.workflow import effects
from agents_app.workflow.run import Run
from bookings import evidence
from bookings.models import Booking, OrderLine, Product
from contacts.models import Contact
from higherself.integrations import outbox

# HubSpot's own pipeline ("default"), by the ids that every account begins with.
_STAGES = {
    "new_booking": "appointmentscheduled",
    "order_received": "appointmentscheduled",
    "payment_confirmed": "closedwon",
    "booking_confirmed": "closedwon",
    "canceled": "closedlost",
    "refunded": "closedlost",
}
# Where what was bought is no longer the buyer's.
_ENDED = frozenset({"canceled", "refunded"})
_SHOP = {"delivered": "completed", "canceled": "cancelled", "refunded": "refunded"}


@effects.after(bookings.WORKFLOW)
def booking_moved(run: Run, entered: Sequence[str]) -> None:
    _deal(run, entered, amount="price")
    facts = _facts(run.instance)
    known_there = facts.get("booking_status") in (*evidence.OFF, evidence.NO_SHOW)
    if "canceled" in entered and run.instance.source_system == "Amelia" and not known_there:
        _free_the_place(run.instance)
    _access(run.instance, entered, "booking_confirmed", _booked)
    if "follow_up" in entered and run.instance.contact is not None:
        _was_there(run.instance.contact, str(facts.get("retreat_name") or ""))


@effects.after(orders.WORKFLOW)
def order_moved(run: Run, entered: Sequence[str]) -> None:
    _deal(run, entered, amount="total")
    _access(run.instance, entered, "payment_confirmed", _bought)
    facts = _facts(run.instance)
    order_id = str(facts.get("order_id") or "")
    if run.instance.source_system != "WooCommerce" or not order_id.isdigit():
        return
    if run.new and outbox.is_configured("woocommerce"):
        outbox.enqueue(
            "woocommerce",
            "order.meta",
            {"order_id": int(order_id), "values": {"higherself_instance": run.instance.instance_id}},
            dedupe_key=f"woocommerce:order.meta:{run.instance.instance_id}",
            about=run.instance,
        )
    _notes(run.instance, entered, int(order_id))
    wanted = _SHOP.get(run.instance.current_state)
    if wanted and run.instance.current_state in entered and facts.get("order_status") != wanted:
        outbox.enqueue(
            "woocommerce",
            "order.status",
            {"order_id": int(order_id), "status": wanted},
            dedupe_key=f"woocommerce:order.status:{run.instance.instance_id}:{wanted}",
            about=run.instance,
        )


def _notes(instance: WorkflowInstance, entered: Sequence[str], order_id: int) -> None:
    """What staff want to stand at the order in the shop, once for each state."""
    rule: rules.OrderNotes | None = catalog.current().rule(rules.WOOCOMMERCE)
    if rule is None:
        return
    for state in entered:
        wanted = rule.states.get(state)
        if wanted is not None:
            outbox.enqueue(
                "woocommerce",
                "order.note",
                {"order_id": order_id, "note": wanted.note, "for_customer": wanted.for_customer},
                dedupe_key=f"woocommerce:order.note:{instance.instance_id}:{state}",
                about=instance,
            )


def stock_counted(product: Product) -> None:
    """A person has counted: the shop sells what is there."""
    if product.integration_system != "WooCommerce" or not product.external_id.isdigit():
        return
    if product.inventory_count is not None and product.stock_at is not None:
        outbox.enqueue(
            "woocommerce",
            "stock.set",
            {"product_id": int(product.external_id), "quantity": product.inventory_count},
            dedupe_key=f"woocommerce:stock.set:{product.product_id}:{product.stock_at.isoformat()}",
            about=product,
        )


def _access(
    instance: WorkflowInstance, entered: Sequence[str], settled: str, goods: Callable[[WorkflowInstance], list[Product]]
) -> None:
    """What it pays for elsewhere: given once it is ``settled``, and taken back when it ends."""
    gives, ends = settled in entered, bool(_ENDED.intersection(entered))
    if not (gives or ends):
        return
    purchase = access.Purchase(
        key=instance.instance_id,
        contact=instance.contact,
        products=goods(instance) if gives else (),
        about=instance,
        entity=catalog.current().entity_with_pk(instance.business_entity_id),
    )
    if ends:
        access.take_back(purchase)
    else:
        access.give(purchase)


def _booked(instance: WorkflowInstance) -> list[Product]:
    rows = Booking.objects.filter(system=instance.source_system, external_id=instance.source_record_id)
    booking = rows.select_related("product").first()
    return [booking.product] if booking is not None and booking.product is not None else []


def _bought(instance: WorkflowInstance) -> list[Product]:
    order = _facts(instance).get("order_id")
    lines = OrderLine.objects.filter(order__system=instance.source_system, order__external_id=order, quantity__gt=0)
    return list(Product.objects.filter(pk__in=lines.values("product_id")).order_by("pk"))


def _facts(instance: WorkflowInstance) -> Mapping[str, Any]:
    return instance.key_data if isinstance(instance.key_data, dict) else {}


def _deal(run: Run, entered: Sequence[str], amount: str) -> None:
    """The sale in the CRM, where there is one: opened with the instance, then won or lost."""
    instance = run.instance
    stages = [(state, _STAGES[state]) for state in entered if state in _STAGES]
    if not stages or not instance.client_lead_email or not outbox.is_configured("hubspot"):
        return
    facts, (state, stage) = _facts(instance), stages[-1]
    if run.new and instance.contact is not None:
        crm.tell_hubspot(instance.contact, key=instance.instance_id, about=instance)
    payload: dict[str, Any] = {
        "ref": instance.instance_id,
        "name": instance.instance_name,
        "contact_email": instance.client_lead_email,
        "pipeline": "default",
        "stage": stage,
    }
    price = _decimal(facts.get(amount))
    if price is not None:
        payload["amount"] = price
    if stage != _STAGES["new_booking"]:
        payload["close_date"] = run.now
    outbox.enqueue(
        "hubspot",
        "deal.upsert",
        payload,
        dedupe_key=f"hubspot:deal.upsert:{instance.instance_id}:{state}:{run.now.isoformat()}",
        about=instance,
    )


def _decimal(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value)) if value not in (None, "") else None
    except InvalidOperation:
        return None


def _free_the_place(instance: WorkflowInstance) -> None:
    """It was given up here, by the clock or by a person: nobody has told Amelia, whose API cannot be told."""
    chores.once(
        f"{instance.instance_id}:cancel_there:1",
        f"Cancel in Amelia as well: {instance}",
        "The booking was given up here. In Amelia it still holds its place: cancel it there, too.",
        role="bookings",
        entity=catalog.current().entity_with_pk(instance.business_entity_id),
        contact=instance.contact,
        instance=instance,
    )


def _was_there(contact: Contact, retreat: str) -> None:
    attended = union(contact.experience_attended, [retreat] if retreat else [])
    if attended != contact.experience_attended:
        contact.experience_attended = attended
        contact.save(update_fields=["experience_attended"])
