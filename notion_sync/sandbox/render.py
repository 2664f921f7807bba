"""Objects as the API answers them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import Any

from . import dates, formulas, richtext, rollups, schema
from .clock import millisecond_iso, minute_iso
from .ids import encode_property_id, undashed
from .model import Block, Comment, Database, DataSource, Page, Property
from .workspace import Workspace

SHOWN_LINKS = 25  # relation and people values are cut here; relations say so with `has_more`
_SLUG = re.compile(r"[^A-Za-z0-9]+")
OUTSIDE_TITLE = Property("title", "title", "title")


def dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def partial_user(user_id: str) -> dict[str, str]:
    return {"object": "user", "id": user_id}


def full_user(ws: Workspace, user_id: str) -> dict[str, Any]:
    """As in people values: a bot's details are left empty."""
    user = ws.user(user_id)
    return {**user, "bot": {}} if user.get("type") == "bot" else user


# -- pages -----------------------------------------------------------------------------------------


def page_object(ws: Workspace, page: Page, only: Collection[str] | None = None) -> dict[str, Any]:
    stamps = page.stamps
    return {
        "object": "page",
        "id": page.id,
        "created_time": minute_iso(stamps.created),
        "last_edited_time": minute_iso(stamps.edited),
        "created_by": partial_user(stamps.created_by),
        "last_edited_by": partial_user(stamps.edited_by),
        "cover": page.cover,
        "icon": page.icon,
        "parent": page_parent(ws, page),
        "in_trash": page.in_trash,
        "is_archived": page.is_archived,
        "is_locked": page.is_locked,
        "properties": page_properties(ws, page, only),
        "url": page_url(page),
        "public_url": None,
    }


def page_parent(ws: Workspace, page: Page) -> dict[str, Any]:
    if page.parent_type == "workspace":
        return {"type": "workspace", "workspace": True}
    parent = {"type": page.parent_type, page.parent_type: page.parent_id}
    if page.parent_type == "data_source_id":
        parent["database_id"] = ws.sources[page.parent_id].database_id
    return parent


def page_url(page: Page) -> str:
    slug = _SLUG.sub("-", richtext.plain(page.values.get("title", ""))).strip("-")
    return f"https://app.notion.com/p/{slug + '-' if slug else ''}{undashed(page.id)}"


def page_title(page: Page) -> str:
    return richtext.plain(page.values.get("title", ""))


def page_properties(ws: Workspace, page: Page, only: Collection[str] | None = None) -> dict[str, Any]:
    source = ws.source_of(page)
    if source is None:
        return {"title": _property(ws, None, page, OUTSIDE_TITLE)}
    return {
        prop.name: _property(ws, source, page, prop)
        for prop in schema.ordered(source)
        if only is None or prop.id in only
    }


def _property(ws: Workspace, source: DataSource | None, page: Page, prop: Property) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": encode_property_id(prop.id), "type": prop.type}
    value = property_value(ws, source, page, prop)
    if prop.type == "relation":
        shown["relation"] = value[:SHOWN_LINKS]
        shown["has_more"] = len(value) > SHOWN_LINKS
    elif prop.type == "people":
        shown["people"] = value[:SHOWN_LINKS]
    else:
        shown[prop.type] = value
    return shown


def property_value(ws: Workspace, source: DataSource | None, page: Page, prop: Property) -> Any:
    """The whole value, uncut."""
    return _RENDERERS[prop.type](ws, source, page, prop)


Renderer = Callable[[Workspace, Any, Page, Property], Any]


def _as_stored(default: Any = None) -> Renderer:
    return lambda ws, source, page, prop: page.values.get(prop.id, default)


def _option(ws: Workspace, source: Any, page: Page, prop: Property) -> Any:
    return _show_option(prop, page.values.get(prop.id))


def _show_option(prop: Property, option_id: str | None) -> dict[str, Any] | None:
    option = prop.option(option_id) if option_id else None
    return {k: option[k] for k in ("id", "name", "color")} if option else None


def _multi_select(ws: Workspace, source: Any, page: Page, prop: Property) -> Any:
    shown = (_show_option(prop, option_id) for option_id in page.values.get(prop.id, ()))
    return [option for option in shown if option]


def _unique_id(ws: Workspace, source: Any, page: Page, prop: Property) -> Any:
    return {"prefix": prop.config["prefix"], "number": page.values.get(prop.id)}


def _formula(ws: Workspace, source: DataSource, page: Page, prop: Property) -> Any:
    plain = {
        other.id: rollups.plain_value(ws, source, page, other)
        for other in source.properties.values()
        if other.type not in ("formula", "rollup", "relation")
    }
    return formulas.evaluate(prop.config["expression"], plain)


def _rollup(ws: Workspace, source: DataSource, page: Page, prop: Property) -> Any:
    return rollups.compute(ws, source, page, prop, property_value)


