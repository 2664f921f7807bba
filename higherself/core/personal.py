"""Everything that is kept about one person: handed out as JSON, and erased.

Each app registers where it keeps such data. Erasing keeps rows, keys and figures, so that counts stay right, and takes
away what tells who it was: fields that hold personal data are emptied, and in every other text the person's addresses,
numbers and name are blotted out.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import models

from higherself.core.exchange.models import ImportRun
from higherself.core.history import ChangeSet
from higherself.core.history.recording import note, silent
from higherself.core.history.values import plain

BLOT = "[erased]"
# Shorter names would blot out parts of other words.
_SHORTEST = 4


@dataclass(frozen=True)
class Person:
    """Who it is: the keys of the person's records of kind ``label``, and what tells of the person in texts.

    ``ids`` are pairs of a service and the id that the person has there. ``telling`` are those of the words that tell of
    this person wherever they stand: full names and numbers that nobody else has.
    """

    label: str
    pks: tuple[int, ...]
    emails: tuple[str, ...]
    words: tuple[str, ...]
    ids: tuple[tuple[str, str], ...] = ()
    telling: tuple[str, ...] = ()

    @property
    def pattern(self) -> re.Pattern[str] | None:
        found = sorted({word for word in (*self.emails, *self.words) if len(word) >= _SHORTEST}, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, found)), re.IGNORECASE) if found else None


Rows = Callable[[Person], models.QuerySet[Any]]


@dataclass(frozen=True)
class Holder:
    """One table that keeps data of people. ``clear`` are its fields that are emptied, with what they become.

    ``before`` may change a row further before it is written.
    """

    name: str
    rows: Rows
    clear: Mapping[str, Any] = field(default_factory=dict)
    before: Callable[[Any], None] | None = None
    export: Callable[[Any], dict[str, Any]] | None = None


_holders: dict[str, Holder] = {}


def holder(name: str, rows: Rows, **options: Any) -> None:
    """Registers a table, under the name that it has in the JSON."""
    _holders[name] = Holder(name, rows, **options)


def names() -> list[str]:
    return sorted(_holders)


# -- handing out ----------------------------------------------------------------------------------------------------
def export(person: Person) -> dict[str, list[dict[str, Any]]]:
    """All rows about the person, by table. What only names them is left out: it may be somebody else's."""
    person = replace(person, telling=())
    return {name: [(item.export or as_dict)(row) for row in item.rows(person)] for name, item in _holders.items()}


def as_dict(row: models.Model) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in row._meta.concrete_fields:
        value = plain(getattr(row, item.attname))
        found[item.attname] = bytes(value).decode(errors="replace") if isinstance(value, (bytes, memoryview)) else value
    return found


# -- erasing --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Erased:
    """What was erased here: how many rows of each table, and the records that have pages elsewhere, by kind."""

    counts: dict[str, int]
    records: dict[str, list[int]]


def erase(person: Person) -> Erased:
    """Takes the person out of every table. Runs in a transaction of the caller's."""
    done: dict[str, int] = {}
    touched: set[tuple[str, int]] = {(person.label, pk) for pk in person.pks}
    pattern = person.pattern
    # Looked up first: erasing one table may take away what leads to the rows of another.
    found = [(item, list(item.rows(person))) for item in _holders.values()]
    with silent():
        for item, rows in found:
            done[item.name] = sum(_erase_row(item, row, pattern) for row in rows)
            touched |= {(row._meta.label_lower, row.pk) for row in rows if isinstance(row.pk, int)}
    _forget_history(touched)
    return Erased({name: number for name, number in done.items() if number}, _mirrored(touched))


