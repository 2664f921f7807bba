"""What a provider is: it verifies a delivery, names it, and reads it into events. HTTP and storage are written once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from higherself.core.errors import Permanent
from higherself.integrations import hooks
from higherself.integrations.client import PATIENCE, ProviderClient
from higherself.integrations.delivery import Delivery, Unreadable
from higherself.integrations.events import Event, EventKind
from higherself.integrations.models import InboundEvent, RefusedDelivery
from higherself.integrations.verify import secret_matches, split_secrets

__all__ = ["Delivery", "FollowUp", "Ignore", "Provider", "SharedSecretProvider", "Unreadable"]

# Headers worth keeping for every provider; none of them carries a secret.
KEPT_HEADERS = ("content-type", "content-encoding", "user-agent")


class Ignore(Exception):
    """Raised by `Provider.parse` for a genuine delivery that asks nothing of us; its message is shown to staff."""


@dataclass(frozen=True)
class FollowUp:
    """What an event only points at: an operation of the provider's client that fetches it.

    ``key`` tells one wish from another: the same again is not fetched twice. ``settles`` is how many seconds the
    provider may need until it shows what it has told.
    """

    operation: str
    payload: dict[str, Any]
    key: str
    settles: float = 0.0


class Provider:
    """One integration. ``slug`` is its name in addresses, settings and folders; ``source`` its name in Notion.

    ``signs`` tells whether a delivery is proved by a signature over its bytes; otherwise by a shared secret.
    """

    slug: str
    label: str
    source: str
    signs = False
    takes_webhooks = True
    # False: deliveries are verified, stored and shown, but not worked on, because nothing understands them yet.
    reads = True
    # The status that says "stored" to this sender: 202, unless it takes a 202 for a failure.
    accepted_status = 202
    # Whether a secret that we register has to stand in the address, because the sender proves nothing otherwise.
    token_in_path = False
    # What can be called there; None where nothing can.
    client_class: type[ProviderClient] | None = None
    # The kinds of event after which something is to be fetched; see `follow_up`.
    follows: tuple[EventKind, ...] = ()
    # Headers in which a proof may stand, in lower case.
    proofs: tuple[str, ...] = ()
    # Headers kept with the event besides KEPT_HEADERS, in lower case.
    keeps: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, str]:
        return settings.PROVIDERS.get(self.slug, {})

    @property
    def secrets(self) -> list[str]:
        """What a delivery may be proved with: two during a rotation, and those of the webhooks that we registered."""
        stored = hooks.secrets_of(self.slug) if self.offers("register_webhooks") else []
        return [*split_secrets(self.options.get("webhook_secret", "")), *stored]

    @property
    def configured(self) -> bool:
        return bool(self.secrets)

    @property
    def unread(self) -> str:
        """Why deliveries are stored without being worked on; empty where they are read."""
        if self.reads:
            return ""
        return f"There is no reader for {self.label} yet: the delivery is kept and can be replayed later."

    # -- calls out ------------------------------------------------------------------------------------------------
    @property
    def missing(self) -> list[str]:
        """The variables without which nothing can be called; empty where all are set."""
        names = self.client_class.missing(self.options) if self.client_class else []
        return [f"{self.slug.upper()}_{name.upper()}" for name in names]

    @property
    def can_call(self) -> bool:
        return self.client_class is not None and not self.missing

    def offers(self, part: str) -> bool:
        """Whether its client has the part: "backfill" or "register_webhooks"."""
        return self.client_class is not None and self.client_class.offers(part)

    @property
    def monthly_limit(self) -> int:
        """Requests that the account allows in a month; 0 where there is no such limit."""
        return self.client_class.limit_of(self.options) if self.client_class else 0

    @property
    def fingerprint(self) -> str:
        """Changes with the credentials, and tells nothing about them."""
        return ProviderClient.fingerprint(self.options)

    def client(self, patience: float = PATIENCE) -> ProviderClient:
        """A client for a few calls; close it. Raises `Permanent` where none can be made."""
        if self.client_class is None:
            raise Permanent(f"{self.label} is not called by this server.")
        if self.missing:
            raise Permanent(f"{self.label} is not configured: set {', '.join(self.missing)}.")
        return self.client_class(self.slug, self.label, self.options, patience=patience)

    def was_told(self, fetched: Delivery, earlier: Sequence[InboundEvent]) -> bool:
        """Whether one of the deliveries about the same thing has told what was fetched, under another key."""
        return False

    def follow_up(self, event: Event) -> FollowUp | None:
        """What this event only points at, and is to be fetched; None where it says all. Never raises."""
        return None

    # -- deliveries -----------------------------------------------------------------------------------------------
    def verify(self, delivery: Delivery) -> bool:
        """Whether the delivery comes from the provider. False without a secret: never open."""
        raise NotImplementedError

    def why_not(self, delivery: Delivery) -> RefusedDelivery.Reason:
        """Why `verify` has said no, for staff; the sender is not told. Never raises."""
        if not self.offers_proof(delivery):
            return RefusedDelivery.Reason.NO_PROOF
        return RefusedDelivery.Reason.STALE if self.is_stale(delivery) else RefusedDelivery.Reason.WRONG_PROOF

    def offers_proof(self, delivery: Delivery) -> bool:
        """Whether there is anything that could prove it, right or wrong."""
        return any(delivery.headers.get(name) for name in self.proofs)

    def is_stale(self, delivery: Delivery) -> bool:
        """Whether its signature names a time that is too far from ours. False where signatures name none."""
        return False

    def is_test_call(self, delivery: Delivery) -> bool:
        """Whether it is one of the provider's unsigned test calls: it gets a 200 and stores no event."""
        return False

    def takes_handshake(self, delivery: Delivery) -> bool:
        """Whether the provider introduces itself with this, unsigned: it gets a 200 and stores no event."""
        return False

    def delivery_key(self, delivery: Delivery) -> str:
        """What a repeat of the same delivery has in common with the first. Never raises."""
        return f"sha256:{hashlib.sha256(delivery.body).hexdigest()}"

    def event_type(self, delivery: Delivery) -> str:
        """The provider's own name for what happened, empty where it gives none. Never raises."""
        return ""

    def ordering_key(self, delivery: Delivery) -> str:
        """Events with the same key are handled one after the other, in the order in which they came. Never raises."""
        return ""

    def parse(self, delivery: Delivery) -> list[Event]:
        """Reads a stored delivery. Raises `Ignore` with the reason, or `Unreadable` where somebody must look."""
        raise Ignore(self.unread or f"{self.label} delivers nothing that is acted upon.")

    def kept_headers(self, delivery: Delivery) -> dict[str, str]:
        names = (*KEPT_HEADERS, *self.keeps)
        return {name: delivery.headers[name] for name in names if name in delivery.headers}


class SharedSecretProvider(Provider):
    """Proved by ``X-Webhook-Secret``, or by the same secret at the end of the path where no header can be set."""

    proofs: tuple[str, ...] = ("x-webhook-secret",)

    @property
    def secrets(self) -> list[str]:
        return [*super().secrets, *split_secrets(settings.WEBHOOK_SECRET)]

    def verify(self, delivery: Delivery) -> bool:
        given = delivery.headers.get("x-webhook-secret") or delivery.token
        return secret_matches(given, self.secrets)

    def offers_proof(self, delivery: Delivery) -> bool:
        return bool(delivery.token) or super().offers_proof(delivery)


def digest(*parts: Any) -> str:
    """A key made of several values."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode("utf-8", "replace")).hexdigest()
