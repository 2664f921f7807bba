"""Which deliveries and calls may be cleared away: those that have come to an end by themselves."""

from __future__ import annotations

from higherself.core.retention import rule
from higherself.integrations.models import InboundEvent, OutboundCall, RefusedDelivery

rule(
    "deliveries",
    setting="events",
    column="received_at",
    rows=lambda: InboundEvent.objects.filter(
        status__in=[InboundEvent.Status.PROCESSED, InboundEvent.Status.IGNORED], next_attempt_at__isnull=True
    ),
)
_ENDED = [OutboundCall.Status.DONE, OutboundCall.Status.CANCELLED, OutboundCall.Status.EXPIRED]
rule("calls", setting="events", column="created_at", rows=lambda: OutboundCall.objects.filter(status__in=_ENDED))
rule("refused deliveries", setting="refused", column="last_at", rows=RefusedDelivery.objects.all)
