"""Tasks that belong to no state of a workflow: one for each occasion, however often it is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from agents_app.choices import OPEN_TASK, TaskSource, TaskStatus
from agents_app.models import Approval, Task, WorkflowInstance
from agents_app.services import approvals
from agents_app.text import one_line
from agents_app.workflow import approved
from contacts.models import BusinessEntity, Contact


def once(
    key: str,
    name: str,
    description: str,
    *,
    role: str,
    days: int = 1,
    entity: BusinessEntity | None = None,
    contact: Contact | None = None,
    instance: WorkflowInstance | None = None,
    **more: Any,
) -> Task:
    """The task of this occasion, made when it is not there yet."""
    task, _ = Task.objects.get_or_create(
        task_key=key,
        defaults={
            "task_name": one_line(name, 200),
            "description": description,
            "assignee_text": role,
            "assigned_to": list(entity.default_assignee) if entity else [],
            "due_date": timezone.now() + timedelta(days=days),
            "related_business_entity": entity,
            "related_contact": contact,
            "related_workflow_instance": instance,
            "created_by": "BookingAgent",
            "source": TaskSource.AGENT,
            **more,
        },
    )
    return task


def while_true(key: str, wanted: bool, name: str, description: str, **options: Any) -> Task | None:
    """A task that is open while something holds; when it holds no longer, an open one is cancelled."""
    open_one = Task.objects.filter(task_key__startswith=f"{key}:", status__in=OPEN_TASK).first()
    if not wanted:
        if open_one is not None:
            open_one.status = TaskStatus.CANCELLED
            open_one.save(update_fields=["status"])
        return None
    if open_one is not None:
        return open_one
    number = Task.objects.filter(task_key__startswith=f"{key}:").count() + 1
    return once(f"{key}:{number}", name, description, **options)


def settle(instance: WorkflowInstance, template_key: str, why: str) -> int:
    """Ends an open task of an instance whose reason is gone, and says why; returns how many were open."""
    rows = Task.objects.filter(
        related_workflow_instance=instance,
        task_key__startswith=f"{instance.instance_id}:{template_key}:",
        status__in=OPEN_TASK,
    )
    found = list(rows)
    for task in found:
        task.status, task.notes = TaskStatus.CANCELLED, f"{task.notes}\n{why}".strip()
        task.save(update_fields=["status", "notes"])
    return len(found)


def money_went_back(instance: WorkflowInstance) -> None:
    """The refund that was asked for, or is a task, has been made where the money is."""
    why = "The money has gone back."
    key = approved.key_of(instance, "task:process_refund")
    approvals.withdraw(Approval.objects.filter(key=key), why)
    settle(instance, "process_refund", why)
