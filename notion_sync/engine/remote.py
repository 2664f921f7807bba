"""Notion's side of the comparison: a page's canonical values, read completely."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from notion_sync.client import NotionApi, NotionUnreachable
from notion_sync.mapping import NotionMapping
from notion_sync.models import NotionDatabase
from notion_sync.properties import PAGE_OBJECT_ITEMS, Property, WrongType

Json = dict[str, Any]
Values = dict[str, Any]
_CUT_WITHOUT_A_FLAG = {"people", "title", "rich_text"}
# Types whose values are lists; nothing is ever cut from the others.
LISTS = frozenset({*_CUT_WITHOUT_A_FLAG, "relation", "multi_select", "files"})


class SchemaChanged(Exception):
    """A page lacks a property that the server knows, or has it in another type: the structure must be read anew."""


def trashed(page: Json) -> bool:
    return bool(page.get("in_trash") or page.get("archived"))


def parent_of(page: Json) -> str:
    parent = page.get("parent") or {}
    return str(parent.get("data_source_id") or parent.get("database_id") or "")


def edited_at(page: Json) -> datetime | None:
    return parse_datetime(page.get("last_edited_time") or "")


def made_at(page: Json) -> datetime | None:
    return parse_datetime(page.get("created_time") or "")


def editor(page: Json) -> str:
    person = page.get("last_edited_by") or {}
    return str(person.get("name") or person.get("id") or "")


def read(api: NotionApi, mapping: type[NotionMapping], database: NotionDatabase, page: Json) -> Values:
    """The page's canonical values by field. Properties are found by id, whatever they are called today.

    Raises `SchemaChanged` when one that we write is missing or of another type.
    """
    by_id = {item["id"]: item for item in page["properties"].values()}
    values: Values = {}
    try:
        for prop in (*mapping.fields, *mapping.relations):
            known = database.properties.get(prop.attr)
            if known is None:
                continue
            item = by_id.get(known["id"])
            if item is None:
                raise SchemaChanged(f"“{prop.name}” is missing in “{mapping.title}”")
            if prop.type in LISTS and item.get(prop.type) and may_be_cut(item):
                item = complete(api, prop, page["id"], item)
            values[prop.attr] = prop.read(item)
    except WrongType as error:
        raise SchemaChanged(str(error)) from error
    return values


def may_be_cut(item: Json) -> bool:
    """Whether there may be more entries than the page shows. People and texts are cut without a sign of it."""
    if item.get("has_more"):
        return True
    value = item.get(item.get("type", ""))
    return isinstance(value, list) and len(value) >= PAGE_OBJECT_ITEMS


def complete(api: NotionApi, prop: Property, page_id: str, item: Json) -> Json:
    """A property value with all its entries: a page object shows 25 at most (reference/retrieve-a-page)."""
    raw = item.get(prop.type)
    cut = item.get("has_more") or (
        prop.type in _CUT_WITHOUT_A_FLAG and isinstance(raw, list) and len(raw) == PAGE_OBJECT_ITEMS
    )
    if not cut:
        return item
    entries = [entry[prop.type] for entry in api.property_items(page_id, item["id"]) if prop.type in entry]
    if item.get("has_more") and len(entries) < PAGE_OBJECT_ITEMS:
        raise NotionUnreachable(f"“{prop.name}” of page {page_id} was read only in part")
    return item | {prop.type: entries, "has_more": False}
