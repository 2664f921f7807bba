"""Tasks from templates: one per occasion, however often the occasion is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from agents_app.choices import OPEN_TASK, TaskSource, TaskStatus
from agents_app.models import Task, WorkflowInstance, WorkflowTransition
from agents_app.services import catalog
from agents_app.text import one_line
from agents_app.workflow import guards
from agents_app.workflow.due import due_at
from agents_app.workflow.machine import Definition, TaskTemplate
from contacts.models import BusinessEntity

AGENT = "TaskManagementAgent"


@dataclass(frozen=True)
class Entry:
    """An instance has entered a state, with these facts about it."""

    instance: WorkflowInstance
    definition: Definition
    state: str
    facts: guards.Facts = field(default_factory=dict)
    entity: BusinessEntity | None = None
    # A new instance cannot have tasks yet, so nobody needs to look.
    fresh: bool = False
    # The state was left again at once: what lapses with it is not even made.
    passing: bool = False
    # Tasks whose moment has come.
    timed: tuple[TaskTemplate, ...] = ()


def task_key(instance: WorkflowInstance, template_key: str, occurrence: int = 1) -> str:
    return f"{instance.instance_id}:{template_key}:{occurrence}"


def template_of(task: Task, definition: Definition) -> TaskTemplate | None:
    """The template that a task was made from, as the instance's version of the workflow has it."""
    parts = task.task_key.split(":")
    if len(parts) != 3:
        return None
    found = [item for state in definition.states.values() for item in state.tasks if item.key == parts[1]]
    # The same key may stand in several states; what it completes is what matters, and where it says so.
    return next((item for item in found if item.completes), found[0] if found else None)


def wanted(entry: Entry) -> list[TaskTemplate]:
    """The templates of the state that are due and need nobody's approval."""
    return [item for item in _fitting(entry) if not item.approval]


def held(entry: Entry) -> list[TaskTemplate]:
    """The templates of the state that are due, and whose tasks wait for a person's approval."""
    return [item for item in _fitting(entry) if item.approval]


def _fitting(entry: Entry) -> list[TaskTemplate]:
    """Those whose condition holds, and whose moment has come where they have one."""
    found = [item for item in entry.definition.state(entry.state).tasks if item.after is None or item in entry.timed]
    return [item for item in found if guards.holds(item.when, entry.facts) and not (entry.passing and item.lapses)]


def create(entries: Iterable[Entry], now: datetime | None = None, *, only: TaskTemplate | None = None) -> list[Task]:
    """Makes the tasks of the states that were entered (or the one task ``only``) and returns the new ones."""
    moment = now or timezone.now()
    made: dict[str, Task] = {}
    needs: dict[str, list[str]] = {}
    look_up = False
    for entry in entries:
        zone = entry.entity.zone if entry.entity else ZoneInfo(timezone.get_default_timezone_name())
        for template in [only] if only else wanted(entry):
            occurrence = _occurrence(entry) if template.repeat else 1
            task = _build(entry, template, occurrence, moment, zone)
            made.setdefault(task.task_key, task)
            if template.needs:
                needs[task.task_key] = [task_key(entry.instance, key, 0)[:-1] for key in template.needs]
            look_up = look_up or not entry.fresh
    if look_up:
        known = set(Task.objects.filter(task_key__in=made).values_list("task_key", flat=True))
        made = {key: task for key, task in made.items() if key not in known}
    tasks = list(Task.objects.bulk_create(made.values())) if made else []
    for task in tasks:
        if task.task_key in needs:
            _depend(task, needs[task.task_key])
    return tasks


def _depend(task: Task, keys: list[str]) -> None:
    """Ties the task to those that have to be done before it can begin; those that were never made hold up nothing."""
    others = Task.objects.filter(related_workflow_instance_id=task.related_workflow_instance_id)
    needed = [pk for pk, key in others.values_list("pk", "task_key") if key.startswith(tuple(keys))]
    if needed:
        task.dependencies.set(needed)


def _occurrence(entry: Entry) -> int:
    """How often the state has been entered; the entry at hand is in the history already."""
    if entry.fresh:
        return 1
    lines = WorkflowTransition.objects.filter(instance=entry.instance, to_state=entry.state)
    return max(1, lines.exclude(from_state=entry.state).count())


