"""Flow 6: a member of the Circle community, from the welcome to champion, or to leaving."""

from __future__ import annotations

from typing import Any

DEFINITION: dict[str, Any] = {
    "id": "WF-COMMUNITY",
    "name": "Community Engagement",
    "version": "1.2.0",
    "description": "Welcomes members, notices when they fall silent, and recognises those who carry the community.",
    "initial": "new_member",
    "states": {
        "new_member": {
            "label": "New member",
            "tasks": [
                {
                    "key": "welcome_member",
                    "name": "Welcome new member",
                    "role": "community",
                    "due": {"days": 1},
                    "completes": "welcome_sent",
                    "when": "not_invited",
                    "tags": ["Client-facing"],
                },
                {
                    "key": "invite_member",
                    "name": "Invite the new client to the community",
                    "role": "community",
                    "due": {"days": 3},
                    "completes": "welcome_sent",
                    "when": "invited",
                    "tags": ["Client-facing"],
                    "lapses": True,
                },
            ],
            "notify": [{"template": "member_welcome", "to": "contact", "when": "not_invited"}],
        },
        "welcomed": {"label": "Welcomed"},
        "onboarding": {
            "label": "Onboarding",
            "tasks": [
                {
                    "key": "onboarding_check_in",
                    "name": "Onboarding check-in",
                    "role": "community",
                    "priority": "Low",
                    "due": {"days": 7},
                    "completes": "onboarding_complete",
                }
            ],
        },
        "active": {"label": "Active"},
        "at_risk": {
            "label": "At risk",
            "tasks": [
                {
                    "key": "re_engagement",
                    "name": "Re-engagement outreach",
                    "role": "community",
                    "due": {"days": 7},
                    "repeat": True,
                    "tags": ["Client-facing", "Follow-up"],
                }
            ],
        },
        "re_engaged": {"label": "Re-engaged"},
        "champion": {
            "label": "Champion",
            "tasks": [
                {
                    "key": "recognition",
                    "name": "Offer contribution or recognition",
                    "role": "community",
                    "priority": "Low",
                    "due": {"days": 7},
                }
            ],
        },
        "lapsed": {"label": "Lapsed", "status": "Completed"},
        "left": {"label": "Left", "status": "Cancelled"},
    },
    "transitions": [
        {"event": "member_joined", "from": [], "to": "new_member"},
        {"event": "welcome_sent", "from": ["new_member"], "to": "welcomed", "manual": True},
        {"event": "onboarding_started", "from": ["welcomed"], "to": "onboarding", "manual": True},
        {"event": "activity", "from": ["welcomed"], "to": "onboarding"},
        {"event": "onboarding_complete", "from": ["onboarding"], "to": "active", "manual": True},
        {"event": "settled_in", "from": ["onboarding", "re_engaged"], "to": "active", "timer": {"hours": 336}},
        {"event": "champion", "from": ["active"], "to": "champion", "guard": "score_at_least:80"},
        {"event": "score_fell", "from": ["champion"], "to": "active", "manual": True},
        {
            "event": "idle_30_days",
            "from": ["welcomed", "onboarding", "active", "champion", "re_engaged"],
            "to": "at_risk",
            "label": "Silent for 30 days",
            "timer": {"hours": 720, "base": "idle_since"},
        },
        {"event": "activity", "from": ["at_risk"], "to": "re_engaged"},
        {
            "event": "idle_90_days",
            "from": ["new_member", "at_risk"],
            "to": "lapsed",
            "label": "Silent for 90 days",
            "manual": True,
            "timer": {"hours": 2160, "base": "idle_since"},
        },
        {"event": "member_removed", "from": ["*"], "to": "left", "label": "Left the community", "manual": True},
    ],
}
