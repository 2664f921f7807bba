"""Beehiiv: subscribers come and go, posts are sent.

Source of all rules here: Beehiiv's webhook pages and OpenAPI. They publish no signature; endpoints look like Svix's,
whose headers are checked where they come.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from higherself.integrations import verify
from higherself.integrations.base import Delivery, Ignore, SharedSecretProvider, Unreadable
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import Material, PostMaterial, SubscriberMaterial
from higherself.integrations.models import InboundEvent
from higherself.integrations.providers.beehiiv.client import BeehiivClient
from higherself.integrations.providers.beehiiv.schemas import AutomationStep, Envelope, Post, Subscription
from higherself.integrations.providers.beehiiv.surveys import survey
from higherself.integrations.reading import count, object_of, peek, read, text, time_of

SURVEY = "survey.response_submitted"
_CHANGED = EventKind.SUBSCRIBER_CHANGED
_SUBSCRIBERS = {
    "subscription.created": EventKind.SUBSCRIBER_CREATED,
    "subscription.confirmed": EventKind.SUBSCRIBER_CONFIRMED,
    "subscription.deleted": EventKind.SUBSCRIBER_DELETED,
    **{f"subscription.{word}": _CHANGED for word in ("upgraded", "downgraded", "paused", "resumed")},
    **{f"subscription.tier.{word}": _CHANGED for word in ("created", "deleted", "paused", "resumed")},
    # To leave one list is not to leave the newsletter.
    **{
        f"newsletter_list_subscription.{word}": _CHANGED for word in ("subscribed", "unsubscribed", "paused", "resumed")
    },
}
_POSTS = {
    "post.scheduled": EventKind.POST_SCHEDULED,
    "post.sent": EventKind.POST_SENT,
    "post.updated": EventKind.POST_UPDATED,
    # Not Beehiiv's: the figures that we have asked for.
    "post.measured": EventKind.POST_MEASURED,
}


class Beehiiv(SharedSecretProvider):
    slug = "beehiiv"
    label = "Beehiiv"
    source = "Beehiiv"
    proofs = (*SharedSecretProvider.proofs, "svix-signature")
    keeps = ("svix-id", "svix-timestamp")
    client_class = BeehiivClient
    token_in_path = True

    def verify(self, delivery: Delivery) -> bool:
        """Svix's signature wherever one is sent and its key (``whsec_…``) is set. Beehiiv documents neither: whoever
        finds no key there sets a secret of their own, which then has to come in the path or as a header."""
        headers = delivery.headers
        keys = [secret for secret in self.secrets if secret.startswith(verify.SVIX_PREFIX)]
        if "svix-signature" not in headers or not keys:
            return super().verify(delivery)
        return verify.svix(
            delivery.body,
            message_id=headers.get("svix-id", ""),
            timestamp=headers.get("svix-timestamp", ""),
            signatures=headers["svix-signature"],
            secrets=keys,
            now=time.time(),
        )

    def is_stale(self, delivery: Delivery) -> bool:
        return verify.is_off(delivery.headers.get("svix-timestamp", ""), time.time(), verify.SVIX_TOLERANCE)

    def delivery_key(self, delivery: Delivery) -> str:
        """``uid``, with the type: an event of another type is never a repeat."""
        body = peek(delivery)
        uid = text(body.get("uid"))
        if uid:
            return f"{text(body.get('event_type'))}:{uid}"
        message = delivery.headers.get("svix-id", "")
        return f"svix:{message}" if message else super().delivery_key(delivery)

    def event_type(self, delivery: Delivery) -> str:
        body = peek(delivery)
        return text(body.get("event_type")) or ("automation_step" if "automation_id" in body else "")

    def ordering_key(self, delivery: Delivery) -> str:
        """The subscription or post."""
        data = peek(delivery).get("data")
        return text(data.get("subscription_id") or data.get("id")) if isinstance(data, dict) else ""

    def was_told(self, fetched: Delivery, earlier: Sequence[InboundEvent]) -> bool:
        """A reader's state is told by the last delivery that knew it; that a post was sent, by any that said so."""
        name = self.event_type(fetched)
        if name in _POSTS:
            return any(row.event_type == name for row in earlier)
        told = [row.delivery() for row in earlier if row.event_type in _SUBSCRIBERS]
        return bool(told) and _status(told[-1]) == _status(fetched)

    def parse(self, delivery: Delivery) -> list[Event]:
        body = object_of(delivery)
        if "automation_id" in body and not body.get("event_type"):
            return [_automation_step(body, delivery)]
        envelope, problems = read(Envelope, body)
        kind, material, thing = _content(envelope, problems)
        return [
            event(
                kind,
                material,
                source=self.source,
                source_id=thing,
                occurred_at=time_of(envelope.event_timestamp) or delivery.received_at,
                key=self.ordering_key(delivery),
            )
        ]


