"""Recognises a page and a row that have not met yet as the same thing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from higherself.core.models import Record
from notion_sync.engine.records import Values, rows_manager
from notion_sync.mapping import NotionMapping
from notion_sync.models import NotionPage
from notion_sync.properties import Relation

Key = tuple[Any, ...]


class Matcher:
    """Finds rows for pages: by our own id first, then by the natural keys of the mapping.

    A row that another page stands for already is no match: the page is a duplicate (Notion's “Duplicate” copies our
    id along) and becomes a row of its own.
    """

    def __init__(self, mapping: type[NotionMapping], pages: dict[str, Values]) -> None:
        self.mapping = mapping
        self.pages = pages
        self.taken: set[int] = set()
        natural = [key for key in mapping.match_on if not _has_relation(mapping, key)]
        self._tables = [(fields, self._table(fields)) for fields in (mapping.identity, *natural)]
        candidates = {row.pk for _, table in self._tables for row in table.values()}
        tied = NotionPage.objects.filter(
            database_id=mapping.key, object_id__in=candidates, page_id__isnull=False
        ).values_list("object_id", flat=True)
        self.tied = set(tied)

    def find(self, page_id: str) -> Record | None:
        values = self.pages[page_id]
        for fields, table in self._tables:
            row = table.get(_key(values, fields) or ())
            if row is not None and row.pk not in self.tied and row.pk not in self.taken:
                self.taken.add(row.pk)
                return row
        return None

    def is_duplicate(self, page_id: str) -> bool:
        """The page carries the own id of a row that another page stands for."""
        row = self._tables[0][1].get(_key(self.pages[page_id], self.mapping.identity) or ())
        return row is not None and (row.pk in self.tied or row.pk in self.taken)

    def _table(self, fields: tuple[str, ...]) -> dict[Key, Record]:
        keys = {key for values in self.pages.values() if (key := _key(values, fields))}
        if not keys:
            return {}
        # The first field narrows the search; the rest of the key is compared here.
        query = rows_manager(self.mapping.model).filter(**{f"{fields[0]}__in": {key[0] for key in keys}})
        found = {_key_of_row(self.mapping, row, fields): row for row in query.order_by("-pk")}
        return {key: row for key, row in found.items() if key in keys}


def _key(values: Values, fields: Iterable[str]) -> Key | None:
    key = tuple(values.get(attr) for attr in fields)
    return key if all(key) else None


def _key_of_row(mapping: type[NotionMapping], row: Record, fields: Iterable[str]) -> Key:
    return tuple(mapping.property(attr).get(row) for attr in fields)


def _has_relation(mapping: type[NotionMapping], fields: Iterable[str]) -> bool:
    return any(isinstance(mapping.property(attr), Relation) for attr in fields)
