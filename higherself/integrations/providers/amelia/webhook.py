"""Amelia: deliveries are verified and kept; nothing reads them yet."""

from __future__ import annotations

from higherself.integrations.base import SharedSecretProvider


class Amelia(SharedSecretProvider):
    slug = "amelia"
    label = "Amelia"
    source = "Amelia"
    reads = False
