"""Boards: cards in columns, moved by buttons on each card or by dragging, which presses the same buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

# So many cards stand in a column; "more" leads to the list. Counting stops at `COUNTED`.
SHOWN = 12
COUNTED = 99


@dataclass(frozen=True)
class Move:
    """One button of a card. ``to`` is the key of the column that it leads to, where dragging does the same."""

    title: str
    url: str
    name: str = ""
    value: str = ""
    to: str = ""
    usual: bool = True


@dataclass(frozen=True)
class Card:
    title: str
    url: str
    chips: tuple[Any, ...] = ()
    lines: tuple[Any, ...] = ()
    moves: tuple[Move, ...] = ()

    @property
    def targets(self) -> str:
        return "|".join(sorted({move.to for move in self.moves if move.to}))

    @property
    def usual(self) -> list[Move]:
        return [move for move in self.moves if move.usual]

    @property
    def others(self) -> list[Move]:
        return [move for move in self.moves if not move.usual]


@dataclass
class Column:
    key: str
    title: str
    more: str
    tone: str = "calm"
    ends: bool = False
    cards: list[Card] = field(default_factory=list)
    number: int = 0

    @property
    def shown(self) -> str:
        return f"{COUNTED}+" if self.number > COUNTED else str(self.number)

    @property
    def has_more(self) -> bool:
        return self.number > len(self.cards)


def filled(rows: QuerySet[Any]) -> tuple[list[Any], int]:
    """The rows of one column and how many there are, both bounded: always two queries."""
    return list(rows[:SHOWN]), rows.order_by()[: COUNTED + 1].count()
