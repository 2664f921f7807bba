"""The agents' rounds: what they look after by the clock, and what makes them look sooner.

Each look finds its work in rows, so it may come late, twice or not at all for a while: the next one does what is left.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from agents_app import dispatch
from agents_app.agents.audience_segmentation import AudienceDue, AudienceSegmentationAgent
from agents_app.agents.base import WorkKind
from agents_app.agents.community_engagement import CommunityDay, CommunityEngagementAgent
from agents_app.agents.content_lifecycle import ContentDue, ContentLifecycleAgent
from agents_app.agents.marketing_campaign import CampaignDue, MarketingCampaignAgent
from agents_app.choices import RunOutcome
from agents_app.content import items
from agents_app.marketing import flow, subscribers
from agents_app.models import ContentItem, WorkflowInstance
from agents_app.outgoing import prospects
from agents_app.services import approvals
from agents_app.workflow import effects
from agents_app.workflow.machine import END_STATUSES
from agents_app.workflow.run import Run
from campaigns.choices import CampaignStatus, CampaignType
from campaigns.models import Campaign
from contacts import consent
from contacts.choices import NO_MARKETING
from contacts.models import ConsentChange, Contact
from higherself.core import jobs
from higherself.core.jobs import job
from higherself.core.signals import record_pulled

logger = logging.getLogger(__name__)

CAMPAIGNS, CONTENT, AUDIENCE = "tend_campaigns", "tend_content", "analyse_audience"
# So many campaigns are looked after in one round; the newest first, as old ones that nobody ends only wait.
MOST = 500
# What has ended or was called off is looked at for so long after its last change.
STILL_NEW = timedelta(days=2)
# Seconds that one round may take.
TIME_BOX = 30.0


@job(CAMPAIGNS, every_seconds=60)
def tend_campaigns() -> int:
    """Lets the marketing agent do what is due for each campaign; returns for how many something was."""
    ended = WorkflowInstance.objects.filter(workflow__workflow_id=flow.WORKFLOW, status__in=END_STATUSES)
    rows = Campaign.objects.live().exclude(pk__in=ended.exclude(campaign=None).values("campaign_id"))
    # What is over and never had a workflow here is history.
    over = rows.filter(status__in=[CampaignStatus.COMPLETED, CampaignStatus.CANCELLED], workflow_instances=None)
    left = rows.exclude(pk__in=over.values("pk")).order_by("-pk")[:MOST]
    due = [*(row.pk for row in left if flow.is_mail(row)), *_without_mail()]
    agent = MarketingCampaignAgent.__name__
    return sum(_tell(WorkKind.CAMPAIGN_DUE, CampaignDue(campaign_pk=pk), agent) for pk in due)


def _without_mail() -> list[int]:
    """Those that no workflow looks after, until some days after they have ended."""
    rows = Campaign.objects.live().exclude(campaign_type__in=["", CampaignType.EMAIL])
    over = Q(status__in=[CampaignStatus.COMPLETED, CampaignStatus.CANCELLED])
    recent = rows.exclude(over & ~Q(updated_at__gte=timezone.now() - STILL_NEW)).order_by("-pk")
    return [row.pk for row in recent[:MOST] if not flow.is_mail(row)]


@job(CONTENT, every_seconds=60)
def tend_content() -> int:
    """Lets the content agent do what is due for each piece; returns for how many something was."""
    agent = ContentLifecycleAgent.__name__
    return sum(_tell(WorkKind.CONTENT_DUE, ContentDue(instance_pk=pk), agent) for pk in items.waiting())


@job("community_day", at_hour=5)
def community_day() -> int:
    return _tell(WorkKind.COMMUNITY_DAY, CommunityDay(), CommunityEngagementAgent.__name__)


@job(AUDIENCE, every_seconds=60)
def analyse_audience() -> int:
    """Goes on with the analysis as far as it gets, step by step; returns how many steps were done."""
    ends, steps = time.monotonic() + TIME_BOX, 0
    while _tell(WorkKind.AUDIENCE_DUE, AudienceDue(), AudienceSegmentationAgent.__name__):
        steps += 1
        if time.monotonic() >= ends:
            jobs.wake(AUDIENCE)
            break
    return steps


def analyse_now(who: str) -> bool:
    """Begins an analysis because somebody wants one; False when one is under way or the agent is switched off."""
    began = _tell(WorkKind.AUDIENCE_DUE, AudienceDue(asked_by=who), AudienceSegmentationAgent.__name__)
    jobs.wake(AUDIENCE)
    return bool(began)


def _tell(kind: WorkKind, data: Any, agent_id: str) -> int:
    run = dispatch.tell_if_on(kind, data, agent_id)
    return int(run is not None and run.outcome == RunOutcome.DONE)


# -- sooner than by the clock ---------------------------------------------------------------------------------------
@effects.after(flow.WORKFLOW)
def _campaign_moved(run: Run, entered: Sequence[str]) -> None:
    if entered:
        jobs.wake(CAMPAIGNS)


@effects.after(items.WORKFLOW)
def _content_moved(run: Run, entered: Sequence[str]) -> None:
    if entered:
        jobs.wake(CONTENT)


@receiver(post_save, sender=Campaign)
def _campaign_saved(sender: type[Campaign], instance: Campaign, raw: bool = False, **_kwargs: Any) -> None:
    if not raw:
        jobs.wake(CAMPAIGNS)


@receiver(post_save, sender=ContentItem)
def _content_saved(sender: type[ContentItem], instance: ContentItem, raw: bool = False, **_kwargs: Any) -> None:
    if not raw:
        jobs.wake(CONTENT)


@receiver(post_save, sender=ConsentChange)
def _no_more_mail(sender: type[ConsentChange], instance: ConsentChange, created: bool, **_kwargs: Any) -> None:
    """A no that was said elsewhere is carried to the newsletter, and ends outreach. A yes is not: people subscribe
    there themselves."""
    contact = instance.contact
    if created and not instance.granted and instance.channel == consent.EMAIL:
        prospects.stop(contact, instance.source)
    elsewhere = created and not instance.granted and instance.source != subscribers.SERVICE
    if elsewhere and instance.channel == consent.EMAIL and contact.beehiiv_subscription_id:
        subscribers.tell_the_no(contact, instance.key)


@receiver(approvals.decided)
def _decided(sender: Any, approval: Any, **_kwargs: Any) -> None:
    if approval.action in ("content.publish", "campaign.activate"):
        jobs.wake(CONTENT)
        jobs.wake(CAMPAIGNS)


@receiver(record_pulled)
def _pulled(sender: type[Any], pk: Any, changed: dict[str, tuple[Any, Any]], actor: str = "", **_kwargs: Any) -> None:
    """Rows that came from Notion were written without `save`, so their signals are missing."""
    if sender is Campaign:
        jobs.wake(CAMPAIGNS)
    elif sender is WorkflowInstance and not changed:
        # A new page: content is asked for by making one.
        jobs.wake(CONTENT)
    elif sender is Contact:
        _consent_edited(pk, changed, actor)


def _consent_edited(pk: Any, changed: dict[str, tuple[Any, Any]], actor: str) -> None:
    """Somebody ticked a box of a contact in Notion, or set a status that means no."""
    from_status = changed.get("status", ("", ""))[1] in [status.value for status in NO_MARKETING]
    if not (from_status or {"email_opt_in", "sms_opt_in"} & set(changed)):
        return
    contact = Contact.objects.filter(pk=pk).first()
    if contact is None:
        return
    now = contact.updated_at
    for channel, name in ((consent.EMAIL, "email_opt_in"), (consent.SMS, "sms_opt_in")):
        if from_status:
            consent.entered(contact, actor or "Notion", value=False, at=now, channel=channel)
        elif name in changed:
            consent.entered(contact, actor or "Notion", value=bool(changed[name][1]), at=now, channel=channel)
