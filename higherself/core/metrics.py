"""Figures for Prometheus, read from rows: every process gives the same answer, and a restart loses none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from higherself.core import health, jobs


@dataclass(frozen=True)
class Gauge:
    """One figure with a name, an explanation, and values by label."""

    name: str
    help: str
    values: Mapping[Any, float]
    labels: tuple[str, ...] = field(default=())


_sources: list[Callable[[], Iterable[Gauge]]] = []


def gauges(function: Callable[[], Iterable[Gauge]]) -> Callable[[], Iterable[Gauge]]:
    """Registers a function that reads figures."""
    _sources.append(function)
    return function


@gauges
def system() -> Iterator[Gauge]:
    _, components = health.report()
    up = {(name,): float(part.status == health.OK) for name, part in components.items()}
    yield Gauge("higherself_component_ok", "1 where the component is well, else 0", up, ("component",))
    yield Gauge("higherself_jobs_queued", "Wake-ups that no worker has taken yet", {(): float(jobs.queue_length())})


class _Rows(Collector):
    def collect(self) -> Iterator[Metric]:
        for source in _sources:
            for gauge in source():
                family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
                for labels, value in gauge.values.items():
                    family.add_metric(labels, value)
                yield family


def registry() -> CollectorRegistry:
    found = CollectorRegistry()
    found.register(_Rows())
    return found
