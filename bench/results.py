"""Figures, what they should reach, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Target:
    """A figure that must be at least, or at most, a value."""

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        high_enough = self.at_least is None or self.value >= self.at_least
        return high_enough and (self.at_most is None or self.value <= self.at_most)

    @property
    def wanted(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:,g}"
        return f"≤ {self.at_most:,g}"

    def as_dict(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value is not None} | {"met": self.met}


@dataclass
class Result:
    """What one scenario found on one database."""

    scenario: str
    backend: str
    figures: dict[str, Any] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    database: dict[str, str] = field(default_factory=dict)
    error: str = ""

    def at_least(self, name: str, value: float, wanted: float) -> None:
        self.targets.append(Target(name, value, at_least=wanted))

    def at_most(self, name: str, value: float, wanted: float) -> None:
        self.targets.append(Target(name, value, at_most=wanted))

    def as_dict(self) -> dict[str, Any]:
        return {
            "scenario": self.scenario,
            "backend": self.backend,
            "database": self.database,
            "figures": self.figures,
            "targets": [target.as_dict() for target in self.targets],
            "error": self.error,
        }


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of all do not exceed (nearest rank); 0 of nothing."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    rank = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(int(rank), 1) - 1]


def spread(values: Sequence[float], digits: int = 1) -> dict[str, float]:
    found = {f"p{round(share * 100)}": round(percentile(values, share), digits) for share in (0.5, 0.95, 0.99)}
    return found | {"max": round(max(values, default=0.0), digits)}


def show(results: Iterable[dict[str, Any]]) -> None:
    """A table for people, on stderr."""
    table = Table("scenario", "database", "figure", "value", "target", "", title="Benchmarks")
    for result in results:
        where = (result["scenario"], result["backend"])
        for target in result["targets"]:
            wanted = Target(**{key: value for key, value in target.items() if key != "met"}).wanted
            table.add_row(*where, target["name"], f"{target['value']:,g}", wanted, "met" if target["met"] else "MISSED")
        wanted_names = {target["name"] for target in result["targets"]}
        for name, value in _flat(result["figures"]):
            if name not in wanted_names:
                table.add_row(*where, name, value, "", "")
        if result["error"]:
            table.add_row(*where, "failed", result["error"], "", "")
    Console(stderr=True, width=150).print(table)


def _flat(figures: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", f"{value:,}" if isinstance(value, (int, float)) else str(value)
