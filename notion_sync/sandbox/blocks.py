"""Page bodies: the common text blocks (Notion: reference/block)."""

from __future__ import annotations

import re
from typing import Any

from . import checks, errors, render, richtext, trash
from .errors import invalid, validation
from .ids import new_id, parse_uuid
from .model import Block, Database, Page
from .request import Request, slice_after

MAX_CHILDREN = 100
_DEPTH = 2
_TEXT = ("rich_text", "color")
# Which keys a block of each type may have besides `children`.
_KEYS: dict[str, tuple[str, ...]] = {
    "paragraph": (*_TEXT, "icon"),
    "heading_1": (*_TEXT, "is_toggleable"),
    "heading_2": (*_TEXT, "is_toggleable"),
    "heading_3": (*_TEXT, "is_toggleable"),
    "bulleted_list_item": _TEXT,
    "numbered_list_item": _TEXT,
    "to_do": (*_TEXT, "checked"),
    "toggle": _TEXT,
    "quote": _TEXT,
    "callout": (*_TEXT, "icon"),
    "code": ("rich_text", "caption", "language"),
    "divider": (),
    "bookmark": ("url", "caption"),
}
_DEFAULTS: dict[str, Any] = {
    "color": "default",
    "icon": None,
    "is_toggleable": False,
    "checked": False,
    "caption": "",
    "language": "plain text",
}
_COLORS = {*richtext.COLORS, *(f"{color}_background" for color in richtext.COLORS)}


# -- reading requests --------------------------------------------------------------------------------


def parse_children(value: Any, path: str, depth: int = 1) -> list[dict[str, Any]]:
    """Checked blocks as `{"type", "content", "children"}`, two levels deep at most."""
    return [
        _parse(item, f"{path}[{index}]", depth) for index, item in enumerate(checks.an_array(value, path, MAX_CHILDREN))
    ]


def _parse(item: Any, path: str, depth: int) -> dict[str, Any]:
    item = checks.an_object(item, path)
    kind = checks.one_of(item.get("type") or next((key for key in item if key in _KEYS), None), _KEYS, f"{path}.type")
    checks.only_keys(item, ("object", "type", kind), path)
    value = checks.an_object(checks.required(item, kind, path), f"{path}.{kind}")
    where = f"{path}.{kind}"
    children = value.get("children", [])
    if children and depth >= _DEPTH:
        raise errors.not_present(f"{where}.children", children)
    nested = parse_children(children, f"{where}.children", depth + 1)
    content = _content(kind, {k: v for k, v in value.items() if k != "children"}, where)
    return {"type": kind, "content": content, "children": nested}


def _content(kind: str, value: dict[str, Any], path: str, old: dict[str, Any] | None = None) -> dict[str, Any]:
    """The block's own settings; what is not given keeps its old value or the default."""
    checks.only_keys(value, _KEYS[kind], path)
    content: dict[str, Any] = {}
    for key in _KEYS[kind]:
        if key in value:
            content[key] = _setting(key, value[key], f"{path}.{key}")
        elif old is not None:
            content[key] = old[key]
        elif key in _DEFAULTS:
            content[key] = _DEFAULTS[key]
        else:
            raise invalid(f"{path}.{key}", "defined", None, missing=True)
    return content


def _setting(key: str, value: Any, path: str) -> Any:
    if key in ("rich_text", "caption"):
        return richtext.parse(value, path)
    if key in ("checked", "is_toggleable"):
        return checks.a_boolean(value, path)
    if key == "color":
        return checks.one_of(value, _COLORS, path)
    if key == "url":
        return checks.a_filled_string(value, path, 2000)
    return value


_MARKDOWN = (
    (re.compile(r"###\s+(.*)"), "heading_3"),
    (re.compile(r"##\s+(.*)"), "heading_2"),
    (re.compile(r"#\s+(.*)"), "heading_1"),
    (re.compile(r"[-*]\s+(.*)"), "bulleted_list_item"),
    (re.compile(r"\d+\.\s+(.*)"), "numbered_list_item"),
    (re.compile(r">\s+(.*)"), "quote"),
)


def from_markdown(text: str) -> list[dict[str, Any]]:
    """Line by line: headings, lists, quotes and paragraphs. Formatting inside a line stays as typed."""
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        kind, content = "paragraph", line
        for pattern, name in _MARKDOWN:
            match = pattern.fullmatch(line)
            if match:
                kind, content = name, match.group(1)
                break
        pieces = [content[i : i + 1000] for i in range(0, len(content), 1000)]
        value = {"rich_text": [{"text": {"content": piece}} for piece in pieces]}
        found.append(_parse({"type": kind, kind: value}, "body.markdown", 1))
    return found


# -- changing ----------------------------------------------------------------------------------------