def _status(delivery: Delivery) -> str:
    """A reader's status. What is deleted is inactive, whatever the delivery says it was."""
    body = peek(delivery)
    data = body.get("data")
    if text(body.get("event_type")) == "subscription.deleted":
        return "inactive"
    return text(data.get("status")) if isinstance(data, dict) else ""


def _content(envelope: Envelope, problems: list[str]) -> tuple[EventKind, Material, str]:
    name, data = envelope.event_type, envelope.data
    if name in _SUBSCRIBERS:
        subscriber = _subscriber(name, data, problems)
        return _SUBSCRIBERS[name], subscriber, subscriber.subscription_id or subscriber.email
    if name in _POSTS:
        post = _post(data, problems)
        return _POSTS[name], post, post.post_id
    if name == SURVEY:
        answered = survey(data, problems)
        return EventKind.SURVEY_ANSWERED, answered, answered.response_id or envelope.uid
    raise Ignore(f"Beehiiv's event type {name[:100]!r} is not one that is acted upon.")


def _subscriber(name: str, data: dict[str, Any], problems: list[str]) -> SubscriberMaterial:
    found, more = read(Subscription, data)
    subscription_id = found.subscription_id or found.id
    if not (subscription_id or found.email):
        raise Unreadable(f"Beehiiv's {name} names no subscriber: both id and email are missing.")
    return SubscriberMaterial(
        subscription_id=subscription_id,
        email=found.email,
        change=name.removeprefix("subscription."),
        status=found.status,
        tier=found.subscription_tier,
        premium_tiers=found.subscription_premium_tier_names,
        utm_source=found.utm_source,
        utm_medium=found.utm_medium,
        utm_campaign=found.utm_campaign,
        utm_channel=found.utm_channel,
        referring_site=found.referring_site,
        referral_code=found.referral_code,
        tags=found.tags,
        custom_fields=_custom_fields(found.custom_fields),
        list_id=found.id if found.subscription_id else "",
        list_name=found.list_name,
        subscribed_at=time_of(found.subscribed_at) or time_of(found.created),
        unsubscribed_at=time_of(found.unsubscribed_at),
        problems=problems + more,
    )


def _custom_fields(fields: Any) -> dict[str, Any]:
    if isinstance(fields, dict):
        return fields
    items = fields if isinstance(fields, list) else []
    named = [(text(item.get("name")), item.get("value")) for item in items if isinstance(item, dict)]
    return {name: value for name, value in named if name}


def _post(data: dict[str, Any], problems: list[str]) -> PostMaterial:
    found, more = read(Post, data)
    if not found.id:
        raise Unreadable("Beehiiv's event about a post names none: its id is missing.")
    return PostMaterial(
        post_id=found.id,
        title=found.title,
        subtitle=found.subtitle,
        subject_line=found.subject_line,
        preview_text=found.preview_text,
        status=found.status,
        audience=found.audience,
        authors=found.authors,
        tags=found.content_tags,
        url=found.web_url,
        published_at=time_of(found.publish_date) or time_of(found.displayed_date),
        created_at=time_of(found.created),
        problems=problems + more,
        **_figures(found.stats),
    )


def _figures(stats: dict[str, Any]) -> dict[str, Any]:
    """The figures of the e-mail; what was not told stays unknown."""
    email = stats.get("email")
    names = ("recipients", "opens", "unique_opens", "clicks", "unique_clicks", "unsubscribes")
    return {name: count(email.get(name)) for name in names} if isinstance(email, dict) else {}


def _automation_step(body: dict[str, Any], delivery: Delivery) -> Event:
    found, problems = read(AutomationStep, body)
    if found.test:
        raise Ignore("Beehiiv tries an automation's step with a made-up subscriber.")
    if not (found.subscriber_id or found.subscriber_email):
        raise Unreadable("Beehiiv's automation step names no subscriber.")
    return event(
        EventKind.SUBSCRIBER_CHANGED,
        SubscriberMaterial(
            subscription_id=found.subscriber_id,
            email=found.subscriber_email,
            change="automation_step",
            custom_fields={"automation_id": found.automation_id, "automation_journey_id": found.automation_journey_id},
            problems=problems,
        ),
        source=Beehiiv.source,
        source_id=found.subscriber_id or found.subscriber_email,
        occurred_at=time_of(found.started_at) or delivery.received_at,
        key=found.subscriber_id,
    )
