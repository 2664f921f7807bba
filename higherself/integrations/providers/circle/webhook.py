"""Circle.so: a nudge. It says who or what it is about, in ids; the state is read from Circle's API.

Circle documents no webhooks: they are steps of workflows that people set up, without signature, event id or repeats.
So any type is taken, and placed by its words or, where these say nothing, by the ids that came with it.
"""

from __future__ import annotations

import re
from typing import Any

from higherself.integrations.base import Delivery, Ignore, SharedSecretProvider, Unreadable, digest
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import CommunityMaterial
from higherself.integrations.providers.circle.schemas import Data, Nudge
from higherself.integrations.reading import object_of, peek, read, text

# A member who changes something and changes it back sends the same body: only within this time is it a repeat.
REPEAT_SECONDS = 600
K = EventKind
# The first that fits decides. (kind, activity, words of which one is in the type)
_BY_WORDS: tuple[tuple[EventKind, str, tuple[str, ...]], ...] = (
    (K.MEMBER_PURCHASED, "", ("paywall", "purchase", "subscription", "payment")),
    (K.MEMBER_ACTIVITY, "event_attended", ("attended", "event_attendee.joined")),
    (K.MEMBER_ACTIVITY, "event_rsvp", ("attendee", "rsvp")),
    (K.MEMBER_ACTIVITY, "comment", ("comment",)),
    (K.MEMBER_ACTIVITY, "reaction", ("reaction", "liked", "like_created")),
    (K.MEMBER_ACTIVITY, "post", ("post",)),
    (K.MEMBER_ACTIVITY, "login", ("login", "logged_in", "sign_in", "signed_in")),
    (K.MEMBER_CHANGED, "profile_updated", ("profile",)),
    (K.MEMBER_CHANGED, "tagged", ("tag",)),
    (K.MEMBER_CHANGED, "", ("space_member", "access_group", "space_group")),
    (K.MEMBER_LEFT, "", ("member_left", "removed", "destroyed", "deleted", "banned", "deactivated")),
    (
        K.MEMBER_JOINED,
        "",
        ("joined", "member.created", "member_created", "member_added", "accepted_invitation", "new_member"),
    ),
    (K.COMMUNITY_EVENT_CHANGED, "", ("event_", "event.")),
    (K.MEMBER_CHANGED, "", ("member",)),
)
_BY_IDS: tuple[tuple[EventKind, str, str], ...] = (
    (K.MEMBER_ACTIVITY, "comment", "comment_id"),
    (K.MEMBER_ACTIVITY, "post", "post_id"),
    (K.COMMUNITY_EVENT_CHANGED, "", "event_id"),
    (K.MEMBER_CHANGED, "profile_updated", "profile_field_id"),
    (K.MEMBER_CHANGED, "tagged", "member_tag_id"),
    (K.MEMBER_CHANGED, "", "community_member_id"),
    (K.MEMBER_CHANGED, "", "member_id"),
)


class Circle(SharedSecretProvider):
    slug = "circle"
    label = "Circle.so"
    source = "Circle.so"

    def is_test_call(self, delivery: Delivery) -> bool:
        """Circle tries an address with an empty body or ``{"body": null}`` before it uses it."""
        if not delivery.body.strip():
            return True
        try:
            return delivery.json == {"body": None}
        except Unreadable:
            return False

    def delivery_key(self, delivery: Delivery) -> str:
        """The body, within ten minutes: there is no id of the event."""
        window = int(delivery.received_at.timestamp()) // REPEAT_SECONDS
        return f"{self.event_type(delivery)}:{digest(delivery.body)}:{window}"

    def event_type(self, delivery: Delivery) -> str:
        body = _unwrapped(peek(delivery))
        return text(body.get("type")) or text(body.get("event"))

    def ordering_key(self, delivery: Delivery) -> str:
        data = _data(_unwrapped(peek(delivery)))
        member = text(data.get("community_member_id")) or text(data.get("member_id"))
        return f"member:{member}" if member else ""

    def parse(self, delivery: Delivery) -> list[Event]:
        nudge, problems = read(Nudge, _unwrapped(object_of(delivery)))
        data, more = read(Data, _data(nudge.model_dump()))
        ids = _ids(nudge)
        kind, activity = _kind(nudge.name, ids)
        who = ids.get("community_member_id") or ids.get("member_id") or data.email
        return [
            event(
                kind,
                CommunityMaterial(
                    change=nudge.name,
                    activity=activity,
                    community_id=data.community_id,
                    member_id=data.community_member_id or data.member_id,
                    ids=ids,
                    email=data.email,
                    name=data.name,
                    field=data.profile_field_key,
                    value=data.profile_field_value,
                    problems=problems + more,
                ),
                source=self.source,
                source_id=_thing(kind, ids) or who or digest(delivery.body),
                occurred_at=delivery.received_at,
                key=f"member:{who}" if who else "",
            )
        ]


def _kind(name: str, ids: dict[str, str]) -> tuple[EventKind, str]:
    """Raises `Ignore` where neither the type nor an id tells what it is about. A paywall's id is never by the way."""
    if ids.get("paywall_id"):
        return K.MEMBER_PURCHASED, ""
    lowered = re.sub(r"[\s-]+", "_", name.lower())
    for kind, activity, words in _BY_WORDS:
        if any(word in lowered for word in words):
            return kind, activity
    for kind, activity, wanted in _BY_IDS:
        if ids.get(wanted):
            return kind, activity
    raise Ignore(f"Circle's type {name[:100]!r} names no member, post, event or purchase that could be read.")


def _thing(kind: EventKind, ids: dict[str, str]) -> str:
    """What happened, where that has an id of its own; a member's change is known by the member."""
    if kind == K.MEMBER_ACTIVITY:
        return next(
            (ids[name] for name in ("comment_id", "post_id", "event_attendee_id", "event_id") if ids.get(name)), ""
        )
    return ids.get("event_id", "") if kind == K.COMMUNITY_EVENT_CHANGED else ""


def _ids(nudge: Nudge) -> dict[str, str]:
    found = {name: text(value) for name, value in _data(nudge.model_dump()).items() if name.endswith("_id")}
    return {name: value for name, value in found.items() if value}


def _unwrapped(body: dict[str, Any]) -> dict[str, Any]:
    inner = body.get("body")
    return inner if isinstance(inner, dict) else body


def _data(body: dict[str, Any]) -> dict[str, Any]:
    """The ids: in ``data``, or beside the type where there is none."""
    data = body.get("data")
    return data if isinstance(data, dict) and data else body
