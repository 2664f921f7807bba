"""The form of a page: an input for each property type, and back to API values.

A form remembers what it showed. Only what a person changed is written, so an edit made elsewhere in
the meantime is not undone.
"""

from __future__ import annotations

from typing import Any

from notion_sync.sandbox import dates, richtext
from notion_sync.sandbox.errors import ApiError, validation
from notion_sync.sandbox.ids import encode_property_id
from notion_sync.sandbox.model import OPTION_TYPES, READ_ONLY_TYPES, DataSource, Page, Property
from notion_sync.sandbox.person import text_value
from notion_sync.sandbox.workspace import Workspace

from . import display

Inputs = dict[str, list[str]]
_LINES = {"email": "email", "phone_number": "tel", "url": "url"}
_MAX_LINKS = 100


def input_name(prop: Property) -> str:
    return f"f.{encode_property_id(prop.id)}"


def editable(source: DataSource) -> list[Property]:
    return [prop for prop in display.columns(source) if prop.type not in READ_ONLY_TYPES]


# -- showing -----------------------------------------------------------------------------------------


def shown_inputs(ws: Workspace, source: DataSource, page: Page | None) -> Inputs:
    """What the inputs of a fresh form hold."""
    inputs: Inputs = {}
    for prop in editable(source):
        inputs.update(_inputs_of(ws, prop, page))
    return inputs


def _inputs_of(ws: Workspace, prop: Property, page: Page | None) -> Inputs:
    name = input_name(prop)
    value = page.values.get(prop.id) if page else None
    if prop.type in ("title", "rich_text"):
        return {name: [richtext.plain(value) if value else ""]}
    if prop.type in OPTION_TYPES:
        ids = value if isinstance(value, list) else [value] if value else []
        return {name: list(ids) if prop.type == "multi_select" else [ids[0] if ids else ""]}
    if prop.type == "checkbox":
        return {name: ["on"] if value else []}
    if prop.type == "date":
        return _date_inputs(name, value)
    if prop.type == "relation":
        return {name: ws.related(page, prop) if page else []}
    if prop.type == "people":
        return {name: list(value or ())}
    if prop.type == "files":
        return {name: ["\n".join(item["external"]["url"] for item in value or ())]}
    return {name: ["" if value is None else str(value)]}


def _date_inputs(name: str, value: dict[str, Any] | None) -> Inputs:
    inputs: Inputs = {}
    for end in ("start", "end"):
        text = value[end] if value else None
        at = dates.instant(text) if text else None
        inputs[f"{name}.{end}"] = [at.strftime("%Y-%m-%d") if at else ""]
        timed = at is not None and not dates.is_date_only(text or "")
        inputs[f"{name}.{end}_time"] = [at.strftime("%H:%M") if at and timed else ""]
    return inputs


def fields(ws: Workspace, source: DataSource, page: Page | None, inputs: Inputs) -> list[dict[str, Any]]:
    """The form's fields for the template, filled with `inputs`, and the read-only values below them."""
    shown = [_field(ws, prop, page, inputs) for prop in editable(source)]
    if page is not None:
        shown += [
            {"label": prop.name, "widget": "text-only", "text": display.value_text(ws, source, page, prop)}
            for prop in display.columns(source)
            if prop.type in READ_ONLY_TYPES
        ]
    return shown


