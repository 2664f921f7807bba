"""Tasks about figures that are too low: once a week for an agent, once a month for a workflow, as long as they are."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from agents_app.choices import TaskSource
from agents_app.models import Agent, Task, Workflow


def agent_fails(agent: Agent, share: float) -> bool:
    """An agent whose runs of the last day failed too often; whether this is a new task."""
    year, week, _ = timezone.now().isocalendar()
    return _task(
        f"{agent.agent_id}:success:{year}-W{week:02}",
        f"Look into {agent}: {share:.0%} of its runs succeed",
        "Its failed runs stand in the console under Agent runs, each with its reason.",
    )


def workflow_fails(workflow: Workflow, share: float) -> bool:
    """A workflow of which too few instances come to a good end; whether this is a new task."""
    return _task(
        f"{workflow.workflow_id}:{workflow.version}:success-{timezone.now():%Y-%m}",
        f"Look into {workflow}: {share:.0%} of its instances are completed",
        "The others were cancelled. Its board and its instances' histories say where and why.",
        role="operations",
        category="Admin",
    )


def _task(key: str, name: str, description: str, *, role: str = "technical team", category: str = "Technical") -> bool:
    _row, created = Task.objects.get_or_create(
        task_key=key,
        defaults={
            "task_name": name[:200],
            "description": description,
            "priority": "High",
            "category": category,
            "assignee_text": role,
            "due_date": timezone.now() + timedelta(days=3),
            "created_by": "System",
            "source": TaskSource.SYSTEM,
        },
    )
    return created
