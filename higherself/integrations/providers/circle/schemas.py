"""The body of a workflow's step "Send webhook". Circle documents nothing of it; all here is seen in use.

It comes bare (``{"type", "data"}``) or in an envelope (``{"body": {"type", "data"}}``), and ``data`` holds ids.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from higherself.integrations.reading import Amount, Named, Objects, Part, Text, Whole


class Nudge(Part):
    wanted: ClassVar[tuple[str, ...]] = ("type",)

    type: Text = ""
    event: Text = ""
    data: Named = {}

    @property
    def name(self) -> str:
        return self.type or self.event


class Data(Part):
    community_id: Text = ""
    community_member_id: Text = ""
    member_id: Text = ""
    email: Text = ""
    name: Text = ""
    occurred_at: Text = ""
    profile_field_key: Text = ""
    profile_field_value: Any = None


class Score(Part):
    activity_score: Amount = None


class Game(Part):
    total_points: Whole = None
    current_level_name: Text = ""


class Member(Part):
    """A member of the Admin API. An invitation that nobody has accepted yet leaves ``accepted_invitation`` empty."""

    wanted: ClassVar[tuple[str, ...]] = ("email",)

    id: Text = ""
    community_id: Text = ""
    email: Text = ""
    name: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    headline: Text = ""
    profile_url: Text = ""
    active: bool | None = None
    created_at: Text = ""
    updated_at: Text = ""
    last_seen_at: Text = ""
    accepted_invitation: Text = ""
    member_tags: Annotated[list[dict[str, Any]], Objects] = []
    posts_count: Whole = None
    comments_count: Whole = None
    activity_score: Score = Score()
    gamification_stats: Game = Game()
    flattened_profile_fields: Named = {}
