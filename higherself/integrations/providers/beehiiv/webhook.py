"""Beehiiv: deliveries are verified and kept; nothing reads them yet."""

from __future__ import annotations

import time

from higherself.integrations import verify
from higherself.integrations.base import Delivery, SharedSecretProvider


class Beehiiv(SharedSecretProvider):
    """Beehiiv documents no signature; its endpoints look like Svix's, whose headers are checked where they come."""

    slug = "beehiiv"
    label = "Beehiiv"
    source = "Beehiiv"
    reads = False
    keeps = ("svix-id", "svix-timestamp")

    def verify(self, delivery: Delivery) -> bool:
        headers = delivery.headers
        if "svix-signature" not in headers:
            return super().verify(delivery)
        return verify.svix(
            delivery.body,
            message_id=headers.get("svix-id", ""),
            timestamp=headers.get("svix-timestamp", ""),
            signatures=headers["svix-signature"],
            secrets=[secret for secret in self.secrets if secret.startswith(verify.SVIX_PREFIX)],
            now=time.time(),
        )
