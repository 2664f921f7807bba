"""Back-fill: what a provider has had while we did not listen, fetched and put through the same inbox.

What came by webhook before is recognised: by the same delivery key, or because a delivery about the same thing has
told it (`Provider.was_told`). A page and the cursor behind it are stored together, so a run that dies is continued.
"""

from __future__ import annotations

import dataclasses
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from higherself.core import process
from higherself.core.errors import Permanent, Retryable
from higherself.core.logs import redact
from higherself.integrations.base import Provider
from higherself.integrations.client import Page, ProviderClient
from higherself.integrations.delivery import Delivery, db_text
from higherself.integrations.intake import short_key, store
from higherself.integrations.models import BackfillState, InboundEvent
from higherself.integrations.registry import PROVIDERS

PULLED = "backfill"
# Where nothing was read before, the first run begins so far back.
FIRST = timedelta(days=7)
# A run that gives no sign of life for so long is over.
HOLD = timedelta(minutes=10)
# How often a page is tried again, and the longest wait before that, in seconds.
TRIES = 4
LONGEST_WAIT = 30.0


class Running(Permanent):
    """Another process is at it."""


@dataclass
class Tally:
    """``fetched`` = ``new`` + ``known``; after a dry run ``new`` is what would be."""

    fetched: int = 0
    new: int = 0
    known: int = 0


def providers() -> list[str]:
    """The providers whose history can be read."""
    return [slug for slug, item in PROVIDERS.items() if item.offers("backfill")]


def run(
    slug: str,
    *,
    since: datetime | None = None,
    dry_run: bool = False,
    patient: bool = False,
    seconds: float = float("inf"),
    told: Callable[[Tally], None] = lambda _tally: None,
) -> Tally:
    """Reads the history since then, else from where the last run ended. Raises `Running`, or what the client raises.

    ``patient`` waits where the provider asks for it, instead of leaving the rest to the next run. After ``seconds`` the
    rest is left to the next run, too. ``told`` hears how far it is.
    """
    provider = PROVIDERS[slug]
    if slug not in providers():
        raise Permanent(f"{provider.label} offers no history that could be read.")
    with provider.client(patience=60.0 if patient else 5.0) as client:
        state = BackfillState.objects.get_or_create(provider=slug)[0] if dry_run else _hold(slug)
        work = _Work(provider, client, state, dry_run, told, time.monotonic() + seconds)
        if dry_run:
            return work.read(since, patient)
        try:
            tally = work.read(since, patient)
        except Exception as error:
            _release(state, work.tally, db_text(redact(str(error)))[:1000])
            raise
        _release(state, tally, "")
        return tally


class _Work:
    def __init__(
        self,
        provider: Provider,
        client: ProviderClient,
        state: BackfillState,
        dry_run: bool,
        told: Callable[[Tally], None],
        ends: float,
    ) -> None:
        self.provider, self.client, self.state, self.dry_run, self.told = provider, client, state, dry_run, told
        self.ends = ends
        self.cursor = dict(state.cursor)
        self.tally = Tally()

    def read(self, since: datetime | None, patient: bool) -> Tally:
        start = since or timezone.now() - FIRST
        if since is not None:
            self.cursor = {}
        for tries in range(1, TRIES + 1):
            try:
                for page in self.client.backfill(start, self.cursor):
                    moved = page.cursor != self.cursor
                    self._take(page)
                    # Where the cursor stands still, the next run would only read the same again.
                    if moved and time.monotonic() > self.ends:
                        break
                return self.tally
            except Retryable as error:
                if not patient or tries == TRIES:
                    raise
                time.sleep(min(error.retry_after or 2.0**tries, LONGEST_WAIT))
        return self.tally

    def _take(self, page: Page) -> None:
        deliveries = [dataclasses.replace(item, pulled=item.pulled or PULLED) for item in page.deliveries]
        if self.dry_run:
            new = sum(1 for item in self._untold(deliveries) if not self._stored(item))
        else:
            with transaction.atomic():
                new = sum(not store(self.provider, item).duplicate for item in self._untold(deliveries))
                self._advance(page.cursor)
        self.cursor = page.cursor
        self.tally.fetched += len(deliveries)
        self.tally.new += new
        self.tally.known += len(deliveries) - new
        self.told(self.tally)

    def _advance(self, cursor: dict[str, object]) -> None:
        mine = BackfillState.objects.filter(pk=self.state.pk, worker=self.state.worker)
        if not mine.update(cursor=cursor, held_until=timezone.now() + HOLD):
            raise Running(f"Another process has taken over the back-fill of {self.provider.label}.")

    def _stored(self, delivery: Delivery) -> bool:
        key = short_key(self.provider.delivery_key(delivery))
        return InboundEvent.objects.filter(provider=self.provider.slug, delivery_key=key).exists()

    def _untold(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Without what deliveries about the same things have told under other keys."""
        if type(self.provider).was_told is Provider.was_told:
            return list(deliveries)
        names = [short_key(self.provider.ordering_key(item)) for item in deliveries]
        wanted = {name for name in names if name}
        earlier: dict[str, list[InboundEvent]] = defaultdict(list)
        rows = InboundEvent.objects.filter(provider=self.provider.slug, ordering_key__in=wanted)
        for row in rows.order_by("received_at", "pk"):
            earlier[row.ordering_key].append(row)
        pairs = zip(deliveries, names, strict=True)
        return [item for item, name in pairs if not self.provider.was_told(item, earlier.get(name, []))]


def _hold(slug: str) -> BackfillState:
    """Takes the row for this process. Raises `Running` where a living one has it."""
    BackfillState.objects.get_or_create(provider=slug)
    now = timezone.now()
    for row in BackfillState.objects.filter(provider=slug, held_until__gt=now):
        if process.has_died(row.worker.partition("#")[0]):
            BackfillState.objects.filter(provider=slug, worker=row.worker).update(held_until=now)
    worker = f"{process.identity()}#{time.monotonic_ns()}"[:100]
    free = BackfillState.objects.filter(Q(held_until__isnull=True) | Q(held_until__lte=now), provider=slug)
    if not free.update(worker=worker, held_until=now + HOLD, started_at=now):
        raise Running(f"A back-fill of {PROVIDERS[slug].label} is running already.")
    return BackfillState.objects.get(provider=slug)


def _release(state: BackfillState, tally: Tally, error: str) -> None:
    mine = BackfillState.objects.filter(pk=state.pk, worker=state.worker)
    finished = {"finished_at": timezone.now()} if not error else {"finished_at": F("finished_at")}
    mine.update(held_until=None, error=error, fetched=tally.fetched, new=tally.new, **finished)
