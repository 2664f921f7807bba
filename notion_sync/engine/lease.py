"""One reconciliation at a time, over all processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from higherself.core import process
from higherself.core.errors import Retryable
from notion_sync.models import Lease

SYNC = "sync"
# A holder that dies is missed after this long; a living one renews in time.
TERM = timedelta(seconds=90)


class Held:
    """A lease in hand. Call `renew` between pieces of work."""

    def __init__(self, name: str, holder: str) -> None:
        self.name = name
        self.holder = holder
        self._renewed = time.monotonic()

    def renew(self) -> None:
        if time.monotonic() - self._renewed < TERM.total_seconds() / 4:
            return
        kept = Lease.objects.filter(name=self.name, holder=self.holder).update(until=timezone.now() + TERM)
        if not kept:
            raise Retryable("another process has taken the synchronisation over; this one stops")
        self._renewed = time.monotonic()


@contextmanager
def hold(
    name: str = SYNC, *, wait: float = 0.0, waiting: Callable[[str], object] = lambda _holder: None
) -> Iterator[Held | None]:
    """The lease, or None when another process keeps it for longer than ``wait`` seconds."""
    # A process may hold one lease only; a second `hold` in it waits like any other.
    holder = process.identity()
    deadline = time.monotonic() + wait
    told = False
    while not _take(name, holder):
        if time.monotonic() >= deadline:
            yield None
            return
        if not told:
            told = True
            waiting(Lease.objects.filter(name=name).values_list("holder", flat=True).first() or "")
        time.sleep(0.2)
    try:
        yield Held(name, holder)
    finally:
        Lease.objects.filter(name=name, holder=holder).update(holder="", until=timezone.now(), progress={})


def _take(name: str, holder: str) -> bool:
    Lease.objects.get_or_create(name=name)
    now = timezone.now()
    taken = {"holder": holder, "until": now + TERM, "progress": {}}
    if Lease.objects.filter(name=name, until__lte=now).update(**taken):
        return True
    # A holder that was killed on this machine is missed at once, not only when its term ends.
    last = Lease.objects.filter(name=name).values_list("holder", flat=True).first() or ""
    return process.has_died(last) and bool(Lease.objects.filter(name=name, holder=last).update(**taken))
