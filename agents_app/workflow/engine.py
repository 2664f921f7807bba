"""The one door of every state change: checks it, writes it, logs it, and makes what follows from it.

Nobody else assigns ``current_state``. Each function here is a `Run` of one step; an agent that has several steps
to write at once makes the `Run` itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from agents_app.models import Approval, Workflow, WorkflowInstance
from agents_app.services import approvals, catalog, work
from agents_app.text import one_line
from agents_app.workflow import approved
from agents_app.workflow.machine import END_STATUSES, STATUS_ACTIONS, Held, IllegalTransition, Transition
from agents_app.workflow.run import MOVED, STATE_ENTERED, Followed, Run, definition_of, facts_of
from contacts.models import BusinessEntity, Contact

__all__ = [
    "STATE_ENTERED",
    "Followed",
    "Held",
    "IllegalTransition",
    "Run",
    "advance",
    "allowed",
    "allowed_status_actions",
    "change_status",
    "definition_of",
    "facts_of",
    "move_to",
    "move_to_status",
    "note",
    "open_run",
    "start",
]


def open_run(
    workflow: Workflow,
    *,
    name: str,
    actor: str,
    source_system: str = "Manual",
    source_record_id: str = "",
    contact: Contact | None = None,
    business_entity: BusinessEntity | None = None,
    key_data: Mapping[str, Any] | None = None,
    inbound_event: UUID | str | None = None,
    now: datetime | None = None,
    **fields: Any,
) -> Run:
    """A run over a new instance, not begun and not stored; ``fields`` are further fields of the instance."""
    if contact is not None:
        fields.setdefault("client_lead_email", contact.email)
        fields.setdefault("client_lead_name", contact.full_name)
        fields.setdefault("client_lead_phone", contact.phone)
    instance = WorkflowInstance(
        instance_name=one_line(name, 200),
        workflow=workflow,
        source_system=source_system,
        source_record_id=source_record_id,
        contact=contact,
        business_entity=business_entity,
        key_data=dict(key_data or {}),
        **fields,
    )
    return Run(instance, actor=actor, inbound_event=inbound_event, now=now)


def start(
    workflow: Workflow, *, note: str = "", data: Mapping[str, Any] | None = None, **options: Any
) -> WorkflowInstance:
    """Starts an instance (options as for `open_run`), or returns the one that this source record has already."""
    existing = _existing(workflow, options)
    if existing is not None:
        return existing
    try:
        with transaction.atomic():
            run = open_run(workflow, **options)
            run.begin(note, data)
            run.save()
            return run.instance
    except IntegrityError:
        # Somebody started the same record's instance between the look and the insert.
        existing = _existing(workflow, options)
        if existing is None:
            raise
        return existing


def _existing(workflow: Workflow, options: Mapping[str, Any]) -> WorkflowInstance | None:
    record = options.get("source_record_id", "")
    if not record:
        return None
    system = options.get("source_system", "Manual")
    return WorkflowInstance.objects.filter(workflow=workflow, source_system=system, source_record_id=record).first()


def allowed(instance: WorkflowInstance, *, manual_only: bool = False) -> list[Transition]:
    """What may happen next; ``manual_only``: what a person may fire."""
    found = definition_of(instance).allowed(instance.current_state, facts_of(instance))
    return [item for item in found if item.manual or not manual_only]


def allowed_status_actions(instance: WorkflowInstance) -> list[str]:
    if instance.status in END_STATUSES:
        return []
    return [action for action, moves in STATUS_ACTIONS.items() if instance.status in moves and action != "fail"]


def _moved(instance: WorkflowInstance, actor: str, inbound_event: UUID | str | None = None, **options: Any) -> Run:
    """A run over the row as it stands in the database now, locked until the transaction ends."""
    fresh = WorkflowInstance.objects.select_for_update(of=("self",)).select_related("contact").get(pk=instance.pk)
    return Run(fresh, actor=actor, inbound_event=inbound_event, **options)


def _fire(run: Run, event: str, *, note: str = "", data: Mapping[str, Any] | None = None) -> Transition | Held:
    """Fires and saves; a move that waits for an approval is saved as that, and handed back to be raised."""
    outcome: Transition | Held
    try:
        outcome = run.fire(event, note=note, data=data)
    except Held as waits:
        outcome = waits
    run.save()
    return outcome


def _take_over(instance: WorkflowInstance, fresh: WorkflowInstance) -> None:
    for name in MOVED:
        setattr(instance, name, getattr(fresh, name))


def advance(
    instance: WorkflowInstance,
    event: str,
    *,
    actor: str,
    note: str = "",
    data: Mapping[str, Any] | None = None,
    inbound_event: UUID | str | None = None,
    requester: Any = None,
    approval: Approval | None = None,
) -> Transition:
    """Fires one event and makes what follows. Raises `IllegalTransition` when it is not possible from here.

    Raises `Held`, with the request for it stored, when a person has to allow the move first. ``requester`` is the
    account of the person who acts, ``approval`` the permission that somebody has given for this move.
    """
    with transaction.atomic():
        run = _moved(instance, actor, inbound_event, requester=requester, approval=approval)
        outcome = _fire(run, event, note=note, data=data)
    return _settled(instance, run, outcome)


def _settled(instance: WorkflowInstance, run: Run, outcome: Transition | Held) -> Transition:
    _take_over(instance, run.instance)
    if isinstance(outcome, Held):
        raise outcome
    return outcome


def move_to(instance: WorkflowInstance, state: str, *, actor: str, note: str = "") -> Transition:
    """Fires whichever event leads to this state, as when a person chose the state in Notion. Raises as `advance`."""
    with transaction.atomic():
        run = _moved(instance, actor)
        current, facts = run.instance.current_state, facts_of(run.instance)
        possible = run.definition.allowed(current, facts)
        found = next((item for item in possible if item.to == state), None)
        if found is None:
            raise IllegalTransition(f"→ {state}", current, [f"{item.event} → {item.to}" for item in possible])
        outcome = _fire(run, found.event, note=note)
    return _settled(instance, run, outcome)


def move_to_status(instance: WorkflowInstance, status: str, *, actor: str, note: str = "") -> None:
    """Does what leads to this status, as when a person chose it in Notion: a hold, its end, or a legal way to an end.

    Raises `IllegalTransition` when nothing does.
    """
    for action in allowed_status_actions(instance):
        if STATUS_ACTIONS[action][instance.status] == status:
            return change_status(instance, action, actor=actor, note=note)
    definition = definition_of(instance)
    for transition in allowed(instance, manual_only=True):
        if definition.state(transition.to).status == status:
            advance(instance, transition.event, actor=actor, note=note)
            return None
    raise IllegalTransition(f"→ {status}", instance.current_state, allowed_status_actions(instance))


def change_status(instance: WorkflowInstance, action: str, *, actor: str, note: str = "") -> None:
    """``hold``, ``resume``, ``fail`` or ``retry``. Raises `IllegalTransition` when the status forbids it."""
    with transaction.atomic():
        run = _moved(instance, actor)
        run.change_status(action, note=note)
        run.save()
    _take_over(instance, run.instance)


def note(
    instance: WorkflowInstance,
    text: str,
    *,
    actor: str,
    event: str = "note",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Adds a line to the history; the state stays."""
    with transaction.atomic():
        run = _moved(instance, actor)
        run.note(event, text, data)
        run.save()
    _take_over(instance, run.instance)