def _mirrored(touched: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Those of the rows that are records, which others mirror. Each gets a line in its history."""
    found: dict[str, list[int]] = {}
    for label, pk in sorted(touched):
        model = apps.get_model(label)
        if issubclass(model, models.Model) and hasattr(model, "local_change_at"):
            found.setdefault(label, []).append(pk)
            note(model, pk, {}, ChangeSet.Kind.ERASED)
    return found


def _erase_row(item: Holder, row: Any, pattern: re.Pattern[str] | None) -> bool:
    changed = set()
    for column in row._meta.concrete_fields:
        old = getattr(row, column.attname)
        new = item.clear[column.name] if column.name in item.clear else _blotted(column, old, pattern)
        new = new() if callable(new) else new
        if new != old:
            setattr(row, column.attname, new)
            changed.add(column.name)
    if item.before is not None:
        before = {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields}
        item.before(row)
        changed |= {one.name for one in row._meta.concrete_fields if getattr(row, one.attname) != before[one.attname]}
    if changed:
        row.save(update_fields=sorted(changed))
    return bool(changed)


def _blotted(column: Any, value: Any, pattern: re.Pattern[str] | None) -> Any:
    if pattern is None or column.primary_key or column.is_relation:
        return value
    if isinstance(column, (models.CharField, models.TextField)) and isinstance(value, str):
        if not pattern.search(value):
            return value
        if column.unique:
            # What must be unique must not become equal to another's.
            return f"erased-{hashlib.sha256(value.encode()).hexdigest()[:24]}"
        return pattern.sub(BLOT, value)
    return blot(value, pattern) if isinstance(column, models.JSONField) else value


def blot(value: Any, pattern: re.Pattern[str]) -> Any:
    """The value without the person, however deep in it the person stands."""
    if isinstance(value, str):
        return pattern.sub(BLOT, value)
    if isinstance(value, list):
        return [blot(one, pattern) for one in value]
    if isinstance(value, dict):
        return {pattern.sub(BLOT, str(key)): blot(one, pattern) for key, one in value.items()}
    return value


def _forget_history(touched: Iterable[tuple[str, int]]) -> None:
    """Old values would tell everything again. That there was a change, who made it and when stays."""
    by_model: dict[str, list[int]] = {}
    for model, pk in touched:
        by_model.setdefault(model, []).append(pk)
    for model, pks in by_model.items():
        for at in range(0, len(pks), 500):
            ChangeSet.objects.filter(model=model, record_id__in=pks[at : at + 500]).update(changes={})


# -- where erased records are mirrored ------------------------------------------------------------------------------
@dataclass(frozen=True)
class Followed:
    """How far a mirror has followed: pages of the records in all, those that still hold what was erased, and why."""

    total: int
    waiting: int
    why: str = ""


Follower = Callable[[Mapping[str, list[int]]], Followed]
_followers: dict[str, Follower] = {}


def follow(place: str, follower: Follower) -> None:
    """Registers who says how far a mirror of our records has followed an erasure."""
    _followers[place] = follower


def followed(place: str, records: Mapping[str, list[int]]) -> Followed:
    return _followers[place](records) if place in _followers else Followed(0, 0)


# -- the kernel's own tables ----------------------------------------------------------------------------------------
def mentions(person: Person, *columns: str) -> models.Q:
    """That one of the text or JSON columns names the person: by an address, or by what else tells of nobody else."""
    wanted = models.Q(pk__in=[])
    for word in (*person.emails, *person.telling):
        for column in columns:
            wanted |= models.Q(**{f"{column}__icontains": word})
            if not word.isascii():
                # In JSON it may stand in escapes.
                wanted |= models.Q(**{f"{column}__icontains": json.dumps(word)[1:-1]})
    return wanted


def mentioned(queryset: Callable[[], models.QuerySet[Any]], *columns: str) -> Rows:
    """Rows of which a text or JSON column names the person."""
    return lambda person: queryset().filter(mentions(person, *columns))


def _log_lines(person: Person) -> models.QuerySet[Any]:
    app, _dot, model = person.label.partition(".")
    own = models.Q(content_type__app_label=app, content_type__model=model, object_id__in=[str(pk) for pk in person.pks])
    return LogEntry.objects.filter(own | mentions(person, "object_repr", "change_message"))


def _changes(person: Person) -> models.QuerySet[Any]:
    return ChangeSet.objects.filter(model=person.label, record_id__in=person.pks).order_by("pk")


holder("changes", _changes, clear={"changes": dict})
holder("staff_log", _log_lines)
holder("imports", mentioned(ImportRun.objects.all, "sample", "refused"), clear={"content": b""})
