"""WooCommerce: deliveries are verified and kept; nothing reads them yet. Source: WooCommerce, class-wc-webhook.php."""

from __future__ import annotations

import re

from higherself.integrations import verify
from higherself.integrations.base import Delivery, Provider

_PING = re.compile(rb"webhook_id=\d+\Z")


class WooCommerce(Provider):
    slug = "woocommerce"
    label = "WooCommerce"
    source = "WooCommerce"
    signs = True
    reads = False
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

    def event_type(self, delivery: Delivery) -> str:
        return delivery.headers.get("x-wc-webhook-topic", "")
