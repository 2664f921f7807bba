"""Questions to the assistant: asked by people, answered by a job, and never acted on without a person."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import QuerySet
from django.utils import timezone

from agents_app.assist import model as language
from agents_app.assist.kinds import KINDS
from agents_app.choices import AssistStatus, Channel
from agents_app.models import Approval, AssistAnswer, Notification, WorkflowInstance
from agents_app.services import approvals, messages
from agents_app.text import clean, one_line
from agents_app.workflow import engine
from campaigns.models import Feedback
from contacts.choices import ContactStatus
from higherself.core import jobs
from higherself.core.errors import Permanent, Retryable
from higherself.core.jobs import job

logger = logging.getLogger(__name__)

JOB = "assist"
SEND = "reply.send"
BATCH = 5
LEASE = timedelta(minutes=5)
BACK_OFF = (30, 300, 1800)
PROMPT_LIMIT = 20_000
ACTOR = "Assistant"


# -- asking ---------------------------------------------------------------------------------------------------------
def ask(kind: str, subject: models.Model, *, requested_by: str, requester: Any = None) -> AssistAnswer:
    """Notes the question; it is answered by the job `JOB`, in the background."""
    row = AssistAnswer.objects.create(
        kind=kind,
        subject_model=subject._meta.label_lower,
        subject_id=subject.pk,
        subject_label=one_line(subject, 500),
        contact=getattr(subject, "contact", None),
        requested_by=one_line(requested_by, 200),
        requester_id=getattr(requester, "pk", None),
        prompt=_prompt(kind, subject),
    )
    transaction.on_commit(lambda: jobs.wake(JOB))
    return row


def _facts(subject: Any) -> dict[str, Any]:
    if isinstance(subject, Feedback):
        return {"content": subject.feedback_content, "rating": subject.rating, "rating_scale": subject.rating_scale}
    stored = subject.key_data if isinstance(subject.key_data, dict) else {}
    entity = subject.business_entity
    name = subject.contact.first_name if subject.contact else ""
    return {**stored, "name": name or subject.client_lead_name, "business": entity.name if entity else ""}


def _prompt(kind: str, subject: Any) -> str:
    facts = _facts(subject)
    told = {name: facts[name] for name in KINDS[kind].told if facts.get(name) not in (None, "", [], {})}
    return json.dumps(told, ensure_ascii=False, indent=1, default=str)[:PROMPT_LIMIT]


# -- answering ------------------------------------------------------------------------------------------------------
@job(JOB, every_seconds=60)
def work_off() -> int:
    """Answers what waits; returns how many questions were tried."""
    due = AssistAnswer.objects.filter(
        status__in=[AssistStatus.WAITING, AssistStatus.WORKING], next_attempt_at__lte=timezone.now()
    )
    claimed = [row for row in due.order_by("next_attempt_at", "pk")[:BATCH] if _claim(row)]
    for row in claimed:
        _answer(row)
    return len(claimed)


def _claim(row: AssistAnswer) -> bool:
    rows = AssistAnswer.objects.filter(pk=row.pk, attempts=row.attempts)
    taken = rows.update(status=AssistStatus.WORKING, attempts=row.attempts + 1, next_attempt_at=timezone.now() + LEASE)
    row.attempts += 1
    return bool(taken)


def _answer(row: AssistAnswer) -> None:
    kind = KINDS[row.kind]
    remark = ""
    try:
        said = language.ask(kind.output, kind.instructions, row.prompt) if language.is_on() else None
    except Retryable as error:
        if row.attempts <= len(BACK_OFF):
            due = timezone.now() + timedelta(seconds=BACK_OFF[row.attempts - 1])
            _held(row).update(status=AssistStatus.WAITING, next_attempt_at=due, error=clean(error))
            return
        said, remark = None, f"The rules answered after {row.attempts} attempts: {error}"
    except Permanent as error:
        said, remark = None, f"The rules answered, because the model could not: {error}"
    if remark:
        logger.warning("%s: %s", row.assist_id, remark)
    if said is None:
        try:
            said = language.Said(kind.rules(json.loads(row.prompt)), "rules", cost=None)
        except ValueError as error:
            # The facts were longer than the prompt may be: nothing sensible can be said about half of them.
            _held(row).update(status=AssistStatus.FAILED, error=clean(f"{remark} {error}"), next_attempt_at=None)
            return
    with transaction.atomic():
        if _keep(row, said, remark):
            _USES[row.kind](row, said.output)


def _held(row: AssistAnswer) -> QuerySet[AssistAnswer]:
    """The question, as long as it is this worker's."""
    return AssistAnswer.objects.filter(pk=row.pk, status=AssistStatus.WORKING, attempts=row.attempts)


