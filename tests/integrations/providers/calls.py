"""Calls to stand-ins, and what comes of them in the inbox."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from higherself.integrations import relay
from higherself.integrations.client import Attempt, Outcome
from higherself.integrations.delivery import Delivery
from higherself.integrations.events import Event
from higherself.integrations.intake import store
from higherself.integrations.models import InboundEvent
from higherself.integrations.registry import PROVIDERS

SINCE = datetime(2026, 11, 1, tzinfo=timezone.utc)


def run(slug: str, name: str, payload: dict[str, Any], **attempt: Any) -> Outcome:
    client = PROVIDERS[slug].client()
    with client:
        declared = client.operations[name]
        content = declared.payload.model_validate(payload)
        return declared.run(client, content, Attempt(dedupe_key="k", **attempt))


def events_of(slug: str, outcome: Outcome) -> list[Event]:
    return [event for delivery in outcome.fetched for event in PROVIDERS[slug].parse(delivery)]


def history(slug: str, cursor: dict[str, Any] | None = None, since: datetime = SINCE) -> tuple[list[Delivery], Any]:
    """What back-fill would store, and the cursor that it would go on from."""
    client = PROVIDERS[slug].client()
    found: list[Delivery] = []
    last = cursor or {}
    with client:
        for page in client.backfill(since, dict(last)):
            found += page.deliveries
            last = page.cursor
    return found, last


def kept(slug: str, deliveries: list[Delivery]) -> list[bool]:
    """Puts them through the inbox; whether each was news."""
    return [not store(PROVIDERS[slug], delivery).duplicate for delivery in deliveries]


def told(slug: str, deliveries: list[Delivery]) -> list[Event]:
    return [event for delivery in deliveries for event in PROVIDERS[slug].parse(delivery)]


def sent_all() -> None:
    while relay.send_one("test"):
        pass


def stored() -> list[str]:
    return list(InboundEvent.objects.order_by("id").values_list("delivery_key", flat=True))
