"""From stored to processed at a steady pace, with everything running: web, worker, and a Notion to push to."""

from __future__ import annotations

import os

from bench.environment import TYPEFORM_SECRET
from bench.load import Load
from bench.options import Options
from bench.results import Result, percentile, spread
from bench.stage import Stage, generate, wait_until
from higherself.integrations.models import InboundEvent

PER_SECOND = 20
# The load is three times as long as others: a wake-up that got lost would show only at the next scheduled one.
_LENGTH = 3
P95_SECONDS = 1.0


def measure(stage: Stage, options: Options, result: Result) -> None:
    stage.prepare()
    stage.sandbox()
    stage.manage("setup_notion", "--verbosity", "0")
    port = stage.web()
    workers = stage.workers(int(os.environ.get("WORKER_PROCESSES", "3")))
    events = InboundEvent.objects.all()
    # The first deliveries also wake the workers up; they do not count.
    _send(port, "warm", 2.0)
    outcome = _send(port, "paced", options.seconds * _LENGTH)
    waiting = events.filter(next_attempt_at__isnull=False)
    wait_until(lambda: not waiting.exists(), "all events are processed", workers, 120)
    times = events.filter(delivery_key__contains="token-paced-").values_list("received_at", "processed_at")
    took = [(processed - received).total_seconds() * 1000 for received, processed in times]
    result.figures = {
        "sent per second": PER_SECOND,
        "events": len(took),
        "stored to processed, ms": spread(took, 0),
        "accepted, ms": outcome["figures"]["milliseconds"],
        "refused or broken": sum(outcome["figures"]["errors"].values()),
    }
    result.at_most("p95 stored to processed, s", round(percentile(took, 0.95) / 1000, 3), P95_SECONDS)
    result.at_most("refused or broken", result.figures["refused or broken"], 0)


def _send(port: int, prefix: str, seconds: float) -> dict[str, dict]:
    load = Load(port, TYPEFORM_SECRET, prefix, 8, max(int(PER_SECOND * seconds), 1), seconds + 5, rate=PER_SECOND)
    return generate(load)
