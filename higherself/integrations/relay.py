"""Carries the outbox to the providers: claims a call, counts the attempt, sends, and writes down what came of it.

A call may be sent again after any crash: its operation looks before it repeats, so the effect exists once.
"""

from __future__ import annotations

import dataclasses
import logging
import random
import re
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone
from pydantic import ValidationError

from higherself.core import jobs, process
from higherself.core.errors import Conflict, Permanent, Retryable
from higherself.core.http import Busy, Unauthorised
from higherself.core.logs import redact
from higherself.integrations import gate, outbox, registry
from higherself.integrations.client import Attempt, Outcome
from higherself.integrations.delivery import db_text
from higherself.integrations.intake import store
from higherself.integrations.models import OutboundCall
from higherself.integrations.outbox import JOB
from higherself.integrations.signals import call_done

logger = logging.getLogger(__name__)
Status = OutboundCall.Status

# One call may take so long in all; the lease outlives it, so that two workers never send one call. Seconds.
DEADLINE = 90.0
LEASE = timedelta(seconds=150)
# Seconds to the next attempt after the first, second … failure; then a person has to look.
BACK_OFF = (5, 30, 120, 600, 3600, 21600, 21600)
MAX_ATTEMPTS = len(BACK_OFF) + 1
_JITTER = 0.2
# A pause up to this is waited for by a wake-up of its own; longer ones are found by the clock.
_SOON = 60.0


def send_one(worker: str) -> bool:
    """Sends the call that is due longest; False when none is."""
    call = claim(worker)
    if call is None:
        return False
    try:
        outcome = _carry_out(call)
        _done(call, outcome)
    except Exception as error:
        # Whatever a client stumbled over, the call is kept, tried again and shown; the relay goes on.
        _log(call, error)
        _failed(call, error)
    return True


# -- lending --------------------------------------------------------------------------------------------------------
def claim(worker: str) -> OutboundCall | None:
    """Lends the call that is due longest to ``worker``, with the attempt counted; None when nothing is due.

    Providers that are not to be asked now are passed over, and so are calls behind an unfinished one about the same
    record.
    """
    now = timezone.now()
    with transaction.atomic():
        call = _due(now).select_for_update(skip_locked=True, of=("self",)).first()
        if call is None:
            return None
        mine = OutboundCall.objects.filter(pk=call.pk, attempts=call.attempts, next_attempt_at__lte=now)
        if call.status == Status.SENDING and call.attempts >= MAX_ATTEMPTS:
            words = f"The worker died over it {call.attempts} times: {call.worker}."
            mine.update(status=Status.QUARANTINED, next_attempt_at=None, finished_at=now, error=words, worker="")
            return claim(worker)
        first = call.first_tried_at or now
        taken = mine.update(
            status=Status.SENDING, attempts=F("attempts") + 1, worker=worker, next_attempt_at=now + LEASE,
            first_tried_at=first,
        )  # fmt: skip
        if not taken:
            raise Conflict("Another worker was faster. Claim again.")
        call.attempts, call.worker, call.status = call.attempts + 1, worker, Status.SENDING
        return call


def _due(now: Any) -> QuerySet[OutboundCall]:
    earlier = OutboundCall.objects.filter(
        provider=OuterRef("provider"), record=OuterRef("record"), next_attempt_at__isnull=False, pk__lt=OuterRef("pk")
    ).exclude(record="")
    rows = OutboundCall.objects.filter(~Exists(earlier), next_attempt_at__lte=now)
    resting = gate.closed({slug: provider.fingerprint for slug, provider in registry.PROVIDERS.items()})
    return rows.exclude(provider__in=resting).order_by("next_attempt_at", "pk")


def take_from_the_dead() -> int:
    """Ends the leases of workers that were killed on this machine. Returns how many."""
    leased = OutboundCall.objects.filter(status=Status.SENDING, next_attempt_at__gt=timezone.now())
    dead = [name for name in leased.values_list("worker", flat=True).distinct().order_by() if process.has_died(name)]
    return leased.filter(worker__in=dead).update(next_attempt_at=timezone.now()) if dead else 0


# -- sending --------------------------------------------------------------------------------------------------------
def _carry_out(call: OutboundCall) -> Outcome:
    declared = outbox.operation_of(call.provider, call.operation)
    provider = registry.PROVIDERS[call.provider]
    try:
        content = declared.payload.model_validate(call.payload)
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:10])
        raise Permanent(f"This version cannot read the call's content: {places}") from error
    if not provider.can_call:
        raise _NotConfigured
    with provider.client() as client:
        client.limit(DEADLINE)
        return declared.run(client, content, _attempt(call))


