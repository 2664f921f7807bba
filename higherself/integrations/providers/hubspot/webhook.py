"""HubSpot: deliveries are verified and kept; nothing reads them yet."""

from __future__ import annotations

import time

from higherself.integrations import verify
from higherself.integrations.base import Delivery, Provider


class HubSpot(Provider):
    slug = "hubspot"
    label = "HubSpot"
    source = "HubSpot"
    signs = True
    reads = False
    keeps = ("x-hubspot-request-timestamp",)

    @property
    def secrets(self) -> list[str]:
        """HubSpot signs with the app's client secret; a webhook secret of its own stands in where it is set."""
        return [*super().secrets, *verify.split_secrets(self.options.get("client_secret", ""))]

    def verify(self, delivery: Delivery) -> bool:
        return verify.hubspot_v3(
            delivery.body,
            method=delivery.method,
            uri=delivery.url,
            timestamp=delivery.headers.get("x-hubspot-request-timestamp", ""),
            given=delivery.headers.get("x-hubspot-signature-v3", ""),
            secrets=self.secrets,
            now=time.time(),
        )
