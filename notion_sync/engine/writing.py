"""Writes what a batch of pages changed, in as few statements as the batch allows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from copy import copy
from datetime import date
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from higherself.core.models import Record
from notion_sync.engine.records import is_empty, rows_manager, through_columns
from notion_sync.mapping import NotionMapping
from notion_sync.models import NotionPage
from notion_sync.properties import Relation

if TYPE_CHECKING:
    from notion_sync.engine.apply import Meeting

# What nearly every change of a page changes, and what hardly any does.
_USUAL = ("base", "seen", "edited_at", "synced_at")
_SETTINGS = ("object_id", "page_id", "state", "in_trash", "url", "attempts", "next_attempt_at", "error")
_COLLECTIONS = ("local_base", "unresolved", "issues")
_RARE = (*_SETTINGS, *_COLLECTIONS)
_settings, _collections = attrgetter(*_SETTINGS), attrgetter(*_COLLECTIONS)

# How a note on a page ends whose value another record has already.
TAKEN = "is used by another record already"


def rows(mapping: type[NotionMapping], meetings: Sequence[Meeting]) -> None:
    """Inserts new rows and updates changed ones. A row that breaks a unique rule is stored without that value."""
    new = [meeting for meeting in meetings if meeting.is_new]
    changed = [meeting for meeting in meetings if not meeting.is_new and meeting.columns]
    try:
        with transaction.atomic():
            _bulk(mapping, new, changed)
    except IntegrityError:
        for meeting in [*new, *changed]:
            _single(mapping, meeting)


def _bulk(mapping: type[NotionMapping], new: Sequence[Meeting], changed: Sequence[Meeting]) -> None:
    manager = rows_manager(mapping.model)
    if new:
        manager.bulk_create([meeting.row for meeting in new])
    if changed:
        columns = {column for meeting in changed for column in meeting.columns}
        _update([meeting.row for meeting in changed], columns)


def _update(rows: Sequence[models.Model], names: Collection[str]) -> None:
    """Only the columns that changed, in one go: `bulk_update` takes ten times as long."""
    model = type(rows[0])
    db = connections[router.db_for_write(model)]
    fields = [item for item in model._meta.concrete_fields if {item.name, item.attname} & set(names)]
    fields.append(model._meta.pk)  # the last one is the key
    table = db.ops.quote_name(model._meta.db_table)
    *changed, key = (db.ops.quote_name(str(item.column)) for item in fields)
    if db.vendor == "postgresql":
        assignments = ", ".join(f"{column} = new.{column}" for column in changed)
        update = f"UPDATE {table} SET {assignments} FROM {_recordset(db, fields)} WHERE {table}.{key} = new.{key}"  # noqa: S608
    else:
        assignments = ", ".join(f"{column} = %s" for column in changed)
        update = f"UPDATE {table} SET {assignments} WHERE {key} = %s"  # noqa: S608
    _execute(db, update, rows, fields)


def insert(rows: Sequence[models.Model]) -> None:
    """Inserts rows whose keys nobody asks for: `bulk_create` takes three times as long."""
    if not rows:
        return
    model = type(rows[0])
    db = connections[router.db_for_write(model)]
    fields = [item for item in model._meta.concrete_fields if not item.primary_key]
    names = ", ".join(db.ops.quote_name(str(item.column)) for item in fields)
    into = f"INSERT INTO {db.ops.quote_name(model._meta.db_table)} ({names})"
    if db.vendor == "postgresql":
        statement = f"{into} SELECT {names} FROM {_recordset(db, fields)}"  # noqa: S608
    else:
        statement = f"{into} VALUES ({', '.join(['%s'] * len(fields))})"
    _execute(db, statement, rows, fields)


def _execute(
    db: BaseDatabaseWrapper, statement: str, rows: Sequence[models.Model], fields: Sequence[models.Field[Any, Any]]
) -> None:
    """One statement for all rows, which PostgreSQL plans once; and one value, where a thousand take the driver longer
    to quote than the server takes to write them. Elsewhere a statement for each row, which SQLite prepares once."""
    with db.cursor() as cursor:
        if db.vendor == "postgresql":
            cursor.execute(statement, [_as_json(rows, fields)])
        else:
            values = [[item.get_db_prep_save(getattr(row, item.attname), db) for item in fields] for row in rows]
            cursor.executemany(statement, values)


def _recordset(db: BaseDatabaseWrapper, fields: Sequence[models.Field[Any, Any]]) -> str:
    columns = ((db.ops.quote_name(str(item.column)), _type(str(item.db_type(db)))) for item in fields)
    return f"json_to_recordset(%s) AS new ({', '.join(f'{name} {kind}' for name, kind in columns)})"


def _type(column_type: str) -> str:
    """A text that is too long must be refused, where a cast to `varchar(n)` would cut it."""
    return "text" if column_type.startswith("varchar") else column_type


def _as_json(rows: Sequence[models.Model], fields: Sequence[models.Field[Any, Any]]) -> str:
    known = [(str(item.column), item.attname, item.get_prep_value) for item in fields]
    lines = [{column: prepare(row.__dict__[attname]) for column, attname, prepare in known} for row in rows]
    return json.dumps(lines, default=_spelled, ensure_ascii=False)


def _spelled(value: Any) -> str:
    """What JSON has no word for, as PostgreSQL reads it: a moment, a day, an amount."""
    return value.isoformat() if isinstance(value, date) else str(value)


def _single(mapping: type[NotionMapping], meeting: Meeting) -> None:
    """Stores one row; where a unique value is taken, gives it up here, keeps it in Notion, and says so."""
    _give_up(mapping, meeting, _clashing(mapping.model, meeting.row))
    if meeting.is_new:
        meeting.row.fill_identity()
    with transaction.atomic():
        _bulk(mapping, [meeting] if meeting.is_new else [], [] if meeting.is_new else [meeting])


def _clashing(model: type[Record], row: Record) -> set[str]:
    """The fields whose values another row has already, by the model's unique rules."""
    sets: list[tuple[str, ...]] = [
        (item.name,) for item in model._meta.concrete_fields if item.unique and not item.primary_key
    ]
    sets += [tuple(rule.fields) for rule in model._meta.constraints if isinstance(rule, models.UniqueConstraint)]
    found: set[str] = set()
    for names in sets:
        values = {name: getattr(row, name) for name in names}
        if all(values.values()) and rows_manager(model).filter(**values).exclude(pk=row.pk).exists():
            found.update(names)
    return found


