"""The one table of agents. A new agent is a class in a file of its own and a line here."""

from __future__ import annotations

from agents_app.agents.audience_segmentation import AudienceSegmentationAgent
from agents_app.agents.base import AnyKind, BaseAgent
from agents_app.agents.booking import BookingAgent
from agents_app.agents.community_engagement import CommunityEngagementAgent
from agents_app.agents.content_lifecycle import ContentLifecycleAgent
from agents_app.agents.lead_capture import LeadCaptureAgent
from agents_app.agents.marketing_campaign import MarketingCampaignAgent
from agents_app.agents.task_management import TaskManagementAgent

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


def takers(kind: AnyKind) -> list[BaseAgent]:
    """The agents that take this kind of event, in the order of the table."""
    return [agent for agent in AGENTS.values() if kind in agent.consumes]
