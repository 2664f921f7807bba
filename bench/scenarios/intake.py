"""Signed deliveries accepted per second, each on disk before its answer."""

from __future__ import annotations

import uuid
from typing import Any

from bench.environment import TYPEFORM_SECRET
from bench.load import Load
from bench.options import Options
from bench.results import Result
from bench.stage import Stage, generate
from higherself.integrations.models import InboundEvent

CONNECTIONS = (1, 16, 64)
PER_SECOND, P99_MS = 800, 200
# More than any level can send: the clock ends a load, not the supply.
_SUPPLY_PER_SECOND = 3000


def measure(stage: Stage, options: Options, result: Result) -> None:
    stage.prepare()
    port = stage.web()
    accepted = _load(port, "warm", CONNECTIONS[-1], 1.0)["accepted"]
    for connections in CONNECTIONS:
        before = stage.cpu()
        outcome = _load(port, f"c{connections}", connections, options.seconds)
        used = (stage.cpu() - before) * 1000 / max(len(outcome["accepted"]), 1)
        result.figures[f"{connections} connections"] = outcome["figures"] | {"web_cpu_ms_each": round(used, 2)}
        accepted += outcome["accepted"]
    lost = _missing(accepted)
    result.figures |= {"accepted and checked": len(accepted), "accepted and lost": lost}
    _judge(result)


def _load(port: int, prefix: str, connections: int, seconds: float) -> dict[str, Any]:
    supply = max(int(seconds * _SUPPLY_PER_SECOND), connections)
    return generate(Load(port, TYPEFORM_SECRET, prefix, connections, supply, seconds))


def _missing(accepted: list[str]) -> int:
    """How many of the events that were answered for are not in the table, byte for byte present."""
    stored = set(InboundEvent.objects.exclude(body=b"").values_list("id", flat=True))
    return len({uuid.UUID(event_id) for event_id in accepted} - stored) + len(accepted) - len(set(accepted))


def _judge(result: Result) -> None:
    widest = result.figures[f"{CONNECTIONS[-1]} connections"]
    errors = sum(sum(result.figures[f"{level} connections"]["errors"].values()) for level in CONNECTIONS)
    result.at_least("deliveries/s at 64 connections", widest["per_second"], PER_SECOND)
    result.at_most("p99 at 64 connections, ms", widest["milliseconds"]["p99"], P99_MS)
    result.at_most("refused or broken", errors, 0)
    result.at_most("accepted and lost", result.figures["accepted and lost"], 0)
