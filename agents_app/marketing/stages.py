"""What the agent does in each state of a campaign, besides the tasks that its definition makes for people."""

from __future__ import annotations

from datetime import datetime, timedelta

from agents_app.agents.base import Context
from agents_app.marketing import audience, flow, posts
from agents_app.models import WorkflowInstance
from agents_app.services import outward
from agents_app.workflow import engine
from agents_app.workflow.machine import ACTIVE
from campaigns.choices import CampaignChannel
from campaigns.models import Campaign
from contacts.models import Contact, Interaction

# Notion shows at most 100 related pages well; the whole audience is counted and carried to Beehiiv.
SHOWN = 100
# So many recipients are carried in one go, so that no transaction takes long.
BATCH = 500
MEASURED_FOR = timedelta(days=14)
# How long the first figures need before they say something.
TELLING_AFTER = timedelta(hours=48)


def tend(campaign: Campaign, context: Context) -> list[str]:
    """Does what is due for one campaign; returns what was done, in words."""
    instance, new = flow.ensure(campaign, context)
    done = [f"{instance.instance_id} opened"] if new else []
    if flow.learn(instance, flow.dates(campaign), context) and not new:
        done.append("its dates have changed")
    said = flow.obey(campaign, instance, context)
    done += [said] if said else []
    if instance.status == ACTIVE:
        stage = _STAGES.get(instance.current_state)
        said = stage(campaign, instance, context) if stage else ""
        done += [said] if said else []
    return done


def _facts(instance: WorkflowInstance) -> dict[str, object]:
    return instance.key_data if isinstance(instance.key_data, dict) else {}


def _find_audience(campaign: Campaign, instance: WorkflowInstance, context: Context) -> str:
    """Counts whom it reaches and shows some of them. Nobody at all is a mistake that a person has to mend."""
    if _facts(instance).get("audience_of") == _wanted(campaign):
        return ""
    try:
        people = audience.of(campaign, context.now)
        number = people.count()
        if not number:
            raise audience.NoAudience("Nobody of its audience has agreed to receive marketing e-mail.")
    except audience.NoAudience as problem:
        engine.change_status(instance, "fail", actor=context.actor, note=f"No audience. {problem} Then retry.")
        return f"has no audience: {problem}"
    campaign.audience_contacts.set(people[:SHOWN])
    flow.learn(instance, {"audience": number, "audience_of": _wanted(campaign)}, context)
    engine.note(instance, f"{number} people may receive it.", actor=context.actor, event="audience_found")
    return f"reaches {number} people"


def _wanted(campaign: Campaign) -> str:
    return repr((sorted(campaign.target_audience), campaign.target_criteria))[:500]


def _carry(campaign: Campaign, instance: WorkflowInstance, context: Context) -> str:
    """Gives every recipient the campaign's tag in Beehiiv, so that the post can be sent to just them."""
    if CampaignChannel.BEEHIIV.value not in campaign.channels:
        return ""
    facts = _facts(instance)
    if facts.get("carried"):
        return ""
    after = facts.get("carried_to")
    try:
        people = audience.of(campaign, context.now).filter(pk__gt=after if isinstance(after, int) else 0)
    except audience.NoAudience as problem:
        engine.change_status(instance, "fail", actor=context.actor, note=f"No audience. {problem} Then retry.")
        return f"has no audience: {problem}"
    rows = list(people[:BATCH])
    for contact in rows:
        _subscribe(campaign, contact)
    news: dict[str, object] = {"carried_to": rows[-1].pk} if rows else {}
    if len(rows) < BATCH:
        news["carried"] = True
    flow.learn(instance, news, context)
    return f"{len(rows)} recipients are carried to Beehiiv as “{campaign.campaign_id}”" if rows else ""


def _subscribe(campaign: Campaign, contact: Contact) -> None:
    outward.want(
        "beehiiv",
        "subscription.upsert",
        {
            "email": contact.email,
            "tags": [campaign.campaign_id],
            "utm_source": "higherself",
            "utm_medium": "campaign",
            "utm_campaign": campaign.utm or campaign.campaign_id,
        },
        dedupe_key=f"campaign:{campaign.campaign_id}:{contact.contact_id}",
        about=contact,
    )


def _measure(campaign: Campaign, instance: WorkflowInstance, context: Context) -> str:
    """Asks for the post's figures once a day for two weeks, and tells when too few open it."""
    sent = posts.sent_at(campaign) or flow.began_at(instance)
    asked = _ask(campaign, instance, sent, context)
    rate = campaign.open_rate
    if sent is None or rate is None or context.now - sent < TELLING_AFTER:
        return asked
    if flow.learn(instance, {"open_rate": round(rate, 4)}, context, revisit=True):
        return asked or f"its open rate is {rate:.0%}"
    return asked


def _ask(campaign: Campaign, instance: WorkflowInstance, sent: datetime | None, context: Context) -> str:
    today = context.now.date().isoformat()
    if not campaign.external_id or _facts(instance).get("asked_on") == today:
        return ""
    if sent is not None and context.now - sent > MEASURED_FOR:
        return ""
    outward.want(
        "beehiiv",
        "post.stats",
        {"post_id": campaign.external_id},
        dedupe_key=f"post.stats:{campaign.external_id}:{today}",
        about=campaign,
    )
    flow.learn(instance, {"asked_on": today}, context)
    return "its figures were asked for"


def _collect(campaign: Campaign, instance: WorkflowInstance, context: Context) -> str:
    """After the end the figures are asked for once more; with them, or after three days (a timer), it is analysed."""
    asked = _ask(campaign, instance, None, context)
    measured, since = posts.measured_at(campaign), instance.last_transition_date
    _count_leads(campaign)
    if measured is not None and since is not None and measured >= since:
        engine.advance(instance, "data_collected", actor=context.actor, note="The last figures have come")
        return "its figures are complete"
    return asked


def _count_leads(campaign: Campaign) -> None:
    """Subscriptions that came through this campaign's links: its UTM name, or its id."""
    names = [name for name in (campaign.utm, campaign.campaign_id) if name]
    found = Interaction.objects.filter(kind="subscribed", about__in=names, at__gte=campaign.created_at)
    number = found.values("contact").distinct().count()
    if number != (campaign.leads_generated or 0):
        campaign.leads_generated = number
        campaign.save(update_fields=["leads_generated"])


def _sum_up(campaign: Campaign, instance: WorkflowInstance, context: Context) -> str:
    """Puts the figures into words, unless somebody has written a summary."""
    if campaign.results_summary:
        return ""
    parts = [f"{campaign.recipients} recipients" if campaign.recipients is not None else "Nothing was measured"]
    if campaign.open_rate is not None:
        parts.append(f"{campaign.open_rate:.1%} opened it")
    if campaign.click_rate is not None:
        parts.append(f"{campaign.click_rate:.1%} clicked")
    if campaign.unsubscribes is not None:
        parts.append(f"{campaign.unsubscribes} unsubscribed")
    if campaign.leads_generated:
        parts.append(f"{campaign.leads_generated} new subscribers")
    campaign.results_summary = ", ".join(parts) + "."
    campaign.save(update_fields=["results_summary"])
    return "its results are summed up"


_STAGES = {
    "audience_segmentation": _find_audience,
    "campaign_activation": _carry,
    "monitoring": _measure,
    "final_push": _measure,
    "wrap_up": _collect,
    "analysis": _sum_up,
}
