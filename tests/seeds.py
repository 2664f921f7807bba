"""The seeds of a new installation, planted once a process and copied for each test that wants them: planting takes six
hundred statements, and the same rows hundreds of times are a quarter of the suite's time."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection
from django.utils import timezone

from agents_app.seeds.planting import plant

_NOW = object()
_OURS = ("higherself", "contacts", "bookings", "campaigns", "community", "agents_app", "notion_sync")
_kept: list[tuple[Any, list[dict[str, Any]]]] = []


def planted() -> None:
    """As after `manage.py seed`. Where there are rows already, they are planted one by one."""
    if not _kept:
        began = timezone.now()
        fresh = not any(model._base_manager.exists() for model in _models())
        plant()
        if fresh:
            _kept.extend(_rows(began, timezone.now()))
    elif any(model._base_manager.exists() for model, _ in _kept):
        plant()
    else:
        _copy()


def _models() -> list[Any]:
    return [model for model in apps.get_models(include_auto_created=True) if model.__module__.split(".")[0] in _OURS]


def _rows(began: datetime, ended: datetime) -> list[tuple[Any, list[dict[str, Any]]]]:
    found = []
    for model in _models():
        names = [field.attname for field in model._meta.concrete_fields]
        rows = [{name: getattr(row, name) for name in names} for row in model._base_manager.order_by("pk")]
        # What was dated when it was planted is dated when it is copied.
        rows = [{name: _dated(value, began, ended) for name, value in row.items()} for row in rows]
        found += [(model, rows)] if rows else []
    return found


def _dated(value: Any, began: datetime, ended: datetime) -> Any:
    return _NOW if isinstance(value, datetime) and began <= value <= ended else value


def _copy() -> None:
    now = timezone.now()
    for model, rows in _kept:
        model._base_manager.bulk_create(
            model(**{name: now if value is _NOW else deepcopy(value) for name, value in row.items()}) for row in rows
        )
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [model for model, _ in _kept]):
            cursor.execute(statement)
