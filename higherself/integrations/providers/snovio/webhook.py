"""Snov.io: deliveries are verified and kept; nothing reads them yet."""

from __future__ import annotations

from higherself.integrations.base import SharedSecretProvider


class Snovio(SharedSecretProvider):
    slug = "snovio"
    label = "Snov.io"
    source = "Snov.io"
    reads = False
