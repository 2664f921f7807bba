"""Writing history down: in somebody's name, and cheaply.

Inside `gathered` (and inside `by`, which implies it) the notes of one piece of work are collected, those of one record
are made one, and all of them are inserted in one statement at its end. It must lie within the work's transaction, so
that both are kept or neither is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db import models

from higherself.core.history.models import SERVER, ChangeSet
from higherself.core.history.values import differences, noted_fields, plain, remember
from higherself.core.signals import changes_noted

# A bulk update of more rows than this is not noted row by row.
MOST_ROWS = 5000
# A relation to more records than this, made at once, is not noted.
MOST_LINKS = 1000
Actor = str | Callable[[], str]
Key = tuple[str, int]


@dataclass
class Scope:
    """In whose name rows are written just now."""

    actor: Actor = ""
    origin: str = SERVER
    event_id: UUID | None = None
    reverts: ChangeSet | None = None
    notes: dict[Key, ChangeSet] | None = field(default=None, repr=False)
    muted: bool = False

    def name(self) -> str:
        return (self.actor if isinstance(self.actor, str) else self.actor())[:200]


def origin() -> str:
    """By what kind of actor rows are written just now: one of `higherself.core.history`'s words."""
    return _scope.get().origin


_scope: ContextVar[Scope] = ContextVar("history", default=Scope())  # noqa: B039 - the default is never changed


@contextmanager
def by(
    actor: Actor,
    origin: str,
    *,
    event_id: UUID | str | None = None,
    reverts: ChangeSet | None = None,
    gather: bool = True,
) -> Iterator[None]:
    """All records written inside are noted in this name. ``gather=False`` writes each note at once."""
    event = UUID(event_id) if isinstance(event_id, str) and event_id else event_id or None
    scope = Scope(actor, origin, event, reverts, {} if gather else None)  # type: ignore[arg-type]
    with _entered(scope):
        yield


@contextmanager
def gathered() -> Iterator[None]:
    """Collects the notes made inside, in the present actor's name."""
    present = _scope.get()
    if present.notes is not None:
        yield
        return
    with _entered(replace(present, notes={})):
        yield


@contextmanager
def _entered(scope: Scope) -> Iterator[None]:
    token = _scope.set(scope)
    try:
        yield
        # Not after an exception: what it stopped is rolled back.
        if scope.notes:
            _insert(list(scope.notes.values()))
    finally:
        _scope.reset(token)


@contextmanager
def silent() -> Iterator[None]:
    """Notes nothing: for erasing, where the old values are what must not be kept."""
    with _entered(Scope(muted=True)):
        yield


# -- notes ----------------------------------------------------------------------------------------------------------
def note(model: type[models.Model], pk: int, changes: dict[str, Any], kind: str = ChangeSet.Kind.CHANGED) -> None:
    """Notes one change of one record."""
    write([draft(model, pk, changes, kind)])


def draft(
    model: type[models.Model],
    pk: int,
    changes: dict[str, Any],
    kind: str = ChangeSet.Kind.CHANGED,
    **values: Any,
) -> ChangeSet:
    scope = _scope.get()
    given = {"actor": scope.name(), "origin": scope.origin, "event_id": scope.event_id, "reverts": scope.reverts}
    return ChangeSet(model=model._meta.label_lower, record_id=pk, kind=kind, changes=changes, **given | values)


def write(drafts: Sequence[ChangeSet]) -> None:
    """Inserts the notes, or keeps them for the end of the work under way."""
    scope = _scope.get()
    if scope.muted:
        return
    notes = scope.notes
    if notes is None:
        if drafts:
            _insert(drafts)
        return
    for item in drafts:
        key = (item.model, item.record_id)
        if key in notes:
            _join(notes[key], item)
        else:
            notes[key] = item


def _insert(notes: Sequence[ChangeSet]) -> None:
    ChangeSet.objects.bulk_create(notes)
    changes_noted.send(sender=ChangeSet, notes=notes)


def _join(first: ChangeSet, second: ChangeSet) -> None:
    """Makes two changes of one record one: the old values of the first, the new ones of the second."""
    if first.kind == ChangeSet.Kind.CREATED:
        return
    for name, change in second.changes.items():
        present = first.changes.get(name)
        if present is None:
            first.changes[name] = change
        elif isinstance(change, dict):
            present["added"] = sorted({*present["added"], *change["added"]} - {*change["removed"]})
            present["removed"] = sorted({*present["removed"], *change["removed"]} - {*change["added"]})
        else:
            first.changes[name] = [present[0], change[1]]


def saved(row: models.Model, added: bool, names: Iterable[str] | None) -> None:
    """After a save: notes what it changed."""
    if added:
        note(type(row), row.pk, {}, ChangeSet.Kind.CREATED)
    else:
        changes = differences(row, names)
        if changes:
            note(type(row), row.pk, changes)
    remember(row, None if added else names)


def rows_changed(rows: Iterable[models.Model], names: Iterable[str]) -> None:
    """After a bulk update of rows that were read before."""
    wanted, drafts = list(names), []
    for row in rows:
        changes = differences(row, wanted)
        if changes:
            drafts.append(draft(type(row), row.pk, changes))
            remember(row)
    write(drafts)


def rows_created(rows: Iterable[models.Model]) -> None:
    drafts = []
    for row in rows:
        if row.pk is not None:
            drafts.append(draft(type(row), row.pk, {}, ChangeSet.Kind.CREATED))
            remember(row)
    write(drafts)


def before_update(queryset: models.QuerySet[Any], values: dict[str, Any]) -> list[ChangeSet]:
    """Before ``queryset.update(**values)``: what it will change. Computed values (``F``) are not noted."""
    model: Any = queryset.model
    fields = {item.name: item for item in noted_fields(model).values()}
    by_attname = {item.attname: item.name for item in fields.values()}
    wanted: dict[str, Any] = {}
    for key, value in values.items():
        name = by_attname.get(key, key)
        if name in fields and not hasattr(value, "resolve_expression"):
            wanted[name] = plain(value)
    if not wanted:
        return []
    rows = list(queryset.order_by().values_list("pk", *wanted)[: MOST_ROWS + 1])
    if len(rows) > MOST_ROWS:
        return []
    drafts = []
    for pk, *olds in rows:
        changes = {
            name: [plain(old), new] for (name, new), old in zip(wanted.items(), olds, strict=True) if plain(old) != new
        }
        if changes:
            drafts.append(draft(queryset.model, pk, changes))
    return drafts
