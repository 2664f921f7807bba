"""WooCommerce: orders, customers and products change. Source of all rules here: WooCommerce, class-wc-webhook.php.

A body is the latest state at the time of sending, not the change. WooCommerce sends once: it never repeats a delivery
that failed, and switches the hook off after some failures in a row.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from higherself.integrations import verify
from higherself.integrations.base import Delivery, Ignore, Provider, Unreadable
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import GoneMaterial, Material, ShopActionMaterial
from higherself.integrations.models import InboundEvent
from higherself.integrations.providers.woocommerce import objects
from higherself.integrations.providers.woocommerce.client import WooCommerceClient
from higherself.integrations.providers.woocommerce.schemas import Customer, Order, Product
from higherself.integrations.reading import object_of, peek, read, text, time_of

_PING = re.compile(rb"webhook_id=\d+\Z")
_ORDERS = {
    "order.created": EventKind.ORDER_CREATED,
    "order.updated": EventKind.ORDER_UPDATED,
    "order.restored": EventKind.ORDER_UPDATED,
}
_GONE = {
    "order.deleted": EventKind.ORDER_DELETED,
    "customer.deleted": EventKind.CUSTOMER_DELETED,
    "product.deleted": EventKind.PRODUCT_DELETED,
}
_CUSTOMERS = {"customer.created", "customer.updated", "customer.restored"}
_PRODUCTS = {"product.created", "product.updated", "product.restored", "product.published"}


class WooCommerce(Provider):
    slug = "woocommerce"
    label = "WooCommerce"
    source = "WooCommerce"
    signs = True
    proofs = ("x-wc-webhook-signature",)
    client_class = WooCommerceClient
    keeps = (
        "x-wc-webhook-source",
        "x-wc-webhook-topic",
        "x-wc-webhook-resource",
        "x-wc-webhook-event",
        "x-wc-webhook-id",
        "x-wc-webhook-delivery-id",
    )

    def verify(self, delivery: Delivery) -> bool:
        return verify.hmac_base64(delivery.body, delivery.headers.get("x-wc-webhook-signature", ""), self.secrets)

    def is_test_call(self, delivery: Delivery) -> bool:
        """The unsigned ping at a hook's creation: anything but a 200 shows the shop's owner an error."""
        return "x-wc-webhook-signature" not in delivery.headers and bool(_PING.match(delivery.body))

    def delivery_key(self, delivery: Delivery) -> str:
        """Hook, topic, resource and body. The delivery id alone is shared by all deliveries of a hook in one second;
        the body of a deletion is only an id, and an order may be deleted, restored and deleted again."""
        headers, body = delivery.headers, peek(delivery)
        topic = self.event_type(delivery)
        parts = [headers.get("x-wc-webhook-id", ""), topic, text(body.get("id"))]
        if topic in _GONE or topic.startswith("action."):
            parts.append(headers.get("x-wc-webhook-delivery-id", ""))
        return ":".join([*parts, hashlib.sha256(delivery.body).hexdigest()])

    def event_type(self, delivery: Delivery) -> str:
        """The topic. Where a proxy took the header away, what the body looks like."""
        return text(delivery.headers.get("x-wc-webhook-topic")) or _topic(peek(delivery))

    def ordering_key(self, delivery: Delivery) -> str:
        resource, _, _ = self.event_type(delivery).partition(".")
        thing = text(peek(delivery).get("id"))
        return f"{resource}:{thing}" if resource and thing else ""

    def parse(self, delivery: Delivery) -> list[Event]:
        body, topic = object_of(delivery), self.event_type(delivery)
        if topic.startswith("action."):
            return [self._action(topic, body, delivery)]
        kind, material = _content(topic, body)
        thing = text(body.get("id"))
        if not thing:
            raise Unreadable(f"WooCommerce's {topic} names nothing: its id is missing or no number.")
        return [
            event(
                kind,
                material,
                source=self.source,
                source_id=thing,
                occurred_at=time_of(body.get("date_modified_gmt")) or delivery.received_at,
                key=self.ordering_key(delivery),
            )
        ]

    def was_told(self, fetched: Delivery, earlier: Sequence[InboundEvent]) -> bool:
        """A body is the object's latest state: one with the same values has told it, whatever its topic."""
        told = _state(fetched)
        return any(_state(row.delivery()) == told for row in earlier)

    def _action(self, topic: str, body: dict[str, Any], delivery: Delivery) -> Event:
        action = text(body.get("action")) or topic.removeprefix("action.")
        if not action:
            raise Unreadable("WooCommerce's action has no name.")
        return event(
            EventKind.SHOP_ACTION,
            ShopActionMaterial(action=action, argument=body.get("arg")),
            source=self.source,
            source_id=text(body.get("arg")) or action,
            occurred_at=delivery.received_at,
        )


def _state(delivery: Delivery) -> dict[str, Any]:
    """The object without its links, which depend on how it was asked for."""
    return {name: value for name, value in peek(delivery).items() if name != "_links"}


def _content(topic: str, body: dict[str, Any]) -> tuple[EventKind, Material]:
    if topic in _ORDERS:
        order, problems = read(Order, body)
        return _ORDERS[topic], objects.order(order, topic.partition(".")[2], problems)
    if topic in _CUSTOMERS:
        customer, problems = read(Customer, body)
        return EventKind.CUSTOMER_CHANGED, objects.customer(customer, problems)
    if topic in _PRODUCTS:
        product, problems = read(Product, body)
        return EventKind.PRODUCT_CHANGED, objects.product(product, problems)
    if topic in _GONE:
        return _GONE[topic], GoneMaterial(id=text(body.get("id")))
    if not topic:
        raise Unreadable("WooCommerce's delivery has no topic, and its body looks like none of the shop's objects.")
    raise Ignore(f"WooCommerce's topic {topic[:100]!r} is not one that is acted upon.")


def _topic(body: dict[str, Any]) -> str:
    if "order_key" in body or "line_items" in body:
        return "order.updated"
    if "action" in body and "arg" in body:
        return f"action.{text(body['action'])}"
    if "regular_price" in body or "stock_status" in body:
        return "product.updated"
    return "customer.updated" if "is_paying_customer" in body else ""