def _build(entry: Entry, template: TaskTemplate, occurrence: int, now: datetime, zone: ZoneInfo) -> Task:
    instance, entity = entry.instance, entry.entity
    who = instance.client_lead_name or instance.client_lead_email
    people, role = catalog.current().assignee(entity, template.role)
    return Task(
        task_name=one_line(f"{template.name}: {who}" if who else template.name, 200),
        task_key=task_key(instance, template.key, occurrence),
        status=TaskStatus.TO_DO,
        description=template.description,
        priority=template.priority,
        category=template.category,
        due_date=due_at(template.due, now, zone, entry.facts),
        assigned_to=people,
        assignee_text=role,
        related_workflow_instance_id=instance.pk,
        related_business_entity_id=instance.business_entity_id,
        related_contact_id=instance.contact_id,
        created_by=AGENT,
        created_date=now,
        tags=list(template.tags),
        source=TaskSource.WORKFLOW,
        estimated_time=template.estimated_minutes,
    )


def failure(instance: WorkflowInstance, message: str, number: int) -> Task | None:
    """The task for a person when a step of a workflow failed; None when this failure has its task already."""
    key = task_key(instance, "failed_step", number)
    task, created = Task.objects.get_or_create(
        task_key=key,
        defaults={
            "task_name": one_line(f"Look into failed step: {instance}", 200),
            "description": f"{message}\n\nRetry the instance once the reason is gone.",
            "priority": "High",
            "category": "Technical",
            "assignee_text": "technical team",
            "related_workflow_instance": instance,
            "related_business_entity_id": instance.business_entity_id,
            "related_contact_id": instance.contact_id,
            "created_by": AGENT,
            "tags": ["Technical"],
            "source": TaskSource.SYSTEM,
        },
    )
    return task if created else None


def review(instance: WorkflowInstance) -> bool:
    """The task to look at an instance that has stood still for too long; once for each stay in a state."""
    if instance.last_transition_date is None:
        return False
    stay = int(instance.last_transition_date.timestamp())
    _task, created = Task.objects.get_or_create(
        task_key=task_key(instance, "stalled", stay),
        defaults={
            "task_name": one_line(f"Review: nothing has happened with {instance}", 200),
            "description": f"{instance.instance_id} stands in “{instance.current_state}” since "
            f"{instance.last_transition_date:%Y-%m-%d}. Move it on, put it on hold, or end it.",
            "priority": "High",
            "category": "Admin",
            "assignee_text": "operations",
            "due_date": timezone.now() + timedelta(days=1),
            "related_workflow_instance": instance,
            "related_business_entity_id": instance.business_entity_id,
            "related_contact_id": instance.contact_id,
            "created_by": AGENT,
            "source": TaskSource.SYSTEM,
        },
    )
    return created


def cancel_open(instance: WorkflowInstance, keep: Sequence[Task] = ()) -> int:
    """Cancels what is still open when a workflow was cancelled, except the tasks that this very end has made."""
    still_open = Task.objects.filter(related_workflow_instance=instance, status__in=OPEN_TASK)
    return still_open.exclude(pk__in=[task.pk for task in keep]).update(status=TaskStatus.CANCELLED)


def lapse(instance: WorkflowInstance, definition: Definition, left: Iterable[str]) -> int:
    """Cancels the open tasks that lapse with the states that were left; returns how many."""
    keys = {item.key for state in left for item in definition.state(state).tasks if item.lapses}
    if not keys:
        return 0
    names = tuple(f"{instance.instance_id}:{key}:" for key in keys)
    still_open = Task.objects.filter(related_workflow_instance=instance, status__in=OPEN_TASK)
    found = [pk for pk, key in still_open.values_list("pk", "task_key") if key.startswith(names)]
    return Task.objects.filter(pk__in=found).update(status=TaskStatus.CANCELLED) if found else 0


def redate(instance: WorkflowInstance, definition: Definition, facts: guards.Facts, now: datetime) -> int:
    """Gives open tasks that are due around a date of the facts their new due date; returns how many have changed."""
    entity = instance.business_entity
    zone = entity.zone if entity else ZoneInfo(timezone.get_default_timezone_name())
    changed = []
    for task in Task.objects.filter(related_workflow_instance=instance, status__in=OPEN_TASK):
        template = template_of(task, definition)
        if template is None or template.due is None or template.due.base is None:
            continue
        due = due_at(template.due, now, zone, facts)
        if due is not None and due != task.due_date:
            task.due_date = due
            changed.append(task)
    if changed:
        Task.objects.bulk_update(changed, ["due_date"])
    return len(changed)
