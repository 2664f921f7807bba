"""Plaud: deliveries are verified and kept; nothing reads them yet."""

from __future__ import annotations

from higherself.integrations.base import SharedSecretProvider


class Plaud(SharedSecretProvider):
    slug = "plaud"
    label = "Plaud"
    source = "Plaud"
    reads = False
