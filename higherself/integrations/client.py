"""What every provider's client is made of: operations with typed content, each made exactly once; back-fill; webhooks.

A client declares what it can do. Outbox, relay, back-fill, admin and contract tests read the declarations, so a new
provider touches nothing of theirs.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from pydantic import BaseModel, ConfigDict, model_validator

from higherself.core.errors import Permanent
from higherself.core.http import Answer, Busy, Failed, Garbled, Http, Rejected, Unauthorised, Unreachable
from higherself.integrations import gate
from higherself.integrations.delivery import Delivery

# A turn that is further away than this is not waited for: the call goes back into the outbox. Seconds.
PATIENCE = 5.0
# What a 429 without a time means. Seconds.
BUSY_SECONDS = 10.0


class Payload(BaseModel):
    """The content of an operation. What it does not know is a mistake of the caller's."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Once(str, Enum):
    """Why an operation that is sent twice has one effect."""

    UPSERT = "upsert"  # the service itself: sent twice, the same is said twice
    LOOK_UP = "look up"  # we look whether it is there already, where an earlier attempt may have made it
    READ = "read"  # it has no effect there


@dataclass(frozen=True)
class Attempt:
    """What an operation may know about itself.

    ``again`` says that an earlier attempt may have had its effect: look before creating anything. ``ref`` is a short
    mark of the call, for services in which the effect can carry one. ``known`` is the result of the last call of this
    operation about the same record.
    """

    dedupe_key: str
    again: bool = False
    first_tried_at: datetime | None = None
    created_at: datetime | None = None
    known: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        return hashlib.sha256(self.dedupe_key.encode()).hexdigest()[:10]


