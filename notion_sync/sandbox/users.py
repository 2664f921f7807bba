"""Endpoints of users (Notion: reference/get-users, get-user, get-self)."""

from __future__ import annotations

from . import render
from .errors import ApiError
from .request import Request, slice_after


def me(request: Request) -> bytes:
    return request.plain(request.ws.users[request.user_id])


def list_all(request: Request) -> bytes:
    request.allow_query("page_size", "start_cursor")
    users = list(request.ws.users.values())
    part, cursor = slice_after(
        users, request.one("start_cursor"), request.page_size(), lambda user: user["id"], "query.start_cursor"
    )
    return request.listing([render.dumps(user) for user in part], "user", cursor)


def retrieve(request: Request) -> bytes:
    user_id = request.id("user_id")
    if user_id not in request.ws.users:
        raise ApiError(
            404,
            "object_not_found",
            f"Could not find user with ID: {user_id}. Make sure your integration has capabilities to "
            "read user information. See https://developers.notion.com/reference/capabilities.",
            {"integration_id": request.ws.bot_id},
        )
    return request.plain(request.ws.users[user_id])