def append_to(request: Request, parent: Any, parsed: list[dict[str, Any]], at: int | None = None) -> list[Block]:
    """New blocks below a page or block, at the end or from a given place on."""
    kind = "page_id" if isinstance(parent, Page) else "block_id"
    ws = request.ws
    made = []
    for item in parsed:
        stamps = ws.stamps(request.user_id)
        block = Block(new_id(), kind, parent.id, item["type"], item["content"], stamps)
        ws.add(block)
        made.append(block)
        append_to(request, block, item["children"])
    if made:
        siblings = ws.children[parent.id]
        if at is not None:
            ids = [block.id for block in made]
            del siblings[-len(ids) :]
            siblings[at:at] = ids
        ws.set_meta(f"children:{parent.id}", siblings)
    return made


def erase(request: Request, page: Page) -> None:
    for child_id in request.ws.children.get(page.id, ()):
        block = request.ws.blocks.get(child_id)
        if block is not None:
            block.in_trash = True
            request.ws.mark(block)


def _live_children(request: Request, parent_id: str) -> list[Any]:
    items = (request.ws.item(child_id) for child_id in request.ws.children.get(parent_id, ()))
    return [item for item in items if item is not None and not item.in_trash and request.visible(item.id)]


# -- endpoints ---------------------------------------------------------------------------------------


def _render(request: Request, item: Any) -> bytes:
    return request.close(render.dumps(render.block_object(request.ws, item))[:-1], item.in_trash)


def retrieve(request: Request) -> bytes:
    item = request.find_block(request.id("block_id"))
    return request.plain(render.block_object(request.ws, item), item.in_trash)


def list_children(request: Request) -> bytes:
    request.allow_query("page_size", "start_cursor")
    parent = request.find_block(request.id("block_id"))
    items = _live_children(request, parent.id)
    part, cursor = slice_after(
        items, request.one("start_cursor"), request.page_size(), lambda item: item.id, "query.start_cursor"
    )
    return request.listing([_render(request, item) for item in part], "block", cursor)


def append(request: Request) -> bytes:
    request.allow("children", "after" if request.old_style else "position")
    parent = request.find_block(request.id("block_id"))
    if isinstance(parent, Database):
        raise validation("Blocks cannot be added to a database.")
    request.check_writable(parent)
    parsed = parse_children(checks.required(request.body, "children", "body"), "body.children")
    made = append_to(request, parent, parsed, _place(request, parent.id))
    request.ws.touch(parent, request.user_id)
    request.committed_children = [block.id for block in made]
    _content_event(request, parent.id, made)
    return request.listing([_render(request, block) for block in made], "block", None)


def _place(request: Request, parent_id: str) -> int | None:
    position = request.body.get("position")
    after = request.body.get("after")
    if position is not None:
        position = checks.an_object(position, "body.position")
        kind = checks.one_of(position.get("type"), ("after_block", "start", "end"), "body.position.type")
        if kind != "after_block":
            return 0 if kind == "start" else None
        block = checks.an_object(position.get("after_block"), "body.position.after_block")
        after = block.get("id")
    if after is None:
        return None
    after = parse_uuid(after, "body.after")
    siblings = request.ws.children.get(parent_id, [])
    if after not in siblings:
        raise validation(f"Block to append children after was not found: {after}")
    return siblings.index(after) + 1


def _content_event(request: Request, item_id: str, changed: list[Block]) -> None:
    page_id = next((i for i in request.ws.lineage(item_id) if i in request.ws.pages), None)
    if page_id is not None and changed:
        updated = [{"id": block.id, "type": "block"} for block in changed]
        request.event("page.content_updated", ("page", page_id), updated_blocks=updated)


def update(request: Request) -> bytes:
    item = request.find_block(request.id("block_id"))
    if not isinstance(item, Block):
        raise validation("A page or database cannot be changed through the block endpoint.")
    request.allow("type", "in_trash", item.type)
    flag = request.trash_flag()
    if item.in_trash and flag is not False:
        raise errors.trashed()
    if request.ws.ancestor_in_trash(item.id):
        raise errors.trashed_ancestor()
    if item.type in request.body:
        value = checks.an_object(request.body[item.type], f"body.{item.type}")
        item.content = _content(item.type, value, f"body.{item.type}", item.content)
    if flag is not None:
        item.in_trash = flag
    request.ws.touch(item, request.user_id)
    _content_event(request, item.id, [item])
    return request.plain(render.block_object(request.ws, item), item.in_trash)


def delete(request: Request) -> bytes:
    """Into the trash: a block, or a page or database by its id. The answer is the block."""
    item = request.find_block(request.id("block_id"))
    request.check_writable(item)
    if isinstance(item, Page):
        trash.page(request, item, True)
    elif isinstance(item, Database):
        trash.database(request, item, True)
    else:
        item.in_trash = True
        request.ws.touch(item, request.user_id)
        _content_event(request, item.id, [item])
    return request.plain(render.block_object(request.ws, item), item.in_trash)
