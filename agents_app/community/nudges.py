"""What a nudge of Circle.so tells: who did what. Who that is may only be known later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agents_app.agents.base import Context
from contacts.choices import InteractionKind as Kind
from higherself.integrations.events import EventKind
from higherself.integrations.material import CommunityMaterial, MemberMaterial

SERVICE = "circle"
_DONE: dict[str, str] = {
    "post": Kind.POST,
    "comment": Kind.COMMENT,
    "reaction": Kind.REACTION,
    "login": Kind.LOGIN,
    "event_attended": Kind.EVENT_ATTENDED,
    "event_rsvp": Kind.EVENT_SIGNUP,
    "profile_updated": Kind.PROFILE_UPDATED,
}
_OF_KIND: dict[EventKind, str] = {
    EventKind.MEMBER_JOINED: Kind.JOINED,
    EventKind.MEMBER_LEFT: Kind.LEFT,
    EventKind.MEMBER_PURCHASED: Kind.PURCHASE,
}


@dataclass(frozen=True)
class Doing:
    """One thing that a member did; ``kind`` is empty where nothing counts, as when staff tagged them."""

    kind: str
    key: str
    at: datetime
    about: str = ""


def identity(member_id: str) -> str:
    return f"{SERVICE}:{member_id}" if member_id else ""


def doing(data: CommunityMaterial | MemberMaterial, context: Context) -> Doing:
    """What happened, under a key that names it for good.

    What has no id of its own (a login, a reaction) is known by person and day, and so counts once a day.
    """
    if isinstance(data, MemberMaterial):
        return _read(data, context)
    kind = _OF_KIND.get(EventKind(context.kind)) or _DONE.get(data.activity, "")
    who = data.member_id or data.email.lower()
    thing = context.source_id
    at = context.occurred_at
    if kind in (Kind.JOINED, Kind.LEFT):
        key = f"{SERVICE}:{kind}:{who}"
    elif kind == Kind.PURCHASE:
        key = f"{SERVICE}:{kind}:{who}:{data.ids.get('paywall_id', '') or at.date().isoformat()}"
    elif not thing or thing in (data.member_id, data.email) or len(thing) == _DIGEST:
        key = f"{SERVICE}:{kind}:{who}:{at.date().isoformat()}"
    else:
        key = f"{SERVICE}:{kind}:{who}:{thing}"
    return Doing(kind, key, at, data.ids.get("event_id", "") if kind == Kind.EVENT_ATTENDED else "")


# A digest of the body stands in for an id where the nudge has none.
_DIGEST = 64


def _read(data: MemberMaterial, context: Context) -> Doing:
    """Reading a member is nobody's doing, but it tells when they joined, and that they are gone."""
    if data.active is False:
        return Doing(Kind.LEFT, f"{SERVICE}:{Kind.LEFT}:{data.member_id}", context.occurred_at)
    joined = data.joined_at or data.accepted_at
    if joined is None:
        return Doing("", "", context.occurred_at)
    return Doing(Kind.JOINED, f"{SERVICE}:{Kind.JOINED}:{data.member_id}", joined)
