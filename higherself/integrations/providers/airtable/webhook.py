"""Airtable: deliveries are verified and kept; nothing reads them yet."""

from __future__ import annotations

from higherself.integrations import verify
from higherself.integrations.base import Delivery, Provider


class Airtable(Provider):
    slug = "airtable"
    label = "Airtable"
    source = "Airtable"
    signs = True
    reads = False

    def verify(self, delivery: Delivery) -> bool:
        return verify.airtable(delivery.body, delivery.headers.get("x-airtable-content-mac", ""), self.secrets)
