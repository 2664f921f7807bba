"""The background jobs of what goes out. Each finds its work in rows, so a wake-up may get lost or come twice."""

from __future__ import annotations

import time

from higherself.core import jobs, process
from higherself.core.errors import Conflict
from higherself.core.jobs import job
from higherself.integrations import outbox, relay

# Seconds that one run may take; then it asks to be called again, so that other jobs get their turn.
TIME_BOX = 30.0


@job(outbox.JOB, every_seconds=30)
def relay_outbox() -> int:
    """Sends what is due until nothing is; returns how many calls were tried."""
    worker = process.identity()
    relay.take_from_the_dead()
    outbox.settle()
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
