"""The columns of a kind of record: the fields of its page, each to text and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from higherself.core.fields import NameListField, SelectField

_YES, _NO = {"yes", "true", "1", "x", "y"}, {"no", "false", "0", "n"}
KeyToRows = dict[str, Any]


def fields_of(model: type[models.Model]) -> list[Any]:
    """The fields that its page in the console shows, in that order, its public id among them."""
    registered: Any = admin.site._registry[model]
    names = flatten_fieldsets(registered.fieldsets) if registered.fieldsets else []
    found = []
    for name in dict.fromkeys([*keys_of(model)[:1], *names]):
        try:
            item = model._meta.get_field(str(name))
        except FieldDoesNotExist:
            continue
        if isinstance(item, (models.Field, models.ManyToManyField)):
            found.append(item)
    return found


@cache
def keys_of(model: type[models.Model]) -> tuple[str, ...]:
    """The fields by which a row of a file finds its record: the public id, then e-mail addresses, then names.

    An admin class may say otherwise in ``import_keys``.
    """
    registered: Any = admin.site._registry.get(model)
    own = tuple(getattr(registered, "import_keys", ()))
    unique = tuple(item.name for item in model._meta.concrete_fields if item.unique and not item.primary_key)
    return tuple(dict.fromkeys([*unique, *own]))


def is_kept_by_server(model: type[models.Model], name: str) -> bool:
    registered: Any = admin.site._registry[model]
    return bool(registered._is_fact(name))


# -- out ------------------------------------------------------------------------------------------------------------
def to_cell(item: Any) -> Callable[[Any], Any]:
    """A function from a record to the cell of this field."""
    if item.many_to_many:
        return lambda row: ", ".join(key_text(other) for other in getattr(row, item.name).all())
    if item.is_relation:
        return lambda row: key_text(getattr(row, item.name)) if getattr(row, item.attname) is not None else ""
    return lambda row: _cell(getattr(row, item.attname))


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return value if isinstance(value, (int, float)) else str(value)


def key_text(other: models.Model) -> str:
    """How a related record stands in a file: by its public id."""
    keys = keys_of(type(other))
    return str(getattr(other, keys[0])) if keys else str(other.pk)


# -- in -------------------------------------------------------------------------------------------------------------
def from_cell(item: Any, text: str, related: KeyToRows) -> Any:
    """The value that a cell means. Raises ValidationError with what is wrong with it."""
    if item.is_relation:
        return _related(item, text, related)
    if isinstance(item, NameListField):
        return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if isinstance(item, models.JSONField):
        try:
            return json.loads(text)
        except ValueError as error:
            raise ValidationError(_("“%(text)s” is no JSON") % {"text": text[:60]}) from error
    if isinstance(item, models.BooleanField):
        return _flag(text)
    if isinstance(item, models.DateTimeField):
        return _moment(text)
    if isinstance(item, SelectField):
        return next((name for name in item.options if name.casefold() == text.casefold()), text)
    return item.to_python(text)


def _flag(text: str) -> bool:
    if text.casefold() not in _YES | _NO:
        raise ValidationError(_("“%(text)s” is neither yes nor no") % {"text": text[:60]})
    return text.casefold() in _YES


def _moment(text: str) -> datetime:
    try:
        found = parse_datetime(text.replace(" ", "T", 1))
        day = None if found else parse_date(text)
    except ValueError:
        found = day = None
    if day is not None:
        found = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - made aware below
    if found is None:
        raise ValidationError(_("“%(text)s” is no time such as 2026-05-31 14:00") % {"text": text[:60]})
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def _related(item: Any, text: str, related: KeyToRows) -> Any:
    names = [part.strip() for part in text.split(",") if part.strip()] if item.many_to_many else [text]
    unknown = [name for name in names if name.casefold() not in related]
    if unknown:
        raise ValidationError(_("there is no “%(name)s”") % {"name": ", ".join(unknown)[:100]})
    rows = [related[name.casefold()] for name in names]
    return rows if item.many_to_many else rows[0].pk


def related_rows(item: Any, texts: Iterable[str]) -> KeyToRows:
    """The records that cells of this relation mean: by public id, or by name where that is the only one."""
    wanted: set[str] = set()
    for text in texts:
        wanted.update(part.strip() for part in text.split(",")) if item.many_to_many else wanted.add(text)
    wanted.discard("")
    model: Any = item.related_model
    found: KeyToRows = {}
    names = [name for name in [*reversed(keys_of(model)), _title(model)] if name]
    for name in reversed(list(dict.fromkeys(reversed(names)))):
        for row in model._base_manager.filter(**{f"{name}__in": wanted}):
            found[str(getattr(row, name)).casefold()] = row
    return found


def _title(model: type[models.Model]) -> str:
    """The field that a record is called by."""
    texts = [item.name for item in model._meta.concrete_fields if isinstance(item, models.CharField)]
    return next((name for name in texts if name.endswith(("name", "title"))), "")
