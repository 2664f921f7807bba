"""Writes what a batch of pages changed, in as few statements as the batch allows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from copy import copy
from datetime import date
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
_RARE = (
    *("object_id", "page_id", "state", "in_trash", "url", "attempts", "next_attempt_at", "error"),
    *("local_base", "unresolved", "issues"),
)

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
    with db.cursor() as cursor:
        if db.vendor == "postgresql":
            cursor.execute(_update_from_json(db, model, fields), [_as_json(rows, fields)])
        else:
            values = [[item.get_db_prep_save(getattr(row, item.attname), db) for item in fields] for row in rows]
            cursor.executemany(_update_one(db, model, fields), values)


def _update_one(db: BaseDatabaseWrapper, model: type[models.Model], fields: Sequence[models.Field[Any, Any]]) -> str:
    """A statement for each row, which SQLite prepares once."""
    *changed, key = (db.ops.quote_name(str(item.column)) for item in fields)
    assignments = ", ".join(f"{column} = %s" for column in changed)
    return f"UPDATE {db.ops.quote_name(model._meta.db_table)} SET {assignments} WHERE {key} = %s"  # noqa: S608


def _update_from_json(
    db: BaseDatabaseWrapper, model: type[models.Model], fields: Sequence[models.Field[Any, Any]]
) -> str:
    """One statement for all rows, which PostgreSQL plans once; and one value, where a thousand take the driver longer
    to quote than the server takes to write them."""
    table = db.ops.quote_name(model._meta.db_table)
    *changed, key = (db.ops.quote_name(str(item.column)) for item in fields)
    assignments = ", ".join(f"{column} = new.{column}" for column in changed)
    columns = ", ".join(
        f"{column} {_type(str(item.db_type(db)))}" for column, item in zip((*changed, key), fields, strict=True)
    )
    return (
        f"UPDATE {table} SET {assignments} FROM json_to_recordset(%s) AS new ({columns}) "  # noqa: S608
        f"WHERE {table}.{key} = new.{key}"
    )


def _type(column_type: str) -> str:
    """A text that is too long must be refused, where a cast to `varchar(n)` would cut it."""
    return "text" if column_type.startswith("varchar") else column_type


def _as_json(rows: Sequence[models.Model], fields: Sequence[models.Field[Any, Any]]) -> str:
    lines = [{item.column: item.get_prep_value(getattr(row, item.attname)) for item in fields} for row in rows]
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
    values = (getattr(tie, name) for name in _RARE)
    return tuple(copy(value) if isinstance(value, (dict, list)) else value for value in values)


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
