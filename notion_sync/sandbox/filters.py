"""Filters of a query, checked and turned into one function (Notion: reference/post-database-query-filter)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from . import checks, dates, formulas, rollups
from .clock import minute_iso
from .errors import ApiError, invalid, validation
from .ids import parse_uuid
from .model import DataSource, Page, Property
from .workspace import Workspace

Test = Callable[[Page], bool]
Value = Callable[[Page], Any]

_TEXTS = ("title", "rich_text", "url", "email", "phone_number")
_TIMES = ("created_time", "last_edited_time")
_USERS = ("people", "created_by", "last_edited_by")
_RELATIVE = (
    "past_week", "past_month", "past_year", "this_week", "next_week", "next_month", "next_year",
)  # fmt: skip
_COMPUTED = {"formula": ("string", "number", "checkbox", "date"), "rollup": ("number", "date")}
_MAX_DEPTH = 2


def compile_filter(ws: Workspace, source: DataSource, value: Any) -> Test:
    return _Compiler(ws, source).any(checks.an_object(value, "body.filter"), "body.filter", 0)


class _Compiler:
    def __init__(self, ws: Workspace, source: DataSource) -> None:
        self.ws = ws
        self.source = source

    def any(self, value: dict[str, Any], path: str, depth: int) -> Test:
        for word, combine in (("and", all), ("or", any)):
            if word in value:
                return self._compound(value, word, combine, path, depth)
        if "timestamp" in value:
            return self._timestamp(value, path)
        return self._property(value, path)

    def _compound(self, value: dict[str, Any], word: str, combine: Any, path: str, depth: int) -> Test:
        if depth >= _MAX_DEPTH:
            raise validation(f"body failed validation: {path} is nested deeper than {_MAX_DEPTH} levels.")
        checks.only_keys(value, (word,), path)
        items = checks.an_array(value[word], f"{path}.{word}", 100)
        tests = [
            self.any(checks.an_object(item, f"{path}.{word}[{i}]"), f"{path}.{word}[{i}]", depth + 1)
            for i, item in enumerate(items)
        ]
        return lambda page: combine(test(page) for test in tests)

    def _timestamp(self, value: dict[str, Any], path: str) -> Test:
        name = checks.one_of(value["timestamp"], _TIMES, f"{path}.timestamp")
        checks.only_keys(value, ("timestamp", name), path)
        return self._condition(name, _time_reader(name), value, name, None, path)

    def _property(self, value: dict[str, Any], path: str) -> Test:
        key = checks.a_string(checks.required(value, "property", path), f"{path}.property")
        prop = self.source.find(key)
        if prop is None:
            raise validation(f"Could not find property with name or id: {key}")
        kinds = [k for k in value if k not in ("property", "type")]
        if len(kinds) != 1:
            raise invalid(f"{path}.{prop.type}", "defined", None, missing=True)
        if prop.type in _COMPUTED:
            return self._computed(prop, value, kinds[0], path)
        kind = _kind_for(prop, kinds[0])
        return self._condition(kind, self._reader(prop), value, kinds[0], prop, path)

    def _computed(self, prop: Property, value: dict[str, Any], key: str, path: str) -> Test:
        """A formula or rollup: the condition stands one level deeper, under the type of the result."""
        if key != prop.type:
            raise _mismatch(prop, key)
        inner = checks.an_object(value[key], f"{path}.{key}")
        kind = next(iter(inner), "")
        if len(inner) != 1 or kind not in _COMPUTED[prop.type]:
            raise validation(f"{path}.{key} should have one of: {', '.join(_COMPUTED[prop.type])}.")
        own = "rich_text" if kind == "string" else kind
        return self._condition(own, self._reader(prop), {kind: inner[kind]}, kind, None, f"{path}.{key}")

    def _condition(
        self, kind: str, read: Value, value: dict[str, Any], key: str, prop: Property | None, path: str
    ) -> Test:
        where = f"{path}.{key}"
        condition = checks.an_object(value[key], where)
        if len(condition) != 1:
            raise validation(f"body failed validation: {where} should have exactly one condition.")
        operator, operand = next(iter(condition.items()))
        if operator in ("is_empty", "is_not_empty") and kind not in ("checkbox", "unique_id"):
            if operand is not True:
                raise invalid(f"{where}.{operator}", "`true`", operand)
            wanted = operator == "is_empty"
            return lambda page: (read(page) in (None, [], "")) == wanted
        check = self._checker(kind, operator, operand, prop, f"{where}.{operator}")
        return lambda page: check(read(page))

    def _checker(
        self, kind: str, operator: str, operand: Any, prop: Property | None, path: str
    ) -> Callable[[Any], bool]:
        if kind in _TEXTS:
            return _text(operator, operand, path)
        if kind in ("number", "unique_id"):
            return _number(operator, operand, path)
        if kind == "checkbox":
            return _checkbox(operator, operand, path)
        if kind in ("select", "status", "multi_select"):
            assert prop is not None
            return _option(prop, operator, operand, path)
        if kind in ("date", *_TIMES):
            return _date(operator, operand, path, self.ws.clock.now())
        if kind in ("relation", *_USERS):
            return _contains_id(operator, operand, path)
        raise invalid(path, "a known condition", operand)

    def _reader(self, prop: Property) -> Value:
        prop_id = prop.id
        if prop.type in _TIMES:
            return _time_reader(prop.type)
        if prop.type in ("created_by", "last_edited_by"):
            first = prop.type == "created_by"
            return lambda page: [page.stamps.created_by if first else page.stamps.edited_by]
        if prop.type == "relation":
            return lambda page: self.ws.related(page, prop)
        if prop.type == "checkbox":
            return lambda page: bool(page.values.get(prop_id))
        if prop.type in ("title", "rich_text"):
            return lambda page: rollups.plain_value(self.ws, self.source, page, prop)
        if prop.type == "formula":
            return lambda page: self._formula(page, prop)
        if prop.type == "rollup":
            return lambda page: self._rollup(page, prop)
        return lambda page: page.values.get(prop_id)

    def _formula(self, page: Page, prop: Property) -> Any:
        plain = {
            p.id: rollups.plain_value(self.ws, self.source, page, p)
            for p in self.source.properties.values()
            if p.type not in ("formula", "rollup", "relation")
        }
        shown = formulas.evaluate(prop.config["expression"], plain)
        return shown[shown["type"]]

    def _rollup(self, page: Page, prop: Property) -> Any:
        shown = rollups.compute(self.ws, self.source, page, prop, lambda *_: None)
        return shown[shown["type"]]


def _kind_for(prop: Property, key: str) -> str:
    """The kind of condition: the property's own type, or `rich_text` for every text."""
    if key == prop.type:
        return key
    if key in _TEXTS and prop.type in _TEXTS:
        return key
    if key == "people" and prop.type in _USERS:
        return key
    if key == "date" and prop.type in _TIMES:
        return key
    raise _mismatch(prop, key)


