"""One API request on its way through the sandbox, and the answers that handlers give."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from . import checks, errors
from .errors import ApiError, invalid, validation
from .ids import new_id, parse_uuid
from .model import Block, Database, DataSource, Page
from .render import dumps
from .workspace import Workspace

VERSIONS = ("2022-06-28", "2025-09-03", "2026-03-11")
NEWEST = VERSIONS[-1]


@dataclass
class Request:
    ws: Workspace
    user_id: str
    method: str
    path: str
    version: str = NEWEST
    params: dict[str, str] = field(default_factory=dict)
    query: dict[str, list[str]] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    request_id: str = field(default_factory=new_id)
    # The page or database that a write has made: named by a 503 that was saved all the same.
    committed_id: str | None = None
    committed_children: list[str] = field(default_factory=list)

    @property
    def sees_all(self) -> bool:
        """Persons see everything; the connection sees what is shared with it."""
        return bool(self.user_id != self.ws.bot_id)

    @property
    def old_style(self) -> bool:
        """Versions before 2026-03-11 carry `archived` beside `in_trash`."""
        return self.version < "2026-03-11"

    # -- reading the request -------------------------------------------------------------------

    def allow(self, *keys: str) -> None:
        """Refuses body keys that the endpoint does not know."""
        extra = ("archived",) if self.old_style and "in_trash" in keys else ()
        checks.only_keys(self.body, (*keys, *extra), "body")

    def trash_flag(self) -> bool | None:
        """`in_trash`, or its old name `archived`; None when the body has neither."""
        for key in ("in_trash", "archived"):
            if key in self.body:
                return checks.a_boolean(self.body[key], f"body.{key}")
        return None

    def id(self, name: str) -> str:
        return parse_uuid(self.params[name], f"path.{name}")

    def page_size(self) -> int:
        return checks.page_size(self.one("page_size"), "query.page_size")

    def body_page_size(self) -> int:
        return checks.page_size(self.body["page_size"], "body.page_size") if "page_size" in self.body else 100

    def one(self, name: str) -> str | None:
        values = self.query.get(name)
        return values[-1] if values else None

    def allow_query(self, *names: str) -> None:
        for name, values in self.query.items():
            if name not in names:
                raise errors.not_present(f"query.{name}", values[-1])

    # -- finding things ------------------------------------------------------------------------

    def visible(self, object_id: str) -> bool:
        return self.sees_all or not self.ws.hidden(object_id)

    def find_page(self, page_id: str) -> Page:
        page = self.ws.pages.get(page_id)
        if page is None or not self.visible(page_id):
            raise self.ws.not_found("page", page_id)
        return page

    def find_database(self, database_id: str) -> Database:
        database = self.ws.databases.get(database_id)
        if database is None or not self.visible(database_id):
            raise self.ws.not_found("database", database_id)
        return database

    def find_source(self, source_id: str) -> DataSource:
        source = self.ws.sources.get(source_id)
        if source is None or not self.visible(source_id):
            raise self.ws.not_found("data source", source_id)
        return source

    def find_block(self, block_id: str) -> Block | Page | Database:
        item: Block | Page | Database | DataSource | None = self.ws.item(block_id)
        if item is None or isinstance(item, DataSource) or not self.visible(block_id):
            raise self.ws.not_found("block", block_id)
        return item

    def check_writable(self, item: Any) -> None:
        """What lies in the trash, or below something there, refuses every write."""
        if item.in_trash:
            raise errors.trashed()
        if self.ws.ancestor_in_trash(item.id):
            raise errors.trashed_ancestor()

    # -- answering -----------------------------------------------------------------------------

    def close(self, head: bytes, in_trash: bool) -> bytes:
        """An object inside a list: `head` is the JSON without its closing brace."""
        if not self.old_style:
            return head + b"}"
        return head + (b',"archived":true}' if in_trash else b',"archived":false}')

    def single(self, head: bytes, in_trash: bool | None = None) -> bytes:
        tail = b""
        if self.old_style and in_trash is not None:
            tail = b',"archived":true' if in_trash else b',"archived":false'
        return b'%b%b,"request_id":"%b"}' % (head, tail, self.request_id.encode())

    def plain(self, value: dict[str, Any], in_trash: bool | None = None) -> bytes:
        return self.single(dumps(value)[:-1], in_trash)

    def listing(
        self,
        results: Iterable[bytes],
        kind: str,
        next_cursor: str | None,
        extra: dict[str, Any] | None = None,
    ) -> bytes:
        """The list object around results that are rendered already."""
        tail: dict[str, Any] = {"next_cursor": next_cursor, "has_more": next_cursor is not None}
        tail |= {"type": kind, kind: {}}
        tail |= extra or {}
        tail["request_id"] = self.request_id
        return b'{"object":"list","results":[%b],%b' % (b",".join(results), dumps(tail)[1:])

    def event(self, kind: str, entity: tuple[str, str], **data: Any) -> None:
        """Something that webhooks tell about: (entity type, id), who did it and the details."""
        self.ws.emit({"type": kind, "entity": entity, "author": self.user_id, "data": data})


def slice_after(items: list[Any], cursor: str | None, size: int, key: Any, path: str) -> tuple[list[Any], str | None]:
    """One page of a list whose cursor is the key of its first item, and the next cursor."""
    start = 0
    if cursor is not None:
        start = next((i for i, item in enumerate(items) if key(item) == cursor), -1)
        if start < 0:
            raise validation(f"The start_cursor provided is invalid: {cursor} ({path}).")
    following = items[start + size : start + size + 1]
    return items[start : start + size], key(following[0]) if following else None


def check_icon(value: Any, path: str) -> Any:
    """`null`, an emoji, or an external file."""
    if value is None:
        return None
    value = checks.an_object(value, path)
    kind = value.get("type") or next((k for k in ("emoji", "external") if k in value), None)
    if kind == "emoji":
        checks.only_keys(value, ("type", "emoji"), path)
        return {"type": "emoji", "emoji": checks.a_filled_string(value.get("emoji"), f"{path}.emoji", 20)}
    if kind == "external":
        checks.only_keys(value, ("type", "external"), path)
        external = checks.an_object(value.get("external"), f"{path}.external")
        url = checks.a_filled_string(external.get("url"), f"{path}.external.url", 2000)
        return {"type": "external", "external": {"url": url}}
    raise invalid(f"{path}.type", '`"emoji"`, `"external"`', value.get("type"))


def parent_of(value: Any, kinds: Collection[str], path: str = "body.parent") -> tuple[str, str]:
    """(kind, id) of a parent object. The workspace has no id."""
    value = checks.an_object(value, path)
    kind = value.get("type") or next((k for k in kinds if k in value), None)
    if not isinstance(kind, str) or kind not in kinds:
        raise invalid(f"{path}.type", " or ".join(f'`"{k}"`' for k in kinds), value.get("type"))
    checks.only_keys(value, ("type", kind), path)
    inner = checks.required(value, kind, path)
    if kind == "workspace":
        if inner is not True:
            raise invalid(f"{path}.workspace", "`true`", inner)
        return kind, ""
    return kind, parse_uuid(inner, f"{path}.{kind}")


def raise_unsupported(what: str) -> None:
    raise ApiError(400, "validation_error", f"{what} is not supported by the local sandbox.")
