"""Posts of the newsletter: each is a campaign, whether it was planned here or written there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from agents_app.agents.base import Context, Created, Outcome, Result
from agents_app.marketing import flow
from agents_app.services import catalog
from agents_app.text import one_line
from campaigns.choices import CampaignChannel, CampaignStatus, CampaignType
from campaigns.models import Campaign
from higherself.integrations.events import EventKind
from higherself.integrations.material import PostMaterial

FIGURES = ("recipients", "opens", "unique_opens", "clicks", "unique_clicks", "unsubscribes")
# What we remember of a post, in the campaign's Performance Metrics.
_NOTES = "beehiiv"


def hear(data: PostMaterial, context: Context) -> Outcome:
    kind = EventKind(context.kind)
    campaign, new = _campaign(data, kind)
    if campaign is None:
        return Outcome(Result.NOTHING, f"Post {one_line(data.post_id, 60)} belongs to no campaign known here.")
    changed = _learn(campaign, data, kind, context)
    if new:
        campaign.save(force_insert=True)
    elif changed:
        campaign.save(update_fields=sorted(changed))
    moved = flow.follow_post(campaign, sent=bool(_notes(campaign).get("sent_at")), context=context)
    if not (new or changed or moved.rows or moved.text):
        return Outcome(Result.DUPLICATE, f"This was told of “{campaign}” already.")
    rows = [*([campaign] if new else []), *moved.rows]
    text = f"“{campaign}”: {kind.value.partition('.')[2]}{moved.text}."
    return Outcome(Result.DONE, text, tuple(Created.of(row) for row in rows))


def _campaign(data: PostMaterial, kind: EventKind) -> tuple[Campaign | None, bool]:
    rows = Campaign.objects.live().select_for_update(of=("self",))
    found = rows.filter(external_id=data.post_id).first() or _planned(data)
    if found is not None:
        return found, False
    if kind == EventKind.POST_MEASURED:
        return None, False
    entity = catalog.current().entity_of_source("Beehiiv")
    campaign = Campaign(
        campaign_name=one_line(data.title or data.subject_line or data.post_id, 500),
        campaign_type=CampaignType.EMAIL,
        channels=[CampaignChannel.BEEHIIV.value],
        business_entity=entity,
        external_id=data.post_id[:200],
        performance_metrics={_NOTES: {"made_here": True}},
    )
    return campaign, True


def _planned(data: PostMaterial) -> Campaign | None:
    """The open campaign of this name that has no post yet: the one it was written for."""
    names = Q()
    for name in {data.title.strip(), data.subject_line.strip()} - {""}:
        names |= Q(campaign_name__iexact=name)
    if not names:
        return None
    rows = Campaign.objects.live().select_for_update(of=("self",)).filter(names, external_id="")
    over = [CampaignStatus.COMPLETED, CampaignStatus.CANCELLED]
    return rows.exclude(status__in=over).order_by("-pk").first()


def _notes(campaign: Campaign) -> dict[str, Any]:
    stored = campaign.performance_metrics if isinstance(campaign.performance_metrics, dict) else {}
    notes = stored.get(_NOTES)
    return dict(notes) if isinstance(notes, dict) else {}


def _learn(campaign: Campaign, data: PostMaterial, kind: EventKind, context: Context) -> set[str]:
    """Takes over what is newer than what is known; late news about the past changes nothing."""
    notes = _notes(campaign)
    wanted: dict[str, Any] = {"external_id": data.post_id[:200]}
    at = context.occurred_at
    if kind == EventKind.POST_MEASURED:
        if _is_newer(notes.get("measured_at"), at):
            wanted |= {name: value for name in FIGURES if (value := getattr(data, name)) is not None}
            notes["measured_at"] = at.isoformat()
    elif _is_newer(notes.get("told_at"), at):
        notes["told_at"] = at.isoformat()
        if data.url:
            wanted["external_url"] = data.url[:2000]
        if notes.get("made_here") and data.title:
            wanted["campaign_name"] = one_line(data.title, 500)
        if data.published_at and (not campaign.start_date or notes.get("made_here")):
            wanted["start_date"] = data.published_at
    if kind == EventKind.POST_SENT:
        sent = min(filter(None, [notes.get("sent_at"), (data.published_at or at).isoformat()]))
        notes["sent_at"] = sent
    stored = campaign.performance_metrics if isinstance(campaign.performance_metrics, dict) else {}
    wanted["performance_metrics"] = {**stored, _NOTES: notes}
    changed = {name for name, value in wanted.items() if getattr(campaign, name) != value}
    for name in changed:
        setattr(campaign, name, wanted[name])
    return changed


def _is_newer(known: Any, at: datetime) -> bool:
    return not isinstance(known, str) or datetime.fromisoformat(known) <= at


def sent_at(campaign: Campaign) -> datetime | None:
    """When its post was sent, as Beehiiv said."""
    told = _notes(campaign).get("sent_at")
    return datetime.fromisoformat(told) if isinstance(told, str) else None


def measured_at(campaign: Campaign) -> datetime | None:
    told = _notes(campaign).get("measured_at")
    return datetime.fromisoformat(told) if isinstance(told, str) else None
