"""Endpoints of databases (Notion: reference/database-create, database-retrieve, database-update)."""

from __future__ import annotations

from typing import Any

from . import checks, errors, render, richtext, trash
from .errors import validation
from .ids import new_id
from .model import Database, DataSource
from .request import Request, check_icon, parent_of, raise_unsupported
from .schema_change import SchemaChange

_TITLE_ONLY = {"Name": {"type": "title", "title": {}}}


def _answer(request: Request, database: Database) -> bytes:
    return request.plain(render.database_object(request.ws, database), database.in_trash)


def refuse_oldest_version(request: Request, database: Database | None) -> None:
    """2022-06-28 knew a database and its data source as one thing."""
    if request.version != "2022-06-28":
        return
    if database is not None and len(database.source_ids) > 1:
        raise errors.ApiError(
            400,
            "validation_error",
            "Databases with multiple data sources are not supported in this API version.",
            {
                "error_type": "multiple_data_sources_for_database",
                "child_data_source_ids": database.source_ids,
            },
        )
    raise validation("The local sandbox answers database requests of Notion-Version 2025-09-03 and later only.")


def create(request: Request) -> bytes:
    # `properties` at the top is what the oldest version took; the later ones ignore it.
    request.allow(
        "parent",
        "title",
        "description",
        "is_inline",
        "icon",
        "cover",
        "initial_data_source",
        "properties",
        "database_type",
    )
    refuse_oldest_version(request, None)
    body = request.body
    if "database_type" in body:
        raise_unsupported("database_type")
    database = Database(new_id(), _parent(request, body), request.ws.stamps(request.user_id))
    database.title = richtext.parse(body.get("title", [{"text": {"content": "New database"}}]), "body.title")
    _apply_plain(database, _plain_changes(body))
    source = DataSource(new_id(), database.id, request.ws.stamps(request.user_id), database.title)
    change = SchemaChange(request.ws, source)
    change.create(_initial_properties(body), "body.initial_data_source.properties")
    database.source_ids = [source.id]
    request.ws.add(database)
    request.ws.add(source)
    change.apply()
    request.committed_id = database.id
    request.event("database.created", ("database", database.id))
    for other_id, events in change.elsewhere.items():
        request.event("data_source.schema_updated", ("data_source", other_id), updated_properties=events)
    return _answer(request, database)


def _parent(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    kind, parent_id = parent_of(checks.required(body, "parent", "body"), ("page_id", "workspace"))
    if kind == "workspace":
        raise validation("A database at the top of the workspace cannot be made by an internal connection.")
    parent = request.find_page(parent_id)
    request.check_writable(parent)
    return {"type": "page_id", "page_id": parent_id}


def _initial_properties(body: dict[str, Any]) -> Any:
    initial = checks.an_object(body.get("initial_data_source", {}), "body.initial_data_source")
    checks.only_keys(initial, ("properties",), "body.initial_data_source")
    return initial.get("properties") or _TITLE_ONLY


def _plain_changes(body: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if "description" in body:
        changes["description"] = richtext.parse(body["description"], "body.description")
    for key in ("icon", "cover"):
        if key in body:
            changes[key] = check_icon(body[key], f"body.{key}")
    for key in ("is_inline", "is_locked"):
        if key in body:
            changes[key] = checks.a_boolean(body[key], f"body.{key}")
    return changes


def _apply_plain(database: Database, changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        setattr(database, key, value)


def retrieve(request: Request) -> bytes:
    database = request.find_database(request.id("database_id"))
    refuse_oldest_version(request, database)
    return _answer(request, database)


def update(request: Request) -> bytes:
    request.allow("parent", "title", "description", "is_inline", "icon", "cover", "in_trash", "is_locked")
    database = request.find_database(request.id("database_id"))
    refuse_oldest_version(request, database)
    flag = request.trash_flag()
    if database.in_trash and (flag is not False or set(request.body) - {"in_trash", "archived"}):
        raise errors.trashed()
    if request.ws.ancestor_in_trash(database.id):
        raise errors.trashed_ancestor()
    changes = _plain_changes(request.body)
    if "title" in request.body:
        changes["title"] = richtext.parse(request.body["title"], "body.title")
    if "parent" in request.body:
        _move(request, database)
    _apply_plain(database, changes)
    if flag is not None and flag != database.in_trash:
        trash.database(request, database, flag)
    request.ws.touch(database, request.user_id)
    for source_id in database.source_ids:
        request.ws.mark(request.ws.sources[source_id])
    return _answer(request, database)


def _move(request: Request, database: Database) -> None:
    parent = _parent(request, request.body)
    if database.id in request.ws.lineage(parent["page_id"]):
        raise validation("A database cannot be moved below itself.")
    request.ws.rehouse(database, parent)
    request.event("database.moved", ("database", database.id))
