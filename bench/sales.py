"""Bookings as Amelia sends them and orders as WooCommerce does, each of a customer of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Everybody books one of a few retreats, and buys the same print: its stock is one row that all orders change.
SERVICES, PRINT = 5, 93
STOCK = 1_000_000


@dataclass(frozen=True)
class Sale:
    """One delivery: the provider's slug, its body, and what else it carries."""

    slug: str
    body: bytes
    query: str = ""
    topic: str = ""


def sales(count: int) -> Iterator[Sale]:
    """Three deliveries for each customer: a booking, its payment, and an order that is paid."""
    for number in range(count):
        yield _booking(number, "bookingAdded", "pending", ())
        yield _booking(number, "paymentUpdated", "approved", ("paid",))
        yield _order(number)


def catalogue() -> Sale:
    body = {
        "id": PRINT,
        "name": "Print",
        "type": "simple",
        "status": "publish",
        "price": "40.00",
        "manage_stock": True,
        "stock_quantity": STOCK,
        "date_modified_gmt": "2026-11-01T08:00:00",
    }
    return Sale("woocommerce", _json(body), topic="product.updated")


def _booking(number: int, action: str, status: str, payments: tuple[str, ...]) -> Sale:
    service = number % SERVICES + 1
    entry: dict[str, Any] = {
        "id": number + 1,
        "customerId": number + 1,
        "customer": {
            "id": number + 1,
            "firstName": "Robin",
            "lastName": f"Sample{number}",
            "email": f"sale-{number}@example.com",
            "phone": "+441632960961",
        },
        "status": status,
        "price": 450,
        "persons": 1,
        "customFields": {"8": {"label": "Dietary needs", "type": "text", "value": "I eat no nuts."}},
        "payments": {
            str(place): {"id": number + 1, "amount": 450, "gateway": "stripe", "status": paid}
            for place, paid in enumerate(payments)
        },
    }
    appointment = {
        "id": number + 1,
        "status": status,
        "serviceId": service,
        "service": {"id": service, "name": f"Retreat {service}"},
        "bookingStart": "2027-04-12 10:00:00",
        "bookingEnd": "2027-04-15 16:00:00",
        "type": "appointment",
        "bookings": {"0": entry},
    }
    return Sale("amelia", _json({"appointment": appointment, "bookings": {"0": entry}}), query=f"action={action}")


def _order(number: int) -> Sale:
    name = {"first_name": "Robin", "last_name": f"Sample{number}"}
    home = {"address_1": "12 Main Street", "city": "Lisbon", "postcode": "1100-148", "country": "PT"}
    body = {
        "id": number + 1,
        "number": str(number + 1),
        "status": "processing",
        "currency": "USD",
        "total": "40.00",
        "billing": {**name, **home, "email": f"sale-{number}@example.com", "phone": "+441632960961"},
        "shipping": {**name, **home},
        "date_created_gmt": "2026-11-20T09:00:00",
        "date_modified_gmt": "2026-11-20T10:00:00",
        "date_paid_gmt": "2026-11-20T09:30:00",
        "line_items": [{"id": number + 1, "name": "Print", "product_id": PRINT, "quantity": 1, "total": "40.00"}],
    }
    return Sale("woocommerce", _json(body), topic="order.created")


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
