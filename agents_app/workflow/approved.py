"""Workflows and approvals: what a workflow asks a person for, and what happens once the person has decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from agents_app.models import Approval, Task, WorkflowInstance
from agents_app.services import approvals, work
from agents_app.workflow.machine import Definition, TaskTemplate, Transition
from higherself.core.errors import Permanent

LABEL = WorkflowInstance._meta.label_lower


def key_of(instance: WorkflowInstance, event: str) -> str:
    return f"{instance.instance_id}:{event}"


def for_transition(
    instance: WorkflowInstance,
    wanted: Transition,
    *,
    actor: str,
    requester: Any,
    note: str,
    data: Mapping[str, Any] | None,
    inbound_event: UUID | str | None,
) -> Approval:
    payload = {
        "do": approvals.TRANSITION,
        "event": wanted.event,
        "data": dict(data or {}),
        "inbound_event": str(inbound_event) if inbound_event else None,
    }
    return approvals.draft(
        wanted.approval,
        instance,
        requested_by=actor,
        requester=requester,
        note=note,
        key=key_of(instance, wanted.event),
        payload=payload,
    )


def for_task(instance: WorkflowInstance, state: str, template: TaskTemplate, actor: str) -> Approval:
    return approvals.draft(
        template.approval,
        instance,
        requested_by=actor,
        note=template.name,
        key=key_of(instance, f"task:{template.key}"),
        payload={"do": approvals.TASK, "task": template.key, "state": state},
    )


def grants(approval: Approval | None, instance: WorkflowInstance, wanted: Transition) -> bool:
    """Whether this very move has been allowed."""
    if approval is None or approval.status != "approved":
        return False
    stored = approval.payload if isinstance(approval.payload, dict) else {}
    same = (approval.subject_model, approval.subject_id) == (LABEL, instance.pk)
    return same and (approval.action, stored.get("event")) == (wanted.approval, wanted.event)


def left(instance: WorkflowInstance, definition: Definition, state: str) -> None:
    """The instance has left this state: what was asked for there has become pointless."""
    if any(item.approval for item in definition.leaving(state)):
        rows = Approval.objects.filter(subject_model=LABEL, subject_id=instance.pk, payload__do=approvals.TRANSITION)
        approvals.withdraw(rows, f"{instance.instance_id} has left “{state}”.")


def subject(approval: Approval) -> WorkflowInstance:
    """Raises `Permanent` when the instance is gone."""
    found = WorkflowInstance.objects.filter(pk=approval.subject_id or 0).first()
    if found is None:
        raise Permanent(f"The workflow instance {approval.subject_label} is gone.")
    return found


def words(approval: Approval) -> str:
    """Who asked and who decided, for the history."""
    said = f"requested by {approval.requested_by}, {approval.status} by {approval.decided_by}"
    reasons = "; ".join(text for text in (approval.reason, approval.decision_note) if text)
    return f"{approval.approval_id} {said}" + (f": {reasons}" if reasons else "")


def facts(approval: Approval) -> dict[str, str]:
    return {
        "approval": approval.approval_id,
        "requested_by": approval.requested_by,
        "decided_by": approval.decided_by,
    }


def make_task(instance: WorkflowInstance, entry: work.Entry, key: str) -> Task | None:
    """The task that was waiting; None when it is there already."""
    template = next((item for item in entry.definition.state(entry.state).tasks if item.key == key), None)
    if template is None:
        raise Permanent(f"{instance.instance_id} has no task “{key}” in “{entry.state}”.")
    made = work.create([entry], only=template)
    return made[0] if made else None
