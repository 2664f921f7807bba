"""Which runs and messages may be cleared away. Failed ones wait for a person and stay."""

from __future__ import annotations

from agents_app.choices import NotificationStatus, RunOutcome
from agents_app.models import AgentRun, Notification
from higherself.core.retention import rule

rule(
    "runs of agents",
    setting="runs",
    column="started_at",
    rows=lambda: AgentRun.objects.exclude(outcome="").exclude(outcome=RunOutcome.FAILED),
)
rule(
    "messages",
    setting="messages",
    column="created_at",
    rows=lambda: Notification.objects.exclude(status__in=[NotificationStatus.QUEUED, NotificationStatus.FAILED]),
)