@dataclass(frozen=True)
class Outcome:
    """What came of an operation: ``result`` is kept with the call; ``fetched`` goes through the inbox like webhooks."""

    result: dict[str, Any] = field(default_factory=dict)
    fetched: tuple[Delivery, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One thing that a client can do. ``record`` names what it is about: such calls are sent in order.

    Of an operation that ``forgets``, the call keeps its content only until it is done, dropped or expired.
    """

    name: str
    payload: type[BaseModel]
    once: Once
    record: Callable[[Any], str]
    run: Callable[[Any, Any, Attempt], Outcome]
    forgets: bool = False


@dataclass(frozen=True)
class Page:
    """A piece of a provider's history; ``cursor`` is where to go on once it is stored."""

    deliveries: Sequence[Delivery]
    cursor: dict[str, Any]


@dataclass(frozen=True)
class Hook:
    """A webhook as it stands at the provider after registering. ``secret`` only where the provider made it."""

    name: str
    remote_id: str
    url: str
    change: str  # created, updated or unchanged
    secret: str = ""
    expires_at: datetime | None = None
    data: dict[str, Any] = field(default_factory=dict)


Run = TypeVar("Run", bound=Callable[..., Outcome])


def _no_record(_payload: Any) -> str:
    return ""


def operation(
    name: str,
    payload: type[BaseModel],
    *,
    once: Once,
    record: Callable[[Any], str] = _no_record,
    forgets: bool = False,
) -> Callable[[Run], Run]:
    """Declares a method ``(self, payload, attempt) -> Outcome`` as an operation of its client."""

    def declare(function: Run) -> Run:
        function.declared = Operation(name, payload, once, record, function, forgets)  # type: ignore[attr-defined]
        return function

    return declare


# The one operation that several clients have under the same name: a person is erased at the service, for good.
ERASE = "person.erase"


class Traces(Payload):
    """By what a person is found at a service: addresses in lower case, and the service's own ids. One is enough."""

    emails: list[str] = []
    ids: list[str] = []

    @model_validator(mode="after")
    def _named(self) -> Traces:
        if not (self.emails or self.ids):
            raise ValueError("an address or an id has to be given")
        return self


def erasure(*, prefix: str = "") -> Callable[[Run], Run]:
    """Declares a method as `ERASE`. Its result is ``{"erased": n}``: how many records of the person were there.

    ``prefix`` is what the service's other calls put before an address to name their record, so that what is wanted
    for the same person later is sent later.
    """
    return operation(
        ERASE,
        Traces,
        once=Once.LOOK_UP,
        record=lambda wanted: f"{prefix}{wanted.emails[0].lower()}" if wanted.emails else "",
        forgets=True,
    )


class ProviderClient(Http, ABC):
    """The calls to one provider. ``needs`` are the options without which none can be made.

    ``per_second`` is the pace that the provider allows to all our processes together (0: none is documented).
    ``backfill_minutes`` is how often its history is read by the clock (0: never).
    """

    needs: ClassVar[tuple[str, ...]] = ()
    per_second: ClassVar[float] = 0.0
    backfill_minutes: ClassVar[int] = 0
    # Whether the provider makes the secret of a webhook itself.
    makes_secrets: ClassVar[bool] = False
    # Whether what was registered ends, or is switched off over there, unless it is looked after every day.
    keeps_webhooks: ClassVar[bool] = False
    operations: ClassVar[dict[str, Operation]] = {}
    # The names of forms, topics or events to which registering is confined; empty: all that we listen to.
    only: frozenset[str] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = [item.declared for item in vars(cls).values() if hasattr(item, "declared")]
        cls.operations = {**cls.operations, **{item.name: item for item in own}}

    def __init__(self, slug: str, label: str, options: Mapping[str, str], *, patience: float = PATIENCE) -> None:
        self.slug = slug
        self.options = dict(options)
        self.patience = patience
        # Seconds between two requests of ours, of all processes together.
        self.interval = 1 / self.per_second if self.per_second else 0.0
        super().__init__(
            label,
            options.get("base_url", ""),
            basic=self.basic(),
            seconds=float(settings.PROVIDER_TIMEOUT_SECONDS),
        )

    def __enter__(self) -> ProviderClient:
        return self

    @classmethod
    def missing(cls, options: Mapping[str, str]) -> list[str]:
        """The options that are empty and must not be."""
        return [name for name in ("base_url", *cls.needs) if not options.get(name)]

    @staticmethod
    def fingerprint(options: Mapping[str, str]) -> str:
        """Changes with the credentials, and tells nothing about them."""
        return hashlib.sha256(repr(sorted(options.items())).encode()).hexdigest()

    # -- to be overridden -----------------------------------------------------------------------------------------
    def basic(self) -> tuple[str, str] | None:
        """User and password, where the provider takes these."""
        return None

    def credentials(self) -> dict[str, str]:
        """The headers that prove who we are."""
        return {}

    @classmethod
    def limit_of(cls, options: Mapping[str, str]) -> int:
        """Requests that the account allows in a month; 0 where there is no such limit."""
        return 0

    @property
    def monthly_limit(self) -> int:
        return self.limit_of(self.options)

    @abstractmethod
    def check(self) -> None:
        """The cheapest call that proves the credentials. Raises what `request` raises."""

    # -- what a provider may have; `offers` tells whether it has -------------------------------------------------
    @classmethod
    def offers(cls, part: str) -> bool:
        """Whether the provider has the part: "backfill" or "register_webhooks"."""
        return getattr(cls, part) is not getattr(ProviderClient, part)

    def backfill(self, since: datetime, cursor: dict[str, Any]) -> Iterator[Page]:
        """The history since then, oldest first where the provider can; ``cursor`` is the last page's, or empty.

        A delivery looks like the provider's webhook about the same thing and has the same delivery key.
        """
        raise self._lacks("history that could be read")

    def register_webhooks(self, url: str, secret: str, known: Mapping[str, str]) -> Iterable[Hook]:
        """Makes the provider send to ``url``, proved with ``secret``; what is as it should be is left alone.

        ``known`` holds the ids there by name, of earlier runs. Each hook is stored as soon as it is yielded.
        """
        raise self._lacks("webhooks that could be registered")

    def _lacks(self, what: str) -> Permanent:
        return Permanent(f"{self.label} offers no {what}.")

    # -- every request --------------------------------------------------------------------------------------------
    def before(self) -> None:
        gate.take(self.slug, interval=self.interval, patience=self.patience, monthly_limit=self.monthly_limit)

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, signed: bool = True, **options: Any
    ) -> Answer:
        """As `Http.request`, with our credentials unless ``signed`` is off, and the gate told how it went."""
        sent = {**(self.credentials() if signed else {}), **(headers or {})}
        try:
            answer = super().request(method, path, headers=sent, **options)
        except Unauthorised as error:
            gate.refused(self.slug, self.fingerprint(self.options), str(error))
            raise
        except Busy as error:
            error.retry_after = BUSY_SECONDS if error.retry_after is None else error.retry_after
            gate.pause(self.slug, error.retry_after, str(error))
            raise
        except (Failed, Unreachable) as error:
            gate.failed(self.slug, str(error), error.retry_after)
            raise
        except (Rejected, Garbled):
            gate.answered(self.slug)
            raise
        gate.answered(self.slug)
        return answer
