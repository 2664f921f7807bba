"""Counts what the public addresses refuse, so that staff can see it, at no cost to what is genuine.

A request only adds to a table in the process's memory. A second later a thread writes what has gathered, in one
statement, and the database adds it up for all processes. However much is refused, that is one write a second and
process, and at most `MOST_ADDRESSES` rows an hour besides one for each provider and reason. What a process has
gathered within its last second is lost with it; while the database is away, it is kept and tried again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from higherself.core.addresses import client_address
from higherself.core.logs import redact
from higherself.integrations.delivery import db_text
from higherself.integrations.models import RefusedDelivery

logger = logging.getLogger(__name__)

Reason = RefusedDelivery.Reason
# Seconds between a refusal and its being written; and until the next try where the database could not take it.
PAUSE = 1.0
RETRY = 30.0
# So many rows of one hour name an address; refusals of further ones are counted together.
MOST_ADDRESSES = 100

_TABLE = RefusedDelivery._meta.db_table
_KEY = ("hour", "provider", "reason", "address")
_COLUMNS = (*_KEY, "number", "first_at", "last_at", "detail", "agent")
_FIELDS: list[Any] = [RefusedDelivery._meta.get_field(name) for name in _COLUMNS]
_LENGTHS = {field.name: field.max_length for field in _FIELDS}


class Key(NamedTuple):
    """What is counted together: as the table's unique constraint has it."""

    hour: datetime
    provider: str
    reason: str
    address: str

    @property
    def folded(self) -> Key:
        return self._replace(address="")


@dataclass(frozen=True)
class Count:
    """How often, from when to when; ``detail`` and ``agent`` are those of the last."""

    number: int
    first: datetime
    last: datetime
    detail: str = ""
    agent: str = ""

    def plus(self, later: Count) -> Count:
        return replace(later, number=self.number + later.number, first=min(self.first, later.first))


Counts = dict[Key, Count]


class Tally:
    """Gathers counts and hands them to ``write`` in a thread of its own, ``pause`` seconds after the first."""

    def __init__(self, write: Callable[[Counts], None], pause: float = PAUSE, retry: float = RETRY) -> None:
        self._write = write
        self._pause = pause
        self._retry = retry
        self._lock = threading.Lock()
        self._counts: Counts = {}
        self._timer: threading.Timer | None = None

    def add(self, key: Key, count: Count, *, at_once: bool = False) -> None:
        with self._lock:
            _add(self._counts, key, count)
            if not at_once:
                self._arm(self._pause)
        if at_once:
            self.flush()

    def flush(self) -> None:
        """Writes what has gathered. While the database is away, it stays for the next time."""
        with self._lock:
            counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            self._write(counts)
        except (OperationalError, InterfaceError) as error:
            logger.warning("refused deliveries could not be counted yet: %s", error)
            with self._lock:
                later, self._counts = self._counts, counts
                for key, count in later.items():
                    _add(self._counts, key, count)
                self._arm(self._retry)
        except DatabaseError:
            # It would fail again: figures about strangers are not worth more than a line in the log.
            logger.exception("refused deliveries could not be counted and were dropped")

    def forget(self) -> None:
        """Throws away what has gathered."""
        with self._lock:
            self._counts = {}
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            timer.join()

    def _arm(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = threading.Timer(seconds, self._ring)
            self._timer.daemon = True
            self._timer.start()

    def _ring(self) -> None:
        with self._lock:
            if self._timer is threading.current_thread():
                self._timer = None
        try:
            self.flush()
        finally:
            connection.close()


def _add(counts: Counts, key: Key, count: Count) -> None:
    if key not in counts and len(counts) >= MOST_ADDRESSES:
        key = key.folded
    counts[key] = counts[key].plus(count) if key in counts else count


def _write(counts: Counts) -> None:
    with transaction.atomic():
        _upsert(_within_bounds(counts, _known({key.hour for key in counts})))


def _known(hours: set[datetime]) -> set[Key]:
    rows = RefusedDelivery.objects.filter(hour__in=hours).exclude(address="").order_by()
    return {Key(*row) for row in rows.values_list(*_KEY)}


def _within_bounds(counts: Mapping[Key, Count], known: set[Key]) -> Counts:
    """The same, where addresses for which an hour has no room any more are counted together."""
    used: dict[datetime, int] = {}
    for key in known:
        used[key.hour] = used.get(key.hour, 0) + 1
    found: Counts = {}
    for key, count in counts.items():
        target = key
        if key.address and key not in known:
            used[key.hour] = used.get(key.hour, 0) + 1
            target = key if used[key.hour] <= MOST_ADDRESSES else key.folded
        found[target] = found[target].plus(count) if target in found else count
    return found


def _upsert(counts: Counts) -> None:
    """Adds to the rows that are there, and makes those that are not, in one statement."""
    quote = connection.ops.quote_name
    table = quote(_TABLE)
    one = "(" + ", ".join(["%s"] * len(_COLUMNS)) + ")"
    sql = (
        f"INSERT INTO {table} ({', '.join(map(quote, _COLUMNS))}) VALUES {', '.join([one] * len(counts))} "  # noqa: S608
        f"ON CONFLICT ({', '.join(map(quote, _KEY))}) DO UPDATE SET "
        f"number = {table}.number + excluded.number, last_at = excluded.last_at, "
        f"detail = excluded.detail, agent = excluded.agent"
    )
    # One order for all processes, so that two of them cannot wait for each other's rows.
    rows = [
        (*key, count.number, count.first, count.last, count.detail, count.agent)
        for key, count in sorted(counts.items())
    ]
    values = [
        field.get_db_prep_save(value, connection) for row in rows for field, value in zip(_FIELDS, row, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


_tally = Tally(_write)


def note(request: HttpRequest, provider: str, reason: str, detail: str = "") -> None:
    """Counts one refusal. It costs no query and never fails; inside a transaction of the caller's it is written at
    once, and the caller decides."""
    now = timezone.now()
    address = _said(client_address(request), "address")
    agent = _said(request.META.get("HTTP_USER_AGENT", ""), "agent")
    key = Key(now.replace(minute=0, second=0, microsecond=0), provider, str(reason), address)
    count = Count(1, now, now, _said(detail, "detail"), agent)
    _tally.add(key, count, at_once=connection.in_atomic_block)


def flush() -> None:
    """Writes what this process has gathered."""
    _tally.flush()


def forget() -> None:
    """Throws away what this process has gathered."""
    _tally.forget()


def _said(text: str, field: str) -> str:
    """A stranger's words as the table holds them: without secrets of ours, and short."""
    return redact(db_text(text))[: _LENGTHS[field]]
