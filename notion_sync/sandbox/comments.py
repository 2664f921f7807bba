"""Endpoints of comments (Notion: reference/create-a-comment, list-comments)."""

from __future__ import annotations

from typing import Any

from . import checks, render, richtext
from .errors import ApiError, validation
from .ids import new_id, parse_uuid
from .model import Comment
from .request import Request, parent_of, slice_after


def create(request: Request) -> bytes:
    request.allow("parent", "discussion_id", "rich_text")
    kind, parent_id, discussion_id = _place(request)
    text = richtext.parse(checks.required(request.body, "rich_text", "body"), "body.rich_text")
    if not text:
        raise validation("body failed validation: body.rich_text should not be empty.")
    comment = Comment(new_id(), kind, parent_id, discussion_id, text, request.ws.stamps(request.user_id))
    request.ws.add(comment)
    request.committed_id = comment.id
    _event(request, "comment.created", comment)
    return request.plain(render.comment_object(request.ws, comment))


def _place(request: Request) -> tuple[str, str, str]:
    body: dict[str, Any] = request.body
    if ("parent" in body) == ("discussion_id" in body):
        raise validation("body failed validation: give either body.parent or body.discussion_id.")
    if "parent" in body:
        kind, parent_id = parent_of(body["parent"], ("page_id", "block_id"))
        item = request.find_page(parent_id) if kind == "page_id" else request.find_block(parent_id)
        request.check_writable(item)
        return kind, parent_id, new_id()
    wanted = parse_uuid(body["discussion_id"], "body.discussion_id")
    for comment in request.ws.comments.values():
        if comment.discussion_id == wanted and request.visible(comment.parent_id):
            return comment.parent_type, comment.parent_id, wanted
    raise request.ws.not_found("discussion", wanted)


def list_for_block(request: Request) -> bytes:
    request.allow_query("block_id", "page_size", "start_cursor")
    item = request.find_block(parse_uuid(request.one("block_id"), "query.block_id"))
    found = [c for c in request.ws.comments.values() if c.parent_id == item.id]
    part, cursor = slice_after(
        found, request.one("start_cursor"), request.page_size(), lambda c: c.id, "query.start_cursor"
    )
    results = [render.dumps(render.comment_object(request.ws, c)) for c in part]
    return request.listing(results, "comment", cursor)


def _find(request: Request) -> Comment:
    comment_id = request.id("comment_id")
    comment = request.ws.comments.get(comment_id)
    if comment is None or not request.visible(comment.parent_id):
        raise request.ws.not_found("comment", comment_id)
    return comment


def _find_own(request: Request) -> Comment:
    comment = _find(request)
    if comment.stamps.created_by != request.user_id:
        raise ApiError(403, "restricted_resource", "Only comments of your own can be changed.")
    return comment


def retrieve(request: Request) -> bytes:
    return request.plain(render.comment_object(request.ws, _find(request)))


def update(request: Request) -> bytes:
    request.allow("rich_text")
    comment = _find_own(request)
    text = richtext.parse(checks.required(request.body, "rich_text", "body"), "body.rich_text")
    comment.rich_text = text
    request.ws.touch(comment, request.user_id)
    _event(request, "comment.updated", comment)
    return request.plain(render.comment_object(request.ws, comment))


def delete(request: Request) -> bytes:
    comment = _find_own(request)
    request.ws.forget(comment)
    _event(request, "comment.deleted", comment)
    return request.plain(render.comment_object(request.ws, comment))


def _event(request: Request, kind: str, comment: Comment) -> None:
    page_id = next((i for i in request.ws.lineage(comment.parent_id) if i in request.ws.pages), None)
    request.event(kind, ("comment", comment.id), page_id=page_id, on=comment.parent_id)
