"""Flow 3: what WooCommerce tells about an order becomes a row with lines, a contact, stock, and an instance."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from agents_app.agents.base import Context, Created, Outcome, Result
from agents_app.sales import chores, course, customers, instances, products, shelves, states
from agents_app.text import clean, one_line
from bookings.choices import ProductType
from bookings.models import Order, OrderLine, Product
from contacts.choices import InteractionKind
from contacts.models import Contact
from higherself.integrations.material import Address, GoneMaterial, OrderMaterial, Person

WORKFLOW = "WF-ART-SALE"
LISTED = 10


def take(told: OrderMaterial, context: Context) -> Outcome:
    """One order as one delivery tells of it. An older state than the one that is known only fills the history.

    Of a customer who was erased after they bought, the order is kept up to date, and nothing else.
    """
    order = _locked(told.order_id, context)
    bought_at = told.created_at or (context.occurred_at if order.pk is None else order.created_at)
    if customers.erased_of(told.customer, at=bought_at, own=True) is None:
        return _take(order, told, context)
    nobody = {"customer": Person(), "billing": Address(), "shipping": Address(), "note": ""}
    return replace(_take(order, told.model_copy(update=nobody), context), about_erased=True)


def _take(order: Order, told: OrderMaterial, context: Context) -> Outcome:
    was_paid = states.is_paid(order)
    goods = products.of_lines(told.lines, context)
    leading = next(iter(goods.values()), None)
    entity = products.entity_of(leading, context.source)
    contact, new_contact = customers.of(
        told.customer, context, entity=entity, record_id=told.order_id, billing=told.billing
    )
    order.contact, order.business_entity = contact or order.contact, order.business_entity or entity
    new = order.pk is None
    news, newest = _learn(order, told, context)
    shelved = []
    if news:
        order.save()
        shelved = shelves.put(order, told.lines, goods, new=new) if newest else shelves.settle(order)
    outcome = _follow(order, goods if newest else _goods(order), context, was_paid, note=_why(told))
    if not (news or outcome.changed):
        return Outcome(Result.DUPLICATE, f"{order} is known: {outcome.instance.instance_id} stays as it is.")
    rows = [*([contact] if contact and new_contact else []), *([outcome.instance] if outcome.new else [])]
    rows += [*outcome.followed.tasks, *shelved]
    return Outcome(Result.DONE, _said(order, outcome), tuple(Created.of(row) for row in rows))


def gone(told: GoneMaterial, context: Context) -> Outcome:
    """The shop has put the order into its trash or deleted it. What was not shipped is cancelled."""
    order = _locked(told.id, context)
    if order.pk is None:
        # The deletion overtook the order: it is remembered, and the order is born deleted.
        order.number = told.id
    was_paid = states.is_paid(order)
    if not states.note_presence(order, "deleted", context):
        return Outcome(Result.DUPLICATE, f"{order} is known to be deleted.")
    order.save()
    if not order.version:
        return Outcome(Result.DONE, f"{order} was deleted before anything was heard of it.")
    shelves.settle(order)
    outcome = _follow(order, _goods(order), context, was_paid, note="WooCommerce: deleted")
    return Outcome(Result.DONE, _said(order, outcome))


def _locked(order_id: str, context: Context) -> Order:
    rows = Order.objects.select_for_update(of=("self",)).select_related("contact", "business_entity")
    found = rows.filter(system=context.source, external_id=order_id).first()
    return found or Order(system=context.source, external_id=order_id, created_at=context.now)


# -- what is known --------------------------------------------------------------------------------------------------
def _learn(order: Order, told: OrderMaterial, context: Context) -> tuple[bool, bool]:
    """Notes what the delivery says: whether anything is news, and whether its state is the newest and taken over."""
    at = told.modified_at or context.occurred_at
    news = states.note_stage(order, told.status, at)
    if told.change == "restored":
        news = states.note_presence(order, "restored", context) or news
    version = states.version_of(told, at)
    if version <= order.version:
        return news, False
    order.version, order.modified_at = version, at
    _take_over(order, told)
    return True, True


def _take_over(order: Order, told: OrderMaterial) -> None:
    order.number = told.number[:100] or order.external_id
    order.status = told.status[:50]
    order.customer_id = told.customer.id[:100]
    order.currency = told.currency[:10]
    order.total, order.shipping_total = told.total, told.shipping_total
    order.refunded = max(told.refunded, told.total or Decimal(0)) if told.status == "refunded" else told.refunded
    order.shipping = _address(told.shipping if told.shipping.line_1 else told.billing)
    order.payment_method = one_line(told.payment_method_title or told.payment_method, 200)
    order.note = clean(told.note)
    order.placed_at, order.paid_at = told.created_at, told.paid_at


def _address(found: Address) -> dict[str, str]:
    return {name: value for name, value in found.model_dump().items() if value}


# -- what follows ---------------------------------------------------------------------------------------------------
def _follow(order: Order, goods: dict[str, Product], context: Context, was_paid: bool, note: str) -> instances.Moved:
    """Moves the order's instance on; an order that was taken up again after it was cancelled gets a second one."""
    facts = course.OrderFacts(status=states.status_of(order), paid=states.is_paid(order))
    again = states.was_taken_up_again(order)
    if again:
        # What was paid in the end was paid for the second one.
        before = _case(order, goods, facts.ended(), order.external_id, note)
        unpaid = {**before.key_data, "order_status": "cancelled", "paid": False}
        instances.carry_on(replace(before, key_data=unpaid, sticky=()), context)
    record = f"{order.external_id}-2" if again else order.external_id
    moved = instances.carry_on(_case(order, goods, facts, record, note), context)
    if order.status == "refunded" and not moved.new:
        chores.money_went_back(moved.instance)
    _about_the_person(order, moved, context, was_paid)
    return moved


