"""Flow 4: campaigns, subscribers and outreach."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from agents_app.agents.base import BaseAgent, Context, Created, Outcome, Result, WorkKind
from agents_app.marketing import flow, outreach, plain, posts, stages, subscribers
from agents_app.text import one_line
from campaigns.choices import CampaignChannel, CampaignType
from campaigns.models import Campaign
from contacts.models import BusinessEntity
from higherself.integrations.events import EventKind
from higherself.integrations.material import (
    PostMaterial,
    ProspectMaterial,
    ProspectProfileMaterial,
    SubscriberMaterial,
)


class CampaignDue(BaseModel):
    """A campaign may have something to be done: it was edited, or time has passed."""

    model_config = ConfigDict(frozen=True)

    campaign_pk: int


class ContentPublished(BaseModel):
    """A piece of content is out and wants to be told of by e-mail."""

    model_config = ConfigDict(frozen=True)

    title: str
    url: str = ""
    brief: str = ""
    reference: str
    entity_pk: int | None = None


class MarketingCampaignAgent(BaseAgent):
    name = "Marketing Campaign Agent"
    description = "Plans, launches and measures campaigns; knows who subscribes, replies and wants no more mail."
    capabilities = ("Marketing Campaign", "Client Communication", "Notification Dispatch", "Content Generation")
    apis = ("NOTION_API", "HUBSPOT_API", "BEEHIIV_API", "SNOVIO_API")
    consumes = {
        **dict.fromkeys(
            (
                *(EventKind.SUBSCRIBER_CREATED, EventKind.SUBSCRIBER_CONFIRMED),
                *(EventKind.SUBSCRIBER_CHANGED, EventKind.SUBSCRIBER_DELETED),
            ),
            SubscriberMaterial,
        ),
        **dict.fromkeys(
            (EventKind.POST_SCHEDULED, EventKind.POST_SENT, EventKind.POST_UPDATED, EventKind.POST_MEASURED),
            PostMaterial,
        ),
        **dict.fromkeys(
            (
                *(EventKind.PROSPECT_REPLIED, EventKind.PROSPECT_ACTIVITY, EventKind.PROSPECT_BOUNCED),
                *(EventKind.PROSPECT_UNSUBSCRIBED, EventKind.PROSPECT_FINISHED),
            ),
            ProspectMaterial,
        ),
        EventKind.PROSPECT_READ: ProspectProfileMaterial,
        WorkKind.CAMPAIGN_DUE: CampaignDue,
        WorkKind.CONTENT_PUBLISHED: ContentPublished,
    }
    emits = {"WF-MKTG-CAMP": ("post_sent", "data_collected")}

    def handle(self, data: Any, context: Context) -> Outcome:
        if isinstance(data, SubscriberMaterial):
            return subscribers.hear(data, context)
        if isinstance(data, PostMaterial):
            return posts.hear(data, context)
        if isinstance(data, ProspectProfileMaterial):
            return outreach.profile(data, context)
        if isinstance(data, ProspectMaterial):
            return outreach.hear(data, context)
        if isinstance(data, ContentPublished):
            return _promote(data, context)
        return _tend(data, context)


def _tend(data: CampaignDue, context: Context) -> Outcome:
    campaign = Campaign.objects.live().select_for_update(of=("self",)).filter(pk=data.campaign_pk).first()
    if campaign is None:
        return Outcome(Result.NOTHING, "The campaign is gone.")
    done = stages.tend(campaign, context) if flow.is_mail(campaign) else plain.tend(campaign, context)
    if not done:
        return Outcome(Result.NOTHING, f"Nothing is due for “{campaign}”.")
    return Outcome(Result.DONE, f"“{campaign}”: {'; '.join(done)}.".replace("..", "."))


def _promote(data: ContentPublished, context: Context) -> Outcome:
    """A campaign in draft: whom it goes to and when is for people to say."""
    name = one_line(f"Promote: {data.title}", 500)
    utm = one_line(data.reference, 100)
    known = Campaign.objects.filter(utm=utm).first()
    if known is not None:
        return Outcome(Result.DUPLICATE, f"“{known}” promotes it already.")
    campaign = Campaign.objects.create(
        campaign_name=name,
        description="\n\n".join(part for part in (data.brief, data.url) if part),
        campaign_type=CampaignType.CONTENT,
        channels=[CampaignChannel.BEEHIIV.value],
        business_entity=BusinessEntity.objects.filter(pk=data.entity_pk).first() if data.entity_pk else None,
        utm=utm,
    )
    return Outcome(Result.DONE, f"“{campaign}” waits as a draft.", (Created.of(campaign),))
