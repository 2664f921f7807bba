"""Flows 2 and 3: what customers book in Amelia and buy in WooCommerce."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents_app.agents.base import MADE, BaseAgent, Context, Outcome, RecordEdited, WorkKind
from agents_app.sales import bookings, by_hand, orders, packages, shop
from higherself.integrations.events import EventKind
from higherself.integrations.material import (
    BookingMaterial,
    CustomerMaterial,
    GoneMaterial,
    OrderMaterial,
    PackageMaterial,
    ProductMaterial,
    ShopActionMaterial,
)

_K = EventKind
_WORK: dict[EventKind, Callable[[Any, Context], Outcome]] = {
    _K.BOOKING_CREATED: bookings.take,
    _K.BOOKING_STATUS_CHANGED: bookings.take,
    _K.BOOKING_RESCHEDULED: bookings.take,
    _K.BOOKING_CANCELED: bookings.take,
    _K.PAYMENT_UPDATED: bookings.take,
    _K.PACKAGE_PURCHASED: packages.take,
    _K.PACKAGE_CANCELED: packages.take,
    _K.ORDER_CREATED: orders.take,
    _K.ORDER_UPDATED: orders.take,
    _K.ORDER_DELETED: orders.gone,
    _K.CUSTOMER_CHANGED: shop.customer_changed,
    _K.CUSTOMER_DELETED: shop.customer_deleted,
    _K.PRODUCT_CHANGED: shop.product_changed,
    _K.PRODUCT_DELETED: shop.product_deleted,
    _K.SHOP_ACTION: shop.action,
}
_READ_AS: dict[Callable[[Any, Context], Outcome], type[Any]] = {
    bookings.take: BookingMaterial,
    packages.take: PackageMaterial,
    orders.take: OrderMaterial,
    orders.gone: GoneMaterial,
    shop.customer_changed: CustomerMaterial,
    shop.customer_deleted: GoneMaterial,
    shop.product_changed: ProductMaterial,
    shop.product_deleted: GoneMaterial,
    shop.action: ShopActionMaterial,
}


class BookingAgent(BaseAgent):
    name = "Booking Detection Agent"
    description = "Amelia bookings and WooCommerce orders: instances, payments, inventory."
    capabilities = (
        "Booking Detection",
        "Booking Management",
        "Workflow Management",
        "Client Communication",
        "Inventory Management",
    )
    apis = ("NOTION_API", "AMELIA_API", "WOOCOMMERCE_API", "HUBSPOT_API")
    consumes = {**{kind: _READ_AS[work] for kind, work in _WORK.items()}, WorkKind.RECORD_EDITED: RecordEdited}
    watches = {"bookings.product": (MADE, "status")}
    emits = {
        bookings.WORKFLOW: (
            *("approved", "payment_received", "confirmation_sent", "rescheduled", "canceled", "rejected", "no_show"),
            *("nothing_to_pay", "feedback_received"),
        ),
        orders.WORKFLOW: (
            *("payment_received", "payment_failed", "fulfilled", "refunded", "canceled"),
            "feedback_received",
        ),
        "WF-LEAD-CAPTURE": ("booking_created", "order_paid"),
    }

    def handle(self, data: Any, context: Context) -> Outcome:
        if isinstance(data, RecordEdited):
            return by_hand.heed(data, context)
        return _WORK[EventKind(context.kind.value)](data, context)
