"""Inbox and outbox in figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min, Sum
from django.utils import timezone

from higherself.core.metrics import Gauge, gauges
from higherself.integrations.models import InboundEvent, OutboundCall, ProviderGate, RefusedDelivery


@gauges
def inbox() -> Iterator[Gauge]:
    rows = InboundEvent.objects.values_list("provider", "status").annotate(number=Count("pk"))
    events = {(provider, status): float(number) for provider, status, number in rows.order_by()}
    yield Gauge("higherself_events", "Inbound events stored, by provider and status", events, ("provider", "status"))
    oldest = InboundEvent.objects.filter(next_attempt_at__isnull=False).aggregate(first=Min("received_at"))["first"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    yield Gauge("higherself_oldest_event_seconds", "Age of the oldest event that is not worked on yet", {(): age})


@gauges
def door() -> Iterator[Gauge]:
    rows = RefusedDelivery.objects.filter(last_at__gte=timezone.now() - timedelta(days=1)).order_by()
    sums = rows.values_list("provider", "reason").annotate(Sum("number"))
    refused = {(provider or "unknown", reason): float(number) for provider, reason, number in sums}
    text = "Deliveries refused within a day, by provider and reason"
    yield Gauge("higherself_refused_deliveries", text, refused, ("provider", "reason"))


@gauges
def outbox() -> Iterator[Gauge]:
    rows = OutboundCall.objects.order_by().values_list("provider", "status").annotate(number=Count("pk"))
    calls = {(provider, status): float(number) for provider, status, number in rows}
    yield Gauge("higherself_calls", "Outbound calls, by provider and status", calls, ("provider", "status"))
    oldest = OutboundCall.objects.filter(next_attempt_at__isnull=False).aggregate(first=Min("next_attempt_at"))["first"]
    age = max((timezone.now() - oldest).total_seconds(), 0.0) if oldest else 0.0
    yield Gauge("higherself_oldest_call_seconds", "For how long the oldest outbound call is due", {(): age})
    month = timezone.now().strftime("%Y-%m")
    used = ProviderGate.objects.filter(month=month).values_list("provider", "requests")
    sent = {(provider,): float(number) for provider, number in used}
    yield Gauge("higherself_requests_this_month", "Requests sent to each provider this month", sent, ("provider",))
