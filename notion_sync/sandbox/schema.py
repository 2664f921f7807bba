"""Property objects: what a request may say about a column, and how columns are shown."""

from __future__ import annotations

import re
from typing import Any

from . import checks, formulas, options
from .errors import invalid, validation
from .ids import encode_property_id
from .model import OPTION_TYPES, DataSource, Property
from .workspace import Workspace

SIMPLE_TYPES = (
    "title",
    "rich_text",
    "checkbox",
    "date",
    "people",
    "files",
    "url",
    "email",
    "phone_number",
    "created_time",
    "created_by",
    "last_edited_time",
    "last_edited_by",
    "button",
)
CONFIGURED_TYPES = (
    "number",
    "select",
    "multi_select",
    "status",
    "relation",
    "rollup",
    "formula",
    "unique_id",
)
TYPES = SIMPLE_TYPES + CONFIGURED_TYPES
CONFIG_KEYS = ("id", "name", "type", "description", *TYPES)
FUNCTIONS = (
    "count",
    "count_values",
    "empty",
    "not_empty",
    "unique",
    "show_unique",
    "percent_empty",
    "percent_not_empty",
    "sum",
    "average",
    "median",
    "min",
    "max",
    "range",
    "earliest_date",
    "latest_date",
    "date_range",
    "checked",
    "unchecked",
    "percent_checked",
    "percent_unchecked",
    "count_per_group",
    "percent_per_group",
    "show_original",
)
NUMBER_FORMATS = frozenset(
    {
        "number",
        "number_with_commas",
        "percent",
        *("dollar", "australian_dollar", "canadian_dollar", "singapore_dollar", "hong_kong_dollar"),
        *("new_zealand_dollar", "new_taiwan_dollar", "euro", "pound", "yen", "ruble", "rupee", "won", "yuan"),
        *("real", "lira", "rupiah", "franc", "krona", "norwegian_krone", "danish_krone", "mexican_peso"),
        *("chilean_peso", "philippine_peso", "colombian_peso", "argentine_peso", "uruguayan_peso", "rand"),
        *("zloty", "baht", "forint", "koruna", "shekel", "dirham", "riyal", "ringgit", "leu", "peruvian_sol"),
    }
)
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]{0,19}\Z")


def type_of(item: dict[str, Any], path: str) -> str | None:
    """The property type that a request names by `type`, by its key, or by both."""
    named = [key for key in item if key in TYPES]
    if len(named) > 1:
        raise invalid(f"{path}.{named[1]}", "not present", item[named[1]])
    kind = item.get("type", named[0] if named else None)
    if kind is None:
        return None
    checks.one_of(kind, TYPES, f"{path}.type")
    if named and named[0] != kind:
        raise invalid(f"{path}.{kind}", "defined", None, missing=True)
    return str(kind)


def settings(item: dict[str, Any], kind: str, path: str) -> dict[str, Any]:
    """The object under the type's key. It may be left out where all settings have defaults."""
    if kind not in item:
        raise invalid(f"{path}.{kind}", "defined", None, missing=True)
    return checks.an_object(item[kind], f"{path}.{kind}")


def parse_config(kind: str, value: dict[str, Any], old: Property | None, path: str) -> dict[str, Any]:
    """Our form of the settings. Relations, rollups and formulas need the schema: schema_change.py."""
    if kind == "number":
        checks.only_keys(value, ("format",), path)
        before = old.config["format"] if old else "number"
        form = value.get("format", before)
        if form not in NUMBER_FORMATS:
            raise invalid(f"{path}.format", "a number format", form)
        return {"format": form}
    if kind in OPTION_TYPES:
        return _option_config(kind, value, old, path)
    if kind == "unique_id":
        return _unique_id_config(value, old, path)
    checks.only_keys(value, (), path)
    return {}


def _option_config(kind: str, value: dict[str, Any], old: Property | None, path: str) -> dict[str, Any]:
    checks.only_keys(value, ("options",), path)
    before = old.config["options"] if old else []
    if "options" not in value:
        if old:
            return dict(old.config)
        return options.status_config(None) if kind == "status" else {"options": []}
    merged = options.merge(kind, value["options"], before, f"{path}.options")
    if kind != "status":
        return {"options": merged}
    return {**old.config, "options": merged} if old else options.status_config(merged)


def _unique_id_config(value: dict[str, Any], old: Property | None, path: str) -> dict[str, Any]:
    checks.only_keys(value, ("prefix",), path)
    prefix = value.get("prefix", old.config["prefix"] if old else None)
    if prefix is not None and not (isinstance(prefix, str) and _PREFIX.match(prefix)):
        raise invalid(f"{path}.prefix", "letters and digits", prefix)
    return {"prefix": prefix}


def ordered(source: DataSource) -> list[Property]:
    """By decoded id, the title last: the order in which the API lists them."""
    return sorted(source.properties.values(), key=lambda p: (p.type == "title", p.id))


def show_properties(ws: Workspace, source: DataSource) -> dict[str, Any]:
    return {prop.name: show_property(ws, source, prop) for prop in ordered(source)}


def show_property(ws: Workspace, source: DataSource, prop: Property) -> dict[str, Any]:
    return {
        "id": encode_property_id(prop.id),
        "name": prop.name,
        "description": prop.description,
        "type": prop.type,
        prop.type: _show_config(ws, source, prop),
    }


def _show_config(ws: Workspace, source: DataSource, prop: Property) -> dict[str, Any]:
    if prop.type in OPTION_TYPES:
        return options.show(prop.config)
    if prop.type == "relation":
        return _show_relation(ws, prop)
    if prop.type == "rollup":
        return _show_rollup(ws, source, prop)
    if prop.type == "formula":
        names = {p.id: p.name for p in source.properties.values()}
        return {"expression": formulas.ids_to_names(prop.config["expression"], names)}
    return dict(prop.config)


def _show_relation(ws: Workspace, prop: Property) -> dict[str, Any]:
    target = ws.sources[prop.config["data_source_id"]]
    shown: dict[str, Any] = {"database_id": target.database_id, "data_source_id": target.id}
    synced = target.properties.get(prop.config["synced_id"] or "")
    if synced is None:
        return {**shown, "type": "single_property", "single_property": {}}
    shown["type"] = "dual_property"
    shown["dual_property"] = {
        "synced_property_name": synced.name,
        "synced_property_id": encode_property_id(synced.id),
    }
    return shown


def _show_rollup(ws: Workspace, source: DataSource, prop: Property) -> dict[str, Any]:
    relation = source.properties.get(prop.config["relation_property_id"])
    target = rollup_target(ws, source, prop)
    return {
        "rollup_property_name": target.name if target else "",
        "relation_property_name": relation.name if relation else "",
        "rollup_property_id": encode_property_id(prop.config["rollup_property_id"]),
        "relation_property_id": encode_property_id(prop.config["relation_property_id"]),
        "function": prop.config["function"],
    }


def rollup_target(ws: Workspace, source: DataSource, prop: Property) -> Property | None:
    """The property of the related data source that is rolled up; None when either is gone."""
    relation = source.properties.get(prop.config["relation_property_id"])
    if relation is None or relation.type != "relation":
        return None
    related = ws.sources[relation.config["data_source_id"]]
    return related.properties.get(prop.config["rollup_property_id"])


def property_name(name: Any, path: str) -> str:
    text = checks.a_string(name, path)
    if not text:
        raise validation(f"{path}: a property needs a name.")
    return text
