"""Storing a delivery: durable before it is answered, once however often it is sent, many in one commit."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q

from higherself.core import jobs
from higherself.integrations.base import Provider
from higherself.integrations.delivery import Delivery, db_text
from higherself.integrations.group_commit import GroupCommit, Outcome
from higherself.integrations.models import PULLED, InboundEvent

logger = logging.getLogger(__name__)

JOB = "drain_inbox"
# A batch is one statement; both databases take this many rows of our width in it.
_BATCH = 64
_FIELDS = list(InboundEvent._meta.concrete_fields)
_TABLE = InboundEvent._meta.db_table
_COLUMNS = [str(field.column) for field in _FIELDS]
_KEY = ("provider", "delivery_key")


class Stored(NamedTuple):
    event_id: uuid.UUID
    duplicate: bool


def store(provider: Provider, delivery: Delivery, *, ignored: str = "", key: str = "") -> Stored:
    """Stores a verified delivery and wakes the worker; of a repeat it returns the first one's id.

    ``ignored`` gives the reason where nobody is to work on it; ``key`` replaces the provider's delivery key. When
    this returns, the row is on disk, except inside a transaction of the caller's, which decides then. Raises
    `DatabaseError` where the database cannot take it.
    """
    row = _row(provider, delivery, ignored or provider.unread, key)
    if connection.in_atomic_block:
        stored = _insert([row])[0]
        if _is_news(row, stored):
            jobs.wake(JOB)
        return stored
    return _group.submit(row)


def _row(provider: Provider, delivery: Delivery, ignored: str, key: str) -> InboundEvent:
    row = InboundEvent(
        provider=provider.slug,
        delivery_key=short_key(key or provider.delivery_key(delivery)),
        event_type=db_text(provider.event_type(delivery))[:100],
        ordering_key=short_key(provider.ordering_key(delivery)),
        query=db_text(delivery.query),
        headers={name: db_text(value) for name, value in provider.kept_headers(delivery).items()},
        content_type=db_text(delivery.content_type)[:200],
        body=delivery.body,
        received_at=delivery.received_at,
        next_attempt_at=delivery.received_at,
    )
    if delivery.pulled:
        row.headers[PULLED] = db_text(delivery.pulled)
    if ignored:
        row.status, row.error = InboundEvent.Status.IGNORED, ignored
        row.next_attempt_at, row.processed_at = None, delivery.received_at
    return row


def short_key(key: str) -> str:
    """A key as it is where it fits; else its beginning and a digest of all of it."""
    key = db_text(key)
    if len(key) <= 200:
        return key
    return f"{key[:120]}:{hashlib.sha256(key.encode()).hexdigest()}"


def _is_news(row: InboundEvent, outcome: Outcome[Stored]) -> bool:
    return isinstance(outcome, Stored) and not outcome.duplicate and row.next_attempt_at is not None


def _write(rows: Sequence[InboundEvent]) -> Sequence[Outcome[Stored]]:
    """One transaction for all; where a row spoils it, one each, so that it does not take its neighbours with it."""
    try:
        outcomes: Sequence[Outcome[Stored]] = _commit(rows)
    except (OperationalError, InterfaceError):
        raise  # the database is away or locked: no row's fault
    except (DatabaseError, ValueError, TypeError):
        if len(rows) == 1:
            raise
        outcomes = [_commit_alone(row) for row in rows]
    if any(_is_news(row, outcome) for row, outcome in zip(rows, outcomes, strict=True)):
        _wake()
    return outcomes


def _commit(rows: Sequence[InboundEvent]) -> list[Stored]:
    with transaction.atomic():
        return _insert(rows)


def _commit_alone(row: InboundEvent) -> Outcome[Stored]:
    try:
        return _commit([row])[0]
    except (DatabaseError, ValueError, TypeError) as error:
        logger.error("could not store a delivery of %s: %s", row.provider, error)
        return error


def _wake() -> None:
    try:
        jobs.wake(JOB)
    except DatabaseError:
        # The rows are stored, so the senders must hear so; the schedule wakes the worker within a minute.
        logger.exception("stored, but could not wake the worker")


def _insert(rows: Sequence[InboundEvent]) -> list[Stored]:
    # One order for all processes, so that two of them cannot wait for each other's keys.
    in_order = sorted(rows, key=_key)
    inserted = _insert_new(in_order)
    if len(inserted) == len(rows):
        return [Stored(row.pk, duplicate=False) for row in rows]
    first = _ids_of([row for row in rows if row.pk not in inserted])
    return [
        Stored(row.pk, duplicate=False) if row.pk in inserted else Stored(first[_key(row)], duplicate=True)
        for row in rows
    ]


def _key(row: InboundEvent) -> tuple[str, str]:
    return row.provider, row.delivery_key


def _insert_new(rows: Sequence[InboundEvent]) -> set[uuid.UUID]:
    """Inserts what is not there yet, in one statement, and returns the ids of these."""
    db = connections[connection.alias]  # looked up once, not for each value
    quote = db.ops.quote_name
    columns, target = ", ".join(map(quote, _COLUMNS)), ", ".join(map(quote, _KEY))
    one = "(" + ", ".join(["%s"] * len(_FIELDS)) + ")"
    sql = (
        f"INSERT INTO {quote(_TABLE)} ({columns}) VALUES {', '.join([one] * len(rows))} "  # noqa: S608
        f"ON CONFLICT ({target}) DO NOTHING RETURNING {quote('id')}"
    )
    values = [_value(field, row, db) for row in rows for field in _FIELDS]
    with db.cursor() as cursor:
        cursor.execute(sql, values)
        return {uuid.UUID(str(found)) for (found,) in cursor.fetchall()}


def _value(field: Any, row: InboundEvent, db: BaseDatabaseWrapper) -> Any:
    return field.get_db_prep_save(field.pre_save(row, add=True), db)


def _ids_of(rows: Sequence[InboundEvent]) -> dict[tuple[str, str], uuid.UUID]:
    wanted = Q()
    for provider in {row.provider for row in rows}:
        wanted |= Q(provider=provider, delivery_key__in=[r.delivery_key for r in rows if r.provider == provider])
    found = InboundEvent.objects.filter(wanted).values_list("provider", "delivery_key", "id")
    return {(provider, key): event_id for provider, key, event_id in found}


_group: GroupCommit[InboundEvent, Stored] = GroupCommit(_write, _BATCH)
