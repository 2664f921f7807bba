"""Endpoints of pages (Notion: reference/post-page, patch-page, retrieve-a-page, move-page)."""

from __future__ import annotations

from typing import Any

from . import blocks, checks, errors, options, render, rendered, trash, values
from .errors import validation
from .ids import encode_property_id, new_id
from .model import READ_ONLY_TYPES, DataSource, Page
from .request import Request, check_icon, parent_of, raise_unsupported, slice_after

_PARENTS = ("data_source_id", "database_id", "page_id", "workspace")
_LISTED = ("title", "rich_text", "people", "relation")


def _answer(request: Request, page: Page) -> bytes:
    return request.single(rendered.page_bytes(request.ws, page), page.in_trash)


# -- create ------------------------------------------------------------------------------------------


def create(request: Request) -> bytes:
    request.allow(
        "parent", "properties", "icon", "cover", "children", "markdown", "template", "position", "allow_async"
    )
    body = request.body
    kind, parent_id = _parent(request, checks.required(body, "parent", "body"))
    source = request.ws.sources.get(parent_id) if kind == "data_source_id" else None
    page = Page(new_id(), kind, parent_id, request.ws.stamps(request.user_id), 0)
    page.icon = check_icon(body.get("icon"), "body.icon")
    page.cover = check_icon(body.get("cover"), "body.cover")
    plan = _plan(request, source, None, body.get("properties", {}))
    children = _body_blocks(request)
    page.number = request.ws.next_number()
    if source is not None:
        _set_defaults(request, source, page)
    request.ws.add(page)
    plan.apply(page)
    blocks.append_to(request, page, children)
    request.ws.remember_for_index(page, new=True)
    request.committed_id = page.id
    request.event("page.created", ("page", page.id))
    if source is not None:
        request.event(
            "data_source.content_updated", ("data_source", source.id), updated_blocks=[{"id": page.id, "type": "block"}]
        )
    return _answer(request, page)


def _parent(request: Request, value: Any) -> tuple[str, str]:
    """A live parent; a database stands for its data source when it has only one."""
    kind, parent_id = parent_of(value, _PARENTS)
    if kind == "database_id":
        kind, parent_id = "data_source_id", _only_source(request, parent_id)
    if kind == "data_source_id":
        if request.version == "2022-06-28":
            raise errors.invalid("body.parent.type", '`"page_id"`', kind)
        request.check_writable(request.find_source(parent_id))
    elif kind == "page_id":
        request.check_writable(request.find_page(parent_id))
    elif request.user_id == request.ws.bot_id:
        raise validation(
            "Internal integrations aren't owned by a single user, so creating workspace-level private pages is "
            "not supported."
        )
    return kind, parent_id


def _only_source(request: Request, database_id: str) -> str:
    database = request.find_database(database_id)
    if len(database.source_ids) != 1:
        raise errors.ApiError(
            400,
            "validation_error",
            "Databases with multiple data sources are not supported in this API version."
            if request.version == "2022-06-28"
            else f"Database {database_id} has several data sources: name one by data_source_id.",
            {"error_type": "multiple_data_sources_for_database", "child_data_source_ids": database.source_ids},
        )
    return database.source_ids[0]


def _plan(request: Request, source: DataSource | None, page: Page | None, properties: Any) -> values.WritePlan:
    if source is None:
        return values.plan_plain(request.ws, properties, "body.properties")
    return values.plan_row(request.ws, source, page, properties, "body.properties")


def _body_blocks(request: Request) -> list[Any]:
    body = request.body
    if "template" in body and checks.an_object(body["template"], "body.template").get("type") != "none":
        raise_unsupported("A page template")
    if "position" in body:
        raise_unsupported("position")
    if "markdown" in body:
        if "children" in body:
            raise validation("body failed validation: children and markdown cannot be given together.")
        return blocks.from_markdown(checks.a_string(body["markdown"], "body.markdown"))
    return blocks.parse_children(body.get("children", []), "body.children")


def _set_defaults(request: Request, source: DataSource, page: Page) -> None:
    for prop in source.properties.values():
        if prop.type == "status":
            page.values[prop.id] = options.default_status(prop.config)
        elif prop.type == "unique_id":
            page.values[prop.id] = source.next_unique_id
            source.next_unique_id += 1
            request.ws.save_only(source)


# -- retrieve ----------------------------------------------------------------------------------------


def retrieve(request: Request) -> bytes:
    request.allow_query("filter_properties", "filter_properties[]")
    page = request.find_page(request.id("page_id"))
    only = wanted_properties(request, request.ws.source_of(page))
    return request.single(rendered.page_bytes(request.ws, page, only), page.in_trash)


def wanted_properties(request: Request, source: DataSource | None) -> set[str] | None:
    """`filter_properties` as ids; None when all are wanted."""
    keys = request.query.get("filter_properties", []) + request.query.get("filter_properties[]", [])
    if not keys or source is None:
        return None
    wanted = set()
    for key in keys:
        prop = source.find(key)
        if prop is None:
            raise validation(f"Could not find property with name or id: {key}")
        wanted.add(prop.id)
    return wanted


