"""Which handler answers which method and path."""

from __future__ import annotations

from collections.abc import Callable

from . import blocks, comments, databases, pages, search, sources, users
from .errors import ApiError
from .queries import Queries
from .request import Request

Handler = Callable[[Request], bytes]


class Routes:
    """Paths are `v1/pages/{page_id}/move`: words match themselves, names in braces match one part."""

    def __init__(self, queries: Queries) -> None:
        self._by_shape: dict[tuple[str, int], list[tuple[list[str], Handler]]] = {}
        for method, path, handler in _table(queries):
            parts = path.split("/")
            self._by_shape.setdefault((method, len(parts)), []).append((parts, handler))

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]]:
        """The handler and the parts of the path that it names. Unknown paths are 400, as in Notion."""
        parts = path.strip("/").split("/")
        for pattern, handler in self._by_shape.get((method, len(parts)), ()):
            params = _match(pattern, parts)
            if params is not None:
                return handler, params
        raise ApiError(400, "invalid_request_url", "Invalid request URL.")


def _match(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    params = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith("{"):
            params[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return params


def _table(queries: Queries) -> list[tuple[str, str, Handler]]:
    return [
        ("GET", "v1/users/me", users.me),
        ("GET", "v1/users", users.list_all),
        ("GET", "v1/users/{user_id}", users.retrieve),
        ("POST", "v1/search", search.search),
        ("POST", "v1/databases", databases.create),
        ("GET", "v1/databases/{database_id}", databases.retrieve),
        ("PATCH", "v1/databases/{database_id}", databases.update),
        ("POST", "v1/data_sources", sources.create),
        ("GET", "v1/data_sources/{data_source_id}", sources.retrieve),
        ("PATCH", "v1/data_sources/{data_source_id}", sources.update),
        ("GET", "v1/data_sources/{data_source_id}/templates", sources.templates),
        ("POST", "v1/data_sources/{data_source_id}/query", queries.query),
        ("POST", "v1/pages", pages.create),
        ("GET", "v1/pages/{page_id}", pages.retrieve),
        ("PATCH", "v1/pages/{page_id}", pages.update),
        ("POST", "v1/pages/{page_id}/move", pages.move),
        ("GET", "v1/pages/{page_id}/properties/{property_id}", pages.retrieve_property),
        ("GET", "v1/blocks/{block_id}", blocks.retrieve),
        ("PATCH", "v1/blocks/{block_id}", blocks.update),
        ("DELETE", "v1/blocks/{block_id}", blocks.delete),
        ("GET", "v1/blocks/{block_id}/children", blocks.list_children),
        ("PATCH", "v1/blocks/{block_id}/children", blocks.append),
        ("GET", "v1/comments", comments.list_for_block),
        ("POST", "v1/comments", comments.create),
        ("GET", "v1/comments/{comment_id}", comments.retrieve),
        ("PATCH", "v1/comments/{comment_id}", comments.update),
        ("DELETE", "v1/comments/{comment_id}", comments.delete),
    ]
