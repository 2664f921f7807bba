"""What the agents' side puts on the console's home page."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents_app.choices import OPEN_TASK, InstanceStatus, NotificationStatus
from agents_app.models import Notification, Task, WorkflowInstance
from higherself.core.admin import Figure, Listing, Matter, bounded, cells, figures, listings, matters

SHOWN = 6
BOOKING = "WF-RETREAT-BOOKING"
LEAD = "WF-LEAD-CAPTURE"


@matters
def what_waits() -> list[Matter]:
    found = [_overdue(), _stuck(), _unsent()]
    return [item for item in found if item.count]


def _overdue() -> Matter:
    late = bounded(Task.objects.live().filter(status__in=OPEN_TASK, due_date__lt=timezone.now()))
    title = ngettext("task is overdue", "tasks are overdue", late)
    url = cells.list_url(Task, "due=overdue")
    return Matter("overdue", title, late, url, icon="alarm", permission="agents_app.view_task")


def _stuck() -> Matter:
    failed = bounded(WorkflowInstance.objects.live().filter(status=InstanceStatus.ERROR))
    title = ngettext("workflow instance has failed", "workflow instances have failed", failed)
    url = cells.list_url(WorkflowInstance, "status=Error")
    hint = _("Mend the reason, then retry on its page.")
    return Matter(
        "instances", title, failed, url, "bad", hint, icon="route", permission="agents_app.view_workflowinstance"
    )


def _unsent() -> Matter:
    failed = bounded(Notification.objects.filter(status=NotificationStatus.FAILED))
    title = ngettext("message could not be sent", "messages could not be sent", failed)
    url = cells.list_url(Notification, "status__exact=failed")
    return Matter(
        "messages", title, failed, url, "bad", icon="outgoing_mail", permission="agents_app.view_notification"
    )


@figures
def today() -> list[Figure]:
    start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    end = start + timedelta(days=1)
    # What began today has been changed today: that condition has an index.
    begun = WorkflowInstance.objects.live().filter(updated_at__gte=start, start_date__gte=start, start_date__lt=end)
    due = Task.objects.live().filter(status__in=OPEN_TASK, due_date__gte=start, due_date__lt=end)
    instances, permission = cells.list_url(WorkflowInstance), "agents_app.view_workflowinstance"
    return [
        Figure(
            _("leads today"),
            bounded(begun.filter(workflow__workflow_id=LEAD)),
            instances,
            icon="person_raised_hand",
            permission=permission,
        ),
        Figure(
            _("bookings today"),
            bounded(begun.filter(workflow__workflow_id=BOOKING)),
            instances,
            icon="event_available",
            permission=permission,
        ),
        Figure(
            _("tasks due today"),
            bounded(due),
            cells.list_url(Task, "due=today"),
            icon="task_alt",
            permission="agents_app.view_task",
        ),
    ]


@listings
def next_tasks() -> list[Listing]:
    rows = Task.objects.live().filter(status__in=OPEN_TASK, due_date__isnull=False).order_by("due_date", "pk")[:SHOWN]
    lines = tuple((str(row), cells.change_url(Task, row.pk), _due(row)) for row in rows)
    url = cells.list_url(Task)
    return [Listing(_("Next tasks"), lines, url, _("Nothing is due."), 10, "agents_app.view_task")]


def _due(task: Task) -> object:
    return cells.chip(cells.ago(task.due_date), "bad") if task.is_overdue else cells.moment(task.due_date)


@listings
def newest_instances() -> list[Listing]:
    rows = WorkflowInstance.objects.live().order_by("-pk")[:SHOWN]
    lines = tuple((str(row), cells.change_url(WorkflowInstance, row.pk), cells.moment(row.start_date)) for row in rows)
    url = cells.list_url(WorkflowInstance)
    return [
        Listing(_("Newest workflow instances"), lines, url, _("None so far."), 20, "agents_app.view_workflowinstance")
    ]
