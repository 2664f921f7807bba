"""Two boards: tasks by status, and the instances of one workflow by state."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from agents_app.admin.instances import permitted
from agents_app.choices import OPEN_TASK, Priority, TaskStatus
from agents_app.models import Task, Workflow, WorkflowInstance
from agents_app.services import catalog
from agents_app.workflow import engine
from agents_app.workflow.machine import Definition, State
from higherself.core.admin import Card, Column, Move, boards, cells, chosen, shown, staff_page, switch, tone_of
from higherself.core.errors import Permanent

TEMPLATE = "console/pages/board.html"
_LOUD = (Priority.HIGH, Priority.URGENT)


# -- tasks ----------------------------------------------------------------------------------------------------------
@staff_page("boards/tasks/", name="board_tasks", permission="agents_app.view_task")
def tasks(request: HttpRequest) -> HttpResponse:
    scope = chosen(request)
    rows = Task.objects.live().filter(**scope.of("related_business_entity"))
    user: Any = request.user
    context = {
        "switch": switch(request, scope),
        "columns": [_task_column(rows, status) for status in TaskStatus],
        "may": user.has_perm("agents_app.change_task"),
        "here": request.get_full_path(),
    }
    return shown(request, TEMPLATE, _("Task board"), context)


def _task_column(rows: Any, status: TaskStatus) -> Column:
    is_open = status in OPEN_TASK
    # What is due first stands on top; what has ended, newest first.
    found = rows.filter(status=status.value).select_related("related_contact", "related_workflow_instance")
    found = found.order_by("due_date", "pk") if is_open else found.order_by("-due_date", "-pk")
    column = Column(
        status.value,
        str(status.label),
        cells.list_url(Task, f"status={status.value}"),
        tone_of(status.value),
        ends=not is_open,
    )
    tasks, column.number = boards.filled(found)
    column.cards = [_task_card(task) for task in tasks]
    return column


def _task_card(task: Task) -> Card:
    url = reverse("admin:agents_app_task_do", args=[task.pk, "move"])
    chips = [cells.chip(task.priority, tone_of(task.priority, "priority"))] if task.priority in _LOUD else []
    if task.is_overdue:
        chips.append(cells.chip(cells.ago(task.due_date), "bad", title=_("overdue")))
    elif task.due_date is not None:
        chips.append(cells.moment(task.due_date))
    names = ", ".join(str(item.get("name", "")) for item in task.assigned_to if isinstance(item, dict))
    return Card(
        str(task),
        cells.change_url(Task, task.pk),
        tuple(chips),
        (str(task.related_contact or ""), names or task.assignee_text),
        tuple(
            Move(str(status.label), url, "status", status.value, status.value)
            for status in TaskStatus
            if status.value != task.status
        ),
    )


# -- instances ------------------------------------------------------------------------------------------------------
@staff_page("boards/workflows/", name="board_instances", permission="agents_app.view_workflowinstance")
def instances(request: HttpRequest) -> HttpResponse:
    scope = chosen(request)
    known = sorted(catalog.current().workflows.values(), key=lambda row: (row.workflow_name, row.version))
    workflow = _wanted(request, known)
    user: Any = request.user
    context: dict[str, Any] = {
        "switch": switch(request, scope),
        "choices": [_choice(row, workflow) for row in known],
        "choices_title": _("Workflow"),
        "may": user.has_perm("agents_app.change_workflowinstance"),
        "here": request.get_full_path(),
        "columns": [],
    }
    if workflow is None:
        context["problem"] = _("There is no workflow yet.")
    else:
        try:
            definition = catalog.definition(workflow)
        except Permanent as error:
            context["problem"] = str(error)
        else:
            rows = WorkflowInstance.objects.live().filter(workflow=workflow, **scope.of("business_entity"))
            context["columns"] = [
                _state_column(request, rows, workflow, definition, name, state)
                for name, state in definition.states.items()
            ]
    return shown(request, TEMPLATE, _("Workflow board"), context)


def _wanted(request: HttpRequest, known: list[Workflow]) -> Workflow | None:
    """The workflow that the address names, else the one of leads, else the first."""
    wanted = request.GET.get("workflow", "")
    by_pk = {str(row.pk): row for row in known}
    leads = next((row for row in known if row.workflow_id == "WF-LEAD-CAPTURE"), None)
    return by_pk.get(wanted) or leads or next(iter(known), None)


def _choice(row: Workflow, current: Workflow | None) -> dict[str, Any]:
    same_name = f"{row.workflow_name}"
    return {"name": same_name, "url": f"?workflow={row.pk}", "current": current is not None and row.pk == current.pk}


def _state_column(
    request: HttpRequest, rows: Any, workflow: Workflow, definition: Definition, name: str, state: State
) -> Column:
    column = Column(
        name,
        str(state.label),
        cells.list_url(WorkflowInstance, f"workflow__id__exact={workflow.pk}&current_state={name}"),
        "calm" if state.terminal else "busy",
        ends=state.terminal,
    )
    # What waits longest stands on top; what has ended, newest first.
    order = "-last_transition_date" if state.terminal else "last_transition_date"
    found = rows.filter(current_state=name).select_related("contact").order_by(order)
    instances, column.number = boards.filled(found)
    column.cards = [_instance_card(request, definition, instance) for instance in instances]
    return column


def _instance_card(request: HttpRequest, definition: Definition, instance: WorkflowInstance) -> Card:
    url = reverse("admin:agents_app_workflowinstance_do", args=[instance.pk, "advance"])
    chips = [cells.chip(instance.status, tone_of(instance.status))] if instance.status != "Active" else []
    if instance.priority in _LOUD:
        chips.append(cells.chip(instance.priority, tone_of(instance.priority, "priority")))
    return Card(
        str(instance),
        cells.change_url(WorkflowInstance, instance.pk),
        tuple(chips),
        (str(instance.contact or instance.client_lead_email), cells.moment(instance.last_transition_date)),
        tuple(
            Move(
                f"{item.title()} → {definition.state(item.to).label}",
                url,
                "event",
                item.event,
                item.to,
                item.manual,
            )
            for item in engine.allowed(instance)
            if permitted(request, item)
        ),
    )
