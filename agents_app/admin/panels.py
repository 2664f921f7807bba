"""Cards on the pages of instances and contacts: the workflow with its buttons, the story, tasks, what else there is."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents_app.admin import picture
from agents_app.admin.instances import permitted, state_label
from agents_app.choices import OPEN_TASK
from agents_app.models import Notification, Task, WorkflowInstance
from agents_app.workflow import engine
from agents_app.workflow.machine import CANCELLED
from contacts.models import Contact
from higherself.core.admin import TOP, Panel, cells, panel, table, tone_of
from higherself.core.errors import Permanent

SHOWN = 10
STORY = 100


def _do(instance: WorkflowInstance, name: str) -> str:
    return reverse("admin:agents_app_workflowinstance_do", args=[instance.pk, name])


@panel(WorkflowInstance)
def workflow(request: HttpRequest, instance: WorkflowInstance) -> Panel:
    """Where the instance stands, and a button for each thing that may happen next."""
    user: Any = request.user
    context: dict[str, Any] = {
        "instance": instance,
        "state": state_label(instance, instance.current_state),
        "status_tone": tone_of(instance.status),
        "may": user.has_perm("agents_app.change_workflowinstance"),
        "advance_url": _do(instance, "advance"),
    }
    try:
        context |= _possible(request, instance)
    except Permanent as error:
        context["problem"] = str(error)
    return Panel(gettext_lazy("Workflow"), "console/workflow.html", context, place=TOP, order=10, icon="route")


def _possible(request: HttpRequest, instance: WorkflowInstance) -> dict[str, Any]:
    definition = engine.definition_of(instance)
    allowed = [item for item in engine.allowed(instance) if permitted(request, item)]
    moves = [
        {
            "event": item.event,
            "title": f"{item.title()} ({_('needs approval')})" if item.approval else item.title(),
            "to": definition.state(item.to).label,
            "tone": "bad" if definition.state(item.to).status == CANCELLED else "primary",
        }
        for item in allowed
    ]
    by_people = {item.event for item in allowed if item.manual}
    words = {
        "hold": (_("Put on hold"), "hold"),
        "resume": (_("Take up again"), "resume_work"),
        "retry": (_("Retry"), "retry"),
    }
    visited = instance.history.order_by().values_list("to_state", flat=True).distinct()
    return {
        "svg": picture.svg(definition, instance.current_state, set(visited)),
        "moves": [item for item in moves if item["event"] in by_people],
        "others": [item for item in moves if item["event"] not in by_people],
        "status_moves": [
            (words[action][0], _do(instance, words[action][1]))
            for action in engine.allowed_status_actions(instance)
            if action in words
        ],
    }


@panel(WorkflowInstance)
def story(_request: HttpRequest, instance: WorkflowInstance) -> Panel:
    lines = list(instance.history.order_by("-at", "-pk")[:STORY])
    rows = [
        {
            "line": line,
            "when": cells.moment(line.at),
            "from": state_label(instance, line.from_state),
            "to": state_label(instance, line.to_state),
            "event_url": cells.change_url("integrations.inboundevent", line.inbound_event)
            if line.inbound_event
            else "",
        }
        for line in lines
    ]
    return Panel(gettext_lazy("Moves"), "console/story.html", {"rows": rows}, order=20, icon="timeline")


def _task_rows(tasks: list[Task], here: str, may: bool) -> list[tuple[Any, ...]]:
    return [
        (
            cells.record_link(task),
            cells.chip(task.status, tone_of(task.status)),
            cells.chip(cells.ago(task.due_date), "bad") if task.is_overdue else cells.moment(task.due_date),
            task.assignee_text or ", ".join(str(item.get("name", "")) for item in task.assigned_to),
            _task_button(task, here) if may else "",
        )
        for task in tasks
    ]


def _task_button(task: Task, here: str) -> Any:
    """Sets the task Done and comes back to this page."""
    if task.status not in OPEN_TASK:
        return ""
    url = reverse("admin:agents_app_task_do", args=[task.pk, "done"])
    return format_html(
        '<button type="submit" form="hs-do" formaction="{}" name="next" value="{}" '
        'class="hs-button hs-button-small">{}</button>',
        url,
        here,
        _("Done"),
    )


def _tasks(request: HttpRequest, rows: Any, more: str, order: int) -> Panel:
    user: Any = request.user
    may = user.has_perm("agents_app.change_task")
    found = _task_rows(list(rows.order_by("due_date", "pk")[:SHOWN]), request.path, may)
    heads = [_("Task"), _("Status"), _("Due"), _("Who"), ""]
    return table(gettext_lazy("Tasks"), heads, found, more=more, order=order, icon="task_alt")


@panel(WorkflowInstance)
def tasks(request: HttpRequest, instance: WorkflowInstance) -> Panel:
    more = cells.list_url(Task, f"related_workflow_instance__id__exact={instance.pk}")
    return _tasks(request, instance.related_tasks.filter(archived_at=None), more, 15)


@panel(Contact)
def contact_instances(_request: HttpRequest, contact: Contact) -> Panel:
    rows = contact.workflow_instances.filter(archived_at=None).select_related("workflow").order_by("-pk")
    lines = [
        (
            cells.record_link(row),
            row.workflow.workflow_name if row.workflow else cells.NOTHING,
            cells.chip(state_label(row, row.current_state) or cells.NOTHING, "busy"),
            cells.chip(row.status, tone_of(row.status)),
            cells.moment(row.last_transition_date),
        )
        for row in rows[:SHOWN]
    ]
    heads = [_("Instance"), _("Workflow"), _("State"), _("Status"), _("Last moved")]
    more = cells.list_url(WorkflowInstance, f"contact__id__exact={contact.pk}")
    return table(gettext_lazy("Workflow instances"), heads, lines, more=more, order=10, icon="route", place=TOP)


@panel(Contact)
def contact_tasks(request: HttpRequest, contact: Contact) -> Panel:
    more = cells.list_url(Task, f"related_contact__id__exact={contact.pk}")
    return _tasks(request, contact.tasks.filter(archived_at=None), more, 20)


@panel(Contact)
def contact_messages(_request: HttpRequest, contact: Contact) -> Panel:
    rows = Notification.objects.filter(contact=contact).order_by("-pk")[:SHOWN]
    lines = [
        (
            cells.link(cells.change_url(Notification, row.pk), row.subject or row.channel),
            row.channel,
            cells.chip(row.status, tone_of(row.status)),
            cells.moment(row.created_at),
        )
        for row in rows
    ]
    heads = [_("Message"), _("Channel"), _("Status"), _("When")]
    more = cells.list_url(Notification, f"contact__id__exact={contact.pk}")
    return table(gettext_lazy("Messages"), heads, lines, more=more, order=30, icon="mail")
