"""Queries of a data source (Notion: reference/query-a-data-source).

The first page of a query fixes the order of its rows in a session; its cursors are good for that
session only, with the same filter and sorts.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import checks, filters, rendered, rollups
from .errors import validation
from .ids import new_id
from .model import DataSource, Page, Property
from .pages import wanted_properties
from .request import Request
from .sources import known_version
from .workspace import Workspace

_KEYS = ("filter", "sorts", "start_cursor", "page_size", "result_type", "is_archived")
_TIMES = ("created_time", "last_edited_time")
_INCOMPLETE = {"request_status": {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}}
_MAX_SESSIONS = 64  # each may hold 10,000 ids


@dataclass
class _Session:
    signature: str
    page_ids: list[str]
    capped: bool
    expires: float

    def __post_init__(self) -> None:
        self.places = {page_id: index for index, page_id in enumerate(self.page_ids)}


class Sessions:
    """Open query sessions by id; the oldest ones go first."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _Session] = OrderedDict()

    def start(self, session: _Session, now: float) -> str:
        for old_id in [i for i, old in self._open.items() if old.expires < now]:
            del self._open[old_id]
        session_id = new_id()
        self._open[session_id] = session
        while len(self._open) > _MAX_SESSIONS:
            self._open.popitem(last=False)
        return session_id

    def get(self, session_id: str) -> _Session | None:
        return self._open.get(session_id)

    def expire_all(self) -> None:
        self._open.clear()


class Queries:
    def __init__(self) -> None:
        self.sessions = Sessions()

    def query(self, request: Request) -> bytes:
        known_version(request)
        request.allow_query("filter_properties", "filter_properties[]")
        checks.only_keys(request.body, _KEYS, "body")
        source = request.find_source(request.id("data_source_id"))
        if source.in_trash or request.ws.ancestor_in_trash(source.id):
            raise request.ws.not_found("data source", source.id)
        size = request.body_page_size()
        only = wanted_properties(request, source)
        session_id, session, start = self._session(request, source)
        return self._page(request, (session_id, session), start, size, only)

    def _page(
        self, request: Request, opened: tuple[str, _Session], start: int, size: int, only: set[str] | None
    ) -> bytes:
        session_id, session = opened
        ids = session.page_ids[start : start + size]
        following = session.page_ids[start + size : start + size + 1]
        cursor = f"s:{session_id}:{following[0]}" if following else None
        results = [
            request.close(rendered.page_bytes(request.ws, page, only), page.in_trash)
            for page in (_seen(request.ws, page_id) for page_id in ids)
            if page is not None and not page.in_trash
        ]
        extra = _INCOMPLETE if session.capped else None
        return request.listing(results, "page_or_data_source", cursor, extra)

    def _session(self, request: Request, source: DataSource) -> tuple[str, _Session, int]:
        body = request.body
        signature = json.dumps([source.id, body.get("filter"), body.get("sorts"), body.get("is_archived")])
        order = _order(request, source)
        if "start_cursor" in body:
            cursor = checks.a_string(body["start_cursor"], "body.start_cursor")
            return self._resume(request, cursor, signature)
        rows = order()
        cap = request.ws.settings.query_cap
        session = _Session(
            signature,
            [page.id for page in rows[:cap]],
            len(rows) > cap,
            request.ws.clock.now() + request.ws.settings.cursor_seconds,
        )
        if len(session.page_ids) <= 1:
            return "", session, 0
        return self.sessions.start(session, request.ws.clock.now()), session, 0

    def _resume(self, request: Request, cursor: str, signature: str) -> tuple[str, _Session, int]:
        kind, _, rest = cursor.partition(":")
        session_id, _, page_id = rest.partition(":")
        session = self.sessions.get(session_id)
        if kind != "s" or session is None or session.signature != signature:
            raise validation(f"The start_cursor provided is invalid: {cursor}")
        if session.expires < request.ws.clock.now() or page_id not in session.places:
            raise validation(f"The start_cursor provided is invalid: {cursor}")
        return session_id, session, session.places[page_id]


