"""Circle.so: deliveries are verified and kept; nothing reads them yet."""

from __future__ import annotations

from higherself.integrations.base import Delivery, SharedSecretProvider, Unreadable


class Circle(SharedSecretProvider):
    slug = "circle"
    label = "Circle.so"
    source = "Circle.so"
    reads = False

    def is_test_call(self, delivery: Delivery) -> bool:
        """Circle tries an address with an empty body or ``{"body": null}`` before it uses it."""
        if not delivery.body.strip():
            return True
        try:
            return delivery.json == {"body": None}
        except Unreadable:
            return False
