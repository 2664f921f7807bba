"""Editing the sandbox from Python as a person does in Notion's own pages: no token, limit or fault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from . import richtext
from .model import DataSource, Property
from .service import Service

Simple = Any


class Person:
    """Values may be simple (`"Ann"`, `5`, `True`, `["A", "B"]`, a date, None) or API property values."""

    def __init__(self, service: Service, user_id: str) -> None:
        self._service = service
        self.user_id = user_id

    @property
    def _ws(self) -> Any:
        return self._service.ws

    def create(self, source: str, values: Mapping[str, Simple]) -> dict[str, Any]:
        """A new row; `source` is the id or title of a database or data source."""
        found = self.source(source)
        body = {
            "parent": {"data_source_id": found.id},
            "properties": self._properties(found, values),
        }
        return self._call("POST", "pages", body)

    def update(self, page_id: str, values: Mapping[str, Simple]) -> dict[str, Any]:
        page = self._ws.pages[page_id]
        source = self._ws.source_of(page)
        properties = {"title": text_value(values["title"])} if source is None else self._properties(source, values)
        return self._call("PATCH", f"pages/{page_id}", {"properties": properties})

    def trash(self, page_id: str) -> dict[str, Any]:
        return self._call("PATCH", f"pages/{page_id}", {"in_trash": True})

    def restore(self, page_id: str) -> dict[str, Any]:
        return self._call("PATCH", f"pages/{page_id}", {"in_trash": False})

    def archive(self, page_id: str, archived: bool = True) -> dict[str, Any]:
        return self._call("PATCH", f"pages/{page_id}", {"is_archived": archived})

    def move(self, page_id: str, *, source: str | None = None, page: str | None = None) -> dict[str, Any]:
        parent = {"data_source_id": self.source(source).id} if source else {"page_id": page}
        return self._call("POST", f"pages/{page_id}/move", {"parent": parent})

    def duplicate(self, page_id: str) -> dict[str, Any]:
        """Notion's "Duplicate": a new page with every value of the old one, external keys included."""
        page = self._ws.pages[page_id]
        source = self._ws.source_of(page)
        values = {
            key: value for key, value in self.values(page_id).items()
            if source.find(key).type not in _NOT_COPIED
        }  # fmt: skip
        return self.create(source.id, values)

    def rename_property(self, source: str, name: str, new_name: str) -> dict[str, Any]:
        return self.change_schema(source, {name: {"name": new_name}})

    def delete_property(self, source: str, name: str) -> dict[str, Any]:
        return self.change_schema(source, {name: None})

    def change_schema(self, source: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        """A schema PATCH: `{"Phone": {"rich_text": {}}}` re-types or adds."""
        return self._call("PATCH", f"data_sources/{self.source(source).id}", {"properties": dict(properties)})

    def rename_option(self, source: str, prop: str, name: str, new_name: str) -> None:
        """Renames a select option: possible for persons only, the API has no way to do it."""
        found = self.source(source)
        with self._ws.lock:
            option = found.find(prop).option_named(name)  # type: ignore[union-attr]
            option["name"] = new_name  # type: ignore[index]
            self._ws.touch(found, self.user_id)
            self._ws.commit()

    def trash_database(self, database_id: str) -> dict[str, Any]:
        return self._call("PATCH", f"databases/{database_id}", {"in_trash": True})

    def restore_database(self, database_id: str) -> dict[str, Any]:
        return self._call("PATCH", f"databases/{database_id}", {"in_trash": False})

    def comment(self, page_id: str, text: str) -> dict[str, Any]:
        body = {"parent": {"page_id": page_id}, "rich_text": [{"text": {"content": text}}]}
        return self._call("POST", "comments", body)

    # -- reading -------------------------------------------------------------------------------

    def page(self, page_id: str) -> dict[str, Any]:
        return self._call("GET", f"pages/{page_id}")

    def values(self, page_id: str) -> dict[str, Simple]:
        """The page's values by property name, simple: text, number, names of options, ids of links."""
        return {name: simple(value) for name, value in self._full(page_id).items()}

    def _full(self, page_id: str) -> dict[str, Any]:
        from_page: dict[str, Any] = self.page(page_id)["properties"]
        page = self._ws.pages[page_id]
        source = self._ws.source_of(page)
        for shown in from_page.values():
            if shown.get("has_more"):
                prop = source.find(shown["id"])
                shown["relation"] = [{"id": target} for target in self._ws.related(page, prop)]
        return from_page

    def source(self, key: str) -> DataSource:
        """A data source by its id, its database's id, or the title of either."""
        found = find_source(self._ws, key)
        if found is None:
            raise LookupError(f"the sandbox has no database or data source {key!r}")
        return found

    # -- inside --------------------------------------------------------------------------------

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._service.call(self.user_id, method, path, body)

    def _properties(self, source: DataSource, values: Mapping[str, Simple]) -> dict[str, Any]:
        properties = {}
        for key, value in values.items():
            prop = source.find(key)
            if prop is None:
                raise LookupError(f"{key!r} is not a property of this data source")
            properties[key] = api_value(prop, value)
        return properties


_NOT_COPIED = ("formula", "rollup", "unique_id", "created_time", "created_by", "last_edited_time", "last_edited_by")


def find_source(ws: Any, key: str) -> DataSource | None:
    dashed = _dashed(key)
    if dashed in ws.sources:
        return ws.sources[dashed]  # type: ignore[no-any-return]
    if dashed in ws.databases:
        return ws.sources[ws.databases[dashed].source_ids[0]]  # type: ignore[no-any-return]
    for source in ws.sources.values():
        database = ws.databases[source.database_id]
        if key in (richtext.plain(source.title), richtext.plain(database.title)) and not database.in_trash:
            return source  # type: ignore[no-any-return]
    return None


def _dashed(key: str) -> str:
    if len(key) != 32:
        return key
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def text_value(text: str) -> list[dict[str, Any]]:
    """Rich text items of at most 2000 characters each."""
    pieces = [text[i : i + 1000] for i in range(0, len(text), 1000)]
    return [{"type": "text", "text": {"content": piece}} for piece in pieces]


def api_value(prop: Property, value: Simple) -> dict[str, Any]:
    """A simple value as an API property value of the property's type."""
    kind = prop.type
    if isinstance(value, Mapping) and kind in value:
        return dict(value)
    if kind in ("title", "rich_text"):
        return {kind: value if isinstance(value, list) else text_value(value or "")}
    if kind in ("select", "status"):
        return {kind: {"name": value} if isinstance(value, str) else value}
    if kind == "multi_select":
        return {kind: [{"name": v} if isinstance(v, str) else v for v in _many(value)]}
    if kind in ("relation", "people"):
        return {kind: [{"id": v} if isinstance(v, str) else v for v in _many(value)]}
    if kind == "date":
        return {kind: _date_value(value)}
    if kind == "checkbox":
        return {kind: bool(value)}
    if kind == "files":
        return {kind: [{"name": v, "external": {"url": v}} if isinstance(v, str) else v for v in _many(value)]}
    return {kind: None if value == "" else value}


def _many(value: Simple) -> Iterable[Any]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


def _date_value(value: Simple) -> dict[str, Any] | None:
    if not value:
        return None
    if isinstance(value, date | datetime):
        return {"start": value.isoformat()}
    return {"start": value} if isinstance(value, str) else dict(value)


def simple(shown: dict[str, Any]) -> Simple:
    """An API property value as text, number, truth, list or None."""
    kind = shown["type"]
    value = shown[kind]
    if kind in ("title", "rich_text"):
        return "".join(item["plain_text"] for item in value)
    if kind in ("select", "status"):
        return value["name"] if value else None
    if kind == "multi_select":
        return [option["name"] for option in value]
    if kind in ("relation", "people"):
        return [item["id"] for item in value]
    if kind == "date":
        return _simple_date(value)
    if kind == "files":
        return [item[item["type"]]["url"] for item in value]
    if kind in ("created_by", "last_edited_by"):
        return value["id"]
    if kind in ("formula", "rollup"):
        return value[value["type"]]
    if kind == "unique_id":
        return value["number"]
    return value


def _simple_date(value: dict[str, Any] | None) -> Simple:
    if value is None:
        return None
    return {"start": value["start"], "end": value["end"]} if value["end"] else value["start"]
