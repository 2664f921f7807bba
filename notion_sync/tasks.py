"""Background synchronisation: pushing what waits, polling for people's edits, and the nightly sweep."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from higherself.core import jobs
from higherself.core.errors import Permanent, Retryable
from notion_sync import doorbell
from notion_sync.budget import Lane
from notion_sync.client import NotionApi
from notion_sync.engine.lease import Held, hold
from notion_sync.engine.push import pending
from notion_sync.engine.records import rows_manager
from notion_sync.engine.run import BOTH, PULL, PUSH, Job, reconcile
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionChange, NotionDatabase, NotionPage

logger = logging.getLogger(__name__)

# A round ends after this long, so that commands and other jobs get their turn; seconds.
ROUND = 40.0
# Before a page is overwritten, what people changed in its database is read, unless that was done just now.
FRESH_FOR_UPDATES = timedelta(seconds=10)
FRESH_FOR_CREATES = timedelta(seconds=90)


def is_set_up() -> bool:
    return NotionDatabase.objects.exclude(data_source_id="").exists()


def waiting_keys() -> list[str]:
    return [key for key, mapping in MAPPINGS.items() if pending(mapping).exists()]


@jobs.job("push_to_notion", every_seconds=60)
def push_to_notion() -> None:
    """Carries local changes to Notion until none is left, or the round is over."""
    _round("push", Lane.AGENT, _push_until_done)


@jobs.job("poll_notion", every_seconds=30)
def poll_notion() -> None:
    """Reads what people changed: the net under the webhooks, and all there is without them."""
    newest = NotionDatabase.objects.exclude(pulled_at=None).order_by("-pulled_at").first()
    due = timezone.now() - timedelta(seconds=settings.NOTION_POLL_SECONDS - 5)
    if newest is not None and NotionDatabase.objects.filter(pulled_at__gte=due).count() == len(MAPPINGS):
        return
    _round("poll", Lane.POLL, lambda api, held: reconcile(api, Job(direction=PULL), held, "poll"))


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
    """Reads and compares everything, and finds what was trashed, moved or unshared."""
    _round("sweep", Lane.SWEEP, lambda api, held: reconcile(api, Job(direction=BOTH, full=True), held, "nightly"))


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
    if waiting_keys():
        jobs.wake("push_to_notion")


def _push_until_done(api: NotionApi, held: Held) -> None:
    deadline = time.monotonic() + ROUND
    while (keys := waiting_keys()) and time.monotonic() < deadline:
        stale = [key for key in keys if _must_read_first(key)]
        if stale:
            reconcile(api, Job(keys=stale, direction=PULL), held, "push")
        job = Job(keys=keys, direction=PUSH, until=lambda: time.monotonic() > deadline)
        counts = reconcile(api, job, held, "push")
        if not counts.changed():
            return


def _must_read_first(key: str) -> bool:
    """Whether a person's edit could be overwritten unseen if we pushed now."""
    pulled = NotionDatabase.objects.filter(key=key).values_list("pulled_at", flat=True).first()
    if pulled is None:
        return True
    waiting = rows_manager(MAPPINGS[key].model).filter(local_change_at__isnull=False).values("pk")
    updates = NotionPage.objects.filter(database_id=key, page_id__isnull=False, object_id__in=waiting).exists()
    return timezone.now() - pulled > (FRESH_FOR_UPDATES if updates else FRESH_FOR_CREATES)