_RENDERERS: dict[str, Renderer] = {
    "title": lambda ws, s, page, p: richtext.show(page.values.get(p.id, "")),
    "rich_text": lambda ws, s, page, p: richtext.show(page.values.get(p.id, "")),
    "number": _as_stored(),
    "checkbox": _as_stored(False),
    "url": _as_stored(),
    "email": _as_stored(),
    "phone_number": _as_stored(),
    "date": lambda ws, s, page, p: dates.show(page.values.get(p.id)),
    "select": _option,
    "status": _option,
    "multi_select": _multi_select,
    "people": lambda ws, s, page, p: [full_user(ws, u) for u in page.values.get(p.id, ())],
    "files": lambda ws, s, page, p: page.values.get(p.id, []),
    "relation": lambda ws, s, page, p: [{"id": i} for i in ws.related(page, p) if not ws.hidden(i)],
    "unique_id": _unique_id,
    "created_time": lambda ws, s, page, p: minute_iso(page.stamps.created),
    "last_edited_time": lambda ws, s, page, p: minute_iso(page.stamps.edited),
    "created_by": lambda ws, s, page, p: full_user(ws, page.stamps.created_by),
    "last_edited_by": lambda ws, s, page, p: full_user(ws, page.stamps.edited_by),
    "formula": _formula,
    "rollup": _rollup,
    "button": lambda ws, s, page, p: {},
}


# -- everything else ---------------------------------------------------------------------------------


def database_object(ws: Workspace, database: Database) -> dict[str, Any]:
    sources = [ws.sources[source_id] for source_id in database.source_ids]
    return {
        "object": "database",
        "id": database.id,
        "title": richtext.show(database.title),
        "description": richtext.show(database.description),
        "parent": database.parent,
        "is_inline": database.is_inline,
        "in_trash": database.in_trash,
        "is_locked": database.is_locked,
        "created_time": millisecond_iso(database.stamps.created),
        "last_edited_time": millisecond_iso(database.stamps.edited),
        "data_sources": [{"id": s.id, "name": richtext.plain(s.title)} for s in sources if not s.in_trash],
        "icon": database.icon,
        "cover": database.cover,
        "url": f"https://app.notion.com/p/{undashed(database.id)}",
        "public_url": None,
    }


def source_object(ws: Workspace, source: DataSource) -> dict[str, Any]:
    database = ws.databases[source.database_id]
    return {
        "object": "data_source",
        "id": source.id,
        "cover": database.cover,
        "icon": source.icon,
        "created_time": minute_iso(source.stamps.created),
        "created_by": partial_user(source.stamps.created_by),
        "last_edited_by": partial_user(source.stamps.edited_by),
        "last_edited_time": minute_iso(source.stamps.edited),
        "title": richtext.show(source.title),
        "description": richtext.show(database.description),
        "is_inline": database.is_inline,
        "properties": schema.show_properties(ws, source),
        "parent": {"type": "database_id", "database_id": database.id},
        "database_parent": database.parent,
        "url": f"https://app.notion.com/p/{undashed(database.id)}",
        "public_url": None,
        "in_trash": source.in_trash or database.in_trash,
    }


def block_object(ws: Workspace, item: Block | Page | Database) -> dict[str, Any]:
    """Pages and databases are blocks too: `child_page` and `child_database`."""
    kind, content = _block_content(item)
    return {
        "object": "block",
        "id": item.id,
        "parent": _block_parent(ws, item),
        "created_time": minute_iso(item.stamps.created),
        "last_edited_time": minute_iso(item.stamps.edited),
        "created_by": partial_user(item.stamps.created_by),
        "last_edited_by": partial_user(item.stamps.edited_by),
        "has_children": _has_children(ws, item),
        "in_trash": item.in_trash,
        "type": kind,
        kind: content,
    }


def _block_content(item: Block | Page | Database) -> tuple[str, dict[str, Any]]:
    if isinstance(item, Page):
        return "child_page", {"title": page_title(item)}
    if isinstance(item, Database):
        return "child_database", {"title": richtext.plain(item.title)}
    content = dict(item.content)
    for key in ("rich_text", "caption"):
        if key in content:
            content[key] = richtext.show(content[key])
    return item.type, content


def _block_parent(ws: Workspace, item: Block | Page | Database) -> dict[str, Any]:
    if isinstance(item, Page):
        return page_parent(ws, item)
    if isinstance(item, Database):
        return item.parent
    return {"type": item.parent_type, item.parent_type: item.parent_id}


def _has_children(ws: Workspace, item: Block | Page | Database) -> bool:
    if isinstance(item, Database):
        return False
    return any(
        (child := ws.item(child_id)) is not None and not child.in_trash for child_id in ws.children.get(item.id, ())
    )


def comment_object(ws: Workspace, comment: Comment) -> dict[str, Any]:
    user = ws.user(comment.stamps.created_by)
    kind = "integration" if user.get("type") == "bot" else "user"
    return {
        "object": "comment",
        "id": comment.id,
        "parent": {"type": comment.parent_type, comment.parent_type: comment.parent_id},
        "discussion_id": comment.discussion_id,
        "created_time": minute_iso(comment.stamps.created),
        "last_edited_time": minute_iso(comment.stamps.edited),
        "created_by": partial_user(comment.stamps.created_by),
        "rich_text": richtext.show(comment.rich_text),
        "display_name": {"type": kind, "resolved_name": user.get("name", "")},
    }
