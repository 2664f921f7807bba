"""One run of the audience analysis: scores, segments, contacts, Beehiiv. Each call does one step and keeps it.

A run that dies between two steps goes on with the next call: what is left to do stands in rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DataError, transaction

from agents_app.agents.base import Context, Created, Outcome, Result
from agents_app.choices import SourceSystem
from agents_app.models import WorkflowInstance
from agents_app.services import catalog, outward
from agents_app.workflow import engine
from agents_app.workflow.machine import ACTIVE, END_STATUSES
from agents_app.workflow.run import Run
from campaigns import evaluation
from campaigns.criteria import BrokenCriteria
from campaigns.models import Segment, SegmentMembership
from contacts import interactions
from contacts.models import BusinessEntity, Contact
from contacts.queries import accepting_email_marketing
from higherself.integrations.models import OutboundCall

WORKFLOW = "WF-AUDIENCE"
# So many changed contacts are worth a run of their own, at most once in this time.
CHANGED, APART = 25, timedelta(hours=1)
CARRIED_AT_ONCE = 1000
# The field of Beehiiv's subscriptions that names the segments. It cannot be emptied, so nobody's is called so.
FIELD, NO_SEGMENT = "Segments", "none"
# How long a run waits for Beehiiv before it ends without its answers.
PATIENCE = timedelta(hours=6)
_OPEN_CALLS = (
    OutboundCall.Status.WAITING,
    OutboundCall.Status.SENDING,
    OutboundCall.Status.RETRYING,
)
_FAILED_CALLS = (OutboundCall.Status.QUARANTINED, OutboundCall.Status.REFUSED)


def step(context: Context, *, asked: str = "") -> Outcome:
    """Goes one step on, or begins a run where one is due; ``asked`` is who wants one now."""
    instance = current()
    if instance is None:
        return _begin(context, asked)
    if instance.status != ACTIVE:
        return Outcome(Result.NOTHING, f"{instance.instance_id} is {instance.status}.")
    return _STEPS[instance.current_state](instance, context)


def current() -> WorkflowInstance | None:
    """The run that is under way."""
    rows = WorkflowInstance.objects.live().select_for_update(of=("self",)).filter(workflow__workflow_id=WORKFLOW)
    return rows.exclude(status__in=END_STATUSES).order_by("pk").first()


def _last() -> WorkflowInstance | None:
    return WorkflowInstance.objects.live().filter(workflow__workflow_id=WORKFLOW).order_by("-pk").first()


def why_due(now: datetime) -> str:
    """Why a run is due now; empty when none is."""
    if not Segment.objects.filter(is_active=True).exists():
        return ""
    last = _last()
    began = last.start_date if last else None
    if began is None or began.date() < now.date():
        # On the very first day there is nothing to tell from anything yet.
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return "daily" if Contact.objects.filter(created_at__lt=midnight).exists() else ""
    if now - began < APART:
        return ""
    # A page of the newest is enough to know whether there are that many.
    newer = Contact.objects.filter(updated_at__gt=last.last_transition_date or began) if last else Contact.objects
    changed = len(newer.order_by()[:CHANGED].values_list("pk"))
    return f"{CHANGED} contacts have changed" if changed >= CHANGED else ""


def _begin(context: Context, asked: str) -> Outcome:
    reason = f"asked for by {asked}" if asked else why_due(context.now)
    if not reason:
        return Outcome(Result.NOTHING, "No analysis is due.")
    known = catalog.current()
    run = engine.open_run(
        known.workflow(WORKFLOW),
        name=f"Audience analysis {context.now:%Y-%m-%d %H:%M}",
        actor=context.actor,
        source_system=SourceSystem.OTHER,
        source_record_id=f"audience:{context.now:%Y-%m-%dT%H:%M:%S}" + (":asked" if asked else ""),
        now=context.now,
        assigned_agent=known.agents.get(context.actor),
        key_data={"why": reason},
    )
    run.begin(reason.capitalize())
    run.fire("run_started")
    run.save()
    return Outcome(Result.DONE, f"{run.instance.instance_id} began: {reason}.", (Created.of(run.instance),))


def _move(instance: WorkflowInstance, event: str, context: Context, note: str, **news: Any) -> Outcome:
    run = Run(instance, actor=context.actor, now=context.now)
    stored = instance.key_data if isinstance(instance.key_data, dict) else {}
    instance.key_data = {**stored, **news}
    run.fire(event, note=note)
    followed = run.save()
    return Outcome(Result.DONE, f"{instance.instance_id}: {note}.", tuple(Created.of(task) for task in followed.tasks))


# -- the steps ------------------------------------------------------------------------------------------------------
def _collect(instance: WorkflowInstance, context: Context) -> Outcome:
    """What people did is there already; what it is still worth changes with time."""
    written = interactions.decay(context.now)
    return _move(instance, "collected", context, f"{written} engagement scores have changed")


def _evaluate(instance: WorkflowInstance, context: Context) -> Outcome:
    """A segment that cannot be evaluated keeps its last good members and holds up no other one."""
    entered = left = 0
    failed, new = [], []
    segments = list(Segment.objects.filter(is_active=True).order_by("pk"))
    for segment in segments:
        is_new = segment.evaluated_at is None
        try:
            with transaction.atomic():
                found = evaluation.evaluate(segment, context.now)
        except (BrokenCriteria, DataError, EmptyResultSet) as error:
            # What one database takes another may not: that is this segment's matter alone.
            evaluation.refuse(segment, str(error) or type(error).__name__)
            failed.append(segment.name)
            continue
        entered, left = entered + found.entered, left + found.left
        new += [segment.name] if is_new else []
    note = f"{len(segments)} segments: {entered} came, {left} went"
    note += f"; could not be evaluated: {', '.join(failed)}" if failed else ""
    return _move(
        instance, "evaluated", context, note, entered=entered, left=left, failed=failed, new_segments=bool(new), new=new
    )


def _write(instance: WorkflowInstance, context: Context) -> Outcome:
    """A part of the comings and goings in each call, until nothing is left."""
    seen = SegmentMembership.objects.filter(carried_at__isnull=True).order_by("pk")
    rows = dict(seen.values_list("pk", "segment_id")[:CARRIED_AT_ONCE])
    contacts = evaluation.carry(context.now, limit=CARRIED_AT_ONCE)
    if not contacts:
        return _move(instance, "written", context, "Contacts have their segments")
    _tell_beehiiv(instance, contacts, set(rows.values()))
    return Outcome(Result.DONE, f"{instance.instance_id}: {len(contacts)} contacts have their segments.")


def _tell_beehiiv(instance: WorkflowInstance, contacts: list[int], segments: set[int]) -> None:
    """The tags of those who agreed to mail, as far as these segments are carried there."""
    carried = set(Segment.objects.filter(carry_to_beehiiv=True).values_list("name", flat=True))
    concerned = Segment.objects.filter(pk__in=segments, carry_to_beehiiv=True)
    if not concerned.exists():
        return
    people = accepting_email_marketing(Contact.objects.filter(pk__in=contacts))
    for contact in people.only("pk", "email", "contact_id", "marketing_segments"):
        mine = [name for name in contact.marketing_segments if name in carried]
        outward.want(
            "beehiiv",
            "subscription.upsert",
            # All of them in one field: who has left a segment is no longer named.
            {"email": contact.email, "custom_fields": {FIELD: ", ".join(mine) or NO_SEGMENT}},
            dedupe_key=f"segments:{instance.instance_id}:{contact.contact_id}",
            about=contact,
        )


def _sync(instance: WorkflowInstance, context: Context) -> Outcome:
    """Waits until Beehiiv has heard of everything. What waits for Beehiiv to be configured is not waited for."""
    calls = OutboundCall.objects.filter(dedupe_key__startswith=f"segments:{instance.instance_id}:")
    since = instance.last_transition_date or context.now
    late = context.now - since > PATIENCE
    if not late and calls.filter(status__in=_OPEN_CALLS).exists():
        return Outcome(Result.NOTHING, f"{instance.instance_id} waits for Beehiiv.")
    stored = instance.key_data if isinstance(instance.key_data, dict) else {}
    refused = calls.filter(status__in=_FAILED_CALLS).count()
    unheard = calls.filter(status__in=_OPEN_CALLS).count()
    note = "Everything is carried"
    if refused or unheard:
        note = f"Beehiiv refused {refused} and has not heard of {unheard}"
    elif calls.filter(status=OutboundCall.Status.UNCONFIGURED).exists():
        note = "Beehiiv is not configured: its calls wait"
    if stored.get("failed"):
        note += f"; not evaluated: {', '.join(map(str, stored['failed']))}"
    _remember(context.now)
    return _move(instance, "synced", context, note, partly_failed=bool(refused or unheard or stored.get("failed")))


def _remember(now: datetime) -> None:
    """Keeps the analysis with each business: how many of its contacts are in which segment."""
    links = Contact.business_entities.through.objects
    for entity in BusinessEntity.objects.live():
        ours = links.filter(businessentity_id=entity.pk).values("contact_id")
        stays = SegmentMembership.objects.filter(left_at__isnull=True, contact__in=ours)
        counts: dict[str, int] = {}
        for name in stays.order_by().values_list("segment__name", flat=True).iterator():
            counts[name] = counts.get(name, 0) + 1
        analysis = {"last_analysis_date": now.isoformat(), "segments": dict(sorted(counts.items()))}
        if not isinstance(entity.customer_analysis, dict) or entity.customer_analysis.get("segments") != counts:
            entity.customer_analysis = analysis
            entity.save(update_fields=["customer_analysis"])


def _start(instance: WorkflowInstance, context: Context) -> Outcome:
    return _move(instance, "run_started", context, "The run has begun")


_STEPS = {
    "scheduled": _start,
    "collecting": _collect,
    "evaluating": _evaluate,
    "writing": _write,
    "syncing": _sync,
}
