"""Notion: deliveries are verified and kept; nothing reads them yet."""

from __future__ import annotations

from higherself.integrations import verify
from higherself.integrations.base import Delivery, Provider


class Notion(Provider):
    slug = "notion"
    label = "Notion"
    source = "Notion"
    signs = True
    reads = False

    def verify(self, delivery: Delivery) -> bool:
        """``X-Notion-Signature: sha256=`` + hex over the raw body (Notion: reference/webhooks)."""
        given = delivery.headers.get("x-notion-signature", "")
        return verify.hmac_hex(delivery.body, given, self.secrets, prefix="sha256=")
