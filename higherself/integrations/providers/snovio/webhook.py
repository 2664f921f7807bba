"""Snov.io: a ping that somebody was written to, has answered or wants no more. The details are fetched.

Snov.io documents objects and actions, no signature and no payload: what can be recognised is read, the rest is kept.
Where the address names the event (``?event=campaign_reply.received``), that counts most. Snov.io waits three seconds
for an answer, repeats for 38 hours, and then switches the webhook off.
"""

from __future__ import annotations

from typing import Any

from higherself.integrations.base import Delivery, FollowUp, Ignore, SharedSecretProvider, Unreadable, digest
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import ProspectMaterial
from higherself.integrations.providers.snovio import schemas
from higherself.integrations.providers.snovio.client import SnovioClient
from higherself.integrations.providers.snovio.pulled import read_profile
from higherself.integrations.reading import content_of, find, found_text, looks_like_email, peek, text, time_of

_REPLIES = ("campaign_reply", "campaign_li_reply")
_KINDS = {
    ("prospect", "campaign_finished"): EventKind.PROSPECT_FINISHED,
    ("prospect", "unsubscribed"): EventKind.PROSPECT_UNSUBSCRIBED,
    ("campaign_email", "bounced"): EventKind.PROSPECT_BOUNCED,
    **{("campaign_email", word): EventKind.PROSPECT_ACTIVITY for word in ("sent", "first_sent", "opened", "clicked")},
    ("campaign_li", "connection_request_accepted"): EventKind.PROSPECT_ACTIVITY,
    **{(name, word): EventKind.PROSPECT_REPLIED for name in _REPLIES for word in ("received", "first_received")},
    # An absence note is an answer of a machine.
    ("campaign_reply", "autoreply_received"): EventKind.PROSPECT_ACTIVITY,
}


class Snovio(SharedSecretProvider):
    slug = "snovio"
    label = "Snov.io"
    source = "Snov.io"
    client_class = SnovioClient
    token_in_path = True
    follows = (EventKind.PROSPECT_REPLIED, EventKind.PROSPECT_FINISHED, EventKind.PROSPECT_UNSUBSCRIBED)

    def follow_up(self, event: Event) -> FollowUp | None:
        """Who they are and how they stand in the campaign, once a day. (Opened mails are too many to ask for.)"""
        email, campaign = text(event.data.get("email")).lower(), text(event.data.get("campaign_id"))
        if not email:
            return None
        wanted = {"email": email, "campaign_id": campaign}
        key = f"{email}:{campaign}:{event.kind.value}:{event.occurred_at:%Y-%m-%d}"
        return FollowUp("prospect.enrich", wanted, key)

    def delivery_key(self, delivery: Delivery) -> str:
        """Who did what in which campaign in which minute, as far as it is told, so that its history tells nothing
        twice; else the event and the body: one address may serve several events, and a repeat is the same bytes."""
        body = peek(delivery)
        moment = time_of(find(body, *schemas.TIME))
        who, campaign = _email(body).lower(), found_text(body, *schemas.CAMPAIGN_ID)
        name = ".".join(part for part in _names(delivery, body) if part)
        if name and who and campaign and moment:
            return f"{name}:{campaign}:{who}:{moment:%Y-%m-%dT%H:%M}"
        return f"{self.event_type(delivery)}:{digest(delivery.body)}"

    def event_type(self, delivery: Delivery) -> str:
        if delivery.pulled and "profile" in peek(delivery):
            return "profile"
        return ".".join(part for part in _names(delivery, peek(delivery)) if part)

    def ordering_key(self, delivery: Delivery) -> str:
        email = _email(peek(delivery))
        return f"prospect:{email.lower()}" if email else ""

    def parse(self, delivery: Delivery) -> list[Event]:
        content = content_of(delivery)
        if delivery.pulled and isinstance(content, dict) and isinstance(content.get("profile"), dict):
            return [read_profile(content, delivery, self.source)]
        items = [item for item in content if isinstance(item, dict)] if isinstance(content, list) else [content]
        if not (items and all(isinstance(item, dict) for item in items)):
            raise Unreadable("Snov.io's delivery is no object and no list of objects.")
        return [self._event(item, delivery) for item in items]

    def _event(self, body: dict[str, Any], delivery: Delivery) -> Event:
        names = _names(delivery, body)
        material = _material(".".join(part for part in names if part), body)
        kind = _kind(names, material)
        thing = material.prospect_id or material.email or material.linkedin
        if not (thing or material.campaign_id):
            raise Unreadable(f"Snov.io's {material.change or 'ping'} names no prospect and no campaign.")
        return event(
            kind,
            material,
            source=self.source,
            source_id=thing or material.campaign_id,
            occurred_at=time_of(find(body, *schemas.TIME)) or delivery.received_at,
            key=f"prospect:{material.email.lower()}" if material.email else "",
        )


def _material(change: str, body: dict[str, Any]) -> ProspectMaterial:
    email = _email(body)
    return ProspectMaterial(
        change=change,
        email=email,
        name=found_text(body, *schemas.NAME),
        prospect_id=found_text(body, *schemas.PROSPECT),
        linkedin=found_text(body, *schemas.LINKEDIN),
        campaign_id=found_text(body, *schemas.CAMPAIGN_ID),
        campaign=found_text(body, *schemas.CAMPAIGN),
        reply_type=found_text(body, *schemas.REPLY_TYPE),
        subject=found_text(body, *schemas.SUBJECT),
        message=found_text(body, *schemas.MESSAGE),
        problems=[] if email else ["email: not found"],
    )


def _kind(names: tuple[str, str], material: ProspectMaterial) -> EventKind:
    """Raises `Ignore` for what is no prospect's doing, such as a finished search. A ping without any event's name is a
    reply where it holds one."""
    if names in _KINDS:
        return _KINDS[names]
    if names[0] in _REPLIES and not names[1]:
        return EventKind.PROSPECT_REPLIED
    if names != ("", ""):
        raise Ignore(f"Snov.io's {'.'.join(names)[:100]!r} is not one that is acted upon.")
    return EventKind.PROSPECT_REPLIED if material.reply_type or material.message else EventKind.PROSPECT_ACTIVITY


def _names(delivery: Delivery, body: dict[str, Any]) -> tuple[str, str]:
    """Object and action: from the address, else from the top of the body."""
    for place in (delivery.params, body):
        whole = _first(place, schemas.EVENT)
        thing, action = _first(place, schemas.OBJECT), _first(place, schemas.ACTION)
        if not thing and whole:
            thing, _, action = whole.replace("/", ".").partition(".")
        if thing or action:
            return thing, action
    return "", ""


def _first(place: Any, names: tuple[str, ...]) -> str:
    return next((word for name in names if (word := text(place.get(name)))), "")


def _email(body: Any) -> str:
    return next((text(value) for name in schemas.EMAIL if looks_like_email(value := find(body, name))), "")
