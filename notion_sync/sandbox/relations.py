"""Links between pages. A two-way relation is one set of links read from both ends."""

from __future__ import annotations

from collections.abc import Iterable

Links = dict[str, dict[str, None]]


class Relations:
    """`side` is "a" for the property that made the relation and "b" for its back-reference."""

    def __init__(self) -> None:
        self._sides: dict[str, dict[str, Links]] = {}
        self.changed: set[tuple[str, str]] = set()  # (relation, page on side a): to be saved
        self.removed: set[str] = set()

    def add_relation(self, relation: str) -> None:
        self._sides.setdefault(relation, {"a": {}, "b": {}})

    def drop_relation(self, relation: str) -> None:
        self._sides.pop(relation, None)
        self.removed.add(relation)

    def targets(self, relation: str, side: str, page_id: str) -> list[str]:
        return list(self._sides[relation][side].get(page_id, ()))

    def load(self, relation: str, a: str, b: str) -> None:
        self.add_relation(relation)
        self._link(relation, "a", a, b)

    def replace(self, relation: str, side: str, page_id: str, targets: Iterable[str]) -> set[str]:
        """Sets one page's links; the ids of the pages whose other end changed are returned."""
        wanted = dict.fromkeys(targets)
        present = self._sides[relation][side].get(page_id, {})
        if list(wanted) == list(present):
            return set()
        touched = set(wanted) ^ set(present)
        for target in present.keys() - wanted.keys():
            self._unlink(relation, side, page_id, target)
        for target in wanted.keys() - present.keys():
            self._link(relation, side, page_id, target)
        if wanted:
            self._sides[relation][side][page_id] = wanted
        self._note(relation, side, page_id, touched)
        return touched

    def neighbours(self, page_id: str) -> set[str]:
        """Every page that shows this one in one of its relations, or is shown by it."""
        found: set[str] = set()
        for sides in self._sides.values():
            found.update(sides["a"].get(page_id, ()), sides["b"].get(page_id, ()))
        return found

    def rows(self, relation: str, a: str) -> list[str]:
        sides = self._sides.get(relation)
        return list(sides["a"].get(a, ())) if sides else []

    def _link(self, relation: str, side: str, page_id: str, target: str) -> None:
        near, far = self._ends(relation, side)
        near.setdefault(page_id, {})[target] = None
        far.setdefault(target, {})[page_id] = None

    def _unlink(self, relation: str, side: str, page_id: str, target: str) -> None:
        for links, one, other in zip(
            self._ends(relation, side), (page_id, target), (target, page_id), strict=True
        ):
            links[one].pop(other, None)
            if not links[one]:
                del links[one]

    def _ends(self, relation: str, side: str) -> tuple[Links, Links]:
        sides = self._sides[relation]
        return (sides["a"], sides["b"]) if side == "a" else (sides["b"], sides["a"])

    def _note(self, relation: str, side: str, page_id: str, touched: set[str]) -> None:
        if side == "a":
            self.changed.add((relation, page_id))
        else:
            self.changed.update((relation, a) for a in touched)