def _keep(row: AssistAnswer, said: language.Said, remark: str) -> bool:
    """False where the question is no longer this worker's: the person was erased while the model wrote, or the lease
    was over and another worker has asked again. Then nothing of the answer is kept."""
    values: dict[str, Any] = {
        "status": AssistStatus.ANSWERED,
        "output": said.output.model_dump(),
        "model": said.model,
        "input_tokens": said.input_tokens,
        "output_tokens": said.output_tokens,
        "cost": said.cost,
        "error": remark,
        "answered_at": timezone.now(),
        "next_attempt_at": None,
    }
    if not _held(row).update(**values):
        return False
    for name, value in values.items():
        setattr(row, name, value)
    return True


# -- what is done with an answer ------------------------------------------------------------------------------------
def _instance(row: AssistAnswer) -> WorkflowInstance | None:
    return WorkflowInstance.objects.select_related("contact").filter(pk=row.subject_id).first()


def _remark(row: AssistAnswer, text: str) -> None:
    instance = _instance(row)
    if instance is not None:
        engine.note(instance, text, actor=f"{ACTOR} ({row.model})", event=row.kind, data={"assist": row.assist_id})


def _note_summary(row: AssistAnswer, said: Any) -> None:
    _remark(row, f"{said.summary} Next: {said.next_step} (urgency: {said.urgency})")


def _note_draft(row: AssistAnswer, said: Any) -> None:
    _remark(row, f"Draft “{said.title}” is in {row.assist_id}; it is reviewed like any other.")


def _ask_to_send(row: AssistAnswer, said: Any) -> None:
    """A draft of a reply waits for a second person; nothing is sent before."""
    instance = _instance(row)
    if instance is not None:
        approvals.request(
            SEND,
            instance,
            requested_by=row.requested_by,
            requester=row.requester,
            note=f"{said.subject}\n\n{said.body}",
            key=f"{SEND}:{row.assist_id}",
            payload={"assist": row.assist_id},
        )


@approvals.carries_out(SEND)
def _send_approved(approval: Approval) -> str:
    row = AssistAnswer.objects.get(assist_id=approval.payload["assist"])
    instance = _instance(row)
    contact = instance.contact if instance else None
    if not row.output:
        raise Permanent("The draft has been erased.")
    if instance is None or contact is None or not contact.email:
        raise Permanent("There is nobody to send it to.")
    if contact.status == ContactStatus.DO_NOT_CONTACT:
        raise Permanent(f"{contact} asked not to be contacted.")
    message = Notification(
        key=f"{SEND}:{row.assist_id}",
        channel=Channel.EMAIL,
        recipient=contact.email,
        subject=one_line(row.output["subject"], messages.SUBJECT_LIMIT),
        body=row.output["body"],
        contact=contact,
        instance=instance,
    )
    messages.queue([message], may_exist=True)
    engine.note(instance, f"Reply {row.assist_id} is on its way", actor=approval.decided_by, event=SEND)
    return f"The reply to {contact.email} is on its way."


def _set_sentiment(row: AssistAnswer, said: Any) -> None:
    """A judgement of a person stands; the assistant only fills what is empty."""
    feedback = Feedback.objects.filter(pk=row.subject_id).first()
    if feedback is not None and not feedback.sentiment:
        feedback.sentiment = said.sentiment
        feedback.save(update_fields=["sentiment"])


_USES: dict[str, Callable[[AssistAnswer, Any], None]] = {
    "lead.summary": _note_summary,
    "reply.draft": _ask_to_send,
    "content.draft": _note_draft,
    "feedback.sentiment": _set_sentiment,
}
