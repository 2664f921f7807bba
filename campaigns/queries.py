"""Look-ups that several agents and pages need."""

from __future__ import annotations

from campaigns.models import Campaign, Feedback


def campaign_with_external_id(external_id: str) -> Campaign | None:
    """The live campaign that was sent as this post of the newsletter service."""
    return Campaign.objects.live().filter(external_id=external_id).first() if external_id else None


def feedback_from(source: str, reference: str) -> Feedback | None:
    """The feedback that came from ``source`` under ``reference``, if it is here already."""
    if not reference:
        return None
    return Feedback.objects.live().filter(source=source, external_reference_id=reference).first()
