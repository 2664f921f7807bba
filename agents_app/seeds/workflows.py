"""The Workflows Library: what the eight definitions need to be rows."""

from __future__ import annotations

from typing import Any

from agents_app.workflow.definitions import SOURCES
from agents_app.workflow.machine import as_rows

_ABOUT: dict[str, dict[str, Any]] = {
    "WF-LEAD-CAPTURE": {
        "status": "Active",
        "trigger_type": "Form Submission",
        "trigger_conditions": "A Typeform response or a submission of the website's form.",
        "tags": ["Lead Nurturing"],
        "agents": ["LeadCaptureAgent", "TaskManagementAgent"],
    },
    "WF-RETREAT-BOOKING": {
        "status": "Active",
        "trigger_type": "External System",
        "trigger_conditions": "A booking in Amelia is added, changed or cancelled.",
        "tags": ["Booking Management"],
        "agents": ["BookingAgent", "TaskManagementAgent"],
    },
    "WF-ART-SALE": {
        "status": "Active",
        "trigger_type": "External System",
        "trigger_conditions": "An order in WooCommerce is created or updated.",
        "tags": ["Order Processing"],
        "agents": ["BookingAgent", "TaskManagementAgent"],
    },
    "WF-MKTG-CAMP": {
        "status": "Active",
        "trigger_type": "Database Change",
        "trigger_conditions": "A campaign is scheduled in Notion.",
        "tags": ["Content Creation"],
        "agents": ["MarketingCampaignAgent", "LeadCaptureAgent"],
    },
    "WF-TASK-MGMT": {
        "status": "Active",
        "trigger_type": "Event",
        "trigger_conditions": "A task that belongs to no other workflow.",
        "tags": ["Administrative"],
        "agents": ["TaskManagementAgent"],
    },
    "WF-COMMUNITY": {
        "status": "Active",
        "trigger_type": "External System",
        "trigger_conditions": "A member joins, acts or leaves in Circle.",
        "tags": ["Client Onboarding"],
        "agents": ["CommunityEngagementAgent", "TaskManagementAgent"],
    },
    "WF-CONT-CYCLE": {
        "status": "Active",
        "trigger_type": "Manual",
        "trigger_conditions": "Content is asked for, or a transcript is ready.",
        "tags": ["Content Creation"],
        "agents": ["ContentLifecycleAgent", "MarketingCampaignAgent"],
    },
    "WF-AUDIENCE": {
        "status": "Active",
        "trigger_type": "Scheduled",
        "trigger_conditions": "Once a day, or on request.",
        "tags": ["Reporting"],
        "agents": ["AudienceSegmentationAgent", "MarketingCampaignAgent"],
    },
}

AGENTS_OF = {workflow_id: about["agents"] for workflow_id, about in _ABOUT.items()}

WORKFLOWS: list[dict[str, Any]] = [
    {
        "workflow_id": workflow_id,
        "version": source["version"],
        "workflow_name": source["name"],
        "description": source["description"],
        "initial_state": source["initial"],
        "states": as_rows(source),
        "transitions": source["transitions"],
        **{name: value for name, value in _ABOUT[workflow_id].items() if name != "agents"},
    }
    for workflow_id, source in SOURCES.items()
]
