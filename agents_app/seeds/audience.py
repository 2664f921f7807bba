"""Segments and reward programmes that a new installation begins with; people change, add and switch them off."""

from __future__ import annotations

from typing import Any

_BOOKED = {"field": "workflow.WF-RETREAT-BOOKING", "operator": "within_days", "value": 30}


def _segment(name: str, description: str, *rules: dict[str, Any], match: str = "all") -> dict[str, Any]:
    return {"name": name, "description": description, "criteria": {"match": match, "rules": list(rules)}}


def _is(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


SEGMENTS: list[dict[str, Any]] = [
    _segment("leads", "Open leads.", _is("status", "in", ["Active Lead", "Qualified Lead"])),
    _segment("active_clients", "Who buys or books now.", _is("status", "equals", "Active Client")),
    _segment("former_clients", "Who did once.", _is("status", "equals", "Former Client")),
    _segment(
        "recent_bookings",
        "Who booked within 30 days.",
        _BOOKED,
        _is("did.booking", "within_days", 30),
        match="any",
    ),
    _segment(
        "art_collectors",
        "Who collects art.",
        _is("contact_type", "equals", "Collector"),
        _is("workflow.WF-ART-SALE", "exists"),
        match="any",
    ),
    _segment(
        "retreat_alumni",
        "Who has been on a retreat.",
        _is("workflow.WF-RETREAT-BOOKING", "in", ["follow_up", "feedback_collection", "completed"]),
    ),
    _segment("Community", "Active members of the community.", _is("community.status", "equals", "Active")),
    _segment(
        "community_active",
        "Members who did something within 30 days.",
        _is("community.status", "equals", "Active"),
        _is("community.last_active", "within_days", 30),
    ),
    _segment(
        "community_at_risk",
        "Active members who fell silent.",
        _is("community.status", "equals", "Active"),
        _is("community.last_active", "not_within_days", 30),
    ),
    _segment(
        "newsletter_subscribers",
        "Subscribers who may be written to.",
        _is("tags", "contains", "newsletter_subscriber"),
        _is("accepts_email_marketing", "equals", True),
    ),
    _segment(
        "course_students",
        "Who took a course.",
        _is("did.course_enrolled", "exists"),
        _is("did.course_completed", "exists"),
        match="any",
    ),
]


def _program(name: str, action: str, points: int, reward_type: str, description: str) -> dict[str, Any]:
    return {
        "reward_id": f"RWD-{name.upper().replace(' ', '-')}",
        "reward_name": name,
        "record_kind": "Program",
        "description": description,
        "reward_type": reward_type,
        "status": "Active",
        "points_value": points,
        "qualifying_action": action,
        "target_audience": ["Community Members"],
    }


PROGRAMS: list[dict[str, Any]] = [
    _program(
        "Regular Contributor",
        "engagement_score >= 25",
        25,
        "Achievement Badge",
        "For members whose engagement has reached 25.",
    ),
    _program("Content Creator", "engagement_score >= 50", 50, "Achievement Badge", "For members who have reached 50."),
    _program("Mentor", "engagement_score >= 100", 100, "Achievement Badge", "For members who have reached 100."),
    _program("Refer a Friend", "referral", 50, "Referral Bonus", "For whoever brought a new subscriber."),
]
