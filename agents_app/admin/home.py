"""What the agents' side puts on the console's home page."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents_app.choices import OPEN_TASK, InstanceStatus, NotificationStatus, TestResult
from agents_app.models import ApiIntegration, Notification, Task, WorkflowInstance
from agents_app.services import catalog
from agents_app.services.integrations import now_silent
from higherself.core.admin import (
    Chart,
    Figure,
    Listing,
    Matter,
    Scope,
    bounded,
    by_day,
    cells,
    charts,
    figures,
    listings,
    matters,
)

SHOWN = 6
ENTITY = "business_entity"
LEAD = "WF-LEAD-CAPTURE"


@matters
def what_waits() -> list[Matter]:
    found = [_overdue(), _stuck(), _unsent(), _refused(), _silent()]
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


def _refused() -> Matter:
    """Services that do not let us in, or do not answer, by their last check."""
    bad = (TestResult.AUTH_FAILED, TestResult.UNREACHABLE)
    number = bounded(ApiIntegration.objects.live().filter(last_result__in=bad))
    title = ngettext("service cannot be used", "services cannot be used", number)
    url = cells.list_url(ApiIntegration)
    hint = _("Correct its credentials or address, then test the connection.")
    permission = "agents_app.view_apiintegration"
    return Matter("connections", title, number, url, "bad", hint, icon="link_off", permission=permission)


def _silent() -> Matter:
    quiet = now_silent()
    title = ngettext("service has fallen silent", "services have fallen silent", len(quiet))
    url = cells.list_url(ApiIntegration, "last_result=Silent")
    hint = " ".join(quiet) + " " + _("Look at its webhooks there; a back-fill fetches what was missed.")
    permission = "agents_app.view_apiintegration"
    return Matter("silent", title, len(quiet), url, hint=hint, icon="hearing_disabled", permission=permission)


@figures
def today(scope: Scope) -> list[Figure]:
    # What began today has been changed today: that condition has an index.
    begun = WorkflowInstance.objects.live().filter(
        updated_at__gte=scope.start, start_date__gte=scope.start, start_date__lt=scope.end, **scope.of(ENTITY)
    )
    tasks = Task.objects.live().filter(status__in=OPEN_TASK, **scope.of("related_business_entity"))
    late, instances = tasks.filter(due_date__lt=timezone.now()), cells.list_url(WorkflowInstance)
    may_see, may_see_tasks = "agents_app.view_workflowinstance", "agents_app.view_task"
    return [
        Figure(
            _("new leads today"),
            bounded(begun.filter(workflow__workflow_id=LEAD)),
            instances,
            icon="person_raised_hand",
            permission=may_see,
            order=10,
        ),
        Figure(
            _("tasks due today"),
            bounded(tasks.filter(due_date__gte=scope.start, due_date__lt=scope.end)),
            cells.list_url(Task, "due=today"),
            icon="task_alt",
            permission=may_see_tasks,
            order=40,
        ),
        Figure(
            _("tasks overdue"),
            bounded(late),
            cells.list_url(Task, "due=overdue"),
            icon="alarm",
            permission=may_see_tasks,
            tone="bad",
            order=41,
        ),
    ]


@charts
def lately(scope: Scope) -> list[Chart]:
    rows = WorkflowInstance.objects.live().filter(**scope.of(ENTITY))
    url, permission = cells.list_url(WorkflowInstance), "agents_app.view_workflowinstance"
    leads = rows.filter(workflow__in=_versions(LEAD))
    done = Task.objects.live().filter(**scope.of("related_business_entity"))
    return [
        Chart(_("New leads"), by_day(leads, "start_date"), url, permission=permission, order=10),
        Chart(
            _("Tasks done"),
            by_day(done, "completed_date"),
            cells.list_url(Task, "status=Done"),
            permission="agents_app.view_task",
            order=40,
        ),
    ]


def _versions(workflow_id: str) -> list[int]:
    return [row.pk for row in catalog.current().workflows.values() if row.workflow_id == workflow_id]


@listings
def next_tasks(scope: Scope) -> list[Listing]:
    rows = Task.objects.live().filter(
        status__in=OPEN_TASK, due_date__isnull=False, **scope.of("related_business_entity")
    )
    lines = tuple((str(row), cells.change_url(Task, row.pk), _due(row)) for row in rows.order_by("due_date")[:SHOWN])
    return [Listing(_("Next tasks"), lines, cells.list_url(Task), _("Nothing is due."), 10, "agents_app.view_task")]


def _due(task: Task) -> object:
    return cells.chip(cells.ago(task.due_date), "bad") if task.is_overdue else cells.moment(task.due_date)


@listings
def newest_instances(scope: Scope) -> list[Listing]:
    rows = WorkflowInstance.objects.live().filter(**scope.of(ENTITY)).order_by("-pk")[:SHOWN]
    lines = tuple((str(row), cells.change_url(WorkflowInstance, row.pk), cells.moment(row.start_date)) for row in rows)
    url = cells.list_url(WorkflowInstance)
    return [
        Listing(_("Newest workflow instances"), lines, url, _("None so far."), 20, "agents_app.view_workflowinstance")
    ]