def _seen(ws: Workspace, page_id: str) -> Page | None:
    page = ws.pages.get(page_id)
    return ws.indexed(page) if page is not None else None


def _order(request: Request, source: DataSource) -> Callable[[], list[Page]]:
    """Checks filter and sorts now; the rows are found and sorted only when they are asked for."""
    body, ws = request.body, request.ws
    kind = body.get("result_type", "page")
    checks.one_of(kind, ("page", "data_source"), "body.result_type")
    archived = checks.a_boolean(body.get("is_archived", False), "body.is_archived")
    test = filters.compile_filter(ws, source, body["filter"]) if "filter" in body else None
    keys = _sort_keys(ws, source, body.get("sorts", []))

    def rows() -> list[Page]:
        if kind == "data_source":
            return []
        found = _visible_rows(request, source, archived)
        if test is not None:
            found = [page for page in found if test(page)]
        found.sort(key=lambda page: -page.number)  # newest first where nothing else is asked for
        for read, descending in reversed(keys):
            found = _sorted(found, read, descending)
        return found

    return rows


def _visible_rows(request: Request, source: DataSource, archived: bool) -> list[Page]:
    ws = request.ws
    lagging = ws.settings.index_lag > 0
    hiding = bool(ws.unshared) and not request.sees_all
    found = []
    for page in ws.rows[source.id].values():
        seen = ws.indexed(page) if lagging else page
        if seen is None or seen.in_trash or seen.is_archived is not archived:
            continue
        if not (hiding and page.id in ws.unshared):
            found.append(seen)
    return found


def _sorted(rows: list[Page], read: Callable[[Page], Any], descending: bool) -> list[Page]:
    """Empty values come last in both directions."""
    keyed = [(read(page), page) for page in rows]
    filled = [pair for pair in keyed if pair[0] is not None]
    filled.sort(key=lambda pair: pair[0], reverse=descending)
    return [page for _, page in filled] + [page for key, page in keyed if key is None]


def _sort_keys(ws: Workspace, source: DataSource, value: Any) -> list[tuple[Callable[[Page], Any], bool]]:
    keys = []
    for index, item in enumerate(checks.an_array(value, "body.sorts", 100)):
        path = f"body.sorts[{index}]"
        item = checks.an_object(item, path)
        checks.only_keys(item, ("property", "timestamp", "direction"), path)
        direction = checks.one_of(item.get("direction"), ("ascending", "descending"), f"{path}.direction")
        if ("property" in item) == ("timestamp" in item):
            raise validation(f"body failed validation: {path} should have either property or timestamp.")
        if "timestamp" in item:
            name = checks.one_of(item["timestamp"], _TIMES, f"{path}.timestamp")
            read = _minute(name)
        else:
            read = _by_property(ws, source, checks.a_string(item["property"], f"{path}.property"))
        keys.append((read, direction == "descending"))
    return keys


def _minute(name: str) -> Callable[[Page], Any]:
    if name == "created_time":
        return lambda page: page.stamps.created // 60
    return lambda page: page.stamps.edited // 60


def _by_property(ws: Workspace, source: DataSource, key: str) -> Callable[[Page], Any]:
    prop = source.find(key)
    if prop is None:
        raise validation(f"Could not find sort property with name or id: {key}")
    if prop.type in _TIMES:
        return _minute(prop.type)
    if prop.type in ("select", "status"):
        place = {option["id"]: index for index, option in enumerate(prop.config["options"])}
        return lambda page: place.get(page.values.get(prop.id))
    return lambda page: _sortable(rollups.plain_value(ws, source, page, prop), prop)


def _sortable(value: Any, prop: Property) -> Any:
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, list):
        return len(value)
    if isinstance(value, bool | int | float):
        return value
    return None
