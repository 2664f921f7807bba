"""The background jobs of what goes out. Each finds its work in rows, so a wake-up may get lost or come twice."""

from __future__ import annotations

import logging
import time
from functools import partial

from django.conf import settings
from django.utils import timezone

from higherself.core import jobs, process
from higherself.core.errors import Conflict, Permanent, Retryable
from higherself.core.jobs import job
from higherself.integrations import backfill, outbox, registering, relay
from higherself.integrations.models import BackfillState, OutboundCall
from higherself.integrations.registry import PROVIDERS

logger = logging.getLogger(__name__)

# Seconds that one run may take; then it asks to be called again, so that other jobs get their turn.
TIME_BOX = 30.0
# The same for reading history, whose rest the next run reads. The queue ends a job after 300 s.
HISTORY_TIME_BOX = 200.0
HISTORY_RETRY = 45.0


@job(outbox.JOB, every_seconds=30)
def relay_outbox() -> int:
    """Sends what is due until nothing is; returns how many calls were tried."""
    worker = process.identity()
    relay.take_from_the_dead()
    outbox.settle()
    if _enough_at_work(worker):
        return 0
    ends, tried = time.monotonic() + TIME_BOX, 0
    while time.monotonic() < ends:
        try:
            if not relay.send_one(worker):
                return tried
        except Conflict:
            continue
        tried += 1
    jobs.wake(outbox.JOB)
    return tried


def _enough_at_work(worker: str) -> bool:
    """Whether other processes of this machine are sending, so that one more would leave none for the inbox."""
    home = worker.rsplit("/", 2)[0]
    leased = OutboundCall.objects.filter(status=OutboundCall.Status.SENDING, next_attempt_at__gt=timezone.now())
    others = leased.filter(worker__startswith=f"{home}/").exclude(worker=worker)
    number = others.order_by().values("worker").distinct().count()
    return number >= max(1, settings.WORKER_PROCESSES - 2)


def read_history(slug: str) -> int:
    """Fetches what a provider has had since the last run; returns how much of it was new.

    One provider at a time: histories may be long, and the inbox needs workers, too.
    """
    if not PROVIDERS[slug].can_call:
        return 0
    if BackfillState.objects.filter(held_until__gt=timezone.now()).exclude(provider=slug).exists():
        jobs.wake_in(f"backfill_{slug}", HISTORY_RETRY)
        return 0
    try:
        return backfill.run(slug, seconds=HISTORY_TIME_BOX).new
    except (Permanent, Retryable, Conflict) as error:
        # Kept with the back-fill and shown there; the next run goes on from the cursor.
        logger.warning("the back-fill of %s did not finish: %s", slug, error)
        return 0


for _slug, _provider in PROVIDERS.items():
    if _provider.client_class is not None and _provider.client_class.backfill_minutes:
        _seconds = 60 * _provider.client_class.backfill_minutes
        job(f"backfill_{_slug}", every_seconds=_seconds)(partial(read_history, _slug))


@job("keep_webhooks", at_hour=5)
def keep_webhooks() -> int:
    """Once a day: webhooks that end by themselves are renewed. Returns how many were looked after."""
    looked_after = 0
    for slug in registering.providers():
        client = PROVIDERS[slug].client_class
        if client is None or not client.keeps_webhooks or not PROVIDERS[slug].can_call:
            continue
        try:
            looked_after += len(registering.keep(slug))
        except (Permanent, Retryable, Conflict) as error:
            # Tomorrow is early enough: Airtable's webhooks live for seven days, Snov.io's are tried for 38 hours.
            logger.error("the webhooks at %s could not be looked after: %s", slug, error)
    return looked_after
