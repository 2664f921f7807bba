"""Property values of a write: checked, and turned into what is stored (Notion: reference/property-value-object).

Nothing is changed here. A `WritePlan` collects the values, links and new options of one request;
it is carried out only when all of the request has been found good.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import checks, dates, options, richtext
from .errors import invalid, trashed, validation
from .ids import parse_uuid
from .model import READ_ONLY_TYPES, DataSource, Page, Property
from .workspace import Workspace

MAX_ITEMS = 100
MAX_URL = 2000
MAX_SHORT = 200


@dataclass
class WritePlan:
    ws: Workspace
    source: DataSource | None
    values: dict[str, Any] = field(default_factory=dict)
    links: dict[str, list[str]] = field(default_factory=dict)
    new_options: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def option_for(self, prop: Property, name: str) -> dict[str, Any]:
        """The option of this name in any case; an unknown name becomes a new option."""
        fresh = self.new_options.setdefault(prop.id, [])
        found = prop.option_named(name) or next((o for o in fresh if o["name"].casefold() == name.casefold()), None)
        if found is None:
            found = options.auto_option(name, len(prop.config["options"]) + len(fresh))
            fresh.append(found)
        return found

    def apply(self, page: Page) -> list[str]:
        """Writes into the page; the ids of the written properties are returned."""
        page.values.update(self.values)
        added = False
        for prop_id, fresh in self.new_options.items():
            if fresh and self.source is not None:
                self.source.properties[prop_id].config["options"].extend(fresh)
                added = True
        if added and self.source is not None:
            self.ws.mark(self.source)
        for prop_id, targets in self.links.items():
            self._link(page, prop_id, targets)
        self.ws.mark(page)
        return [*self.values, *self.links]

    def _link(self, page: Page, prop_id: str, targets: list[str]) -> None:
        assert self.source is not None
        config = self.source.properties[prop_id].config
        touched = self.ws.relations.replace(config["relation_id"], config["side"], page.id, targets)
        self.ws.stale(touched)
        if self.ws.settings.bump_reverse and config["synced_id"]:
            for other in touched:
                self.ws.touch(self.ws.pages[other], page.stamps.edited_by)


def plan_row(ws: Workspace, source: DataSource, page: Page | None, body: Any, path: str) -> WritePlan:
    """Checks the `properties` of a write to a row. `page` is None for a row to be made."""
    plan = WritePlan(ws, source)
    for key, item in checks.an_object(body, path).items():
        prop = source.find(key)
        if prop is None:
            raise validation(f"{key} is not a property that exists.")
        _one(plan, page, prop, item, f"{path}.{key}")
    return plan


def plan_plain(ws: Workspace, body: Any, path: str) -> WritePlan:
    """A page outside of a data source has a title and nothing else."""
    plan = WritePlan(ws, None)
    title = Property("title", "title", "title")
    for key, item in checks.an_object(body, path).items():
        if key != "title":
            raise validation(f"{key} is not a property that exists.")
        _one(plan, None, title, item, f"{path}.{key}")
    return plan


def _one(plan: WritePlan, page: Page | None, prop: Property, item: Any, path: str) -> None:
    if prop.type in READ_ONLY_TYPES:
        raise validation(f"{path}: {prop.name} is {prop.type}, which cannot be written.")
    if isinstance(item, list) and prop.type in ("title", "rich_text"):
        item = {prop.type: item}  # the short form that the API takes for texts
    item = checks.an_object(item, path)
    if prop.type not in item:
        _wrong_type(prop, item, path)
    checks.only_keys(item, ("id", "type", "name", prop.type), path)
    if item.get("type", prop.type) != prop.type:
        raise validation(f"{prop.name} is expected to be {prop.type}.")
    value, where = item[prop.type], f"{path}.{prop.type}"
    if prop.type == "relation":
        plan.links[prop.id] = _relation(plan, page, prop, value, where)
    else:
        plan.values[prop.id] = _PARSERS[prop.type](plan, prop, value, where)


def _wrong_type(prop: Property, item: dict[str, Any], path: str) -> None:
    if any(key in item for key in (*_PARSERS, "relation", *READ_ONLY_TYPES)):
        raise validation(f"{prop.name} is expected to be {prop.type}.")
    raise invalid(f"{path}.{prop.type}", "defined", None, missing=True)


def _text(plan: WritePlan, prop: Property, value: Any, path: str) -> Any:
    return richtext.parse(value, path)


def number(value: int | float) -> int | float:
    """As JavaScript keeps it: a double, whole numbers shown without a point."""
    double = float(value)
    return int(double) if double.is_integer() and abs(double) < 1e21 else double


def _number(plan: WritePlan, prop: Property, value: Any, path: str) -> int | float | None:
    if value is None:
        return None
    checks.a_number(value, path)
    try:
        finite = math.isfinite(float(value))
    except OverflowError:
        finite = False
    if not finite:
        raise invalid(path, "a finite number", str(value)[:40])
    return number(value)


def _checkbox(plan: WritePlan, prop: Property, value: Any, path: str) -> bool:
    return checks.a_boolean(value, path)


def _date(plan: WritePlan, prop: Property, value: Any, path: str) -> Any:
    return None if value is None else dates.parse(value, path)


def _limited(limit: int) -> Callable[[WritePlan, Property, Any, str], str | None]:
    def parse(plan: WritePlan, prop: Property, value: Any, path: str) -> str | None:
        return None if value is None else checks.a_filled_string(value, path, limit)

    return parse


def _select(plan: WritePlan, prop: Property, value: Any, path: str) -> str | None:
    return None if value is None else _option_id(plan, prop, value, path)


def _status(plan: WritePlan, prop: Property, value: Any, path: str) -> str | None:
    if value is None:
        return options.default_status(prop.config)
    return _option_id(plan, prop, value, path)


def _multi_select(plan: WritePlan, prop: Property, value: Any, path: str) -> list[str]:
    items = checks.an_array(value, path, MAX_ITEMS)
    ids = [_option_id(plan, prop, item, f"{path}[{index}]") for index, item in enumerate(items)]
    return list(dict.fromkeys(ids))


def _option_id(plan: WritePlan, prop: Property, item: Any, path: str) -> str:
    item = checks.an_object(item, path)
    checks.only_keys(item, ("id", "name", "color", "description"), path)
    if item.get("id") is not None:
        known = prop.option(checks.a_string(item["id"], f"{path}.id"))
        if known is None:
            raise validation(f'{path}: option with ID "{item["id"]}" does not exist in "{prop.name}".')
        return str(known["id"])
    name = options.check_name(checks.required(item, "name", path), f"{path}.name")
    if prop.type == "status":
        known = prop.option_named(name)
        if known is None:
            raise validation(f'Invalid status option. Status option "{name}" does not exist".')
        return str(known["id"])
    return str(plan.option_for(prop, name)["id"])


def _people(plan: WritePlan, prop: Property, value: Any, path: str) -> list[str]:
    ids = []
    for index, item in enumerate(checks.an_array(value, path, MAX_ITEMS)):
        where = f"{path}[{index}]"
        item = checks.an_object(item, where)
        user_id = parse_uuid(checks.required(item, "id", where), f"{where}.id")
        if user_id not in plan.ws.users:
            raise validation(f"{where}: user with ID {user_id} is not a member of this workspace.")
        ids.append(user_id)
    return list(dict.fromkeys(ids))


def _files(plan: WritePlan, prop: Property, value: Any, path: str) -> list[dict[str, Any]]:
    files = []
    for index, item in enumerate(checks.an_array(value, path, MAX_ITEMS)):
        where = f"{path}[{index}]"
        item = checks.an_object(item, where)
        checks.only_keys(item, ("name", "type", "external"), where)
        external = checks.an_object(checks.required(item, "external", where), f"{where}.external")
        url = checks.a_filled_string(external.get("url"), f"{where}.external.url", MAX_URL)
        name = checks.a_string(item.get("name", url), f"{where}.name", 100) or url
        files.append({"name": name, "type": "external", "external": {"url": url}})
    return files


def _relation(plan: WritePlan, page: Page | None, prop: Property, value: Any, path: str) -> list[str]:
    present: set[str] = set()
    if page is not None:
        present.update(plan.ws.relations.targets(prop.config["relation_id"], prop.config["side"], page.id))
    ids = []
    for index, item in enumerate(checks.an_array(value, path, MAX_ITEMS)):
        where = f"{path}[{index}]"
        item = checks.an_object(item, where)
        checks.only_keys(item, ("id",), where)
        target_id = parse_uuid(checks.required(item, "id", where), f"{where}.id")
        if target_id not in present:
            _check_target(plan.ws, prop, target_id)
        ids.append(target_id)
    return list(dict.fromkeys(ids))


def _check_target(ws: Workspace, prop: Property, target_id: str) -> None:
    target = ws.pages.get(target_id)
    if target is None or ws.hidden(target_id):
        raise ws.not_found("page", target_id)
    if target.parent_id != prop.config["data_source_id"]:
        raise validation(
            f'Page {target_id} is not in the data source that "{prop.name}" is related to '
            f"({prop.config['data_source_id']})."
        )
    if target.in_trash:
        raise trashed()


_PARSERS: dict[str, Callable[[WritePlan, Property, Any, str], Any]] = {
    "title": _text,
    "rich_text": _text,
    "number": _number,
    "checkbox": _checkbox,
    "date": _date,
    "url": _limited(MAX_URL),
    "email": _limited(MAX_SHORT),
    "phone_number": _limited(MAX_SHORT),
    "select": _select,
    "status": _status,
    "multi_select": _multi_select,
    "people": _people,
    "files": _files,
}
