"""Flow 4: an email campaign through Beehiiv, from the plan to the results."""

from __future__ import annotations

from typing import Any

_BEFORE_LAUNCH = [
    "campaign_planning",
    "audience_segmentation",
    "content_creation",
    "content_approval",
    "channel_setup",
]

DEFINITION: dict[str, Any] = {
    "id": "WF-MKTG-CAMP",
    "name": "Marketing Email Campaign",
    "version": "1.1.0",
    "description": "Plans, approves, launches and measures one campaign.",
    "initial": "campaign_planning",
    "states": {
        "campaign_planning": {
            "label": "Planning",
            "tasks": [
                {
                    "key": "plan_campaign",
                    "name": "Plan the campaign and say whom it is for",
                    "role": "marketing",
                    "category": "Marketing",
                    "due": {"days": 3},
                    "completes": "plan_approved",
                    "tags": ["Marketing"],
                    "lapses": True,
                }
            ],
        },
        "audience_segmentation": {
            "label": "Choosing the audience",
            "tasks": [
                {
                    "key": "approve_audience",
                    "name": "Approve audience",
                    "role": "marketing",
                    "category": "Marketing",
                    "due": {"days": 2},
                    "completes": "segments_defined",
                    "tags": ["Marketing"],
                    "lapses": True,
                }
            ],
        },
        "content_creation": {
            "label": "Writing",
            "tasks": [
                {
                    "key": "write_content",
                    "name": "Write campaign content",
                    "role": "marketing",
                    "priority": "High",
                    "category": "Content Creation",
                    "due": {"days": -5, "base": "start"},
                    "completes": "content_ready",
                    "repeat": True,
                    "tags": ["Marketing", "Creative"],
                    "lapses": True,
                }
            ],
        },
        "content_approval": {
            "label": "Approval",
            "tasks": [
                {
                    "key": "approve_content",
                    "name": "Read and approve the content",
                    "role": "marketing",
                    "priority": "High",
                    "category": "Marketing",
                    "due": {"days": 2},
                    "completes": "content_approved",
                    "repeat": True,
                    "tags": ["Marketing"],
                    "lapses": True,
                }
            ],
        },
        "channel_setup": {
            "label": "Setting up channels",
            "tasks": [
                {
                    "key": "launch_check",
                    "name": "Launch check",
                    "role": "marketing",
                    "priority": "High",
                    "category": "Marketing",
                    "due": {"days": -1, "base": "start"},
                    "completes": "channels_configured",
                    "tags": ["Marketing"],
                    "lapses": True,
                }
            ],
        },
        "campaign_activation": {
            "label": "Activation",
            "tasks": [
                {
                    "key": "send_post",
                    "name": "Send the post in Beehiiv to the subscribers with the campaign's tag",
                    "role": "marketing",
                    "priority": "High",
                    "category": "Marketing",
                    "due": {"base": "start"},
                    "completes": "campaign_launched",
                    "repeat": True,
                    "tags": ["Marketing"],
                    "lapses": True,
                }
            ],
        },
        "paused": {"label": "Paused"},
        "monitoring": {
            "label": "Running",
            "tasks": [
                {
                    "key": "underperforming",
                    "name": "Look into low open rate",
                    "role": "marketing",
                    "priority": "High",
                    "category": "Marketing",
                    "due": {"days": 1},
                    "when": "open_rate_below:0.15",
                    "tags": ["Marketing"],
                }
            ],
        },
        "optimization": {"label": "Optimisation"},
        "final_push": {"label": "Final push"},
        "wrap_up": {"label": "Wrap-up"},
        "analysis": {
            "label": "Analysis",
            "tasks": [
                {
                    "key": "review_results",
                    "name": "Review results",
                    "role": "marketing",
                    "category": "Marketing",
                    "due": {"days": 3},
                    "completes": "analysis_complete",
                    "tags": ["Marketing"],
                }
            ],
        },
        "completed": {"label": "Completed", "status": "Completed"},
        "canceled": {"label": "Cancelled", "status": "Cancelled"},
    },
    "transitions": [
        {"event": "campaign_created", "from": [], "to": "campaign_planning"},
        {"event": "plan_approved", "from": ["campaign_planning"], "to": "audience_segmentation", "manual": True},
        {"event": "segments_defined", "from": ["audience_segmentation"], "to": "content_creation", "manual": True},
        {"event": "content_ready", "from": ["content_creation"], "to": "content_approval", "manual": True},
        {"event": "revisions_needed", "from": ["content_approval"], "to": "content_creation", "manual": True},
        {"event": "content_approved", "from": ["content_approval"], "to": "channel_setup", "manual": True},
        {
            "event": "channels_configured",
            "from": ["channel_setup"],
            "to": "campaign_activation",
            "manual": True,
            "approval": "campaign.activate",
        },
        {"event": "campaign_launched", "from": ["campaign_activation"], "to": "monitoring", "manual": True},
        # A fact: it may have been written and sent in Beehiiv without us.
        {
            "event": "post_sent",
            "from": [*_BEFORE_LAUNCH, "campaign_activation", "paused"],
            "to": "monitoring",
            "label": "The post has been sent",
        },
        {"event": "optimization_needed", "from": ["monitoring"], "to": "optimization", "manual": True},
        {"event": "changes_implemented", "from": ["optimization"], "to": "monitoring", "manual": True},
        {"event": "campaign_ending", "from": ["monitoring"], "to": "final_push", "manual": True},
        {
            "event": "campaign_ended",
            "from": ["monitoring", "final_push"],
            "to": "wrap_up",
            "manual": True,
            "timer": {"hours": 0, "base": "end"},
        },
        {"event": "paused", "from": ["campaign_activation", "monitoring"], "to": "paused", "manual": True},
        {"event": "resumed", "from": ["paused"], "to": "campaign_activation", "manual": True},
        {
            "event": "data_collected",
            "from": ["wrap_up"],
            "to": "analysis",
            "manual": True,
            "timer": {"hours": 72},
        },
        {"event": "analysis_complete", "from": ["analysis"], "to": "completed", "manual": True},
        {
            "event": "canceled",
            "from": [*_BEFORE_LAUNCH, "campaign_activation", "paused"],
            "to": "canceled",
            "label": "Cancel",
            "manual": True,
        },
    ],
}
