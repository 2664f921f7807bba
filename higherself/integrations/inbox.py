"""The inbox: storing deliveries, and handing them to workers one at a time, in order, as often as it takes.

`store` answers only when the row is durable. `claim` counts the attempt before the work and lends the events to the
worker for `LEASE`; what a dead worker left behind is lent again when its lease ends.
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Concat
from django.utils import timezone

from higherself.core import jobs, process
from higherself.core.errors import Conflict, Permanent, Retryable
from higherself.integrations import registry
from higherself.integrations.delivery import db_text
from higherself.integrations.events import Event
from higherself.integrations.intake import JOB, Stored, store
from higherself.integrations.models import InboundEvent

__all__ = [
    "LeaseLost",
    "Stored",
    "claim",
    "is_crowded",
    "mark_failed",
    "mark_ignored",
    "mark_processed",
    "postpone",
    "quarantine",
    "read",
    "release",
    "replay",
    "store",
]

Status = InboundEvent.Status
# What a delivery becomes when nothing of its content may be kept.
EMPTIED: dict[str, Any] = {"body": b'{"erased": true}', "headers": dict, "query": "", "ordering_key": ""}

LEASE = timedelta(seconds=60)
# Seconds to the next attempt after the first, second … failure; then a person has to look.
BACK_OFF = (10, 30, 120, 600, 3600, 21600, 21600)
MAX_ATTEMPTS = len(BACK_OFF) + 1
# Deliveries that are due at once.
CROWD = 50
_JITTER = 0.1


class LeaseLost(Conflict):
    """Another worker holds the event by now. Whoever raises this must roll back what it did."""


def read(event: InboundEvent) -> list[Event]:
    """What the delivery says. Raises `base.Ignore`, `delivery.Unreadable`, or `Permanent` for an unknown provider."""
    provider = registry.PROVIDERS.get(event.provider)
    if provider is None:
        raise Permanent(f"No provider is called {event.provider!r}.")
    return provider.parse(event.delivery())


def claim(limit: int, worker: str) -> list[InboundEvent]:
    """Lends up to ``limit`` due events to ``worker``, oldest first; an empty list when nothing is due.

    Never two events with one ordering key at a time. An event that a worker died over comes alone, so that it cannot
    take others down with it again.
    """
    now = timezone.now()
    with transaction.atomic():
        # Locked rows are another worker's: skipped, not waited for. SQLite has one writer at a time anyway.
        due = list(_due(now).select_for_update(skip_locked=True, of=("self",))[:limit])
        orphans = [event for event in due if event.status == Status.PROCESSING]
        if orphans:
            due = orphans[:1]
            if due[0].attempts >= MAX_ATTEMPTS:
                _give_up_on(due[0])
                return claim(limit, worker)
        return _lend(due, worker, now)


def is_crowded() -> bool:
    """Whether so many deliveries are due that other work had better wait."""
    return InboundEvent.objects.filter(next_attempt_at__lte=timezone.now())[:CROWD].count() >= CROWD


def take_from_the_dead() -> int:
    """Ends the leases of workers that were killed on this machine, so that nobody waits for them. Returns how many."""
    leased = InboundEvent.objects.filter(status=Status.PROCESSING, next_attempt_at__gt=timezone.now())
    dead = [name for name in leased.values_list("worker", flat=True).distinct().order_by() if process.has_died(name)]
    return leased.filter(worker__in=dead).update(next_attempt_at=timezone.now()) if dead else 0


def _due(now: datetime) -> QuerySet[InboundEvent]:
    earlier = InboundEvent.objects.filter(
        Q(received_at__lt=OuterRef("received_at")) | Q(received_at=OuterRef("received_at"), id__lt=OuterRef("id")),
        provider=OuterRef("provider"),
        ordering_key=OuterRef("ordering_key"),
        next_attempt_at__isnull=False,
    ).exclude(ordering_key="")
    return InboundEvent.objects.filter(~Exists(earlier), next_attempt_at__lte=now).order_by(
        "next_attempt_at", "received_at", "id"
    )


def _lend(due: list[InboundEvent], worker: str, now: datetime) -> list[InboundEvent]:
    if not due:
        return []
    until = now + LEASE
    still_due = InboundEvent.objects.filter(pk__in=[event.pk for event in due], next_attempt_at__lte=now)
    taken = still_due.update(status=Status.PROCESSING, attempts=F("attempts") + 1, worker=worker, next_attempt_at=until)
    if taken != len(due):
        raise Conflict(f"{taken} of {len(due)} events could be claimed: another worker was faster. Claim again.")
    for event in due:
        event.status, event.attempts, event.worker = Status.PROCESSING, event.attempts + 1, worker
        event.next_attempt_at = until
    return due


def _give_up_on(event: InboundEvent) -> None:
    _finish(event, Status.QUARANTINED, error=f"The worker died over it {event.attempts} times: {event.worker}.")


def _held(event: InboundEvent) -> QuerySet[InboundEvent]:
    """The row as long as this very attempt owns it: each claim counts one up."""
    return InboundEvent.objects.filter(pk=event.pk, status=Status.PROCESSING, attempts=event.attempts)


def _set(event: InboundEvent, **values: Any) -> None:
    if not _held(event).update(**values):
        raise LeaseLost(f"{event.provider} event {event.pk}: the lease of attempt {event.attempts} is over.")
    for name, value in values.items():
        setattr(event, name, value)


def _finish(event: InboundEvent, status: Status, **values: Any) -> None:
    _set(event, status=status, next_attempt_at=None, worker="", processed_at=timezone.now(), **values)


def mark_processed(event: InboundEvent, created: Iterable[dict[str, Any]] = ()) -> None:
    """Done. Call it inside the transaction that did the work: both are kept, or neither.

    ``created`` lists what came of it, as ``{"model": "contacts.contact", "id": 1, "label": "Ada"}``. Raises
    `LeaseLost` where another worker holds the event by now; let it roll the transaction back.
    """
    _finish(event, Status.PROCESSED, error="", created=list(created))


def mark_ignored(event: InboundEvent, reason: str) -> None:
    """Nothing was to be done, for a reason that staff can read."""
    _finish(event, Status.IGNORED, error=_clean(reason))


def forget(event: InboundEvent) -> None:
    """Takes away what the delivery said, and whom it was about; that it came, and what became of it, stays."""
    InboundEvent.objects.filter(pk=event.pk).update(
        **{name: value() if callable(value) else value for name, value in EMPTIED.items()}
    )


def mark_failed(event: InboundEvent, error: BaseException) -> None:
    """Tries again later, or, after a `Permanent` error and after the last attempt, leaves it to a person.

    Call it after the work's transaction was rolled back. A lease that is over is left to whoever holds it now.
    """
    reason = _reason(error)
    try:
        if isinstance(error, Permanent) or event.attempts >= MAX_ATTEMPTS:
            _finish(event, Status.QUARANTINED, error=reason)
        else:
            due = timezone.now() + _pause(event.attempts, error)
            _set(event, status=Status.RETRYING, next_attempt_at=due, worker="", error=reason)
    except LeaseLost:
        return


def release(event: InboundEvent) -> None:
    """Gives an event back untouched, as when the worker shuts down: this attempt does not count."""
    status = Status.RETRYING if event.error else Status.RECEIVED
    _set(event, status=status, attempts=event.attempts - 1, next_attempt_at=timezone.now(), worker="")


def postpone(event: InboundEvent, reason: str, seconds: float) -> None:
    """Lets an event wait for a reason that staff can read, such as an agent that is switched off. No attempt counts."""
    due = timezone.now() + timedelta(seconds=seconds)
    _set(
        event,
        status=Status.RETRYING,
        attempts=event.attempts - 1,
        next_attempt_at=due,
        worker="",
        error=_clean(reason),
    )


def replay(events: QuerySet[InboundEvent], who: str) -> int:
    """Has events worked on again from the start, whatever became of them; those in work now are left alone."""
    now = timezone.now()
    with transaction.atomic():
        count = events.exclude(status=Status.PROCESSING, next_attempt_at__gt=now).update(
            status=Status.RECEIVED,
            attempts=0,
            error="",
            worker="",
            next_attempt_at=now,
            processed_at=None,
            replayed_at=now,
            replayed_by=who[:150],
        )
        if count:
            jobs.wake(JOB)
    return count


def quarantine(events: QuerySet[InboundEvent], who: str) -> int:
    """Ends the attempts at events that wait for one, until a person has them replayed; the last reason is kept."""
    waiting = events.filter(status__in=[Status.RECEIVED, Status.RETRYING])
    said = f"Stopped by {who[:150]}."
    before = f"{said} Before that: "
    reason = Case(
        When(error="", then=Value(said)),
        default=Concat(Value(before), F("error"), output_field=TextField()),
        output_field=TextField(),
    )
    return waiting.update(
        status=Status.QUARANTINED, error=reason, next_attempt_at=None, worker="", processed_at=timezone.now()
    )


def _pause(attempts: int, error: BaseException) -> timedelta:
    """Grows with the attempts, never shorter than what the other side asked for; spread, so that not all come back."""
    seconds = float(BACK_OFF[min(attempts, len(BACK_OFF)) - 1])
    if isinstance(error, Retryable) and error.retry_after:
        seconds = max(seconds, error.retry_after)
    return timedelta(seconds=seconds * (1 + _JITTER * random.random()))  # noqa: S311 - no secret


def _reason(error: BaseException) -> str:
    """The message where it was written for people; with the place where it was not."""
    if isinstance(error, (Permanent, Retryable, Conflict)):
        return _clean(str(error))
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" ({frame[0].name}, line {frame[0].lineno})" if frame else ""
    return _clean(f"{type(error).__name__}: {error}{place}")


def _clean(text: str) -> str:
    return db_text(text)[:2000]