def _field(ws: Workspace, prop: Property, page: Page | None, inputs: Inputs) -> dict[str, Any]:
    name = input_name(prop)
    given = inputs.get(name, [])
    field: dict[str, Any] = {"label": prop.name, "name": name, "widget": _widget(prop), "value": "".join(given[:1])}
    if prop.type in OPTION_TYPES:
        field["options"] = [{**option, "on": option["id"] in given} for option in prop.config["options"]]
        field["may_add"] = prop.type != "status"
        field["new"] = "".join(inputs.get(f"{name}.new", []))
    elif prop.type == "checkbox":
        field["on"] = bool(given)
    elif prop.type == "date":
        field["ends"] = [
            {
                "label": label,
                "name": f"{name}.{end}",
                "date": "".join(inputs.get(f"{name}.{end}", [])),
                "time": "".join(inputs.get(f"{name}.{end}_time", [])),
            }
            for end, label in (("start", prop.name), ("end", f"{prop.name}, end"))
        ]
    elif prop.type == "relation":
        field["links"] = [{"id": i, "title": display.title_of(ws.pages[i])} for i in given if i in ws.pages]
        field["source"] = prop.config["data_source_id"]
    elif prop.type == "people":
        field["options"] = [{"id": u["id"], "name": u["name"], "on": u["id"] in given} for u in ws.users.values()]
    elif prop.type in ("rich_text", "files"):
        field["rows"] = min(12, max(2, field["value"].count("\n") + 1 + len(field["value"]) // 70))
        field["formatted"] = prop.type == "rich_text" and page is not None and _formatted(page, prop)
    return field


def _formatted(page: Page, prop: Property) -> bool:
    return isinstance(page.values.get(prop.id), list)


def _widget(prop: Property) -> str:
    if prop.type in _LINES:
        return _LINES[prop.type]
    if prop.type == "status":
        return "select"
    return prop.type


# -- reading back ------------------------------------------------------------------------------------


def changed_values(source: DataSource, before: Inputs, given: Inputs) -> dict[str, Any]:
    """API values of the properties whose inputs are not as the form showed them, by property id."""
    changed = {}
    for prop in editable(source):
        name = input_name(prop)
        names = [name, *(f"{name}.{part}" for part in ("new", "start", "start_time", "end", "end_time"))]
        if any(_clean(before.get(n)) != _clean(given.get(n)) for n in names):
            changed[prop.id] = _value(prop, name, given)
    return changed


def _clean(values: list[str] | None) -> list[str]:
    """Browsers send line ends as CR LF; an input that was not sent is an empty one."""
    return [value.replace("\r\n", "\n").replace("\r", "\n") for value in values or [] if value != ""]


def _value(prop: Property, name: str, given: Inputs) -> dict[str, Any]:
    values = _clean(given.get(name))
    first = values[0] if values else ""
    new = "".join(_clean(given.get(f"{name}.new"))).strip()
    if prop.type in ("title", "rich_text"):
        return {prop.type: text_value(first)}
    if prop.type in ("select", "status"):
        return {prop.type: {"name": new} if new else {"id": first} if first else None}
    if prop.type == "multi_select":
        added = [{"name": part.strip()} for part in new.split(",") if part.strip()]
        return {prop.type: [{"id": value} for value in values] + added}
    if prop.type == "checkbox":
        return {prop.type: bool(values)}
    if prop.type in ("relation", "people"):
        if len(values) > _MAX_LINKS:
            raise _too_many(prop)
        return {prop.type: [{"id": value} for value in values]}
    if prop.type == "files":
        urls = [line.strip() for line in first.split("\n") if line.strip()]
        return {prop.type: [{"name": url[:100], "external": {"url": url}} for url in urls]}
    if prop.type == "date":
        return {prop.type: _date(name, given)}
    if prop.type == "number":
        return {prop.type: _number(prop, first)}
    return {prop.type: first.strip() or None}


def _too_many(prop: Property) -> ApiError:
    return validation(f"{prop.name} has more than {_MAX_LINKS} entries: too many to change on this page.")


def _date(name: str, given: Inputs) -> dict[str, Any] | None:
    ends = {}
    for end in ("start", "end"):
        day = "".join(_clean(given.get(f"{name}.{end}")))
        time = "".join(_clean(given.get(f"{name}.{end}_time")))
        if day:
            ends[end] = f"{day}T{time}:00Z" if time else day
    if not ends:
        return None
    return {"start": ends.get("start", ends.get("end")), "end": ends.get("end") if "start" in ends else None}


def _number(prop: Property, text: str) -> float | int | None:
    text = text.strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise validation(f"{prop.name}: “{text}” is not a number.") from error
    return int(value) if value.is_integer() else value
