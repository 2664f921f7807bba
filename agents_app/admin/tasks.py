"""The tasks of people and agents."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents_app.choices import OPEN_TASK, TaskStatus
from agents_app.models import Task
from agents_app.services import dependencies
from higherself.core.admin import Answer, Due, RecordAdmin, Refused, RowAction, cells, options


def set_status(rows: list[Task], status: str) -> int:
    """One by one and not in bulk: a task that is done moves its workflow on."""
    wanted = [row for row in rows if row.status != status]
    for row in wanted:
        row.status = status
        row.save(update_fields=["status"])
    return len(wanted)


def _done(_request: HttpRequest, rows: list[Task]) -> Answer:
    return messages.SUCCESS, _("%(n)d done.") % {"n": set_status(rows, TaskStatus.DONE)}


def _begin(_request: HttpRequest, rows: list[Task]) -> Answer:
    waiting = [reason for row in rows if (reason := dependencies.problem(row))]
    if waiting:
        raise Refused("\n".join(waiting[:5]))
    return messages.SUCCESS, _("%(n)d in progress.") % {"n": set_status(rows, TaskStatus.IN_PROGRESS)}


def _reopen(_request: HttpRequest, rows: list[Task]) -> Answer:
    return messages.SUCCESS, _("%(n)d to do again.") % {"n": set_status(rows, TaskStatus.TO_DO)}


def _move(request: HttpRequest, rows: list[Task]) -> Answer:
    """What the board's buttons do: the status that the pressed one names."""
    status = request.POST.get("status", "")
    if status not in TaskStatus.values:
        raise Refused(_("A task cannot be moved to “%(status)s”.") % {"status": status})
    set_status(rows, status)
    return _("“%(name)s” is now in “%(status)s”.") % {"name": rows[0], "status": status}


class TaskForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_status(self) -> str:
        status = str(self.cleaned_data["status"])
        begins = status == TaskStatus.IN_PROGRESS and self.initial.get("status") != status
        if begins and self.instance.pk and (reason := dependencies.problem(self.instance)):
            raise ValidationError(reason)
        return status


class TaskDue(Due):
    open_states = tuple(OPEN_TASK)


@admin.register(Task)
class TaskAdmin(RecordAdmin):
    form = TaskForm
    list_display = ("task_name", "state", "urgency", "until", "assignee", "instance", "person")
    list_filter = (
        options("status"),
        TaskDue,
        options("priority"),
        options("category"),
        options("source"),
        "related_business_entity",
    )
    list_select_related = ("related_workflow_instance", "related_contact", "assigned_agent")
    search_fields = ("task_name", "task_id", "assignee_text")
    word_search = search_fields
    ordering = ("due_date", "-pk")
    fieldsets = [
        (None, {"fields": ["task_name", ("status", "priority"), "category", "due_date", "description", "notes"]}),
        (gettext_lazy("Who"), {"fields": ["assigned_to", "assignee_text", "assigned_agent"]}),
        (
            gettext_lazy("About"),
            {
                "fields": [
                    *("related_workflow_instance", "related_contact", "related_business_entity", "related_feedback"),
                    *("parent", "dependencies", "tags"),
                ]
            },
        ),
        (gettext_lazy("Time"), {"fields": [("estimated_time", "actual_time"), "completed_date"]}),
        (
            gettext_lazy("More"),
            {"fields": ["task_id", "source", "created_by", "created_date", "task_key"], "classes": ["collapse"]},
        ),
    ]
    # The completion is noted when the task becomes Done; it is also the mark that its workflow has been moved on.
    facts = ("completed_date", "created_by", "created_date", "source")
    row_actions = (
        RowAction(
            "done",
            gettext_lazy("Done"),
            _done,
            icon="check",
            tone="primary",
            when=lambda row: row.status in OPEN_TASK,
        ),
        RowAction(
            "in_progress",
            gettext_lazy("In progress"),
            _begin,
            icon="play_arrow",
            when=lambda row: row.status in OPEN_TASK and row.status != TaskStatus.IN_PROGRESS,
        ),
        RowAction(
            "reopen",
            gettext_lazy("Open again"),
            _reopen,
            icon="undo",
            when=lambda row: row.status not in OPEN_TASK,
        ),
        RowAction("move", gettext_lazy("Move"), _move, bulk=False, button=False),
        *RecordAdmin.row_actions,
    )
    state, urgency = cells.status("status"), cells.status("priority")
    until = cells.due("due_date", gettext_lazy("due"))
    instance = cells.related("related_workflow_instance", gettext_lazy("workflow"))
    person = cells.related("related_contact", gettext_lazy("contact"))

    @display(description=gettext_lazy("who"))
    def assignee(self, obj: Task) -> Any:
        names = [str(item.get("name") or item.get("id")) for item in obj.assigned_to if isinstance(item, dict)]
        return ", ".join(names) or obj.assignee_text or obj.assigned_agent or cells.NOTHING
