"""Into the trash and out of it."""

from __future__ import annotations

from .model import Database, DataSource, Page
from .request import Request


def page(request: Request, item: Page, flag: bool) -> None:
    """Relations of other pages stop showing a page in the trash and show it again when it is back."""
    ws = request.ws
    ws.remember_for_index(item)
    item.in_trash = flag
    ws.touch(item, request.user_id)
    ws.stale(ws.relations.neighbours(item.id))
    request.event("page.deleted" if flag else "page.undeleted", ("page", item.id))


def database(request: Request, item: Database, flag: bool) -> None:
    item.in_trash = flag
    request.ws.touch(item, request.user_id)
    request.event("database.deleted" if flag else "database.undeleted", ("database", item.id))


def source(request: Request, item: DataSource, flag: bool) -> None:
    item.in_trash = flag
    request.ws.touch(item, request.user_id)
    request.event("data_source.deleted" if flag else "data_source.undeleted", ("data_source", item.id))
