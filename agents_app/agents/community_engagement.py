"""Circle members: welcome, activity, recognition, silence."""

from __future__ import annotations

from agents_app.agents.base import NotYet


class CommunityEngagementAgent(NotYet):
    name = "Community Engagement Agent"
    description = "Circle members: welcome, activity, recognition, silence."
    capabilities = (
        "Community Engagement",
        "Client Communication",
        "Notification Dispatch",
        "Workflow Management",
    )
    apis = (
        "NOTION_API",
        "CIRCLE_API",
    )
    planned = (
        "member.joined",
        "member.activity",
        "member.left",
        "community_event.created",
    )
