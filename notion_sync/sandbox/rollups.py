"""Rollups: what a relation's pages hold, brought together (Notion: reference/property-object#rollup)."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import Any

from . import dates, richtext, schema
from .clock import minute_iso
from .model import OPTION_TYPES, DataSource, Page, Property
from .workspace import Workspace

_UNSUPPORTED = ("show_unique", "unique", "median", "count_per_group", "percent_per_group")
_READER = Callable[[Workspace, Any, Page, Property], Any]


def plain_value(ws: Workspace, source: DataSource, page: Page, prop: Property) -> Any:
    """A value as text, number, truth or list: for sums, sorting and formulas. None when empty."""
    value = page.values.get(prop.id)
    if prop.type in ("title", "rich_text"):
        return richtext.plain(value) if value else None
    if prop.type in OPTION_TYPES:
        ids = value if isinstance(value, list) else [value] if value else []
        names = [option["name"] for option_id in ids if (option := prop.option(option_id))]
        return ", ".join(names) or None
    if prop.type == "checkbox":
        return bool(value)
    if prop.type == "date":
        return value["start"] if value else None
    if prop.type == "relation":
        return ws.related(page, prop) or None
    if prop.type in ("created_time", "last_edited_time"):
        return minute_iso(page.stamps.created if prop.type == "created_time" else page.stamps.edited)
    return value if value not in ("", []) else None


def compute(ws: Workspace, source: DataSource, page: Page, prop: Property, read: _READER) -> dict[str, Any]:
    """The rollup value. Functions that the API cannot show are `unsupported`, as there."""
    function = prop.config["function"]
    target = schema.rollup_target(ws, source, prop)
    if target is None or function in _UNSUPPORTED or target.type in ("rollup", "formula"):
        return {"type": "unsupported", "unsupported": {}, "function": function}
    relation = source.properties[prop.config["relation_property_id"]]
    related = ws.sources[relation.config["data_source_id"]]
    pages = [ws.pages[page_id] for page_id in ws.related(page, relation)]
    if function == "show_original":
        array = [{"type": target.type, target.type: read(ws, related, p, target)} for p in pages]
        return {"type": "array", "array": array, "function": function}
    values = [plain_value(ws, related, p, target) for p in pages]
    if function.endswith(("_date", "_range")) and function != "range":
        return {"type": "date", "date": _date(function, values), "function": function}
    return {"type": "number", "number": _number(function, values), "function": function}


def _date(function: str, values: list[Any]) -> dict[str, Any] | None:
    filled = sorted((v for v in values if v), key=dates.instant)
    if not filled:
        return None
    first, last = filled[0], filled[-1]
    if function == "date_range":
        return {"start": first, "end": last, "time_zone": None}
    return {"start": first if function == "earliest_date" else last, "end": None, "time_zone": None}


def _number(function: str, values: list[Any]) -> int | float | None:
    filled = [v for v in values if v is not None]
    numbers = [v for v in filled if isinstance(v, int | float) and not isinstance(v, bool)]
    checked = sum(1 for v in values if v is True)
    counts: dict[str, int | float | None] = {
        "count": len(values),
        "count_values": len(filled),
        "not_empty": len(filled),
        "empty": len(values) - len(filled),
        "checked": checked,
        "unchecked": len(values) - checked,
        "percent_empty": _share(len(values) - len(filled), values),
        "percent_not_empty": _share(len(filled), values),
        "percent_checked": _share(checked, values),
        "percent_unchecked": _share(len(values) - checked, values),
        "sum": sum(numbers),
        "average": fmean(numbers) if numbers else None,
        "min": min(numbers, default=None),
        "max": max(numbers, default=None),
        "range": max(numbers) - min(numbers) if numbers else None,
    }
    result = counts[function]
    return int(result) if isinstance(result, float) and result.is_integer() else result


def _share(part: int, whole: list[Any]) -> float:
    return part / len(whole) if whole else 0
