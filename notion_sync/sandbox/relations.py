"""Links between pages. A two-way relation is one set of links read from both ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

Links = dict[str, dict[str, None]]


class LinkChange(NamedTuple):
    """For the data file: the link from `a` to `b` is there now, or is not any more."""

    present: bool
    relation: str
    a: str
    b: str


class Relations:
    """`side` is "a" for the property that made the relation and "b" for its back-reference."""

    def __init__(self) -> None:
        self._sides: dict[str, dict[str, Links]] = {}
        self.changes: list[LinkChange] = []
        self.dropped: set[str] = set()

    @property
    def unsaved(self) -> bool:
        return bool(self.changes or self.dropped)

    def saved(self) -> None:
        self.changes.clear()
        self.dropped.clear()

    def add_relation(self, relation: str) -> None:
        self._sides.setdefault(relation, {"a": {}, "b": {}})

    def drop_relation(self, relation: str) -> None:
        self._sides.pop(relation, None)
        self.dropped.add(relation)

    def targets(self, relation: str, side: str, page_id: str) -> list[str]:
        return list(self._sides[relation][side].get(page_id, ()))

    def load(self, relation: str, a: str, b: str) -> None:
        self.add_relation(relation)
        self._link(relation, "a", a, b)

    def replace(self, relation: str, side: str, page_id: str, targets: Iterable[str]) -> set[str]:
        """Sets one page's links; the ids of the pages whose other end changed are returned."""
        wanted = dict.fromkeys(targets)
        present = dict(self._sides[relation][side].get(page_id, {}))
        gone = [target for target in present if target not in wanted]
        new = [target for target in wanted if target not in present]
        for target in gone:
            self._unlink(relation, side, page_id, target)
        for target in new:
            self._link(relation, side, page_id, target)
        kept = [target for target in present if target in wanted]
        if [*kept, *new] != list(wanted):
            self._sides[relation][side][page_id] = wanted
            gone, new = list(present), list(wanted)  # saved anew, in the new order
        self._note(relation, side, page_id, gone, new)
        return present.keys() ^ wanted.keys()

    def neighbours(self, page_id: str) -> set[str]:
        """Every page that shows this one in one of its relations, or is shown by it."""
        found: set[str] = set()
        for sides in self._sides.values():
            found.update(sides["a"].get(page_id, ()), sides["b"].get(page_id, ()))
        return found

    def _link(self, relation: str, side: str, page_id: str, target: str) -> None:
        near, far = self._ends(relation, side)
        near.setdefault(page_id, {})[target] = None
        far.setdefault(target, {})[page_id] = None

    def _unlink(self, relation: str, side: str, page_id: str, target: str) -> None:
        near, far = self._ends(relation, side)
        for links, one, other in ((near, page_id, target), (far, target, page_id)):
            links[one].pop(other, None)
            if not links[one]:
                del links[one]

    def _ends(self, relation: str, side: str) -> tuple[Links, Links]:
        sides = self._sides[relation]
        return (sides["a"], sides["b"]) if side == "a" else (sides["b"], sides["a"])

    def _note(self, relation: str, side: str, page_id: str, gone: list[str], new: list[str]) -> None:
        for present, targets in ((False, gone), (True, new)):
            for target in targets:
                a, b = (page_id, target) if side == "a" else (target, page_id)
                self.changes.append(LinkChange(present, relation, a, b))
