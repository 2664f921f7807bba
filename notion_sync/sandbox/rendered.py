"""Pages as bytes: written piece by piece, which is faster than through dicts, and kept until stale."""

from __future__ import annotations

import json
from collections.abc import Collection
from json.encoder import encode_basestring as quoted
from typing import Any

from . import render, schema
from .clock import minute_iso
from .ids import encode_property_id
from .model import DataSource, Page, Property
from .workspace import Workspace

MAX_RENDERED = 300_000_000  # bytes of rendered pages kept in memory
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_PLAIN_RUN = (
    '[{"type":"text","text":{"content":%s,"link":null},"annotations":{"bold":false,"italic":false,'
    '"strikethrough":false,"underline":false,"code":false,"color":"default"},"plain_text":%s,"href":null}]'
)
_TEXTS = frozenset({"title", "rich_text"})
_STORED_AS_SHOWN = frozenset({"number", "url", "email", "phone_number"})
_CUT = frozenset({"relation", "people"})


def page_bytes(ws: Workspace, page: Page, only: Collection[str] | None = None) -> bytes:
    """The page object without its closing brace; `only` limits the properties to these ids."""
    if only is not None:
        return render.dumps(render.page_object(ws, page, only))[:-1]
    key = _cache_key(ws, page)
    if page.cache is not None and page.cache_key == key:
        return page.cache
    rendered = _page_text(ws, page).encode()
    page.cache, page.cache_key = rendered, key
    _mind_memory(ws, len(rendered))
    return rendered


def _mind_memory(ws: Workspace, size: int) -> None:
    """Forgets all rendered pages when they have grown beyond the limit."""
    ws.rendered_bytes += size
    if ws.rendered_bytes > MAX_RENDERED:
        ws.rendered_bytes = 0
        ws.stale(ws.pages)


def _cache_key(ws: Workspace, page: Page) -> tuple[int, int]:
    source = ws.source_of(page)
    if source is None:
        return (0, 0)
    return (source.version, ws.revision if _layout(source).volatile else 0)


class _Layout:
    """What all rows of a data source have in common, for one version of its schema."""

    def __init__(self, source: DataSource) -> None:
        self.version = source.version
        self.volatile = any(prop.type in ("rollup", "formula") for prop in source.properties.values())
        self.heads = [(prop, _head(prop)) for prop in schema.ordered(source)]


def _head(prop: Property) -> str:
    return f'{quoted(prop.name)}:{{"id":"{encode_property_id(prop.id)}","type":"{prop.type}","{prop.type}":'


def _layout(source: DataSource) -> _Layout:
    layout: _Layout | None = source.layout
    if layout is None or layout.version != source.version:
        layout = source.layout = _Layout(source)
    return layout


def _page_text(ws: Workspace, page: Page) -> str:
    source = ws.source_of(page)
    stamps = page.stamps
    if source is None:
        properties = _encode(render.page_properties(ws, page))[1:-1]
    else:
        heads = _layout(source).heads
        properties = ",".join([head + _value(ws, source, page, prop) + "}" for prop, head in heads])
    return (
        f'{{"object":"page","id":"{page.id}","created_time":"{minute_iso(stamps.created)}",'
        f'"last_edited_time":"{minute_iso(stamps.edited)}",'
        f'"created_by":{{"object":"user","id":"{stamps.created_by}"}},'
        f'"last_edited_by":{{"object":"user","id":"{stamps.edited_by}"}},'
        f'"cover":{_encode(page.cover)},"icon":{_encode(page.icon)},'
        f'"parent":{_encode(render.page_parent(ws, page))},'
        f'"in_trash":{_encode(page.in_trash)},"is_archived":{_encode(page.is_archived)},'
        f'"is_locked":{_encode(page.is_locked)},"properties":{{{properties}}},'
        f'"url":{quoted(render.page_url(page))},"public_url":null'
    )


def _value(ws: Workspace, source: DataSource, page: Page, prop: Property) -> str:
    kind = prop.type
    if kind in _TEXTS:
        stored = page.values.get(prop.id, "")
        if isinstance(stored, str):
            return _PLAIN_RUN % ((quoted(stored),) * 2) if stored else "[]"
    elif kind in _STORED_AS_SHOWN:
        plain = page.values.get(prop.id)
        return "null" if plain is None else _encode(plain)
    value: Any = render.property_value(ws, source, page, prop)
    if kind in _CUT:
        shown = _encode(value[: render.SHOWN_LINKS])
        more = "true" if len(value) > render.SHOWN_LINKS else "false"
        return f'{shown},"has_more":{more}' if kind == "relation" else shown
    return _encode(value)
