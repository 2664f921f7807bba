"""What the shop tells beside orders: its products, its customers, and the hooks that it calls."""

from __future__ import annotations

from agents_app.agents.base import Context, Created, Outcome, Result
from agents_app.sales import customers, orders, products, shelves
from agents_app.sales.instances import find
from agents_app.text import clean, one_line
from agents_app.workflow import engine
from bookings import stock
from bookings.models import Order
from contacts.erased import WasErased
from higherself.integrations.material import CustomerMaterial, GoneMaterial, ProductMaterial, ShopActionMaterial


def product_changed(told: ProductMaterial, context: Context) -> Outcome:
    product, new = products.of_shop(told, context)
    tasks = shelves.restock(product, stock.is_low(product))
    made = [*([product] if new else []), *tasks]
    counted = "" if product.inventory_count is None else f", {product.inventory_count} there"
    return Outcome(Result.DONE, f"{product} is {product.status}{counted}.", tuple(Created.of(row) for row in made))


def product_deleted(told: GoneMaterial, context: Context) -> Outcome:
    product = products.gone(context.source, told.id, context.occurred_at)
    if product is None:
        return Outcome(Result.NOTHING, f"The shop has deleted product {told.id}, of which nothing was known.")
    return Outcome(Result.DONE, f"{product} is {product.status}: the shop has deleted it.")


def customer_changed(told: CustomerMaterial, context: Context) -> Outcome:
    """An account of the shop fills in what is not known of a person."""
    entity = products.entity_of(None, context.source)
    gone = customers.erased_of(
        told.customer, at=told.created_at or context.occurred_at, own=told.created_at is not None
    )
    if gone is not None:
        raise WasErased(gone)
    contact, new = customers.of(told.customer, context, entity=entity, record_id=told.customer.id, billing=told.billing)
    if contact is None:
        return Outcome(Result.NOTHING, "The customer has no e-mail address, so nobody can be found or made for it.")
    if told.is_paying:
        customers.note(contact, context, paid=True)
    return Outcome(
        Result.DONE,
        f"{contact} is {'a new' if new else 'a known'} contact with an account in the shop.",
        (Created.of(contact),) if new else (),
    )


def customer_deleted(told: GoneMaterial, context: Context) -> Outcome:
    """The account is gone; the person and what they bought stay. Being forgotten is asked for elsewhere."""
    rows = Order.objects.filter(system=context.source, customer_id=told.id, contact__isnull=False)
    found = rows.select_related("contact").first()
    contact = found.contact if found else None
    if contact is None or not isinstance(contact.external_ids, dict):
        return Outcome(Result.NOTHING, f"The shop has deleted customer {told.id}, who has bought nothing here.")
    if contact.external_ids.get(context.source) == told.id:
        contact.external_ids = {name: value for name, value in contact.external_ids.items() if name != context.source}
        contact.save(update_fields=["external_ids"])
    return Outcome(Result.DONE, f"{contact} has no account in the shop any more; the contact stays.")


def action(told: ShopActionMaterial, context: Context) -> Outcome:
    """A hook of the shop has run. What it did to an order comes as the order's own delivery; here it is noted."""
    order_id = clean(told.argument) if isinstance(told.argument, (int, str)) else ""
    instance = find(orders.WORKFLOW, context.source, order_id) if order_id else None
    if instance is None:
        return Outcome(Result.NOTHING, f"The shop's hook {one_line(told.action, 100)} concerns no known order.")
    engine.note(instance, f"WooCommerce ran {one_line(told.action, 100)}", actor=context.actor, event="shop_action")
    return Outcome(Result.DONE, f"{instance.instance_id} has a note of the shop's hook {one_line(told.action, 100)}.")