def retrieve_property(request: Request) -> bytes:
    request.allow_query("page_size", "start_cursor")
    page = request.find_page(request.id("page_id"))
    source = request.ws.source_of(page)
    key = request.params["property_id"]
    prop = source.find(key) if source else render.OUTSIDE_TITLE if key == "title" else None
    if prop is None:
        raise validation(f"Could not find property with name or id: {key}")
    value = render.property_value(request.ws, source, page, prop)
    encoded = encode_property_id(prop.id)
    if prop.type not in _LISTED:
        return request.plain({"object": "property_item", "type": prop.type, "id": encoded, prop.type: value})
    items = list(enumerate(value))
    part, cursor = slice_after(
        items, request.one("start_cursor"), request.page_size(), lambda i: _item_key(*i), "query.start_cursor"
    )
    results = [
        render.dumps({"object": "property_item", "type": prop.type, "id": encoded, prop.type: item}) for _, item in part
    ]
    empty: Any = {} if prop.type in ("title", "rich_text", "people", "relation") else []
    next_url = None
    if cursor:
        next_url = f"https://api.notion.com/v1/pages/{page.id}/properties/{encoded}?start_cursor={cursor}"
    head = {"id": encoded, "next_url": next_url, "type": prop.type, prop.type: empty}
    return request.listing(results, "property_item", cursor, {"property_item": head})


def _item_key(index: int, item: Any) -> str:
    return str(item.get("id") or index)


# -- update ------------------------------------------------------------------------------------------


def update(request: Request) -> bytes:
    request.allow("properties", "icon", "cover", "in_trash", "is_archived", "is_locked", "template", "erase_content")
    page = request.find_page(request.id("page_id"))
    flag = request.trash_flag()
    if request.ws.ancestor_in_trash(page.id) and not page.in_trash:
        raise errors.trashed_ancestor()
    if page.in_trash:
        _restore(request, page, flag)
    else:
        _edit(request, page, flag)
    return _answer(request, page)


def _restore(request: Request, page: Page, flag: bool | None) -> None:
    """Out of the trash first, then edit: a request that does more is refused."""
    if flag is not False or set(request.body) - {"in_trash", "archived"}:
        raise errors.trashed()
    if request.ws.ancestor_in_trash(page.id):
        raise errors.trashed_ancestor()
    trash.page(request, page, False)


def _edit(request: Request, page: Page, flag: bool | None) -> None:
    body, ws = request.body, request.ws
    plan = _plan(request, ws.source_of(page), page, body.get("properties", {}))
    changes = _plain_changes(body)
    if "template" in body:
        raise_unsupported("A page template")
    if checks.a_boolean(body.get("erase_content", False), "body.erase_content"):
        blocks.erase(request, page)
    ws.remember_for_index(page)
    ws.touch(page, request.user_id)
    for key, value in changes.items():
        setattr(page, key, value)
    written = plan.apply(page)
    if written:
        ids = [encode_property_id(prop_id) for prop_id in written]
        request.event("page.properties_updated", ("page", page.id), updated_properties=ids)
    if "is_locked" in changes:
        request.event("page.locked" if page.is_locked else "page.unlocked", ("page", page.id))
    if flag:
        trash.page(request, page, True)


def _plain_changes(body: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for key in ("icon", "cover"):
        if key in body:
            changes[key] = check_icon(body[key], f"body.{key}")
    for key in ("is_archived", "is_locked"):
        if key in body:
            changes[key] = checks.a_boolean(body[key], f"body.{key}")
    return changes


# -- move --------------------------------------------------------------------------------------------


def move(request: Request) -> bytes:
    request.allow("parent")
    page = request.find_page(request.id("page_id"))
    request.check_writable(page)
    kind, parent_id = parent_of(checks.required(request.body, "parent", "body"), ("page_id", "data_source_id"))
    target: Any = request.find_source(parent_id) if kind == "data_source_id" else request.find_page(parent_id)
    request.check_writable(target)
    if page.id in request.ws.lineage(parent_id):
        raise validation("A page cannot be moved into itself or below itself.")
    _carry_over(request, page, target if kind == "data_source_id" else None)
    request.ws.remember_for_index(page)
    request.ws.relocate(page, kind, parent_id)
    request.ws.touch(page, request.user_id)
    request.event("page.moved", ("page", page.id))
    return _answer(request, page)


def _carry_over(request: Request, page: Page, target: DataSource | None) -> None:
    """Values live on where the new home has a property of the same name and type; links do not."""
    ws = request.ws
    source = ws.source_of(page)
    kept = {"title": page.values.get("title", "")}
    for prop in source.properties.values() if source else ():
        if prop.type == "relation":
            touched = ws.relations.replace(prop.config["relation_id"], prop.config["side"], page.id, ())
            ws.stale(touched)
            continue
        twin = target.find(prop.name) if target else None
        if twin is None or twin.type != prop.type or prop.type in READ_ONLY_TYPES or prop.id not in page.values:
            continue
        kept[twin.id] = _carried(request, prop, twin, page.values[prop.id])
    page.values = kept
    if target is not None:
        for key, value in _missing_defaults(request, target, page).items():
            page.values.setdefault(key, value)


def _carried(request: Request, prop: Any, twin: Any, value: Any) -> Any:
    """Options go along by name; the new home gets those that it lacks."""
    if "options" not in prop.config:
        return value
    ids = value if isinstance(value, list) else [value]
    moved = []
    for option in filter(None, (prop.option(option_id) for option_id in ids)):
        found = twin.option_named(option["name"])
        if found is None and twin.type != "status":
            found = options.auto_option(option["name"], len(twin.config["options"]))
            twin.config["options"].append(found)
        if found is not None:
            moved.append(found["id"])
    return moved if isinstance(value, list) else next(iter(moved), None)


def _missing_defaults(request: Request, target: DataSource, page: Page) -> dict[str, Any]:
    blank = Page(page.id, page.parent_type, page.parent_id, page.stamps, page.number)
    _set_defaults(request, target, blank)
    request.ws.save_only(target)
    return blank.values
