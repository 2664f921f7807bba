"""The inbox in figures."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Min
from django.utils import timezone

from higherself.core.metrics import Gauge, gauges
from higherself.integrations.models import InboundEvent


@gauges
def inbox() -> Iterator[Gauge]:
    rows = InboundEvent.objects.values_list("provider", "status").annotate(number=Count("pk"))
    events = {(provider, status): float(number) for provider, status, number in rows.order_by()}
    yield Gauge("higherself_events", "Inbound events stored, by provider and status", events, ("provider", "status"))
    oldest = InboundEvent.objects.filter(next_attempt_at__isnull=False).aggregate(first=Min("received_at"))["first"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    yield Gauge("higherself_oldest_event_seconds", "Age of the oldest event that is not worked on yet", {(): age})
