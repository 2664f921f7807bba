"""What to measure, from arguments or, where these are silent, from the environment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

# `pace` sends as fast as the limit allows for minutes, so it runs only when it is asked for by name.
SCENARIOS = ("intake", "leads", "bookings", "flows", "latency", "sync", "segments", "console", "pace")
DEFAULT = SCENARIOS[:-1]
BACKENDS = ("sqlite", "postgres")
POSTGRES = "postgresql://root@127.0.0.1:5432"


@dataclass(frozen=True)
class Options:
    """``seconds`` is the length of each timed load; ``scale`` multiplies the numbers of leads and pages."""

    scenarios: tuple[str, ...] = DEFAULT
    backends: tuple[str, ...] = BACKENDS
    seconds: float = 10.0
    scale: float = 1.0
    postgres: str = POSTGRES

    def rows(self, at_scale_one: int) -> int:
        return max(1, round(at_scale_one * self.scale))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def parse(arguments: Sequence[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the server.")
    parser.add_argument("scenario", nargs="*", help=f"{', '.join(SCENARIOS)} (default: all but pace)")
    parser.add_argument("--backend", choices=[*BACKENDS, "both"], default=os.environ.get("BENCH_BACKEND", "both"))
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("BENCH_SECONDS", "10")))
    parser.add_argument("--scale", type=float, default=float(os.environ.get("BENCH_SCALE", "1")))
    parser.add_argument(
        "--postgres", default=os.environ.get("BENCH_POSTGRES", POSTGRES), help=f"server to use (default: {POSTGRES})"
    )
    given = parser.parse_args(arguments)
    scenarios = tuple(given.scenario or os.environ.get("BENCH_SCENARIOS", "").split() or DEFAULT)
    unknown = sorted(set(scenarios) - set(SCENARIOS))
    if unknown:
        parser.error(f"no scenario is called {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    if given.seconds <= 0 or given.scale <= 0:
        parser.error("--seconds and --scale take numbers above 0")
    backends = BACKENDS if given.backend == "both" else (given.backend,)
    return Options(scenarios, backends, given.seconds, given.scale, given.postgres)
