"""What Notion gives back for a value that was written to it (reference/page-property-values)."""

from __future__ import annotations

import json
from typing import Any

from notion_sync.properties import Property


def answer(prop: Property, written: dict[str, Any]) -> dict[str, Any]:
    """The property value as a page object holds it after ``written`` was sent; it has passed through real JSON."""
    value = json.loads(json.dumps(written))[prop.type]
    return {"id": "a%3Bc", "type": prop.type, prop.type: _SHOWN.get(prop.type, lambda raw: raw)(value)}


def _text(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**item, "plain_text": item["text"]["content"], "href": None, "annotations": {}} for item in items]


def _option(option: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if option is None else {"id": "x", "color": "default", **option}


def _date(value: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else {"end": None, "time_zone": None, **value}


def _people(people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"object": "user", "name": "Somebody", "type": "person", **person} for person in people]


_SHOWN: dict[str, Any] = {
    "title": _text,
    "rich_text": _text,
    "select": _option,
    "multi_select": lambda options: [_option(option) for option in reversed(options)],
    "date": _date,
    "people": _people,
}
