"""What the agents' work tells about people: instances, their history, tasks, messages, runs."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from agents_app.choices import AssistStatus, NotificationStatus
from agents_app.models import AgentRun, Approval, AssistAnswer, Notification, Task, WorkflowInstance, WorkflowTransition
from higherself.core import personal
from higherself.core.personal import Person


def _instances(person: Person) -> QuerySet[Any]:
    mail = Q(client_lead_email__in=person.emails) if person.emails else Q()
    return WorkflowInstance._base_manager.filter(Q(contact__in=person.pks) | mail)


def _messages(person: Person) -> QuerySet[Any]:
    mail = Q(recipient__in=person.emails) if person.emails else Q()
    return Notification._base_manager.filter(Q(contact__in=person.pks) | mail)


def _messages_about(person: Person) -> QuerySet[Any]:
    """The team is written to about people, too. A row stands in one table only: what one empties no other may fill."""
    named = Notification.objects.filter(personal.mentions(person, "subject", "body"))
    return named.exclude(pk__in=_messages(person).values("pk"))


def _unsend(message: Notification) -> None:
    """What has not gone out yet goes nowhere any more."""
    if message.status in {NotificationStatus.QUEUED, NotificationStatus.FAILED}:
        message.status, message.next_attempt_at = NotificationStatus.SKIPPED, None
        message.error = "The person was erased."


def _unask(answer: AssistAnswer) -> None:
    """What has not been answered yet is not asked any more."""
    if answer.status in {AssistStatus.WAITING, AssistStatus.WORKING}:
        answer.status, answer.next_attempt_at, answer.error = AssistStatus.FAILED, None, "The person was erased."


def _approvals(person: Person) -> QuerySet[Any]:
    own = Q(subject_model=person.label, subject_id__in=person.pks)
    named = personal.mentions(person, "payload", "reason", "subject_label", "outcome", "decision_note")
    return Approval.objects.filter(own | named)


def _unname(approval: Approval) -> None:
    """Whoever is asked about by name is named nowhere else in it."""
    if approval.subject_model == "contacts.contact":
        approval.subject_label = personal.BLOT


def _answers(person: Person) -> QuerySet[Any]:
    instances = Q(subject_model=WorkflowInstance._meta.label_lower, subject_id__in=_instances(person).values("pk"))
    return AssistAnswer.objects.filter(Q(contact__in=person.pks) | instances)


personal.holder(
    "workflow_instances",
    _instances,
    clear={
        "client_lead_name": "",
        "client_lead_email": "",
        "client_lead_phone": "",
        "key_data": dict,
        "hubspot_contact_id": "",
        "airtable_record_id": "",
    },
)
personal.holder(
    "transitions",
    lambda person: WorkflowTransition._base_manager.filter(instance__in=_instances(person).values("pk")),
    clear={"data": dict, "note": ""},
)
personal.holder(
    "tasks",
    lambda person: Task._base_manager.filter(
        Q(related_contact__in=person.pks) | Q(related_workflow_instance__in=_instances(person).values("pk"))
    ),
    clear={"notes": ""},
)
personal.holder("messages", _messages, clear={"subject": "", "body": ""}, before=_unsend)
personal.holder("messages_about", _messages_about)
personal.holder("agent_runs", personal.mentioned(AgentRun.objects.all, "message", "created"))
personal.holder("approvals", _approvals, before=_unname)
personal.holder(
    "answers_of_the_assistant", _answers, clear={"prompt": "", "output": dict, "subject_label": ""}, before=_unask
)
