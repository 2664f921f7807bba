"""Time and tasks: the daily list of what is due, a higher priority for what is late, and a word to the team.

Notion tells nobody's address, so what concerns an assignee goes to the team's addresses (``TEAM_EMAILS``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from agents_app.choices import OPEN_TASK, SLA_DAYS, InstanceStatus, Priority
from agents_app.models import Notification, Task, WorkflowInstance
from agents_app.services import catalog, dependencies, messages, work
from agents_app.services.messages import Occasion

DUE_SOON = timedelta(hours=24)
RAISE_AFTER = timedelta(days=1)
ESCALATE_AFTER = timedelta(days=3)
DIGEST, OVERDUE, ESCALATION = "task_digest", "task_overdue", "task_escalation"
READY, SLACK = "task_ready", "task_escalation_slack"
LISTED = 100
LIMIT = 200
_RAISED = {Priority.LOW: Priority.MEDIUM, Priority.MEDIUM: Priority.HIGH, Priority.HIGH: Priority.URGENT}


def daily_digest(now: datetime | None = None) -> int:
    """One message a day with the tasks that are late or due within a day; returns how many it lists."""
    at = now or timezone.now()
    template = catalog.current().templates.get(DIGEST)
    rows = _open().filter(due_date__lte=at + DUE_SOON).order_by("due_date", "pk")
    count = rows.count()
    if template is None or not count:
        return 0
    listed = [_line(task, at) for task in rows[:LISTED]]
    if count > LISTED:
        listed.append(f"… and {count - LISTED} more")
    values = {"task_count": count, "task_list": "\n".join(listed), "business_name": _server_name()}
    messages.queue(messages.compose(template, "team", Occasion(f"digest:{at:%Y-%m-%d}", values)), may_exist=True)
    return count


def escalate(now: datetime | None = None) -> int:
    """Raises the priority of what is a day late, once, and reports what is three days late, once."""
    at = now or timezone.now()
    raised = [_tell(task, OVERDUE, at) for task in _late(at - RAISE_AFTER, OVERDUE)]
    reported = [_tell(task, ESCALATION, at) for task in _late(at - ESCALATE_AFTER, ESCALATION)]
    return len(raised) + len(reported)


def ready(done: Task, now: datetime | None = None) -> int:
    """Tells the assignees of what waited for this task that they can begin; returns how many tasks that are."""
    if READY not in catalog.current().templates:
        return 0
    rows = dependencies.now_ready(done)
    for task in rows:
        _tell(task, READY, now or timezone.now())
    return len(rows)


def review_stalled(now: datetime | None = None) -> int:
    """Makes a task for each instance that nothing has moved, and nothing will, for longer than the SLA allows.

    What the clock will look at again is waited for, not forgotten. Returns how many tasks were made.
    """
    at = now or timezone.now()
    rows = WorkflowInstance.objects.live().filter(
        status=InstanceStatus.ACTIVE, next_timer_at=None, last_transition_date__lte=at - timedelta(days=SLA_DAYS)
    )
    made = 0
    for instance in rows.order_by("last_transition_date", "pk").iterator(chunk_size=LIMIT):
        made += work.review(instance)
        if made >= LIMIT:
            break
    return made


def _open() -> QuerySet[Task]:
    rows: QuerySet[Task] = Task.objects.live().filter(status__in=OPEN_TASK, due_date__isnull=False)
    return rows.select_related("related_workflow_instance")


def _late(since: datetime, template_id: str) -> Iterable[Task]:
    """Open tasks that were due before and of which this has not been said yet; the message is the mark."""
    if template_id not in catalog.current().templates:
        return []
    said = Notification.objects.filter(task=OuterRef("pk"), template__template_id=template_id)
    return list(_open().filter(~Exists(said), due_date__lte=since).order_by("due_date", "pk")[:LIMIT])


@transaction.atomic
def _tell(task: Task, template_id: str, now: datetime) -> None:
    if template_id == OVERDUE and task.priority in _RAISED:
        task.priority = _RAISED[Priority(task.priority)]
        task.save(update_fields=["priority"])
    template = catalog.current().templates[template_id]
    occasion = Occasion(task.task_id, _values(task, now), instance=task.related_workflow_instance, task=task)
    rows = messages.compose(template, "assignee", occasion)
    loud = catalog.current().templates.get(SLACK)
    if template_id == ESCALATION and loud is not None and settings.SLACK_WEBHOOK_URL:
        rows += messages.compose(loud, "team", occasion)
    messages.queue(rows, may_exist=True)


def _values(task: Task, now: datetime) -> dict[str, Any]:
    return {
        "task_name": task.task_name,
        "task_id": task.task_id,
        "task_priority": task.priority,
        "task_due": _local(task, task.due_date or now),
        "assignee": _assignee(task),
        "instance_name": str(task.related_workflow_instance or "no workflow"),
        "business_name": _server_name(),
    }


def _line(task: Task, now: datetime) -> str:
    due = task.due_date or now
    late = "LATE, " if due < now else ""
    return f"- {late}{_local(task, due)} · {task.priority} · {_assignee(task)} · {task.task_name} ({task.task_id})"


def _assignee(task: Task) -> str:
    people = [str(person.get("name", "")) for person in task.assigned_to if isinstance(person, dict)]
    return ", ".join(name for name in people if name) or task.assignee_text or "nobody"


def _local(task: Task, moment: datetime) -> str:
    entity = catalog.current().entity_with_pk(task.related_business_entity_id)
    zone = entity.zone if entity else ZoneInfo(timezone.get_default_timezone_name())
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _server_name() -> str:
    return settings.DEFAULT_FROM_EMAIL.partition("<")[0].strip()