class _NotConfigured(Exception):
    """The credentials were taken away since the call was wanted."""


def _attempt(call: OutboundCall) -> Attempt:
    """``first_tried_at`` of the row in memory is the one before this claim: empty at the very first attempt."""
    known: dict[str, Any] = {}
    if call.record:
        same = OutboundCall.objects.filter(
            provider=call.provider, record=call.record, operation=call.operation, status=Status.DONE
        )
        known = same.order_by("-pk").values_list("result", flat=True).first() or {}
    return Attempt(
        dedupe_key=call.dedupe_key,
        again=call.first_tried_at is not None,
        first_tried_at=call.first_tried_at,
        created_at=call.created_at,
        known=known,
    )


# -- writing down ---------------------------------------------------------------------------------------------------
def _done(call: OutboundCall, outcome: Outcome) -> None:
    """The result, what was fetched, and what others make of it: kept together or not at all."""
    provider = registry.PROVIDERS[call.provider]
    # What the call was about, where nobody may know it any longer, goes in the same statement that says "done".
    gone: dict[str, Any] = {"payload": {}, "record": ""} if outbox.forgets(call) else {}
    with transaction.atomic():
        if not _finish(call, Status.DONE, error="", result=outcome.result, **gone):
            return
        for delivery in outcome.fetched:
            store(provider, dataclasses.replace(delivery, pulled=delivery.pulled or call.operation))
        call.result = outcome.result
        call_done.send(sender=OutboundCall, call=call)


def _failed(call: OutboundCall, error: Exception) -> None:
    if isinstance(error, _NotConfigured):
        words = outbox.unconfigured(call.provider)
        _set(call, status=Status.UNCONFIGURED, attempts=call.attempts - 1, next_attempt_at=None, worker="", error=words)
    elif isinstance(error, Unauthorised):
        _set(call, status=Status.REFUSED, next_attempt_at=None, worker="", error=_reason(call, error))
    elif isinstance(error, (Busy, gate.NotNow)):
        # It certainly was not done, and it is not its fault: the attempt does not count.
        _again(call, error, error.retry_after or 1.0, attempts=call.attempts - 1)
    elif isinstance(error, Permanent) or call.attempts >= MAX_ATTEMPTS:
        _finish(call, Status.QUARANTINED, error=_reason(call, error))
    else:
        asked = error.retry_after if isinstance(error, Retryable) else None
        _again(call, error, max(float(BACK_OFF[call.attempts - 1]), asked or 0.0), attempts=call.attempts)


def _again(call: OutboundCall, error: Exception, seconds: float, attempts: int) -> None:
    seconds *= 1 + _JITTER * random.random()  # noqa: S311 - no secret
    due = timezone.now() + timedelta(seconds=seconds)
    _set(call, status=Status.RETRYING, attempts=attempts, next_attempt_at=due, worker="", error=_reason(call, error))
    if seconds <= _SOON:
        jobs.wake_in(JOB, seconds)


def _finish(call: OutboundCall, status: Status, **values: Any) -> bool:
    return _set(call, status=status, next_attempt_at=None, worker="", finished_at=timezone.now(), **values)


def _set(call: OutboundCall, **values: Any) -> bool:
    """False where the lease of this very attempt is over: whoever holds the call now decides."""
    held = OutboundCall.objects.filter(pk=call.pk, status=Status.SENDING, attempts=call.attempts, worker=call.worker)
    if not held.update(**values):
        logger.warning("call %s: the lease of attempt %d was over", call.pk, call.attempts)
        return False
    return True


def _reason(call: OutboundCall, error: Exception) -> str:
    known = isinstance(error, (Permanent, Retryable, Conflict))
    words = str(error) if known else f"{type(error).__name__}: {error}"
    return db_text(redact(_without_names(call, words)))[:2000]


def _without_names(call: OutboundCall, words: str) -> str:
    """A service may repeat what it was asked for; of whom nothing may be kept, nothing is kept in a reason either."""
    if not outbox.forgets(call):
        return words
    named = [value for part in call.payload.values() if isinstance(part, list) for value in part]
    for value in sorted(filter(None, map(str, named)), key=len, reverse=True):
        words = re.sub(re.escape(value), "…", words, flags=re.IGNORECASE)
    return words


def _log(call: OutboundCall, error: Exception) -> None:
    if isinstance(error, (Permanent, Retryable, Conflict, _NotConfigured)):
        logger.info("call %s (%s) was not done: %s", call.pk, call, _without_names(call, str(error)))
    else:
        logger.exception("call %s (%s) failed in attempt %d", call.pk, call, call.attempts)
