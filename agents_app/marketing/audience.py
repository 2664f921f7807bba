"""Whom a campaign is for: what its row says, turned into one condition, minus everybody who must not be written to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from campaigns import criteria
from campaigns.models import Campaign, SegmentMembership
from contacts.models import Contact
from contacts.queries import accepting_email_marketing

# The options of *Target Audience* that mean the same everywhere; any other name is a segment's.
_OPTIONS: dict[str, list[dict[str, Any]]] = {
    "All Clients": [{"field": "status", "operator": "in", "value": ["Active Client", "Former Client"]}],
    "Active Clients": [{"field": "status", "operator": "equals", "value": "Active Client"}],
    "Former Clients": [{"field": "status", "operator": "equals", "value": "Former Client"}],
    "Leads": [{"field": "status", "operator": "in", "value": ["Active Lead", "Qualified Lead"]}],
    "Community Members": [{"field": "community.status", "operator": "equals", "value": "Active"}],
    "VIP": [{"field": "tags", "operator": "contains", "value": "VIP"}],
    "New Subscribers": [{"field": "did.subscribed", "operator": "within_days", "value": 30}],
}
# Stands for what Target Criteria says.
CUSTOM = "Custom Segment"


class NoAudience(ValueError):
    """The campaign does not say whom it is for, or says it wrongly; a sentence for the person who plans it."""


def of(campaign: Campaign, now: datetime) -> QuerySet[Contact]:
    """The people a campaign may be sent to, by id. Raises `NoAudience`."""
    wanted = _wanted(campaign, now)
    if wanted is None:
        raise NoAudience("It names nobody: choose a Target Audience, or write criteria into Target Criteria.")
    return accepting_email_marketing(Contact.objects.filter(wanted)).order_by("pk")


def _wanted(campaign: Campaign, now: datetime) -> Q | None:
    stored = campaign.target_criteria if isinstance(campaign.target_criteria, dict) else {}
    if isinstance(campaign.target_criteria, list):
        stored = {"criteria": campaign.target_criteria}
    named = [name for name in campaign.target_audience if name in _OPTIONS]
    segments = [name for name in campaign.target_audience if name not in _OPTIONS and name != CUSTOM]
    listed = stored.get("segments")
    segments += [str(name) for name in listed] if isinstance(listed, list) else []
    found: Q | None = None
    for name in named:
        found = _or(found, criteria.condition(criteria.parse(_OPTIONS[name]), now))
    if segments:
        stays = SegmentMembership.objects.filter(
            contact=OuterRef("pk"), left_at__isnull=True, segment__name__in=segments
        )
        found = _or(found, Q(Exists(stays)))
    own = stored.get("criteria") or (stored if "rules" in stored else None)
    if own:
        try:
            found = _or(found, criteria.condition(criteria.parse(own), now))
        except criteria.BrokenCriteria as error:
            raise NoAudience(f"Its Target Criteria cannot be used: {error}") from error
    return found


def _or(found: Q | None, more: Q) -> Q:
    return more if found is None else found | more
