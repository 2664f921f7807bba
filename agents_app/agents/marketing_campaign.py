"""Email campaigns through Beehiiv: audience, launch, results."""

from __future__ import annotations

from agents_app.agents.base import NotYet


class MarketingCampaignAgent(NotYet):
    name = "Marketing Campaign Agent"
    description = "Email campaigns through Beehiiv: audience, launch, results."
    capabilities = (
        "Marketing Campaign",
        "Client Communication",
        "Notification Dispatch",
        "Content Generation",
    )
    apis = (
        "NOTION_API",
        "HUBSPOT_API",
        "BEEHIIV_API",
    )
    planned = (
        "campaign.scheduled",
        "post.sent",
        "subscription.created",
        "subscription.deleted",
    )
