"""Figures of agents, workflows and templates, measured from their rows in batches, not with every event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Max, Min, Q
from django.utils import timezone

from agents_app.choices import (
    HealthStatus,
    ImplementationStatus,
    InstanceStatus,
    NotificationStatus,
    RunOutcome,
    WorkflowStatus,
)
from agents_app.models import (
    Agent,
    AgentRun,
    Notification,
    NotificationTemplate,
    UseCase,
    Workflow,
    WorkflowInstance,
)
from agents_app.services import alarms
from higherself.core.models import Record

HEALTH_WINDOW = timedelta(days=1)
DEGRADED_BELOW, CRITICAL_BELOW = 0.95, 0.5
LOW_SUCCESS = 0.9
# Fewer than so many say nothing yet.
TELLING = 20


def refresh() -> int:
    """Writes the figures that have changed; returns how many rows were."""
    return _agents() + _workflows() + _templates() + _use_cases()


def _write(row: Record, values: dict[str, Any]) -> int:
    """An unchanged row is not written: a write is carried to Notion."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    return type(row).objects.filter(pk=row.pk).update(**changed) if changed else 0


def _agents() -> int:
    runs = AgentRun.objects.exclude(outcome="")
    failed = Count("pk", filter=Q(outcome=RunOutcome.FAILED))
    totals = {
        line["agent_id"]: line
        for line in runs.values("agent_id").annotate(total=Count("pk"), failed=failed, last=Max("started_at"))
    }
    since = timezone.now() - HEALTH_WINDOW
    recent = {
        line["agent_id"]: _share(line)
        for line in runs.filter(started_at__gte=since).values("agent_id").annotate(total=Count("pk"), failed=failed)
    }
    written = 0
    for agent in Agent.objects.live().filter(agent_id__in=totals):
        share = recent.get(agent.agent_id)
        written += _write(agent, _agent_figures(totals[agent.agent_id], share))
        if share is not None and share < DEGRADED_BELOW and totals[agent.agent_id]["total"] >= TELLING:
            alarms.agent_fails(agent, share)
    return written


def _share(line: Mapping[str, Any]) -> float:
    return round(1 - line["failed"] / line["total"], 4)


def _agent_figures(line: Mapping[str, Any], recent: float | None) -> dict[str, Any]:
    figures = {
        "last_execution": line["last"],
        "execution_count": line["total"],
        "success_rate": _share(line),
    }
    if recent is not None:
        figures["health_status"] = _health(recent)
    return figures


def _health(share: float) -> str:
    if share < CRITICAL_BELOW:
        return HealthStatus.CRITICAL
    return HealthStatus.DEGRADED if share < DEGRADED_BELOW else HealthStatus.HEALTHY


def _workflows() -> int:
    took = ExpressionWrapper(F("end_date") - F("start_date"), output_field=DurationField())
    lines = (
        WorkflowInstance.objects.live()
        .filter(workflow__isnull=False)
        .values("workflow_id")
        .annotate(
            total=Count("pk"),
            active=Count("pk", filter=Q(status=InstanceStatus.ACTIVE)),
            completed=Count("pk", filter=Q(status=InstanceStatus.COMPLETED)),
            ended=Count("pk", filter=Q(status__in=[InstanceStatus.COMPLETED, InstanceStatus.CANCELLED])),
            average=Avg(took, filter=Q(status=InstanceStatus.COMPLETED)),
        )
    )
    found = {line["workflow_id"]: line for line in lines}
    written = 0
    for row in Workflow.objects.filter(pk__in=found):
        figures = _workflow_figures(found[row.pk])
        written += _write(row, figures)
        share = figures["success_rate"]
        runs = row.status in (WorkflowStatus.ACTIVE, WorkflowStatus.IMPLEMENTED)
        if runs and share is not None and share < LOW_SUCCESS and found[row.pk]["ended"] >= TELLING:
            alarms.workflow_fails(row, share)
    return written


def _use_cases() -> int:
    """What was built and is used is live, from the day on which its first workflow began."""
    # Earlier versions planted the flows as planned.
    ours = Q(implementation_status=ImplementationStatus.PLANNED, use_case_id__startswith="UC-FLOW-")
    built = UseCase.objects.live().filter(Q(implementation_status=ImplementationStatus.IMPLEMENTED) | ours)
    first = Min("related_workflows__instances__start_date")
    return sum(
        _write(
            row, {"implementation_status": ImplementationStatus.LIVE, "actual_implementation_date": row.began.date()}
        )
        for row in built.annotate(began=first).filter(began__isnull=False)
    )


def _workflow_figures(line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "total_instances_count": line["total"],
        "active_instances_count": line["active"],
        "success_rate": round(line["completed"] / line["ended"], 4) if line["ended"] else None,
        "average_completion_time": round(line["average"].total_seconds() / 3600, 2) if line["average"] else None,
    }


def _templates() -> int:
    sent = Notification.objects.filter(status=NotificationStatus.SENT, template__isnull=False)
    figures = {
        line["template_id"]: {"send_count": line["total"], "last_sent": line["last"]}
        for line in sent.values("template_id").annotate(total=Count("pk"), last=Max("sent_at"))
    }
    return sum(_write(row, figures[row.pk]) for row in NotificationTemplate.objects.filter(pk__in=figures))
