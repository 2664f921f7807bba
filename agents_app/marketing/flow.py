"""A campaign's way through its workflow: what its status asks for, what each state does, and what its post tells.

Everything here looks at the rows as they stand and does what is missing, so it may be called at any time: when
somebody edits a campaign, when its post is sent, and every minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agents_app.agents.base import Context
from agents_app.choices import SourceSystem
from agents_app.models import WorkflowInstance
from agents_app.services import catalog
from agents_app.workflow import effects, engine
from agents_app.workflow.machine import END_STATUSES, IllegalTransition
from agents_app.workflow.run import Run
from campaigns.choices import CampaignChannel, CampaignStatus, CampaignType
from campaigns.models import Campaign
from higherself.core.models import Record

WORKFLOW = "WF-MKTG-CAMP"
BY_MAIL = frozenset({CampaignChannel.EMAIL.value, CampaignChannel.BEEHIIV.value})
S = CampaignStatus
# The statuses that fit each state; the first one is what the server writes where another one stands.
FITS: dict[str, tuple[str, ...]] = {
    "campaign_planning": (S.DRAFT,),
    "audience_segmentation": (S.SCHEDULED, S.DRAFT),
    "content_creation": (S.SCHEDULED, S.DRAFT),
    "content_approval": (S.SCHEDULED, S.DRAFT),
    "channel_setup": (S.SCHEDULED, S.DRAFT),
    "campaign_activation": (S.SCHEDULED,),
    "monitoring": (S.ACTIVE,),
    "optimization": (S.ACTIVE,),
    "final_push": (S.ACTIVE,),
    "paused": (S.PAUSED,),
    "wrap_up": (S.COMPLETED,),
    "analysis": (S.COMPLETED,),
    "completed": (S.COMPLETED,),
    "canceled": (S.CANCELLED,),
}
# What somebody wants who sets this status.
WISHES: dict[str, tuple[str, ...]] = {
    S.SCHEDULED: ("plan_approved",),
    S.ACTIVE: ("resumed", "changes_implemented"),
    S.PAUSED: ("paused",),
    S.COMPLETED: ("campaign_ended",),
    S.CANCELLED: ("canceled",),
}
# Without an end of its own a campaign is looked at for so long after its start.
USUAL_LENGTH = timedelta(days=14)


@dataclass(frozen=True)
class Moved:
    """What became of the workflow, as the end of a sentence, and the new rows."""

    text: str = ""
    rows: tuple[Record, ...] = ()


def is_mail(campaign: Campaign) -> bool:
    return campaign.campaign_type in ("", CampaignType.EMAIL) or bool(BY_MAIL & set(campaign.channels))


def of(campaign: Campaign) -> WorkflowInstance | None:
    """The campaign's workflow instance, whatever version it began with."""
    rows = WorkflowInstance.objects.filter(campaign=campaign, workflow__workflow_id=WORKFLOW, archived_at__isnull=True)
    return rows.order_by("-pk").first()


def ensure(campaign: Campaign, context: Context) -> tuple[WorkflowInstance, bool]:
    """Its workflow instance, opened where there is none; and whether it is new."""
    instance = of(campaign)
    if instance is not None:
        return instance, False
    known = catalog.current()
    run = engine.open_run(
        known.workflow(WORKFLOW),
        name=f"Campaign: {campaign}",
        actor=context.actor,
        source_system=SourceSystem.BEEHIIV if campaign.external_id else SourceSystem.NOTION,
        source_record_id=campaign.campaign_id,
        business_entity=campaign.business_entity,
        key_data=dates(campaign),
        inbound_event=context.event_id or None,
        now=context.now,
        assigned_agent=known.agents.get(context.actor),
        campaign=campaign,
    )
    run.begin()
    run.save()
    return run.instance, True


def dates(campaign: Campaign) -> dict[str, str]:
    """The facts that tasks and timers count from."""
    start = campaign.start_date
    end = campaign.end_date or (start + USUAL_LENGTH if start else None)
    return {name: value.isoformat() for name, value in (("start", start), ("end", end)) if value is not None}


def follow_post(campaign: Campaign, *, sent: bool, context: Context) -> Moved:
    """Opens the workflow of a campaign whose post is known, and moves it on once the post has been sent."""
    instance, new = ensure(campaign, context)
    rows: tuple[Record, ...] = (instance,) if new else ()
    learn(instance, dates(campaign), context)
    if not sent or not _may(instance, "post_sent"):
        return Moved(f", {instance.instance_id} opened" if new else "", rows)
    engine.advance(
        instance,
        "post_sent",
        actor=context.actor,
        note="The post has been sent",
        inbound_event=context.event_id or None,
    )
    return Moved(f", {instance.instance_id} is running", rows)


def _may(instance: WorkflowInstance, event: str) -> bool:
    return any(item.event == event for item in engine.allowed(instance))


def learn(instance: WorkflowInstance, facts: dict[str, Any], context: Context, *, revisit: bool = False) -> bool:
    """Writes facts to the key data, where they differ; timers are counted anew."""
    stored = instance.key_data if isinstance(instance.key_data, dict) else {}
    if all(stored.get(name) == value for name, value in facts.items()):
        return False
    run = Run(instance, actor=context.actor, inbound_event=context.event_id or None, now=context.now)
    instance.key_data = {**stored, **facts}
    if revisit:
        run.revisit()
    run.save()
    return True


def obey(campaign: Campaign, instance: WorkflowInstance, context: Context) -> str:
    """Does what the campaign's status asks for; what is not possible is put back. Returns what was done, in words."""
    fits = FITS.get(instance.current_state)
    if fits is None or campaign.status in fits:
        return ""
    asked = campaign.status
    for event in WISHES.get(asked, ()):
        try:
            engine.advance(instance, event, actor=context.actor, note=f"Status set to {asked}")
        except IllegalTransition:
            continue
        campaign.refresh_from_db(fields=["status"])
        return f"went to “{instance.current_state}”, as its status {asked} asks"
    campaign.status = fits[0]
    campaign.save(update_fields=["status"])
    possible = ", ".join(item.title() for item in engine.allowed(instance, manual_only=True)) or "nothing"
    reason = f"Status {asked} is not possible in “{instance.current_state}” and was put back. Possible: {possible}."
    if instance.status not in END_STATUSES:
        engine.note(instance, reason, actor=context.actor, event="status_refused")
    return f"stays in “{instance.current_state}”: {reason}"


@effects.after(WORKFLOW)
def _status(run: Run, entered: Sequence[str]) -> None:
    """The campaign's own status follows the workflow, whoever moved it."""
    if not entered or run.instance.campaign_id is None:
        return
    campaign = Campaign.objects.filter(pk=run.instance.campaign_id).first()
    fits = FITS.get(entered[-1])
    if campaign is None or fits is None or campaign.status in fits:
        return
    campaign.status = fits[0]
    campaign.save(update_fields=["status"])


def began_at(instance: WorkflowInstance) -> datetime | None:
    """When the campaign began to run."""
    line = instance.history.filter(to_state="monitoring").order_by("at").first()
    return line.at if line else None
