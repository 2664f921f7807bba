"""Figures of days that are over, kept where all processes find them.

A chart of thirty days costs reading every row of them; the days that are over hardly change. Each chart's are counted
once an hour by a job and read by the home page; what is younger than the last count is counted live.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from higherself.core.models import DayFigures

Number = int | Decimal
Found = dict[date, Number]
# Counted anew by whoever asks, where the job has not done so for this long: no worker runs, or the chart is new.
AGED = timedelta(hours=2)
# Charts that nobody draws any more.
FORGOTTEN = timedelta(days=3)

_anew: ContextVar[bool] = ContextVar("days_anew", default=False)


@contextmanager
def counted_anew() -> Iterator[None]:
    """Within it, everything that is asked for is counted and kept."""
    token = _anew.set(True)
    try:
        yield
    finally:
        _anew.reset(token)


def over(question: str, first: datetime, midnight: datetime, count: Callable[[datetime, datetime], Found]) -> Found:
    """The figures of the days from ``first`` to ``midnight``, exclusively; ``count`` counts from one time to another.

    ``question`` tells one chart from another, in at most 40 characters.
    """
    kept = None if _anew.get() else DayFigures.objects.filter(question=question).first()
    now = timezone.now()
    if kept is None or kept.counted_at < now - AGED:
        found = count(first, midnight)
        values = {day.isoformat(): str(number) for day, number in found.items()}
        DayFigures.objects.update_or_create(question=question, defaults={"days": values, "counted_at": now})
        return found
    # The day on which it was counted was not over then.
    since = timezone.localtime(kept.counted_at).replace(hour=0, minute=0, second=0, microsecond=0)
    found = {date.fromisoformat(day): _number(text) for day, text in kept.days.items()}
    return found | count(since, midnight) if since < midnight else found


def forget_old() -> int:
    """Deletes figures that nobody counts any more; returns how many."""
    return DayFigures.objects.filter(counted_at__lt=timezone.now() - FORGOTTEN).delete()[0]


def _number(text: str) -> Number:
    return Decimal(text) if "." in text else int(text)