# -- what a person has allowed --------------------------------------------------------------------------------------
@approvals.carries_out(approvals.TRANSITION)
def _move_approved(approval: Approval) -> str:
    instance = approved.subject(approval)
    taken = advance(
        instance,
        approval.payload["event"],
        actor=approval.decided_by,
        note=approved.words(approval),
        data={**approval.payload["data"], **approved.facts(approval)},
        inbound_event=approval.payload["inbound_event"],
        approval=approval,
    )
    return f"{instance.instance_id} is now in “{taken.to}”."


@approvals.carries_out(approvals.TASK)
def _make_approved(approval: Approval) -> str:
    instance = approved.subject(approval)
    entity = catalog.current().entity_with_pk(instance.business_entity_id)
    facts = facts_of(instance)
    entry = work.Entry(instance, definition_of(instance), approval.payload["state"], facts, entity)
    task = approved.make_task(instance, entry, approval.payload["task"])
    _remember(approval)
    return f"Task {task.task_id}: {task}." if task else "The task was there already."


@approvals.when_refused(approvals.TRANSITION)
@approvals.when_refused(approvals.TASK)
def _remember(approval: Approval) -> None:
    event = f"approval_{approval.status}"
    note(
        approved.subject(approval),
        approved.words(approval),
        actor=approval.decided_by,
        event=event,
        data=approved.facts(approval),
    )
