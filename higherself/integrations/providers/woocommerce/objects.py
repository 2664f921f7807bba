"""WooCommerce's objects as our material."""

from __future__ import annotations

import html
from decimal import Decimal

from higherself.integrations import material as m
from higherself.integrations.providers.woocommerce.schemas import Contact, Customer, Line, Meta, Order, Product
from higherself.integrations.reading import text, time_of

# WooCommerce's order attribution, which is on by default.
_ATTRIBUTION = "_wc_order_attribution_"


def order(found: Order, change: str, problems: list[str]) -> m.OrderMaterial:
    return m.OrderMaterial(
        order_id=found.id,
        number=found.number or found.id,
        change=change,
        status=found.status,
        currency=found.currency,
        total=found.total,
        total_tax=found.total_tax,
        shipping_total=found.shipping_total,
        discount_total=found.discount_total,
        refunded=sum((abs(refund.total or Decimal(0)) for refund in found.refunds), Decimal(0)),
        customer=person(found.billing, found.customer_id),
        billing=address(found.billing),
        shipping=address(found.shipping),
        lines=[_line(line) for line in found.line_items],
        refunds=[_refund(refund.id, refund.total, refund.reason) for refund in found.refunds],
        coupons=[coupon.code for coupon in found.coupon_lines if coupon.code],
        payment_method=found.payment_method,
        payment_method_title=found.payment_method_title,
        transaction_id=found.transaction_id,
        note=found.customer_note,
        created_at=time_of(found.date_created_gmt),
        modified_at=time_of(found.date_modified_gmt),
        paid_at=time_of(found.date_paid_gmt),
        completed_at=time_of(found.date_completed_gmt),
        attribution=_attribution(found.meta_data),
        problems=problems,
    )


def customer(found: Customer, problems: list[str]) -> m.CustomerMaterial:
    known = person(found.billing, found.id)
    first, last = found.first_name or known.first_name, found.last_name or known.last_name
    update = {"email": found.email or known.email, "first_name": first, "last_name": last}
    return m.CustomerMaterial(
        customer=known.model_copy(update={**update, "name": f"{first} {last}".strip()}),
        username=found.username,
        is_paying=found.is_paying_customer,
        billing=address(found.billing),
        created_at=time_of(found.date_created_gmt),
        modified_at=time_of(found.date_modified_gmt),
        problems=problems,
    )


def product(found: Product, problems: list[str]) -> m.ProductMaterial:
    return m.ProductMaterial(
        product_id=found.id,
        name=html.unescape(found.name),
        sku=found.sku,
        type=found.type,
        status=found.status,
        price=found.price,
        regular_price=found.regular_price,
        stock=found.stock_quantity if found.manage_stock else None,
        stock_status=found.stock_status,
        url=found.permalink,
        categories=[html.unescape(category.name) for category in found.categories if category.name],
        modified_at=time_of(found.date_modified_gmt),
        problems=problems,
    )


def person(contact: Contact, customer_id: str) -> m.Person:
    """Customer 0 is a guest."""
    return m.Person(
        id="" if customer_id == "0" else customer_id,
        email=contact.email,
        first_name=contact.first_name,
        last_name=contact.last_name,
        name=_name(contact),
        phone=contact.phone,
    )


def address(contact: Contact) -> m.Address:
    return m.Address(
        name=_name(contact),
        company=contact.company,
        line_1=contact.address_1,
        line_2=contact.address_2,
        city=contact.city,
        state=contact.state,
        postcode=contact.postcode,
        country=contact.country,
        phone=contact.phone,
    )


def _name(contact: Contact) -> str:
    return f"{contact.first_name} {contact.last_name}".strip()


def _line(line: Line) -> m.OrderLine:
    return m.OrderLine(
        id=line.id,
        product_id="" if line.product_id == "0" else line.product_id,
        variation_id="" if line.variation_id == "0" else line.variation_id,
        sku=line.sku,
        # Names come with HTML's entities: "Ship Your Idea &ndash; Color: Black".
        name=html.unescape(line.name),
        quantity=line.quantity or 0,
        total=line.total,
        tax=line.total_tax,
    )


def _refund(refund_id: str, total: Decimal | None, reason: str) -> m.Refund:
    return m.Refund(id=refund_id, amount=None if total is None else abs(total), reason=reason)


def _attribution(meta: list[Meta]) -> dict[str, str]:
    found = {
        item.key.removeprefix(_ATTRIBUTION): text(item.value) for item in meta if item.key.startswith(_ATTRIBUTION)
    }
    return {name: value for name, value in found.items() if name and value}