def _give_up(mapping: type[NotionMapping], meeting: Meeting, attrs: set[str]) -> None:
    fresh = mapping.model()
    for prop in mapping.fields:
        if prop.attr not in attrs or is_empty(meeting.remote.get(prop.attr)):
            continue
        old = meeting.changed.pop(prop.attr, (getattr(fresh, prop.attr), None))[0]
        setattr(meeting.row, prop.attr, getattr(fresh, prop.attr) if meeting.is_new else old)
        if prop.attr in mapping.identity:
            meeting.needs_push = True
            continue
        meeting.tie.local_base[prop.attr] = prop.get(meeting.row)
        note = f"{prop.name}: {meeting.remote[prop.attr]!r} {TAKEN}"
        if note not in meeting.tie.issues:
            meeting.tie.issues.append(note)
        meeting.tie_changed = True


def rare(tie: NotionPage) -> tuple[Any, ...]:
    """What seldom changes of a tie, to be compared with later."""
    return (*_settings(tie), *map(copy, _collections(tie)))


def ties(meetings: Sequence[Meeting]) -> None:
    """Stores the ties of meetings: all of a new one, and of known ones the columns that any of them changed."""
    NotionPage.objects.bulk_create([meeting.tie for meeting in meetings if meeting.tie.pk is None])
    known = [meeting for meeting in meetings if meeting.tie_before is not None]
    if known:
        compared = [zip(_RARE, meeting.tie_before or (), rare(meeting.tie), strict=True) for meeting in known]
        changed = {name for tie in compared for name, before, now in tie if before != now}
        _update([meeting.tie for meeting in known], {*_USUAL, *changed})


def links(mapping: type[NotionMapping], meetings: Sequence[Meeting]) -> None:
    """Makes the to-many relations of the rows what the pages say."""
    for prop in mapping.relations:
        wanted = {m.row.pk: m.links[prop.attr] for m in meetings if prop.attr in m.links}
        if wanted:
            _set_links(mapping, prop, wanted)


def _set_links(mapping: type[NotionMapping], prop: Relation, wanted: dict[int, list[int]]) -> None:
    through, source, target = through_columns(mapping.model._meta.get_field(prop.attr))
    present: dict[int, set[int]] = defaultdict(set)
    for row_id, other in through._base_manager.filter(**{f"{source}__in": wanted}).values_list(source, target):
        present[row_id].add(other)
    add: list[Any] = []
    for row_id, others in wanted.items():
        gone = present[row_id] - set(others)
        if gone:
            through._base_manager.filter(**{source: row_id, f"{target}__in": gone}).delete()
        add += [through(**{source: row_id, target: other}) for other in set(others) - present[row_id]]
    through._base_manager.bulk_create(add, ignore_conflicts=True)
