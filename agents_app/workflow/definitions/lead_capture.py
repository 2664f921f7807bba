"""Flow 1: from the first form, reply or sign-up to a won or lost lead."""

from __future__ import annotations

from typing import Any

# Made for every scored lead. Keys are shared by the two states on purpose: a lead that is re-scored from nurturing
# to qualified keeps the tasks that it already has.
_BY_INTEREST: list[dict[str, Any]] = [
    {
        "key": "schedule_consultation",
        "name": "Schedule consultation call",
        "role": "bookings",
        "priority": "High",
        "due": {"days": 2},
        "when": "interest:consultation",
        "tags": ["Client-facing"],
    },
    {
        "key": "retreat_package",
        "name": "Provide retreat information package",
        "role": "community",
        "priority": "Medium",
        "due": {"days": 1},
        "when": "interest:retreat",
        "tags": ["Client-facing"],
    },
]


def _follow_up(priority: str, check_after_days: int) -> list[dict[str, Any]]:
    return [
        {
            "key": "follow_up_email",
            "name": "Send personalised follow-up email",
            "description": "Set this task to Done once you have written: the lead then counts as contacted.",
            "role": "lead owner",
            "priority": priority,
            "due": {"days": 0},
            "completes": "contact_made",
            "tags": ["Client-facing", "Follow-up"],
        },
        {
            "key": "follow_up_check",
            "name": "Follow-up check",
            "role": "lead owner",
            "priority": "Low",
            "due": {"days": check_after_days},
            "tags": ["Follow-up"],
        },
    ]


DEFINITION: dict[str, Any] = {
    "id": "WF-LEAD-CAPTURE",
    "name": "Lead Capture & Initial Processing",
    "version": "1.1.0",
    "description": "Takes a lead from any source, scores it, hands it to people, follows it until it is won or lost.",
    "initial": "new_lead",
    "states": {
        "new_lead": {
            "label": "New lead",
            "tasks": [
                {
                    "key": "event_lead_outreach",
                    "name": "Reach out to event lead",
                    "role": "lead owner",
                    "priority": "Urgent",
                    "due": {"hours": 4},
                    "when": "source_in:Event",
                    "tags": ["Client-facing", "Urgent"],
                },
                {
                    "key": "referral_outreach",
                    "name": "Reach out to referred lead",
                    "role": "lead owner",
                    "priority": "Urgent",
                    "due": {"hours": 2},
                    "when": "source_in:Referral|Beehiiv Referral",
                    "tags": ["Client-facing", "Urgent"],
                },
                {
                    "key": "thank_referrer",
                    "name": "Thank the referrer",
                    "role": "community",
                    "priority": "High",
                    "due": {"hours": 6},
                    "when": "source_in:Referral|Beehiiv Referral",
                    "tags": ["Client-facing"],
                },
                {
                    "key": "artist_portfolio_review",
                    "name": "Review artist portfolio",
                    "role": "gallery",
                    "priority": "High",
                    "due": {"hours": 2},
                    "when": "interest:portfolio",
                    "tags": ["Creative"],
                },
            ],
            "notify": [
                {"template": "new_lead", "to": "team"},
                # Whom somebody has entered by hand has not written to us.
                {"template": "lead_acknowledgement", "to": "contact", "when": "not_by_hand"},
            ],
        },
        "qualified": {
            "label": "Qualified",
            "tasks": [
                *_follow_up("High", 3),
                *_BY_INTEREST,
                {
                    "key": "vip_nurture",
                    "name": "Add to VIP nurture sequence",
                    "role": "marketing",
                    "priority": "Medium",
                    "category": "Marketing",
                    "due": {"days": 0},
                    "tags": ["Marketing"],
                },
            ],
        },
        "nurturing": {"label": "Nurturing", "tasks": [*_follow_up("Medium", 7), *_BY_INTEREST]},
        "contacted": {"label": "Contacted"},
        "converted": {"label": "Converted", "status": "Completed"},
        "unqualified": {"label": "Unqualified", "status": "Completed"},
        "closed_lost": {"label": "Closed, lost", "status": "Completed"},
    },
    "transitions": [
        {"event": "lead_captured", "from": [], "to": "new_lead"},
        {"event": "scored", "from": ["new_lead"], "to": "qualified", "guard": "quality_in:Excellent|High"},
        {"event": "scored", "from": ["new_lead"], "to": "nurturing", "guard": "quality_in:Medium|Low"},
        {"event": "scored", "from": ["new_lead"], "to": "unqualified", "guard": "quality_in:Very Low"},
        {
            "event": "invalid",
            "from": ["new_lead"],
            "to": "unqualified",
            "label": "Mark as invalid",
            "manual": True,
        },
        {
            "event": "contact_made",
            "from": ["qualified", "nurturing"],
            "to": "contacted",
            "label": "Contact made",
            "manual": True,
        },
        {
            "event": "engagement_threshold",
            "from": ["nurturing"],
            "to": "qualified",
            "label": "Qualify",
            "manual": True,
        },
        {"event": "rescored", "from": ["nurturing"], "to": "qualified", "guard": "quality_in:Excellent|High"},
        {"event": "booking_created", "from": ["qualified", "nurturing", "contacted"], "to": "converted"},
        {"event": "order_paid", "from": ["qualified", "nurturing", "contacted"], "to": "converted"},
        {
            "event": "client_won",
            "from": ["qualified", "nurturing", "contacted"],
            "to": "converted",
            "label": "Won",
            "manual": True,
        },
        {
            "event": "declined",
            "from": ["qualified", "nurturing", "contacted"],
            "to": "closed_lost",
            "label": "Declined",
            "manual": True,
        },
        {
            "event": "no_response",
            "from": ["qualified", "nurturing", "contacted"],
            "to": "closed_lost",
            "label": "No response for 30 days",
            "timer": {"hours": 720},
        },
        {
            "event": "do_not_contact",
            "from": ["qualified", "nurturing", "contacted"],
            "to": "closed_lost",
            "label": "Do not contact",
            "manual": True,
        },
    ],
}
