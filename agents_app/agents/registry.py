"""The one table of agents. A new agent is a class in a file of its own and a line here."""

from __future__ import annotations

from agents_app.agents import handover
from agents_app.agents.audience_segmentation import AudienceSegmentationAgent
from agents_app.agents.base import AnyKind, BaseAgent
from agents_app.agents.booking import BookingAgent
from agents_app.agents.community_engagement import CommunityEngagementAgent
from agents_app.agents.content_lifecycle import ContentLifecycleAgent
from agents_app.agents.lead_capture import LeadCaptureAgent
from agents_app.agents.marketing_campaign import MarketingCampaignAgent
from agents_app.agents.task_management import TaskManagementAgent
from higherself.integrations.events import EventKind

AGENTS: dict[str, BaseAgent] = {
    agent.agent_id: agent
    for agent in (
        LeadCaptureAgent(),
        BookingAgent(),
        TaskManagementAgent(),
        MarketingCampaignAgent(),
        CommunityEngagementAgent(),
        ContentLifecycleAgent(),
        AudienceSegmentationAgent(),
    )
}

handover.introduce(AGENTS)

# What no agent takes, and why: decisions, as staff read them in the inbox. docs/flows.md lists them too.
LEFT_ALONE: dict[AnyKind, str] = {
    EventKind.LEAD_PARTIAL: "A form that is not finished is no lead yet: the whole submission is taken when it comes.",
    EventKind.RECORD_CHANGED: "Airtable's bell only says that something changed; what changed is fetched and comes as "
    "an event of its own.",
    **dict.fromkeys(
        (EventKind.RECORD_CREATED, EventKind.RECORD_UPDATED, EventKind.RECORD_DELETED),
        "Airtable receives copies of our records. What is changed there is not taken back: edit in Notion.",
    ),
    **dict.fromkeys(
        (EventKind.DEAL_CHANGED, EventKind.DEAL_DELETED),
        "Deals in HubSpot are copies of our bookings and orders: a change there moves nothing here.",
    ),
}


def takers(kind: AnyKind) -> list[BaseAgent]:
    """The agents that take this kind of event, in the order of the table."""
    return [agent for agent in AGENTS.values() if kind in agent.consumes]
