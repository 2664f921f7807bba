"""Recognises pages and rows that both are exactly as they were when they were last found equal.

Reading forty values of either side and comparing them is most of what a full pull costs, and nearly always nothing has
changed. So a digest of both sides, of the page as Notion sent it and of the row as it stands in its table, is kept with
the tie. While it is the same there is nothing to compare; whatever differs, or cannot be told from it, is compared in
full.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connections

from notion_sync.engine.records import UNBORN, PageIndex, related_ids, rows_manager, writable
from notion_sync.engine.remote import LISTS, Json, may_be_cut
from notion_sync.mapping import NotionMapping
from notion_sync.models import NotionDatabase, NotionPage

# Raise it when the way of comparing changes: what was found equal by other rules has to be compared again.
RULES = 1
_HALF = 16


@dataclass(frozen=True)
class _Id:
    """Stands for a row where only its key is asked for."""

    pk: int


class Seen:
    """Digests for one batch of pages of a database: of each page and its row, one half each."""

    def __init__(self, mapping: type[NotionMapping], database: NotionDatabase, index: PageIndex) -> None:
        self.mapping = mapping
        self.database = database
        self.index = index
        taking_part = [prop for prop in writable(mapping) if prop.attr in database.properties]
        ids = {prop.attr: str(database.properties[prop.attr]["id"]) for prop in taking_part}
        self.property_ids = set(ids.values())
        self.list_ids = {ids[prop.attr] for prop in taking_part if prop.type in LISTS}
        self._pages: dict[str, str] = {}
        rules = [(prop.attr, ids[prop.attr], prop.type, prop.owner.value) for prop in taking_part]
        self.salt = repr((RULES, rules)).encode()
        self.to_many = [prop for prop in mapping.relations if prop.many(mapping.model)]
        self.to_one = [prop for prop in mapping.relations if not prop.many(mapping.model)]
        fields = [column for prop in mapping.fields for column in prop.columns]
        self.columns = [*(mapping.model_field(prop).attname for prop in self.to_one), *fields]

    def unchanged(self, pages: dict[str, Json]) -> set[str]:
        """The pages of which neither the page nor the row has changed since they were found equal."""
        # Asked for by page alone: where PostgreSQL has not counted a new table yet, any other condition makes it read
        # all of the database's ties for each batch.
        ties = NotionPage.objects.filter(page_id__in=list(pages)).values_list(
            "page_id", "object_id", "seen", "database_id", "state", "in_trash", "error"
        )
        usual = (self.database.key, NotionPage.State.LINKED.value, False, "")
        kept = [
            (page_id, row_id, seen[_HALF:])
            for page_id, row_id, seen, *how in ties
            if page_id and seen and tuple(how) == usual and seen[:_HALF] == self._of_page(pages[page_id])
        ]
        rows = self._rows([row_id for _, row_id, _ in kept if row_id is not None])
        return {page_id for page_id, row_id, seen in kept if row_id is not None and rows.get(row_id) == seen}

    def digests(self, rows_of: dict[str, int], pages: dict[str, Json]) -> dict[str, str]:
        """The digest of each page with its row; none for a row that waits for something, or a page shown in part."""
        rows = self._rows(rows_of.values())
        return {
            page_id: self._of_page(pages[page_id]) + rows[row_id]
            for page_id, row_id in rows_of.items()
            if row_id in rows and not self._is_cut(pages[page_id])
        }

    def _is_cut(self, page: Json) -> bool:
        return any(item["id"] in self.list_ids and may_be_cut(item) for item in page["properties"].values())

    def _of_page(self, page: Json) -> str:
        known = self._pages.get(page["id"])
        if known is None:
            # marshal is many times as fast as JSON; its form 2 depends on nothing but the values.
            items = [item for item in page["properties"].values() if item["id"] in self.property_ids]
            known = self._pages[page["id"]] = _digest(self.salt, marshal.dumps(items, 2))
        return known

    def _rows(self, ids: Collection[int]) -> dict[int, str]:
        """The digest of each row as the database has it, with the pages that it is related to."""
        if not ids:
            return {}
        query = rows_manager(self.mapping.model).filter(pk__in=list(ids)).order_by()
        columns = ("pk", *self.columns, "local_change_at", "archived_at")
        sql, values = query.values_list(*columns).query.sql_with_params()
        # Past Django's converters: here a value only has to be the same as it was.
        with connections[query.db].cursor() as cursor:
            cursor.execute(sql, values)
            rows = {row[0]: row[:-2] for row in cursor.fetchall() if row[-2:] == (None, None)}
        related = self._related(rows)
        return {row_id: _digest(repr((row, related[row_id])).encode()) for row_id, row in rows.items()}

    def _related(self, rows: dict[int, Any]) -> dict[int, list[list[str]]]:
        found: dict[int, list[list[str]]] = {row_id: [] for row_id in rows}
        for position, prop in enumerate(self.to_one, start=1):
            targets = {row_id: [row[position]] if row[position] else [] for row_id, row in rows.items()}
            self._add(found, prop.to, targets)
        for prop in self.to_many:
            self._add(found, prop.to, related_ids(self.mapping, prop, [_Id(row_id) for row_id in rows]))  # type: ignore[misc]
        return found

    def _add(self, found: dict[int, list[list[str]]], to: str, targets: dict[int, list[int]]) -> None:
        self.index.load_pages(to, _flat(targets.values()))
        for row_id, ids in targets.items():
            known = [self.index.page(to, target) or f"{UNBORN}{target}" for target in ids]
            found[row_id].append(sorted(self.index.live(known)))


def _digest(*parts: bytes) -> str:
    """Half of what a tie keeps. 64 bits: it only has to differ from the one before it."""
    digest = hashlib.blake2b(digest_size=_HALF // 2)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _flat(lists: Iterable[list[int]]) -> set[int]:
    return {item for items in lists for item in items}
