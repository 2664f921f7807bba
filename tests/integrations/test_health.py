"""When each provider was last heard, without reading the whole inbox."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from higherself.integrations import health
from higherself.integrations.models import InboundEvent, Pulse

pytestmark = pytest.mark.django_db


def _came(provider: str, at: datetime) -> None:
    key = f"k{InboundEvent.objects.count()}"
    InboundEvent.objects.create(provider=provider, delivery_key=key, body=b"{}", received_at=at)


def _pulse(provider: str, at: datetime) -> datetime:
    """The provider's pulse with this one hour in it; returns the hour's end."""
    hour = int(at.timestamp()) // 3600
    Pulse.objects.create(provider=provider, hours=[hour], seen_until=timezone.now())
    return datetime.fromtimestamp((hour + 1) * 3600, at.tzinfo)


def _last() -> dict[str, Any]:
    states: dict[str, Any] = health.providers().facts["providers"]
    return {slug: state["last_event"] for slug, state in states.items() if state["last_event"]}


def test_the_last_delivery_is_found_whether_it_came_lately_or_long_ago_or_was_cleared_away():
    now = timezone.now()
    lately, long_ago, fetched = now - timedelta(hours=2), now - timedelta(days=40), now - timedelta(days=3)
    for hours in (0, 5):
        _came("typeform", lately - timedelta(hours=hours))
    for seconds in (0, 1):
        _came("hubspot", long_ago - timedelta(seconds=seconds))
    _pulse("hubspot", long_ago)
    _came("amelia", fetched)
    cleared = _pulse("circle", long_ago)

    assert _last() == {
        "typeform": lately.isoformat(),
        "hubspot": long_ago.isoformat(),
        "amelia": fetched.isoformat(),
        "circle": cleared.isoformat(),
    }
