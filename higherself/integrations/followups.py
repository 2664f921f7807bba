"""What a delivery only points at is fetched: a nudge names a member, a ping a prospect, a bell a webhook.

A provider says for which kinds of event it wants to look (`Provider.follows`) and what to fetch (`follow_up`). The
fetch is an outbound call, made in the transaction that marks the event as processed; what it brings comes back through
the inbox as an event of its own.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from higherself.integrations import outbox
from higherself.integrations.base import Provider
from higherself.integrations.events import Event, listens_to
from higherself.integrations.registry import PROVIDERS

# What a nudge pointed at is not worth fetching later than this.
VALID = timedelta(days=2)


def connect() -> None:
    """Lets every provider hear what it follows. Called once, when the apps are ready."""
    for provider in PROVIDERS.values():
        listens_to(*provider.follows, when=partial(wants, provider))(partial(follow, provider))


def wants(provider: Provider, event: Event) -> bool:
    """Where the provider cannot be called nothing is fetched: the event is shown as what it is, unread."""
    return (
        event.source == provider.source
        and outbox.is_configured(provider.slug)
        and provider.follow_up(event) is not None
    )


def follow(provider: Provider, event: Event) -> None:
    wanted = provider.follow_up(event)
    if wanted is not None:
        key = f"follow:{provider.slug}:{wanted.operation}:{wanted.key}"
        delay = timedelta(seconds=wanted.settles)
        outbox.enqueue(provider.slug, wanted.operation, wanted.payload, dedupe_key=key, valid=VALID, delay=delay)
