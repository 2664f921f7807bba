"""Background synchronisation: pushing what waits, polling for people's edits, and the nightly sweep."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from higherself.core import jobs
from higherself.core.errors import Permanent, Retryable
from higherself.integrations import inbox
from higherself.integrations.intake import JOB as DRAIN_INBOX
from notion_sync import doorbell
from notion_sync.budget import Lane
from notion_sync.client import NotionApi
from notion_sync.engine.counts import Counts
from notion_sync.engine.lease import Held, hold
from notion_sync.engine.push import pending
from notion_sync.engine.records import rows_manager
from notion_sync.engine.run import BOTH, PULL, PUSH, Job, reconcile
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionChange, NotionDatabase, NotionPage

logger = logging.getLogger(__name__)

# A round ends after this long, so that commands and other jobs get their turn; seconds.
ROUND = 40.0
# A first read, or a sweep of all databases, goes on in the next round after this long; seconds. A background job is
# ended by force after five minutes.
LONG_ROUND = 120.0
# Writing to Notion is mostly waiting for its turn. While many deliveries wait, a worker has better things to do: it
# steps aside after so long, and comes back after a pause; seconds.
POLITE, ASIDE = 2.0, 5.0
# How often the clock comes by, in seconds: a poll that would be due before the half of the next time is due now.
TICK = 30
# A page that people made for the same thing is met before a new one is created, unless it is younger than this.
FRESH_FOR_CREATES = timedelta(seconds=90)


def is_set_up() -> bool:
    return NotionDatabase.objects.exclude(data_source_id="").exists()


def waiting_keys() -> list[str]:
    stopped = set(NotionDatabase.objects.filter(stopped_at__isnull=False).values_list("key", flat=True))
    return [key for key, mapping in MAPPINGS.items() if key not in stopped and pending(mapping).exists()]


@jobs.job("push_to_notion", every_seconds=60)
def push_to_notion() -> None:
    """Carries local changes to Notion until none is left, or the round is over."""
    _round("push", Lane.AGENT, _push_until_done)


@jobs.job("poll_notion", every_seconds=30)
def poll_notion() -> None:
    """Reads what people changed: the net under the webhooks, and all there is without them."""
    newest = NotionDatabase.objects.exclude(pulled_at=None).order_by("-pulled_at").first()
    due = timezone.now() - timedelta(seconds=settings.NOTION_POLL_SECONDS - TICK / 2)
    known = NotionDatabase.objects.filter(Q(pulled_at__gte=due) | Q(stopped_at__isnull=False))
    if newest is not None and known.count() == len(MAPPINGS):
        return
    until = _Turn(LONG_ROUND)
    _round("poll", Lane.POLL, lambda api, held: reconcile(api, Job(direction=PULL, until=until), held, "poll"))


@jobs.job(doorbell.JOB, every_seconds=30)
def read_notion_changes() -> None:
    """Reads the pages that Notion's webhooks have named, once it is quiet about them."""
    if not doorbell.due():
        return
    _round("webhooks", Lane.WEBHOOK, doorbell.read)
    if NotionChange.objects.exists():
        jobs.wake_in(doorbell.JOB, doorbell.QUIET.total_seconds())


@jobs.job("sweep_notion", at_hour=3)
def sweep_notion() -> None:
    """Has everything read and compared, and what was trashed, moved or unshared found."""
    NotionDatabase.objects.exclude(data_source_id="").update(sweep_wanted=True)
    jobs.wake("sweep_databases")


@jobs.job("sweep_databases", every_seconds=60)
def sweep_databases() -> None:
    """One database after the other, as many as a round has time for."""
    if _to_sweep():
        _round("sweep", Lane.SWEEP, _sweep)
        if _to_sweep():
            jobs.wake_in("sweep_databases", TICK)


def _sweep(api: NotionApi, held: Held) -> None:
    is_over = _Turn(LONG_ROUND)
    for key in _to_sweep():
        wanted = NotionDatabase.objects.filter(key=key)
        # Before the work: a database that takes longer than a job may is tried once a night, not once a minute.
        wanted.update(sweep_wanted=False)
        try:
            reconcile(api, Job(keys=[key], direction=BOTH, full=True), held, "nightly")
        except Retryable:
            wanted.update(sweep_wanted=True)
            raise
        if is_over():
            return


def _to_sweep() -> list[str]:
    wanted = set(NotionDatabase.objects.filter(sweep_wanted=True).values_list("key", flat=True))
    return [key for key in MAPPINGS if key in wanted]


def _round(name: str, lane: Lane, work: Callable[[NotionApi, Held], object]) -> None:
    """Does the work if Notion is set up, reachable, and nobody else is at it."""
    if not is_set_up():
        return
    with NotionApi(lane=lane, patience=ROUND) as api:
        if api.budget.resting():
            return
        try:
            with hold() as held:
                if held is None:
                    return  # whoever holds it looks for waiting rows before it lets go
                work(api, held)
        except (Permanent, Retryable) as error:
            logger.warning("%s: %s", name, error)
            return
    if not waiting_keys():
        return
    if inbox.is_crowded():
        jobs.wake(DRAIN_INBOX)
        jobs.wake_in("push_to_notion", ASIDE)
    else:
        jobs.wake("push_to_notion")


def _push_until_done(api: NotionApi, held: Held) -> None:
    until = _PoliteTurn(ROUND)
    while (keys := waiting_keys()) and not until():
        stale = [key for key in keys if _must_read_first(key)]
        fresh = [key for key in keys if key not in stale]
        counts = reconcile(api, Job(keys=stale, direction=BOTH, until=until), held, "push") if stale else Counts()
        if fresh:
            job = Job(keys=fresh, direction=PUSH, until=until, has_read=True)
            counts = counts.plus(reconcile(api, job, held, "push"))
        if not counts.changed():
            return


class _Turn:
    """Says whether a turn of so many seconds is over."""

    def __init__(self, seconds: float) -> None:
        self.ends = time.monotonic() + seconds

    def __call__(self) -> bool:
        return time.monotonic() > self.ends


class _PoliteTurn(_Turn):
    """One that ends early when deliveries crowd the inbox, which is looked at now and then."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.look_at = time.monotonic() + POLITE

    def __call__(self) -> bool:
        now = time.monotonic()
        if now > self.look_at:
            self.look_at = now + POLITE
            if inbox.is_crowded():
                self.ends = 0.0
        return super().__call__()


def _must_read_first(key: str) -> bool:
    """Whether a person's edit could be overwritten unseen if we pushed now: always where a page is to be changed."""
    pulled = NotionDatabase.objects.filter(key=key).values_list("pulled_at", flat=True).first()
    if pulled is None or timezone.now() - pulled > FRESH_FOR_CREATES:
        return True
    waiting = rows_manager(MAPPINGS[key].model).filter(local_change_at__isnull=False).values("pk")
    return NotionPage.objects.filter(database_id=key, page_id__isnull=False, object_id__in=waiting).exists()
