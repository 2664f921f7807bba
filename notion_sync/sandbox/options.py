"""Options of select, multi-select and status properties (Notion: reference/property-object)."""

from __future__ import annotations

from typing import Any

from . import checks
from .errors import invalid, validation
from .ids import new_id
from .richtext import COLORS

MAX_OPTIONS = 100
MAX_NAME = 100
_STATUS_GROUPS = (("To-do", "gray"), ("In progress", "blue"), ("Complete", "green"))
_STATUS_DEFAULTS = (
    ("Not started", "default", "To-do"),
    ("In progress", "blue", "In progress"),
    ("Done", "green", "Complete"),
)
# Given in turn to options that come into being through a page write.
_CYCLE = COLORS[1:]


def new_option(name: str, color: str | None = None, description: str | None = None) -> dict[str, Any]:
    return {"id": new_id(), "name": name, "color": color or "default", "description": description}


def auto_option(name: str, existing: int) -> dict[str, Any]:
    """An option made by writing an unknown name into a page."""
    return new_option(name, _CYCLE[existing % len(_CYCLE)])


def check_name(name: Any, path: str) -> str:
    text = checks.a_filled_string(name, path, MAX_NAME)
    if "," in text:
        raise validation(f"Invalid select option, commas not allowed: {text}")
    return text


def merge(kind: str, value: Any, old: list[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    """The option list after a request's list has replaced it.

    Options are recognised by id or by name in any case; they keep id, name and colour.
    """
    items = checks.an_array(value, path, MAX_OPTIONS)
    merged: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        option = _one(kind, item, old, f"{path}[{index}]")
        if any(_same(option, other) for other in merged):
            raise validation(f'Cannot create select with duplicate option "{option["name"]}".')
        merged.append(option)
    return merged


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["id"] == other["id"] or one["name"].casefold() == other["name"].casefold())


def _one(kind: str, item: Any, old: list[dict[str, Any]], path: str) -> dict[str, Any]:
    item = checks.an_object(item, path)
    extra = ("group",) if kind == "status" else ()
    checks.only_keys(item, ("id", "name", "color", "description", *extra), path)
    if item.get("color") is not None:
        checks.one_of(item["color"], COLORS, f"{path}.color")
    known = _known(item, old, path)
    if known is None:
        name = check_name(checks.required(item, "name", path), f"{path}.name")
        known = new_option(name, item.get("color"), item.get("description"))
    if kind == "status":
        known = {**known, "group": _group(item, known, path)}
    return known


def _known(item: dict[str, Any], old: list[dict[str, Any]], path: str) -> dict[str, Any] | None:
    if item.get("id") is not None:
        found = next((o for o in old if o["id"] == item["id"]), None)
        if found is not None or "name" not in item:
            if found is None:
                raise invalid(f"{path}.id", "the id of an existing option", item["id"])
            return found
    name = item.get("name")
    if isinstance(name, str):
        return next((o for o in old if o["name"].casefold() == name.casefold()), None)
    return None


def _group(item: dict[str, Any], known: dict[str, Any], path: str) -> str:
    group = item.get("group") or known.get("group") or "To-do"
    return checks.one_of(group, [name for name, _ in _STATUS_GROUPS], f"{path}.group")


def status_config(options: list[dict[str, Any]] | None) -> dict[str, Any]:
    if options is None:
        options = [{**new_option(n, color), "group": group} for n, color, group in _STATUS_DEFAULTS]
    groups = [{"id": new_id(), "name": name, "color": color} for name, color in _STATUS_GROUPS]
    return {"options": options, "groups": groups}


def show(config: dict[str, Any]) -> dict[str, Any]:
    options = [{k: v for k, v in o.items() if k != "group"} for o in config["options"]]
    if "groups" not in config:
        return {"options": options}
    groups = [
        {**group, "option_ids": [o["id"] for o in config["options"] if o["group"] == group["name"]]}
        for group in config["groups"]
    ]
    return {"options": options, "groups": groups}


def default_status(config: dict[str, Any]) -> str | None:
    """The first option of the first group that has one."""
    for group in config["groups"]:
        for option in config["options"]:
            if option["group"] == group["name"]:
                return str(option["id"])
    return None
