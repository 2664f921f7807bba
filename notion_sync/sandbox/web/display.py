"""Values as the tables show them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from notion_sync.sandbox import dates, render, rollups
from notion_sync.sandbox.clock import minute_iso
from notion_sync.sandbox.ids import encode_property_id
from notion_sync.sandbox.model import OPTION_TYPES, DataSource, Page, Property
from notion_sync.sandbox.workspace import Workspace

_SHOWN_LINKS = 5
_LONG = 160


def title_of(page: Page) -> str:
    return render.page_title(page) or "Untitled"


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%d %b %Y, %H:%M")


def date_text(value: dict[str, Any] | None) -> str:
    if not value:
        return ""
    ends = [value["start"], *([value["end"]] if value.get("end") else [])]
    return " – ".join(_one_date(end) for end in ends)


def _one_date(text: str) -> str:
    at = dates.instant(text.replace("Z", "+00:00"))
    return at.strftime("%d %b %Y") if dates.is_date_only(text) else at.strftime("%d %b %Y, %H:%M UTC")


def chips(prop: Property, page: Page) -> list[dict[str, str]]:
    value = page.values.get(prop.id)
    ids = value if isinstance(value, list) else [value] if value else []
    found = (prop.option(option_id) for option_id in ids)
    return [{"name": option["name"], "color": option["color"]} for option in found if option]


def links(ws: Workspace, prop: Property, page: Page) -> list[dict[str, str]]:
    return [{"id": target, "title": title_of(ws.pages[target])} for target in ws.related(page, prop)]


def cell(ws: Workspace, source: DataSource, page: Page, prop: Property) -> dict[str, Any]:
    """What one table cell shows: `chips`, `links`, `href` with `text`, or `text` alone."""
    shown: dict[str, Any] = {"name": prop.name, "type": prop.type, "text": ""}
    if prop.type in OPTION_TYPES:
        shown["chips"] = chips(prop, page)
    elif prop.type == "relation":
        found = links(ws, prop, page)
        shown["links"], shown["more"] = found[:_SHOWN_LINKS], max(0, len(found) - _SHOWN_LINKS)
    else:
        shown["text"] = value_text(ws, source, page, prop)[:_LONG]
        if prop.type == "url" and shown["text"].startswith(("http://", "https://")):
            shown["href"] = shown["text"]
    shown["empty"] = not (shown["text"] or shown.get("chips") or shown.get("links"))
    return shown


def value_text(ws: Workspace, source: DataSource, page: Page, prop: Property) -> str:
    """Any value as one line of text."""
    value = page.values.get(prop.id)
    if prop.type == "checkbox":
        return "✓" if value else ""
    if prop.type == "date":
        return date_text(value)
    if prop.type == "people":
        return ", ".join(ws.user(user_id).get("name", user_id) for user_id in value or ())
    if prop.type == "files":
        return ", ".join(item["name"] for item in value or ())
    if prop.type in ("created_by", "last_edited_by"):
        stamps = page.stamps
        return str(ws.user(stamps.created_by if prop.type == "created_by" else stamps.edited_by).get("name", ""))
    if prop.type in ("created_time", "last_edited_time"):
        seconds = page.stamps.created if prop.type == "created_time" else page.stamps.edited
        return _one_date(minute_iso(seconds))
    if prop.type == "unique_id":
        prefix = prop.config["prefix"]
        return f"{prefix}-{value}" if prefix else str(value or "")
    if prop.type in ("formula", "rollup"):
        return _computed_text(render.property_value(ws, source, page, prop))
    plain = rollups.plain_value(ws, source, page, prop)
    return "" if plain is None else str(plain)


def _computed_text(value: dict[str, Any]) -> str:
    inner = value[value["type"]]
    if value["type"] == "date":
        return date_text(inner)
    if value["type"] == "array":
        return f"{len(inner)} values"
    return "" if inner is None or inner == {} else str(inner)


def columns(source: DataSource) -> list[Property]:
    """The title first, then by name as far as the schema gives no other order."""
    title = source.title_property
    return [title, *(prop for prop in source.properties.values() if prop is not title)]


def property_rows(source: DataSource) -> list[dict[str, str]]:
    return [
        {"id": encode_property_id(prop.id), "name": prop.name, "type": prop.type.replace("_", " ")}
        for prop in columns(source)
    ]


def matches(page: Page, query: str, text_ids: list[str]) -> bool:
    """Does the title or any text of the row contain the query, in any case?"""
    for prop_id in text_ids:
        value = page.values.get(prop_id)
        if isinstance(value, list):
            value = "".join(item["plain_text"] for item in value)
        if value and query in str(value).casefold():
            return True
    return False
