"""What a row was when it was read, and how that differs from what it is now."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from django.db import models

# Kept by the server about the row itself; nobody's edit.
HOUSEKEEPING = frozenset({"id", "created_at", "updated_at", "local_change_at", "sync_paused", "sync_origin"})
ATTRIBUTE = "_as_read"


@cache
def noted_fields(model: type[models.Model]) -> dict[str, models.Field[Any, Any]]:
    """The fields whose changes are noted, by column attribute. ``unnoted`` of a model names those that are not."""
    silent = HOUSEKEEPING | getattr(model, "unnoted", frozenset())
    return {
        item.attname: item for item in model._meta.concrete_fields if not item.primary_key and item.name not in silent
    }


@cache
def _mutable(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(name for name, item in noted_fields(model).items() if isinstance(item, models.JSONField))


def remember(row: models.Model, names: Iterable[str] | None = None) -> None:
    """Keeps what the row is now, or what the named fields are: of the others, changes may be under way.

    Lists and dictionaries are copied: they may be changed in place.
    """
    seen = row.__dict__.copy()
    seen.pop(ATTRIBUTE, None)
    for name in _mutable(type(row)):
        value = seen.get(name)
        if value:
            seen[name] = copy.deepcopy(value)
    if names is None or ATTRIBUTE not in row.__dict__:
        row.__dict__[ATTRIBUTE] = seen
        return
    for name in names:
        attname = row._meta.get_field(name).attname  # type: ignore[union-attr]
        if attname in seen:
            row.__dict__[ATTRIBUTE][attname] = seen[attname]


def differences(row: models.Model, names: Iterable[str] | None = None) -> dict[str, list[Any]]:
    """``{field: [old, new]}`` since the row was read, of all fields or those named. Empty for a row never read."""
    before: dict[str, Any] | None = row.__dict__.get(ATTRIBUTE)
    if before is None:
        return {}
    now, found = row.__dict__, {}
    wanted = None if names is None else set(names)
    for attname, item in noted_fields(type(row)).items():
        if wanted is not None and attname not in wanted and item.name not in wanted:
            continue
        if attname in before and attname in now and before[attname] != now[attname]:
            old, new = plain(before[attname]), plain(now[attname])
            if old != new:
                found[item.name] = [old, new]
    return found


def plain(value: Any) -> Any:
    """A value as JSON can hold it, without losing any of it."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if isinstance(value, models.Model):
        return value.pk
    return value
