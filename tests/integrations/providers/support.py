"""Reading a provider's payload, at a known time."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from higherself.integrations.delivery import Delivery
from higherself.integrations.events import Event
from higherself.integrations.kinds import MATERIAL
from higherself.integrations.material import Material
from higherself.integrations.registry import PROVIDERS
from tests.integrations.support import json_delivery

RECEIVED = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[misc, arg-type]


def read(slug: str, body: Any, **options: Any) -> list[Event]:
    delivery = body if isinstance(body, Delivery) else json_delivery(body, received_at=RECEIVED, **options)
    return PROVIDERS[slug].parse(delivery)


def one(slug: str, body: Any, **options: Any) -> Event:
    (event,) = read(slug, body, **options)
    return event


def material(event: Event) -> Any:
    """The event's data as the model of its kind, as an agent would take it."""
    found: Material = MATERIAL[event.kind].model_validate(event.data)
    return found


def told(event: Event) -> dict[str, Any]:
    """The event's data without what nobody told."""
    return {name: value for name, value in event.data.items() if value not in ("", None, [], {}, False)}
