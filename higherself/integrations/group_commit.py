"""Many threads, one commit: whoever comes first writes for all who wait.

A durable commit costs one flush of the disk however many rows it carries. So a thread that finds nobody writing
becomes the leader and writes everything that waits, its own item included; those who come meanwhile wait, and the
first of them leads the next batch. Without company nobody waits for anybody.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeAlias, TypeVar, cast

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")

Outcome: TypeAlias = R | BaseException


class _Ticket(Generic[I, R]):
    """One waiting item. ``turn`` is set when its outcome is there, or when its thread is to lead."""

    __slots__ = ("item", "outcome", "settled", "turn")

    def __init__(self, item: I) -> None:
        self.item = item
        self.turn = threading.Event()
        self.settled = False
        self.outcome: Outcome[R] | None = None

    def settle(self, outcome: Outcome[R]) -> None:
        self.outcome = outcome
        self.settled = True
        self.turn.set()

    def result(self) -> R:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return cast("R", self.outcome)


class GroupCommit(Generic[I, R]):
    """``write`` gets a batch and answers with one outcome per item, in order; an outcome may be an exception.

    Where ``write`` itself raises, every item of the batch fails with that exception.
    """

    def __init__(self, write: Callable[[Sequence[I]], Sequence[Outcome[R]]], limit: int) -> None:
        self._write = write
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: deque[_Ticket[I, R]] = deque()
        self._led = False

    def submit(self, item: I) -> R:
        """Returns once the item is written, or raises what its writing raised."""
        ticket: _Ticket[I, R] = _Ticket(item)
        with self._lock:
            self._waiting.append(ticket)
            leads, self._led = not self._led, True
        if not leads:
            ticket.turn.wait()
        if not ticket.settled:
            self._lead()
        return ticket.result()

    def _lead(self) -> None:
        """Writes one batch, the leader's own item first in it, and hands the lead on."""
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
        try:
            outcomes: Sequence[Outcome[R]] = self._write([ticket.item for ticket in batch])
            if len(outcomes) != len(batch):
                raise RuntimeError(f"{len(batch)} items were written with {len(outcomes)} outcomes")
        except BaseException as error:  # whatever it is, nobody may be left waiting
            outcomes = [error] * len(batch)
        self._hand_on()
        for ticket, outcome in zip(batch, outcomes, strict=True):
            ticket.settle(outcome)

    def _hand_on(self) -> None:
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._led = following is not None
        if following is not None:
            following.turn.set()
