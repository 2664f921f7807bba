"""What a change of the schema does to the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import options, richtext
from .model import OPTION_TYPES, DataSource, Page, Property
from .workspace import Workspace

_TEXT_LIKE = ("rich_text", "url", "email", "phone_number")


def _rows(ws: Workspace, source: DataSource) -> Iterable[Page]:
    return ws.rows[source.id].values()


def _rewrite(ws: Workspace, source: DataSource, prop_id: str, change: Callable[[Any], Any]) -> None:
    """Row values change without a new last_edited_time: nobody has edited the pages."""
    for page in _rows(ws, source):
        if prop_id in page.values:
            new = change(page.values[prop_id])
            if new != page.values[prop_id]:
                page.values[prop_id] = new
                ws.mark(page)


def drop_values(ws: Workspace, source: DataSource, prop_id: str) -> None:
    for page in _rows(ws, source):
        if page.values.pop(prop_id, None) is not None:
            ws.mark(page)


def drop_links(ws: Workspace, relation: str) -> None:
    ws.relations.drop_relation(relation)


def drop_options(ws: Workspace, source: DataSource, before: Property, now: Property) -> None:
    kept = {option["id"] for option in now.config["options"]}
    if all(option["id"] in kept for option in before.config["options"]):
        return
    if now.type == "multi_select":
        _rewrite(ws, source, now.id, lambda ids: [i for i in ids if i in kept])
    else:
        fallback = options.default_status(now.config) if now.type == "status" else None
        _rewrite(ws, source, now.id, lambda i: i if i in kept else fallback)


def number_rows(ws: Workspace, source: DataSource, prop: Property) -> None:
    for page in sorted(_rows(ws, source), key=lambda p: p.number):
        page.values[prop.id] = source.next_unique_id
        source.next_unique_id += 1
        ws.mark(page)


def default_rows(ws: Workspace, source: DataSource, prop: Property) -> None:
    default = options.default_status(prop.config)
    for page in _rows(ws, source):
        page.values[prop.id] = default
        ws.mark(page)


def convert_rows(ws: Workspace, source: DataSource, before: Property, now: Property) -> None:
    """Text, numbers, options and checkboxes are carried over where they can be read as the new type."""
    if before.type == "relation" or now.type == "relation":
        drop_values(ws, source, now.id)
        return
    for page in _rows(ws, source):
        old = page.values.pop(now.id, None)
        new = _convert(_as_text(before, old), now)
        if new is not None:
            page.values[now.id] = new
        if old is not None or new is not None:
            ws.mark(page)
    if now.type == "unique_id":
        number_rows(ws, source, now)


def _as_text(prop: Property, value: Any) -> str:
    if value is None:
        return ""
    if prop.type == "rich_text":
        return richtext.plain(value)
    if prop.type in OPTION_TYPES:
        ids = value if isinstance(value, list) else [value]
        found = [prop.option(option_id) for option_id in ids]
        return ", ".join(option["name"] for option in found if option)
    if prop.type == "checkbox":
        return "Yes" if value else "No"
    if prop.type in (*_TEXT_LIKE, "number"):
        return str(value)
    if prop.type == "date":
        return str(value["start"])
    return ""


def _convert(text: str, now: Property) -> Any:
    if now.type == "status":
        found = now.option_named(text) if text else None
        return found["id"] if found else options.default_status(now.config)
    if not text:
        return None
    if now.type in _TEXT_LIKE:
        return text
    if now.type == "number":
        return _number(text)
    if now.type == "checkbox":
        return text.casefold() in ("yes", "true", "1")
    if now.type == "select":
        return _option_id(now, text.split(", ")[0])
    if now.type == "multi_select":
        return [_option_id(now, name) for name in text.split(", ")]
    return None


def _number(text: str) -> float | int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if value.is_integer() else value


def _option_id(prop: Property, name: str) -> str:
    name = name.replace(",", " ")[: options.MAX_NAME]
    found = prop.option_named(name)
    if found is None:
        found = options.auto_option(name, len(prop.config["options"]))
        prop.config["options"].append(found)
    return str(found["id"])
