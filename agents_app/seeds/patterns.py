"""The Agent Communication Patterns: who may tell whom what."""

from __future__ import annotations

from typing import Any

from agents_app.agents.base import WorkKind

_FORMAT = {
    "type": "object",
    "properties": {"instance_pk": {"type": "integer"}},
    "required": ["instance_pk"],
}


def _tasks_after(agent_id: str, name: str) -> dict[str, Any]:
    return {
        "pattern_name": name,
        "description": "Each state that an instance enters is told to the Task Management Agent, which makes tasks. "
        "While this pattern is not Active, no tasks are made for these workflows.",
        "source": agent_id,
        "target": "TaskManagementAgent",
        "event_type": WorkKind.STATE_ENTERED.value,
        "communication_protocol": "Direct Function Call",
        "message_format": _FORMAT,
        "sample_payload": {"instance_pk": 1},
        "required_permissions": ["Read", "Write"],
        "tags": ["Core", "Business Logic"],
        "success_criteria": "Each template of the state has one task per instance.",
        "error_handling": "The whole event is rolled back and tried again.",
    }


def _handed(source: str, target: str, kind: WorkKind, name: str, description: str) -> dict[str, Any]:
    return {
        "pattern_name": name,
        "description": description,
        "source": source,
        "target": target,
        "event_type": kind.value,
        "communication_protocol": "Direct Function Call",
        "required_permissions": ["Read", "Write"],
        "tags": ["Core", "Business Logic"],
        "success_criteria": "The other agent's run is done in the same transaction.",
        "error_handling": "While this pattern is not Active the event is refused and waits for a person.",
    }


PATTERNS: list[dict[str, Any]] = [
    _tasks_after("LeadCaptureAgent", "Lead Capture to Task Creation"),
    _tasks_after("BookingAgent", "Booking to Task Creation"),
    _tasks_after("CommunityEngagementAgent", "Community Engagement to Task Creation"),
    _tasks_after("MarketingCampaignAgent", "Marketing Campaign to Task Creation"),
    _tasks_after("ContentLifecycleAgent", "Content Lifecycle to Task Creation"),
    _tasks_after("AudienceSegmentationAgent", "Audience Segmentation to Task Creation"),
    _handed(
        "MarketingCampaignAgent",
        "LeadCaptureAgent",
        WorkKind.LEAD_FOUND,
        "Outreach Reply to Lead Capture",
        "Somebody replied to outreach: the reply is scored and looked after like a form's submission.",
    ),
    _handed(
        "LeadCaptureAgent",
        "CommunityEngagementAgent",
        WorkKind.SURVEY_RECEIVED,
        "Survey Form to Feedback",
        "A form whose Data Transformation says that it is a survey: its answers become feedback and no lead.",
    ),
    _handed(
        "ContentLifecycleAgent",
        "MarketingCampaignAgent",
        WorkKind.CONTENT_PUBLISHED,
        "Published Content to Campaign",
        "Content is out and mail is among its platforms: a campaign waits as a draft.",
    ),
]