def _goods(order: Order) -> dict[str, Product]:
    """The products of the order's newest state."""
    lines = OrderLine.objects.filter(order=order, product__isnull=False).select_related("product").order_by("pk")
    return {line.product.external_id: line.product for line in lines if line.product is not None}


def _case(order: Order, goods: dict[str, Product], facts: course.OrderFacts, record: str, note: str) -> instances.Case:
    who = order.contact or order.shipping.get("name") or f"order {order.number}"
    return instances.Case(
        workflow_id=WORKFLOW,
        name=f"Order {order.number}: {who}",
        record_id=record,
        key_data=key_data(order, goods),
        next_event=lambda state: course.order_event(state, facts),
        contact=order.contact,
        entity=order.business_entity,
        products=list(goods.values()),
        fresh=True,
        person={} if order.contact else {"client_lead_name": one_line(order.shipping.get("name", ""), 500)},
        sticky=() if order.status == "refunded" else ("paid",),
        note=note,
    )


def key_data(order: Order, goods: dict[str, Product]) -> dict[str, Any]:
    """What guards, messages and people ask about an order. Its address stays here: people find it by the order."""
    data: dict[str, Any] = {
        "order_id": order.external_id,
        "order_number": order.number,
        "order_status": states.status_of(order),
        "total": str(order.total) if order.total is not None else "",
        "currency": order.currency,
        "customer_id": order.customer_id,
        "paid": states.is_paid(order) and order.status != "refunded",
        "shipping_address": f"order {order.number} in the console",
    }
    if goods:
        data["art"] = any(product.type == ProductType.ART_PIECE for product in goods.values())
    lines = list(OrderLine.objects.filter(order=order).order_by("pk")) if order.pk else []
    if lines:
        data["service_name"] = one_line(", ".join(line.name for line in lines), 500)
        data["lines"] = [f"{line.quantity} × {one_line(line.name, 80)}" for line in lines[:LISTED]]
    return data


def _about_the_person(order: Order, moved: instances.Moved, context: Context, was_paid: bool) -> None:
    contact: Contact | None = order.contact
    if contact is None or not states.is_paid(order) or was_paid:
        return
    deed = customers.Deed(
        InteractionKind.PURCHASE, f"{order.system}:order:{order.external_id}", f"Order {order.number}"
    )
    customers.note(contact, context, deed, paid=True, collects=bool(moved.instance.key_data.get("art")))
    customers.won(contact, "order_paid", context, f"Bought: {moved.instance.instance_id}")


def _why(told: OrderMaterial) -> str:
    return f"WooCommerce: {told.change or 'news'}, {told.status or 'no status'}"


def _said(order: Order, moved: instances.Moved) -> str:
    way = f" ({' → '.join(moved.fired)})" if moved.fired else ""
    return f"{order}: {moved.instance.instance_id} is {moved.instance.current_state}{way}, {order.status or 'unknown'}."
