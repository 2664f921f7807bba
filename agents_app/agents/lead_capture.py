"""Flow 1: from a form, a reply or a sign-up to a scored lead that somebody looks after."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q

from agents_app.agents.base import MADE, BaseAgent, Context, Created, Outcome, RecordEdited, Result, WorkKind
from agents_app.leads import by_hand, fieldmap, scoring, surveys
from agents_app.leads.schema import Lead, LeadSubmission
from agents_app.models import WorkflowInstance
from agents_app.outgoing import prospects
from agents_app.services import catalog, contacts, crm
from agents_app.services.catalog import Catalog, FormMap
from agents_app.text import clean, one_line, shorten
from agents_app.workflow import engine
from agents_app.workflow.machine import END_STATUSES
from contacts.models import BusinessEntity, Contact
from higherself.core.errors import Permanent
from higherself.integrations.events import EventKind

WORKFLOW = "WF-LEAD-CAPTURE"
# The same person from the same source within this time is the same lead.
SAME_LEAD = timedelta(hours=24)
# Key data is read in Notion, where 2000 characters are one item; the whole submission stays with its event.
MESSAGE_LIMIT = 600
ANSWER_LIMIT = 200
ANSWERS_LIMIT = 900
SOURCE_ID_LIMIT = 200
# HubSpot: notes hold 65,536 characters.
NOTE_LIMIT = 50_000


@dataclass(frozen=True)
class _Case:
    """One submission on its way: what it says and where it belongs."""

    lead: Lead
    score: scoring.Score
    source: str
    source_id: str
    form: FormMap
    entity: BusinessEntity | None
    submission: LeadSubmission
    context: Context

    @property
    def form_label(self) -> str:
        return self.submission.form_title or self.submission.form_id or self.source


class LeadCaptureAgent(BaseAgent):
    name = "Lead Capture Agent"
    description = "Takes leads from forms and other sources, scores them and starts the lead workflow."
    capabilities = ("Lead Capture", "Lead Processing", "CRM Sync", "Workflow Management")
    apis = ("NOTION_API", "TYPEFORM_API", "HUBSPOT_API", "SNOVIO_API", "USERFEEDBACK_API")
    consumes = {
        EventKind.LEAD_SUBMITTED: LeadSubmission,
        WorkKind.LEAD_FOUND: LeadSubmission,
        WorkKind.RECORD_EDITED: RecordEdited,
    }
    emits = {WORKFLOW: ("scored", "rescored")}
    watches = {"contacts.contact": (MADE, "status")}

    def handle(self, data: LeadSubmission | RecordEdited, context: Context) -> Outcome:
        if isinstance(data, RecordEdited):
            return by_hand.heed(data, context)
        form = catalog.current().form_map(context.source, data.form_id)
        if form.map.purpose == "survey":
            return surveys.pass_on(data, form, context)
        case = _read(data, context, catalog.current())
        contact = contacts.locked(case.lead.email)
        earlier = _earlier(case, contact)
        if earlier is not None and _is_same_submission(earlier, case):
            return Outcome(Result.DUPLICATE, f"This submission is {earlier.instance_id} already.")
        contact, new = contacts.remember(contact, _heard(case), [case.entity] if case.entity else [])
        if earlier is not None:
            return _add_to(earlier, contact, case)
        return _open(contact, new, case)


def _read(data: LeadSubmission, context: Context, known: Catalog) -> _Case:
    """Raises `Permanent` when nobody can be answered: a person has to look at the submission."""
    form = known.form_map(context.source, data.form_id)
    try:
        lead = fieldmap.read(data, form.map, source=context.source)
    except fieldmap.NoAddress as error:
        raise Permanent(
            f"This submission of “{one_line(data.form_title or data.form_id or context.source, 80)}” needs a person: "
            f"{error}. Nothing was created. If the form does ask for an address, say where in its Data "
            "Transformation and replay the event."
        ) from error
    named = contacts.known_source(lead.lead_source)
    if not named and lead.lead_source != context.source:
        extra = {**lead.additional, "source": lead.lead_source}
        lead = lead.model_copy(update={"lead_source": context.source, "additional": extra})
    elif named:
        lead = lead.model_copy(update={"lead_source": named})
    entity = _entity(lead, form, known)
    score = scoring.score(lead, known.scoring())
    return _Case(lead, score, context.source, _source_id(context), form, entity, data, context)


def _source_id(context: Context) -> str:
    value = clean(context.source_id) or context.event_id
    if len(value) <= SOURCE_ID_LIMIT:
        return value
    return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"


def _entity(lead: Lead, form: FormMap, known: Catalog) -> BusinessEntity | None:
    """The business that the form names, else the first one that its Data Transformation names, else the only one."""
    named = known.entity(lead.business_entity)
    if named is not None:
        return named
    for pk in form.entity_ids:
        if pk in known.entities:
            return known.entities[pk]
    return next(iter(known.entities.values())) if len(known.entities) == 1 else None


def _earlier(case: _Case, contact: Contact | None) -> WorkflowInstance | None:
    """The instance of this very submission, else the open one of the same person and source of the last 24 hours."""
    same = Q(source_record_id=case.source_id)
    if contact is not None:
        same |= Q(contact=contact, start_date__gte=case.context.now - SAME_LEAD) & ~Q(status__in=END_STATUSES)
    # The workflow is compared here, not there: SQLite would go through all of its instances by that index.
    versions = {row.pk for row in catalog.current().workflows.values() if row.workflow_id == WORKFLOW}
    rows = WorkflowInstance.objects.filter(same, source_system=case.source, archived_at__isnull=True)
    columns = rows.order_by().values_list("source_record_id", "start_date", "pk", "workflow_id")
    found = sorted(
        (record == case.source_id, began, pk) for record, began, pk, version in columns if version in versions
    )
    # Mostly there is none: the whole row is read, and locked, only when there is.
    return WorkflowInstance.objects.select_for_update().get(pk=found[-1][2]) if found else None


def _is_same_submission(instance: WorkflowInstance, case: _Case) -> bool:
    return instance.source_record_id == case.source_id


def _heard(case: _Case) -> contacts.Heard:
    return contacts.Heard(
        lead=case.lead,
        score=case.score,
        source=case.source,
        source_record_id=case.source_id,
        event_id=case.context.event_id,
        consent_source=f"{case.source}: {one_line(case.form_label, 200)}",
        submitted_at=case.submission.submitted_at or case.context.occurred_at,
        now=case.context.now,
    )


def _add_to(instance: WorkflowInstance, contact: Contact, case: _Case) -> Outcome:
    """A line in the open lead's history; a better score may qualify it."""
    run = engine.Run(
        instance, actor=case.context.actor, inbound_event=case.context.event_id or None, now=case.context.now
    )
    told = instance.history.filter(event="new_submission", data__submission=case.source_id).exists()
    if told:
        return Outcome(Result.DUPLICATE, f"This submission is noted in {instance.instance_id} already.")
    remark = f"Submitted “{one_line(case.form_label, 80)}” again"
    if case.lead.message:
        remark += f": {shorten(case.lead.message, MESSAGE_LIMIT, case.context.event_id)}"
    run.note("new_submission", remark, {"submission": case.source_id, "score": case.score.points})
    _requalify(run, case)
    followed = run.save()
    _tell_services(run.instance, contact, case)
    created = tuple(Created.of(task) for task in followed.tasks)
    return Outcome(
        Result.DUPLICATE,
        f"{contact} wrote from {case.source} within 24 hours: noted in {instance.instance_id}.",
        created,
    )


