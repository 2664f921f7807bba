"""Tasks that wait for other tasks: they cannot begin before those are done, and somebody is told when they can."""

from __future__ import annotations

from django.db.models import Exists, OuterRef
from django.utils import timezone

from agents_app.choices import OPEN_TASK, TaskStatus
from agents_app.models import Task

NAMED = 5


def open_ones(task: Task) -> list[Task]:
    """What has to be done before this task can begin."""
    return list(task.dependencies.filter(status__in=OPEN_TASK, archived_at=None).order_by("due_date", "pk"))


def problem(task: Task) -> str:
    """Why the task cannot begin; empty when it can."""
    waiting = open_ones(task)
    if not waiting:
        return ""
    names = ", ".join(f"{row.task_name} ({row.task_id})" for row in waiting[:NAMED])
    more = f" and {len(waiting) - NAMED} more" if len(waiting) > NAMED else ""
    return f"“{task}” cannot begin yet: first {names}{more} has to be done."


def put_back(task: Task, before: str, actor: str) -> bool:
    """Undoes an edit that began a task too early, and says so in its notes; False when it may begin."""
    if task.status != TaskStatus.IN_PROGRESS:
        return False
    reason = problem(task)
    if not reason:
        return False
    line = f"{timezone.now():%Y-%m-%d %H:%M} UTC: the status set by {actor} was put back. {reason}"
    task.status, task.notes = before, f"{task.notes}\n{line}".strip()
    Task.objects.filter(pk=task.pk).update(status=task.status, notes=task.notes)
    return True


def now_ready(done: Task) -> list[Task]:
    """The open tasks that waited for this task alone and can begin now."""
    waiting = Task.dependencies.through.objects.filter(
        from_task=OuterRef("pk"), to_task__status__in=OPEN_TASK, to_task__archived_at=None
    )
    ready = Task.objects.live().filter(~Exists(waiting), dependencies=done, status__in=OPEN_TASK)
    return list(ready.select_related("related_workflow_instance"))