def _mismatch(prop: Property, key: str) -> ApiError:
    return validation(
        "The property type in the database does not match the property type of the filter provided: "
        f"database property {prop.type} does not match filter {key}"
    )


def _time_reader(name: str) -> Value:
    if name == "created_time":
        return lambda page: {"start": minute_iso(page.stamps.created)}
    return lambda page: {"start": minute_iso(page.stamps.edited)}


def _text(operator: str, operand: Any, path: str) -> Callable[[Any], bool]:
    text = checks.a_string(operand, path)
    folded = text.casefold()
    tests: dict[str, Callable[[Any], bool]] = {
        "equals": lambda v: (v or "") == text,
        "does_not_equal": lambda v: (v or "") != text,
        "contains": lambda v: folded in (v or "").casefold(),
        "does_not_contain": lambda v: folded not in (v or "").casefold(),
        "starts_with": lambda v: (v or "").casefold().startswith(folded),
        "ends_with": lambda v: (v or "").casefold().endswith(folded),
    }
    return _pick(tests, operator, operand, path)


def _number(operator: str, operand: Any, path: str) -> Callable[[Any], bool]:
    wanted = checks.a_number(operand, path)
    tests: dict[str, Callable[[Any], bool]] = {
        "equals": lambda v: v == wanted,
        "does_not_equal": lambda v: v != wanted,
        "greater_than": lambda v: v is not None and v > wanted,
        "less_than": lambda v: v is not None and v < wanted,
        "greater_than_or_equal_to": lambda v: v is not None and v >= wanted,
        "less_than_or_equal_to": lambda v: v is not None and v <= wanted,
    }
    return _pick(tests, operator, operand, path)


def _checkbox(operator: str, operand: Any, path: str) -> Callable[[Any], bool]:
    wanted = checks.a_boolean(operand, path)
    return _pick(
        {"equals": lambda v: v is wanted, "does_not_equal": lambda v: v is not wanted}, operator, operand, path
    )


def _option(prop: Property, operator: str, operand: Any, path: str) -> Callable[[Any], bool]:
    wanted = {_option_id(prop, name, path) for name in (operand if isinstance(operand, list) else [operand])}
    if prop.type == "multi_select":
        return _pick(
            {
                "contains": lambda v: not wanted.isdisjoint(v or ()),
                "does_not_contain": lambda v: wanted.isdisjoint(v or ()),
            },
            operator,
            operand,
            path,
        )
    return _pick(
        {"equals": lambda v: v in wanted, "does_not_equal": lambda v: v not in wanted}, operator, operand, path
    )


def _option_id(prop: Property, name: Any, path: str) -> str:
    text = checks.a_string(name, path)
    found = prop.option(text) or prop.option_named(text)
    if found is None:
        raise validation(f'{prop.type} option "{text}" not found for property "{prop.name}".')
    return str(found["id"])


def _date(operator: str, operand: Any, path: str, now: float) -> Callable[[Any], bool]:
    if operator in _RELATIVE:
        if operand != {}:
            raise invalid(path, "`{}`", operand)
        first, last = dates.relative_bounds(operator, datetime.fromtimestamp(now, timezone.utc))
        return lambda v: v is not None and first <= _start(v) <= last
    first, last = dates.filter_bounds(operand, path)
    tests: dict[str, Callable[[Any], bool]] = {
        "equals": lambda v: v is not None and first <= _start(v) <= last,
        "before": lambda v: v is not None and _start(v) < first,
        "after": lambda v: v is not None and _start(v) > last,
        "on_or_before": lambda v: v is not None and _start(v) <= last,
        "on_or_after": lambda v: v is not None and _start(v) >= first,
    }
    return _pick(tests, operator, operand, path)


def _start(value: dict[str, str]) -> datetime:
    return dates.instant(value["start"].replace("Z", "+00:00"))


def _contains_id(operator: str, operand: Any, path: str) -> Callable[[Any], bool]:
    wanted = parse_uuid(operand, path)
    return _pick(
        {"contains": lambda v: wanted in (v or ()), "does_not_contain": lambda v: wanted not in (v or ())},
        operator,
        operand,
        path,
    )


def _pick(tests: dict[str, Callable[[Any], bool]], operator: str, operand: Any, path: str) -> Callable[[Any], bool]:
    if operator not in tests:
        raise invalid(path, "not present", operand)
    return tests[operator]
