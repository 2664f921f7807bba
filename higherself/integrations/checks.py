"""Whether a service can be reached and lets us in: one cheap call with our credentials, when somebody asks.

Health pages never call out; they show what the last check and the last real call have found.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from django.utils import timezone

from higherself.core.errors import Conflict, Permanent, Retryable
from higherself.core.http import Busy, Forbidden, Unauthorised
from higherself.core.logs import redact
from higherself.integrations import gate
from higherself.integrations.registry import PROVIDERS

logger = logging.getLogger(__name__)


# One check takes no longer, however slowly somebody answers.
SECONDS = 20.0


class Result(str, Enum):
    """What a check may find; the words of the catalogue in Notion."""

    OK = "OK"
    AUTH_FAILED = "Auth Failed"
    UNREACHABLE = "Unreachable"
    NOT_CONFIGURED = "Not Configured"


@dataclass(frozen=True)
class Check:
    """What was found at one service; ``message`` is a sentence that says what to do where it is not OK."""

    slug: str
    label: str
    result: Result
    message: str
    at: datetime

    @property
    def ok(self) -> bool:
        return self.result == Result.OK

    @property
    def failed(self) -> bool:
        """Whether something is wrong. What nobody has configured is not."""
        return self.result in {Result.AUTH_FAILED, Result.UNREACHABLE}


# Returns the result and a sentence; raises what is shown as unreachable.
Checker = Callable[[], tuple[Result, str]]
_checkers: dict[str, Checker] = {}


def checker(slug: str) -> Callable[[Checker], Checker]:
    """Registers the check of a service that has a door of its own in an upper layer, such as Notion."""

    def register(function: Checker) -> Checker:
        _checkers[slug] = function
        return function

    return register


def slugs() -> list[str]:
    """The services that can be checked, in the order of the registry."""
    return [slug for slug, provider in PROVIDERS.items() if provider.client_class is not None or slug in _checkers]


def check(slug: str) -> Check:
    """Asks the service. Never raises for what it finds there; `KeyError` for a name that nobody has.

    It makes an outbound call: not for a transaction, nor for a page that must be quick.
    """
    provider = PROVIDERS[slug]
    try:
        result, message = _checkers.get(slug, lambda: _ask(slug))()
    except (Permanent, Retryable, Conflict) as error:
        result, message = Result.UNREACHABLE, str(error)
    except Exception as error:
        # One service's surprise must not end the check of the others.
        logger.exception("the check of %s failed", slug)
        result, message = Result.UNREACHABLE, f"The check itself failed: {type(error).__name__}."
    return Check(slug, provider.label, result, redact(message)[:500], timezone.now())


def _ask(slug: str) -> tuple[Result, str]:
    provider = PROVIDERS[slug]
    if provider.missing:
        hears = "Its webhooks are taken; to call it" if provider.configured and provider.takes_webhooks else "To use it"
        return Result.NOT_CONFIGURED, f"{hears}, set {', '.join(provider.missing)}."
    try:
        client = provider.client()
        with client:
            client.limit(SECONDS)
            client.check()
    except (Unauthorised, Forbidden) as error:
        return Result.AUTH_FAILED, str(error)
    except Busy as error:
        # Who is told to slow down was let in, and reached it.
        return Result.OK, f"{provider.label} answers, and asks for a pause: {error}"
    except gate.NotNow as error:
        return Result.UNREACHABLE, f"Not asked: {error}"
    return Result.OK, f"{provider.label} answers and accepts our credentials."
