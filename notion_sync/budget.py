"""The shared pace of requests to Notion: one row for all processes that use the same token.

Notion grants a fixed number of requests per 60-second window (reference/request-limits, since September 2026: 180
or 600 a minute by plan). Where the window starts is unknown, so no more than that are let through in *any* 60
seconds; they are spaced evenly, with a short burst so that a single lead is not slowed down.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from enum import IntEnum

from django.conf import settings
from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.utils import timezone

from higherself.core.errors import Retryable
from notion_sync.models import RequestBudget

WINDOW = 60.0
BURST = 10
# Requests take a varying time to arrive; a little room keeps two windows from overlapping on Notion's clock.
HEADROOM = 0.99
# After this many failures in a row Notion counts as unreachable, and is asked only now and then.
FAILURES_TO_OPEN = 4
LONGEST_PAUSE = 60.0
# A wait shorter than this is none: sleeping is not that exact. Seconds.
TOLERANCE = 0.001


class Lane(IntEnum):
    """What a request is for. A lane leaves that many requests of the burst to those before it."""

    STAFF = 0
    AGENT = 1
    WEBHOOK = 3
    POLL = 4
    SWEEP = 6


class Budget:
    """Paces requests. ``patience`` is how many seconds a caller is willing to wait before it gives up."""

    def __init__(
        self,
        token: str,
        per_minute: int,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.key = key_of(token)
        self.allowed = max(1, int(per_minute * HEADROOM)) if per_minute else 0
        self.clock = clock
        self.sleep = sleep
        self._paused_seen = 0.0
        self._paused_read = -1.0

    def row(self) -> RequestBudget:
        return RequestBudget.objects.get_or_create(key=self.key)[0]

    def acquire(self, lane: Lane, patience: float) -> None:
        """Waits for the right to send one request. Raises `Retryable` when that takes longer than ``patience``."""
        deadline = self.clock() + patience
        while True:
            wait = self._take(lane)
            if wait <= 0:
                return
            if self.clock() + wait > deadline:
                raise Retryable(f"Notion's request budget is used up for another {wait:.0f} s", retry_after=wait)
            self.sleep(wait)

    def _take(self, lane: Lane) -> float:
        """Takes one request and returns 0, or returns the seconds to wait."""
        if not self.allowed:
            return self._pause_left()
        row = self.row()
        now = self.clock()
        if row.paused_until > now:
            return row.paused_until - now
        grants = [at for at in row.grants if at > now - WINDOW]
        interval = WINDOW / self.allowed
        burst = max(1, min(BURST, self.allowed) - int(lane))
        due = max(row.due, now)
        wait = max(due - now - (burst - 1) * interval, 0.0)
        if len(grants) >= self.allowed:
            wait = max(wait, grants[0] + WINDOW - now, 2 * TOLERANCE)
        if wait > TOLERANCE:
            return wait
        taken = RequestBudget.objects.filter(key=self.key, version=row.version).update(
            version=row.version + 1, grants=[*grants, now], due=due + interval
        )
        # Somebody else took one at the same moment: look again.
        return 0.0 if taken else random.uniform(0.0005, 0.005)  # noqa: S311 - jitter, no secret

    def _pause_left(self) -> float:
        # Without pacing only a pause asked for by Notion counts, and looking once a second is enough to obey it.
        now = self.clock()
        if now - self._paused_read >= 1.0:
            self._paused_seen = self.row().paused_until
            self._paused_read = now
        return max(self._paused_seen - now, 0.0)

    # -- what Notion says ---------------------------------------------------------------------------------------
    def pause(self, seconds: float, reason: str) -> None:
        """Stops every process for as long as Notion asked (429 and 529)."""
        until = self.clock() + seconds
        self.row()
        RequestBudget.objects.filter(key=self.key, paused_until__lt=until).update(
            paused_until=until, paused_reason=reason[:100]
        )
        self._paused_seen = max(self._paused_seen, until)

    def succeeded(self) -> None:
        # One statement, since it comes after every request; what it reads are the values before it.
        was_away = When(unreachable_since__isnull=False, then=F("unreachable_since"))
        ends_now = When(unreachable_since__isnull=False, then=Value(timezone.now()))
        RequestBudget.objects.filter(Q(failures__gt=0) | Q(refused_since__isnull=False), key=self.key).update(
            failures=0,
            outage_from=Case(was_away, default=F("outage_from")),
            outage_to=Case(ends_now, default=F("outage_to"), output_field=DateTimeField()),
            unreachable_since=None,
            refused_since=None,
            retry_at=0.0,
            last_error="",
        )

    def refused(self, message: str) -> None:
        """Notes that Notion does not let us in: a wrong or expired token, or one that lacks a capability."""
        row = self.row()
        RequestBudget.objects.filter(key=self.key).update(
            refused_since=row.refused_since or timezone.now(), last_error=message[:1000]
        )

    def failed(self, message: str) -> None:
        """Notes that Notion could not be reached; enough of these in a row open the breaker."""
        row = self.row()
        failures = row.failures + 1
        fields: dict[str, object] = {"failures": failures, "last_error": message[:1000]}
        if failures >= FAILURES_TO_OPEN:
            fields["retry_at"] = self.clock() + min(5.0 * 2 ** (failures - FAILURES_TO_OPEN), LONGEST_PAUSE)
            fields["unreachable_since"] = row.unreachable_since or timezone.now()
        RequestBudget.objects.filter(key=self.key).update(**fields)

    def note_clock(self, offset: float) -> None:
        RequestBudget.objects.filter(key=self.key).update(clock_offset=offset)

    def resting(self) -> float:
        """Seconds for which Notion is left alone because it was unreachable; 0 when it may be asked."""
        return max(self.row().retry_at - self.clock(), 0.0)

    def count(self, requests: int, rate_limited: int) -> None:
        RequestBudget.objects.filter(key=self.key).update(
            requests=F("requests") + requests,
            rate_limited=F("rate_limited") + rate_limited,
            last_success_at=timezone.now(),
        )


def token() -> str:
    return settings.NOTION_API_TOKEN or settings.SANDBOX_TOKEN


def key_of(auth: str) -> str:
    """Names a budget without giving the token away. Another address is another Notion."""
    return hashlib.sha256(f"{settings.NOTION_BASE_URL} {auth}".encode()).hexdigest()


def current() -> RequestBudget | None:
    """The budget's row for showing; None before the first request."""
    return RequestBudget.objects.filter(key=key_of(token())).first()
