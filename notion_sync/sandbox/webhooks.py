"""Webhooks: what happens is told to a URL (Notion: reference/webhooks-events-delivery)."""

from __future__ import annotations

from typing import Any


class Sender:
    def __init__(self, ws: Any) -> None:
        self.ws = ws

    def close(self) -> None:
        """Nothing is running yet."""
