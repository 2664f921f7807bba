"""Leads that people enter, and what people decide about a contact, in Notion or in the console."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from agents_app.agents.base import Context, Created, Outcome, RecordEdited, Result
from agents_app.choices import SourceSystem
from agents_app.models import WorkflowInstance
from agents_app.services import catalog, errands
from agents_app.workflow import engine
from agents_app.workflow.machine import ACTIVE, IllegalTransition
from contacts.choices import ContactStatus as Status
from contacts.choices import ContactType, QualityLevel
from contacts.models import Contact
from higherself.core.models import Record

WORKFLOW = "WF-LEAD-CAPTURE"
_LEADS = (Status.ACTIVE_LEAD, Status.QUALIFIED_LEAD)
# What a status that somebody has set means for the open leads of the contact.
_MEANS = {
    Status.QUALIFIED_LEAD: "engagement_threshold",
    Status.ACTIVE_CLIENT: "client_won",
    Status.DO_NOT_CONTACT: "do_not_contact",
}


def heed(edit: RecordEdited, context: Context) -> Outcome:
    contact = Contact.objects.live().select_for_update(of=("self",)).filter(pk=edit.pk).first()
    if contact is None:
        return Outcome(Result.NOTHING, "The contact is gone.")
    if edit.is_new:
        return _take_up(contact, edit, context)
    status = edit.became("status")
    if status not in _MEANS:
        return Outcome(Result.NOTHING, f"{contact}: nothing follows for its leads.")
    moved = list(_fire(contact, _MEANS[status], f"Status set to {status} by {edit.by}", context))
    if status != Status.QUALIFIED_LEAD or _is_looked_after(contact):
        return _said(contact, moved, [])
    task, _ = errands.errand(
        f"{contact.contact_id}:qualified:{edit.occasion}",
        f"Sales follow-up: {contact}",
        f"{edit.by} has qualified this contact, and no lead workflow is open for it.",
        context,
        contact=contact,
        priority="High",
        category="Follow Up",
        assignee_text="lead owner",
        tags=["Client-facing", "Follow-up"],
    )
    return _said(contact, moved, [task])


def _said(contact: Contact, moved: list[str], rows: list[Record]) -> Outcome:
    if not (moved or rows):
        return Outcome(Result.NOTHING, f"{contact} has no open lead that this concerns.")
    parts = [*moved, *(str(row) for row in rows)]
    return Outcome(Result.DONE, f"{contact}: {'; '.join(parts)}.", tuple(Created.of(row) for row in rows))


def _take_up(contact: Contact, edit: RecordEdited, context: Context) -> Outcome:
    """Somebody has entered a lead: it is looked after as one that came by itself, but nobody thanks it for writing."""
    if contact.contact_type not in ("", ContactType.LEAD) or contact.status not in _LEADS:
        return Outcome(Result.NOTHING, f"{contact} was entered, and not as a lead.")
    if _of(contact).exists():
        return Outcome(Result.NOTHING, f"{contact} has its lead workflow already.")
    known = catalog.current()
    quality = contact.quality_level
    if contact.status == Status.QUALIFIED_LEAD:
        quality = QualityLevel.HIGH
    elif quality not in (QualityLevel.EXCELLENT, QualityLevel.HIGH, QualityLevel.LOW):
        # Nobody enters a lead in order to have it dropped.
        quality = QualityLevel.MEDIUM
    run = engine.open_run(
        known.workflow(WORKFLOW),
        name=f"Lead: {contact}",
        actor=context.actor,
        source_system=SourceSystem.MANUAL,
        source_record_id=contact.contact_id,
        contact=contact,
        business_entity=contact.business_entities.order_by("pk").first(),
        key_data={
            "quality": quality,
            "source": contact.lead_source or "Direct Contact",
            "interests": list(contact.interests)[:20],
            "by_hand": True,
        },
        now=context.now,
        assigned_agent=known.agents.get(context.actor),
        priority="High" if quality in (QualityLevel.EXCELLENT, QualityLevel.HIGH) else "Medium",
    )
    run.begin(f"Entered by {edit.by}")
    run.fire("scored", note=f"{quality}: entered by hand")
    followed = run.save()
    return _said(contact, [f"{run.instance.instance_id} is {run.instance.current_state}"], [*followed.tasks])


def _of(contact: Contact) -> QuerySet[WorkflowInstance]:
    return WorkflowInstance.objects.live().filter(contact=contact, workflow__workflow_id=WORKFLOW)


def _is_looked_after(contact: Contact) -> bool:
    return _of(contact).filter(status=ACTIVE, current_state__in=("qualified", "contacted")).exists()


def _fire(contact: Contact, event: str, note: str, context: Context) -> Iterator[str]:
    for lead in _of(contact).filter(status=ACTIVE).order_by("pk"):
        try:
            taken = engine.advance(lead, event, actor=context.actor, note=note)
        except IllegalTransition:
            # Contacted already, or not scored yet: it stays where it is.
            continue
        yield f"{lead.instance_id} went to “{taken.to}”"
