"""Search by title (Notion: reference/post-search): by the index, so it may lag behind."""

from __future__ import annotations

from typing import Any

from . import checks, render, rendered, richtext
from .model import DataSource, Page
from .request import Request, slice_after

_KEYS = ("query", "filter", "sort", "start_cursor", "page_size")


def search(request: Request) -> bytes:
    checks.only_keys(request.body, _KEYS, "body")
    body = request.body
    query = checks.a_string(body.get("query", ""), "body.query").casefold()
    kind, in_trash = _filter(body["filter"]) if "filter" in body else (None, False)
    size = request.body_page_size()
    found = [item for item in _items(request, kind) if _matches(request, item, query, in_trash)]
    found.sort(key=lambda item: item.stamps.edited, reverse=_descending(body["sort"]) if "sort" in body else True)
    cursor = checks.a_string(body["start_cursor"], "body.start_cursor") if "start_cursor" in body else None
    part, following = slice_after(found, cursor, size, lambda item: item.id, "body.start_cursor")
    results = [_render(request, item) for item in part]
    return request.listing(results, "page_or_data_source", following)


def _filter(value: Any) -> tuple[str | None, bool]:
    value = checks.an_object(value, "body.filter")
    checks.only_keys(value, ("property", "value", "in_trash"), "body.filter")
    checks.one_of(value.get("property"), ("object",), "body.filter.property")
    kind = checks.one_of(value.get("value"), ("page", "data_source"), "body.filter.value")
    return kind, checks.a_boolean(value.get("in_trash", False), "body.filter.in_trash")


def _descending(value: Any) -> bool:
    value = checks.an_object(value, "body.sort")
    checks.only_keys(value, ("timestamp", "direction"), "body.sort")
    checks.one_of(value.get("timestamp"), ("last_edited_time",), "body.sort.timestamp")
    direction = checks.one_of(value.get("direction"), ("ascending", "descending"), "body.sort.direction")
    return direction == "descending"


def _items(request: Request, kind: str | None) -> list[Any]:
    ws = request.ws
    pages = [seen for page in ws.pages.values() if (seen := ws.indexed(page)) is not None]
    return [
        *(pages if kind != "data_source" else ()),
        *(ws.sources.values() if kind != "page" else ()),
    ]


def _matches(request: Request, item: Page | DataSource, query: str, in_trash: bool) -> bool:
    gone = item.in_trash or request.ws.ancestor_in_trash(item.id)
    if gone != in_trash or not request.visible(item.id):
        return False
    title = render.page_title(item) if isinstance(item, Page) else richtext.plain(item.title)
    return query in title.casefold()


def _render(request: Request, item: Page | DataSource) -> bytes:
    if isinstance(item, Page):
        return request.close(rendered.page_bytes(request.ws, item), item.in_trash)
    shown = render.source_object(request.ws, item)
    return request.close(render.dumps(shown)[:-1], shown["in_trash"])
