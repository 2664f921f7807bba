"""What a run did, per database."""

from __future__ import annotations

from collections import Counter

NAMES = (
    "pulled",
    "pushed",
    "created_local",
    "created_notion",
    "trashed",
    "restored",
    "conflicts",
    "errors",
    "unchanged",
)


class Counts:
    """Counters by database, with the messages of what went wrong."""

    def __init__(self) -> None:
        self._counters: dict[str, Counter[str]] = {}
        self.messages: list[str] = []

    def add(self, key: str, name: str, number: int = 1) -> None:
        self._counters.setdefault(key, Counter())[name] += number

    def error(self, key: str, message: str) -> None:
        self.add(key, "errors")
        self.messages.append(message)

    def get(self, key: str, name: str) -> int:
        return self._counters.get(key, Counter())[name]

    def total(self, name: str) -> int:
        return sum(counter[name] for counter in self._counters.values())

    def changed(self) -> int:
        return sum(self.total(name) for name in NAMES if name not in {"unchanged", "errors"})

    def plus(self, other: Counts) -> Counts:
        both = Counts()
        for counts in (self, other):
            for key, counter in counts._counters.items():
                both._counters.setdefault(key, Counter()).update(counter)
            both.messages += counts.messages
        return both

    def as_dict(self, keys: list[str]) -> dict[str, dict[str, int]]:
        return {key: {name: self.get(key, name) for name in NAMES} for key in keys}