def _requalify(run: engine.Run, case: _Case) -> None:
    before = run.instance.key_data.get("score", 0) if isinstance(run.instance.key_data, dict) else 0
    if case.score.points <= before:
        return
    run.instance.key_data = {**run.instance.key_data, "score": case.score.points, "quality": case.score.level}
    events = run.definition.allowed(run.instance.current_state, engine.facts_of(run.instance))
    if any(item.event == "rescored" for item in events):
        run.fire("rescored", note=_why(case.score))


def _open(contact: Contact, new: bool, case: _Case) -> Outcome:
    known = catalog.current()
    agent = known.agents.get(LeadCaptureAgent.__name__)
    promising = case.score.level in ("Excellent", "High")
    run = engine.open_run(
        known.workflow(WORKFLOW),
        name=f"Lead: {contact}",
        actor=case.context.actor,
        source_system=case.source,
        source_record_id=case.source_id,
        contact=contact,
        business_entity=case.entity,
        key_data=_key_data(case),
        inbound_event=case.context.event_id or None,
        now=case.context.now,
        assigned_agent=agent,
        priority="High" if promising else "Medium",
    )
    remark = f"From “{one_line(case.form_label, 80)}”"
    if case.form.warning:
        remark += f". The form's map is broken, another one was used: {one_line(case.form.warning, 300)}"
    run.begin(remark, {"submission": case.source_id})
    run.fire("scored", note=_why(case.score), data={"score": case.score.points})
    followed = run.save()
    _tell_services(run.instance, contact, case)
    rows = [*([contact] if new else []), run.instance, *followed.tasks]
    return Outcome(
        Result.DONE,
        f"{contact} is {'a new' if new else 'a known'} contact; {run.instance.instance_id} is "
        f"{run.instance.current_state} ({case.score.level}, {case.score.points} points).",
        tuple(Created.of(row) for row in rows),
    )


def _tell_services(instance: WorkflowInstance, contact: Contact, case: _Case) -> None:
    key = f"{case.source}:{case.source_id}"
    if case.form.map.sync_to_hubspot:
        crm.tell_hubspot(contact, key=key, about=instance)
        if case.form.map.hubspot_note:
            text = f"{case.form_label}:\n{case.lead.message}" if case.lead.message else ""
            at = case.submission.submitted_at or case.context.occurred_at
            crm.note_at_hubspot(contact, text[:NOTE_LIMIT], at, key=key, about=instance)
    if case.lead.email_opt_in:
        crm.subscribe(contact, key=key)
    prospects.hear(contact, case.lead.lead_source)


def _why(score: scoring.Score) -> str:
    return f"{score.level}, {score.points} points: {', '.join(score.reasons)}"


def _key_data(case: _Case) -> dict[str, Any]:
    """The facts that guards and messages ask about later, and the answers, as far as they fit."""
    lead = case.lead
    data: dict[str, Any] = {
        "quality": case.score.level,
        "score": case.score.points,
        "source": lead.lead_source,
        "interests": list(lead.interests)[:20],
        "form": one_line(case.form_label, 120),
    }
    if case.form.row is not None:
        data["transformation"] = case.form.row.transformation_id
    if lead.message:
        data["message"] = shorten(lead.message, MESSAGE_LIMIT, case.context.event_id)
    if lead.additional:
        data["answers"] = _answers(lead.additional, case.context.event_id)
    return data


def _answers(answers: dict[str, str], event_id: str) -> dict[str, str]:
    kept: dict[str, str] = {}
    used = 0
    for number, (question, answer) in enumerate(answers.items()):
        label, text = one_line(question, 80), shorten(answer, ANSWER_LIMIT, event_id)
        used += len(json.dumps([label, text], ensure_ascii=False))
        if used > ANSWERS_LIMIT:
            kept["…"] = f"{len(answers) - number} more answers in event {event_id}"
            break
        kept[label] = text
    return kept
