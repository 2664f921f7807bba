"""Workflow instances: moved through the engine only, by buttons for exactly what is legal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents_app.admin.forms import NewInstanceForm
from agents_app.models import Workflow, WorkflowInstance, WorkflowTransition
from agents_app.services import catalog
from agents_app.workflow import engine
from agents_app.workflow.machine import Transition
from higherself.core.admin import Answer, ReadOnlyAdmin, RecordAdmin, Refused, RowAction, cells, options, who
from higherself.core.errors import Permanent

NOTE_LENGTH = 2000
_DONE = {
    "hold": gettext_lazy("%(n)d put on hold."),
    "resume": gettext_lazy("%(n)d taken up again."),
    "retry": gettext_lazy("%(n)d tried again."),
}


def _advance(request: HttpRequest, rows: list[WorkflowInstance]) -> Answer:
    """Fires the event that the pressed button names."""
    event, note = request.POST.get("event", ""), request.POST.get("note", "").strip()[:NOTE_LENGTH]
    instance = rows[0]
    missing = not_granted(request.user, engine.allowed(instance), event)
    if missing:
        raise Refused(_("“%(event)s” needs the permission %(names)s.") % {"event": event, "names": missing})
    try:
        taken = engine.advance(instance, event, actor=who(request), note=note, requester=request.user)
    except engine.Held as waits:
        return messages.INFO, str(waits)
    except engine.IllegalTransition as error:
        raise Refused(str(error)) from error
    return _("“%(name)s” is now in “%(state)s”.") % {"name": instance, "state": state_label(instance, taken.to)}


def not_granted(user: Any, moves: Iterable[Any], event: str) -> str:
    """The permissions that the event asks for and the person lacks, as text; empty when it may be fired."""
    asked = [item.permission for item in moves if item.event == event and item.permission]
    return ", ".join(name for name in asked if not user.has_perm(name))


def _change_status(request: HttpRequest, rows: list[WorkflowInstance], action: str) -> Answer:
    note = request.POST.get("note", "").strip()[:NOTE_LENGTH]
    refused = []
    for instance in rows:
        try:
            engine.change_status(instance, action, actor=who(request), note=note)
        except (engine.IllegalTransition, Permanent) as error:
            refused.append(f"{instance}: {error}")
    if refused:
        raise Refused("\n".join(refused[:5]))
    return str(_DONE[action]) % {"n": len(rows)}


def _hold(request: HttpRequest, rows: list[WorkflowInstance]) -> Answer:
    return _change_status(request, rows, "hold")


def _resume(request: HttpRequest, rows: list[WorkflowInstance]) -> Answer:
    return _change_status(request, rows, "resume")


def _retry(request: HttpRequest, rows: list[WorkflowInstance]) -> Answer:
    return _change_status(request, rows, "retry")


def permitted(request: HttpRequest, transition: Transition) -> bool:
    """Whether this person may fire it: a transition may ask for a right of its own (``app.codename``)."""
    user: Any = request.user
    return not transition.permission or bool(user.has_perm(transition.permission))


def state_label(instance: WorkflowInstance, state: str) -> str:
    """A state as people call it. Asks the database for nothing: the definitions are kept in memory."""
    workflow: Workflow | None = catalog.current().workflows.get(instance.workflow_id or 0)
    if workflow is None:
        return state
    try:
        found = catalog.definition(workflow).states.get(state)
    except Permanent:
        return state
    return found.label if found else state


# The buttons of these stand in the workflow's own card, with a note (see `panels`).
MOVES = (
    RowAction("advance", gettext_lazy("Transition"), _advance, bulk=False, button=False),
    RowAction("hold", gettext_lazy("Put on hold"), _hold, icon="pause_circle", button=False),
    RowAction("resume_work", gettext_lazy("Take up again after the hold"), _resume, button=False),
    RowAction("retry", gettext_lazy("Retry after an error"), _retry, button=False),
)


@admin.register(WorkflowInstance)
class WorkflowInstanceAdmin(RecordAdmin):
    import_adds = False  # an instance is started, by an agent or by hand
    form = NewInstanceForm
    list_display = ("instance_name", "flow", "where", "state", "urgency", "person", "moved")
    list_filter = (
        "workflow",
        options("status"),
        options("priority"),
        options("source_system"),
        "business_entity",
        "testing_mode",
    )
    list_select_related = ("workflow", "contact")
    search_fields = ("instance_name", "instance_id", "client_lead_email", "client_lead_name")
    word_search = search_fields
    ordering = ("-pk",)
    fieldsets = [
        (None, {"fields": ["instance_name", "workflow", "business_entity", "contact", "priority", "tags"]}),
        (gettext_lazy("About"), {"fields": ["products", "campaign", "feedback", "assigned_agent", "assigned_to"]}),
        (
            gettext_lazy("Client"),
            {"fields": ["client_lead_name", ("client_lead_email", "client_lead_phone")]},
        ),
        (
            gettext_lazy("Course"),
            {"fields": [("start_date", "last_transition_date"), "end_date", "error_message", "key_data"]},
        ),
        (
            gettext_lazy("Source"),
            {
                "fields": [
                    *("instance_id", "source_system", "source_record_id", "hubspot_contact_id", "airtable_record_id"),
                    *("testing_mode", "validation_status"),
                ],
                "classes": ["collapse"],
            },
        ),
    ]
    facts = (
        *("current_state", "status", "last_transition_date", "end_date", "error_message", "key_data", "history_tail"),
        *("source_record_id", "client_lead_name", "client_lead_email", "client_lead_phone"),
        *("hubspot_contact_id", "airtable_record_id", "start_date"),
    )
    row_actions = (*MOVES, *RecordAdmin.row_actions)
    state, urgency = cells.status("status"), cells.status("priority")
    flow, person = cells.related("workflow"), cells.related("contact")
    moved = cells.when("last_transition_date", gettext_lazy("last moved"))

    @display(description=gettext_lazy("state"), ordering="current_state")
    def where(self, obj: WorkflowInstance) -> Any:
        return cells.chip(state_label(obj, obj.current_state) or cells.NOTHING, "busy" if not obj.end_date else "calm")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # An instance stays on the version that it began with.
        return (*super().get_readonly_fields(request, obj), *(["workflow"] if obj and obj.workflow_id else []))

    def save_model(self, request: HttpRequest, obj: WorkflowInstance, form: Any, change: bool) -> None:
        if change and (obj.current_state or not obj.workflow_id):
            super().save_model(request, obj, form, change)
        else:
            _begin(obj, who(request), new=not change)


def _begin(instance: WorkflowInstance, actor: str, *, new: bool) -> None:
    """An instance made by hand enters its first state, with its tasks and messages, as if an agent had made it."""
    if instance.contact is not None:
        instance.client_lead_email = instance.client_lead_email or instance.contact.email
        instance.client_lead_name = instance.client_lead_name or instance.contact.full_name
        instance.client_lead_phone = instance.client_lead_phone or instance.contact.phone
    if not new:
        instance.save()
    run = engine.Run(instance, actor=actor)
    run.begin(_("made by hand"))
    run.save()


@admin.register(WorkflowTransition)
class WorkflowTransitionAdmin(ReadOnlyAdmin):
    """The log of every move. Lines are added and never changed."""

    list_display = ("happened", "instance_link", "event", "from_state", "to_state", "actor", "remark")
    list_select_related = ("instance",)
    search_fields = ("instance__instance_id", "actor", "event")
    ordering = ("-pk",)
    fieldsets = [
        (None, {"fields": ["instance", "at", "actor", "event", "from_state", "to_state", "note"]}),
        (gettext_lazy("With it"), {"fields": ["data", "came_from"]}),
    ]
    happened = cells.when("at", gettext_lazy("when"))
    instance_link = cells.related("instance", gettext_lazy("instance"))
    remark = cells.short("note", gettext_lazy("note"))

    @display(description=gettext_lazy("inbound event"))
    def came_from(self, obj: WorkflowTransition) -> Any:
        return event_link(obj.inbound_event)


def event_link(event_id: Any) -> Any:
    if not event_id:
        return cells.NOTHING
    return cells.link(cells.change_url("integrations.inboundevent", event_id), event_id)
