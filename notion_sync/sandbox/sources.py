"""Endpoints of data sources (Notion: reference/retrieve-a-data-source, update-a-data-source)."""

from __future__ import annotations

from typing import Any

from . import checks, errors, render, richtext, trash
from .errors import ApiError
from .ids import new_id
from .model import DataSource
from .request import Request, check_icon, parent_of
from .schema_change import SchemaChange


def _answer(request: Request, source: DataSource) -> bytes:
    shown = render.source_object(request.ws, source)
    return request.plain(shown, shown["in_trash"])


def known_version(request: Request) -> None:
    if request.version == "2022-06-28":
        raise ApiError(400, "invalid_request_url", "Invalid request URL.")


def create(request: Request) -> bytes:
    known_version(request)
    request.allow("parent", "properties", "title", "icon")
    body = request.body
    _, database_id = parent_of(checks.required(body, "parent", "body"), ("database_id",))
    database = request.find_database(database_id)
    request.check_writable(database)
    source = DataSource(new_id(), database.id, request.ws.stamps(request.user_id))
    source.title = richtext.parse(body.get("title", []), "body.title")
    source.icon = check_icon(body.get("icon"), "body.icon")
    change = SchemaChange(request.ws, source)
    change.create(checks.required(body, "properties", "body"), "body.properties")
    database.source_ids.append(source.id)
    request.ws.touch(database, request.user_id)
    request.ws.add(source)
    change.apply()
    request.committed_id = source.id
    request.event("data_source.created", ("data_source", source.id))
    return _answer(request, source)


def retrieve(request: Request) -> bytes:
    known_version(request)
    return _answer(request, request.find_source(request.id("data_source_id")))


def update(request: Request) -> bytes:
    known_version(request)
    request.allow("title", "icon", "properties", "in_trash", "parent")
    source = request.find_source(request.id("data_source_id"))
    flag = request.trash_flag()
    if source.in_trash and (flag is not False or set(request.body) - {"in_trash", "archived"}):
        raise errors.trashed()
    if request.ws.ancestor_in_trash(source.id):
        raise errors.trashed_ancestor()
    changes: dict[str, Any] = {}
    if "title" in request.body:
        changes["title"] = richtext.parse(request.body["title"], "body.title")
    if "icon" in request.body:
        changes["icon"] = check_icon(request.body["icon"], "body.icon")
    change = SchemaChange(request.ws, source)
    change.patch(request.body.get("properties", {}), "body.properties")
    if "parent" in request.body:
        _move(request, source)
    for key, value in changes.items():
        setattr(source, key, value)
    change.apply()
    for other_id, events in change.elsewhere.items():
        request.event("data_source.schema_updated", ("data_source", other_id), updated_properties=events)
    if change.events:
        request.event("data_source.schema_updated", ("data_source", source.id), updated_properties=change.events)
    request.ws.touch(source, request.user_id)
    if flag is not None and flag != source.in_trash:
        trash.source(request, source, flag)
    return _answer(request, source)


def _move(request: Request, source: DataSource) -> None:
    _, database_id = parent_of(request.body["parent"], ("database_id",))
    target = request.find_database(database_id)
    request.check_writable(target)
    before = request.ws.databases[source.database_id]
    before.source_ids.remove(source.id)
    target.source_ids.append(source.id)
    source.database_id = target.id
    request.ws.touch(before, request.user_id)
    request.ws.touch(target, request.user_id)
    request.event("data_source.moved", ("data_source", source.id))


def templates(request: Request) -> bytes:
    known_version(request)
    request.find_source(request.id("data_source_id"))
    return request.plain({"templates": [], "has_more": False, "next_cursor": None})
