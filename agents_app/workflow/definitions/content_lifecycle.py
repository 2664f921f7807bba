"""Flow 7: a piece of content from the idea to the archive."""

from __future__ import annotations

from typing import Any

_BEFORE_PUBLISHING = ["ideation", "planning", "creation", "review", "revision", "approval", "scheduling"]

DEFINITION: dict[str, Any] = {
    "id": "WF-CONT-CYCLE",
    "name": "Content Creation & Distribution",
    "version": "1.1.0",
    "description": "Carries content through writing, review, approval, publication and re-use.",
    "initial": "ideation",
    "states": {
        "ideation": {
            "label": "Idea",
            "tasks": [
                {
                    "key": "choose_idea",
                    "name": "Decide whether the idea is taken up",
                    "role": "content",
                    "category": "Content Creation",
                    "due": {"days": 3},
                    "completes": "idea_selected",
                    "when": "no_text",
                    "tags": ["Creative"],
                    "lapses": True,
                }
            ],
        },
        "planning": {
            "label": "Planning",
            "tasks": [
                {
                    "key": "plan_content",
                    "name": "Plan the content: for whom, where, until when",
                    "role": "content",
                    "category": "Content Creation",
                    "due": {"days": 3},
                    "completes": "plan_finalized",
                    "tags": ["Creative"],
                }
            ],
        },
        "creation": {
            "label": "Creation",
            "tasks": [
                {
                    "key": "draft_content",
                    "name": "Draft content",
                    "role": "content",
                    "category": "Content Creation",
                    "due": {"days": -7, "base": "target"},
                    "completes": "draft_completed",
                    "repeat": True,
                    "tags": ["Creative"],
                },
                {
                    "key": "produce_media",
                    "name": "Produce media",
                    "role": "content",
                    "category": "Content Creation",
                    "due": {"days": -3, "base": "target"},
                    "when": "media_required",
                    "tags": ["Creative"],
                },
            ],
        },
        "review": {
            "label": "Review",
            "tasks": [
                {
                    "key": "review_content",
                    "name": "Review content",
                    "role": "content",
                    "priority": "High",
                    "category": "Content Creation",
                    "due": {"days": 2},
                    "completes": "review_passed",
                    "repeat": True,
                }
            ],
        },
        "revision": {
            "label": "Revision",
            "tasks": [
                {
                    "key": "revise_content",
                    "name": "Revise content",
                    "role": "content",
                    "category": "Content Creation",
                    "due": {"days": 2},
                    "completes": "revision_completed",
                    "repeat": True,
                }
            ],
        },
        "approval": {"label": "Approval"},
        "scheduling": {
            "label": "Scheduled",
            "tasks": [
                {
                    "key": "publish_check",
                    "name": "Publish check",
                    "role": "content",
                    "priority": "High",
                    "category": "Content Creation",
                    "due": {"base": "publish"},
                }
            ],
        },
        "publishing": {
            "label": "Publishing",
            "tasks": [
                {
                    "key": "publish_content",
                    "name": "Publish the content on its platforms and note the address",
                    "role": "content",
                    "priority": "High",
                    "category": "Content Creation",
                    "due": {"days": 1},
                    "completes": "published",
                    "repeat": True,
                }
            ],
        },
        "distribution": {"label": "Distribution"},
        "monitoring": {
            "label": "Monitoring",
            "tasks": [
                {
                    "key": "performance_review",
                    "name": "Performance review",
                    "role": "marketing",
                    "priority": "Low",
                    "category": "Marketing",
                    "due": {"days": 14},
                    "completes": "content_lifecycle_complete",
                    "repeat": True,
                }
            ],
        },
        "repurposing": {
            "label": "Re-use",
            "tasks": [
                {
                    "key": "repurpose_content",
                    "name": "Say what becomes of it next",
                    "role": "content",
                    "category": "Content Creation",
                    "due": {"days": 7},
                    "completes": "repurposing_started",
                    "repeat": True,
                }
            ],
        },
        "archiving": {"label": "Archived", "status": "Completed"},
        "canceled": {"label": "Cancelled", "status": "Cancelled"},
    },
    "transitions": [
        {"event": "content_requested", "from": [], "to": "ideation"},
        {"event": "idea_selected", "from": ["ideation"], "to": "planning", "manual": True},
        {"event": "plan_finalized", "from": ["planning"], "to": "creation", "manual": True},
        {"event": "transcript_ready", "from": ["ideation", "planning"], "to": "creation"},
        {"event": "draft_completed", "from": ["creation"], "to": "review", "manual": True},
        {"event": "changes_requested", "from": ["review", "approval"], "to": "revision", "manual": True},
        {"event": "revision_completed", "from": ["revision"], "to": "review", "manual": True},
        {"event": "review_passed", "from": ["review"], "to": "approval", "manual": True},
        {
            "event": "content_approved",
            "from": ["approval"],
            "to": "scheduling",
            "manual": True,
            "approval": "content.publish",
        },
        {
            "event": "publication_time",
            "from": ["scheduling"],
            "to": "publishing",
            "manual": True,
            "timer": {"hours": 0, "base": "publish"},
        },
        {"event": "published", "from": ["publishing"], "to": "distribution", "manual": True},
        {"event": "distribution_complete", "from": ["distribution"], "to": "monitoring", "manual": True},
        {"event": "repurposing_opportunity", "from": ["monitoring"], "to": "repurposing", "manual": True},
        {"event": "repurposing_started", "from": ["repurposing"], "to": "creation", "manual": True},
        {
            "event": "content_lifecycle_complete",
            "from": ["monitoring"],
            "to": "archiving",
            "label": "Archive",
            "manual": True,
        },
        {"event": "canceled", "from": _BEFORE_PUBLISHING, "to": "canceled", "label": "Cancel", "manual": True},
    ],
}
