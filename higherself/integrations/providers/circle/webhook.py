"""Circle.so: a nudge. It says who or what it is about, in ids; the state is read from Circle's API.

Circle documents no webhooks: they are steps of workflows that people set up, without signature, event id or repeats.
So any type is taken, and placed by its words or, where these say nothing, by the ids that came with it.
"""

from __future__ import annotations

import re
from typing import Any

from higherself.integrations.base import Delivery, FollowUp, Ignore, SharedSecretProvider, Unreadable, digest
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import CommunityMaterial
from higherself.integrations.providers.circle.client import CircleClient
from higherself.integrations.providers.circle.pulled import read_member
from higherself.integrations.providers.circle.schemas import Data, Nudge
from higherself.integrations.reading import object_of, peek, read, text, time_of

# A member who changes something and changes it back sends the same body: only within this time is it a repeat.
REPEAT_SECONDS = 600
# Nudges about one member within this are one reading, made after it; of what members merely do, one an hour.
SETTLE_SECONDS = 15
ACTIVITY_SECONDS = 3600
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
    client_class = CircleClient
    follows = (K.MEMBER_JOINED, K.MEMBER_CHANGED, K.MEMBER_ACTIVITY, K.MEMBER_PURCHASED)

    def follow_up(self, event: Event) -> FollowUp | None:
        """The member as they are once it is quiet: one save rings several times within a second, and a tag's nudge may
        come before the tag's effect. What is told with the member's address needs no reading."""
        told = event.data
        member = text(told.get("member_id"))
        if not member or (event.kind == K.MEMBER_ACTIVITY and told.get("email")):
            return None
        seconds = ACTIVITY_SECONDS if event.kind == K.MEMBER_ACTIVITY else SETTLE_SECONDS
        window = int(event.occurred_at.timestamp()) // seconds
        return FollowUp("member.read", {"member_id": member}, f"{member}:{seconds}:{window}", settles=SETTLE_SECONDS)

    def is_test_call(self, delivery: Delivery) -> bool:
        """Circle tries an address with an empty body, ``null`` or ``{"body": null}`` before it uses it."""
        if not delivery.body.strip():
            return True
        try:
            return delivery.json in (None, {"body": None})
        except Unreadable:
            return False

    def delivery_key(self, delivery: Delivery) -> str:
        """A new post or comment is known by its id, a member that we read by the state; all else by the body, within
        ten minutes: there is no id of the event."""
        body = _unwrapped(peek(delivery))
        if delivery.pulled and isinstance(body.get("member"), dict):
            found = body["member"]
            return f"member:{text(found.get('id'))}:{digest(delivery.body)}"
        thing = _new_thing(self.event_type(delivery), body)
        if thing:
            return f"new:{thing}"
        window = int(delivery.received_at.timestamp()) // REPEAT_SECONDS
        return f"{self.event_type(delivery)}:{digest(delivery.body)}:{window}"

    def event_type(self, delivery: Delivery) -> str:
        body = _unwrapped(peek(delivery))
        return text(body.get("type")) or text(body.get("event"))

    def ordering_key(self, delivery: Delivery) -> str:
        body = _unwrapped(peek(delivery))
        if delivery.pulled and isinstance(body.get("member"), dict):
            return f"member:{text(body['member'].get('id'))}"
        data = _data(body)
        member = text(data.get("community_member_id")) or text(data.get("member_id"))
        return f"member:{member}" if member else ""

    def parse(self, delivery: Delivery) -> list[Event]:
        body = _unwrapped(object_of(delivery))
        if delivery.pulled and isinstance(body.get("member"), dict):
            return [read_member(body["member"], delivery, self.source)]
        nudge, problems = read(Nudge, body)
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
                occurred_at=(time_of(data.occurred_at) if delivery.pulled else None) or delivery.received_at,
                key=f"member:{who}" if who else "",
            )
        ]


def _new_thing(name: str, body: dict[str, Any]) -> str:
    """The post or comment that is new, such as ``post:12``; whoever tells of it, nudge or history, names it alike."""
    if not re.search(r"created|published|added|new", name.lower()):
        return ""
    data = _data(body)
    found = {word: text(data.get(f"{word}_id")) for word in ("comment", "post")}
    return next((f"{word}:{found[word]}" for word in found if word in name.lower() and found[word]), "")


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
