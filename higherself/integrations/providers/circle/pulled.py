"""What we ask Circle for ourselves, as deliveries: members as they are, posts and comments as its nudges tell them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from higherself.integrations.delivery import Delivery
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import MemberMaterial
from higherself.integrations.providers.circle.schemas import Member
from higherself.integrations.reading import found_text, read, text, time_of

BACKFILL = "backfill"


def member(found: Mapping[str, Any], operation: str) -> Delivery:
    return _delivery({"type": "member", "member": found}, operation)


def post(found: Mapping[str, Any]) -> Delivery:
    data = {
        "post_id": found.get("id"),
        "community_id": found.get("community_id"),
        "space_id": found.get("space_id"),
        "email": found.get("user_email"),
        "name": found.get("user_name"),
        "title": found.get("name"),
        "occurred_at": found.get("published_at") or found.get("created_at"),
    }
    return _delivery({"type": "post.published", "data": data}, BACKFILL)


def comment(found: Mapping[str, Any]) -> Delivery:
    data = {
        "comment_id": found.get("id"),
        "post_id": _id(found.get("post")),
        "space_id": _id(found.get("space")),
        "community_id": found.get("community_id"),
        "email": found_text(found.get("user"), "email"),
        "name": found_text(found.get("user"), "name"),
        "occurred_at": found.get("created_at"),
    }
    return _delivery({"type": "comment.created", "data": data}, BACKFILL)


def read_member(body: Mapping[str, Any], delivery: Delivery, source: str) -> Event:
    """The event of a member's delivery; its id is there, since `member` is made of an answer that had one."""
    found, problems = read(Member, body)
    return event(
        EventKind.MEMBER_READ,
        MemberMaterial(
            member_id=found.id,
            community_id=found.community_id,
            email=found.email,
            name=found.name or f"{found.first_name} {found.last_name}".strip(),
            first_name=found.first_name,
            last_name=found.last_name,
            headline=found.headline,
            profile_url=found.profile_url,
            active=found.active,
            joined_at=time_of(found.created_at),
            last_seen_at=time_of(found.last_seen_at),
            accepted_at=time_of(found.accepted_invitation),
            tags=[name for tag in found.member_tags if (name := text(tag.get("name")))],
            posts=found.posts_count,
            comments=found.comments_count,
            score=found.activity_score.activity_score,
            points=found.gamification_stats.total_points,
            level=found.gamification_stats.current_level_name,
            fields={name: value for name, value in found.flattened_profile_fields.items() if value is not None},
            problems=problems,
        ),
        source=source,
        source_id=found.id,
        occurred_at=delivery.received_at,
        key=f"member:{found.id}",
    )


def _id(value: Any) -> Any:
    return value.get("id") if isinstance(value, dict) else None


def _delivery(body: Mapping[str, Any], operation: str) -> Delivery:
    content = json.dumps(body, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    return Delivery(content, content_type="application/json", pulled=operation)
