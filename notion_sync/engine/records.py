"""Our side of the comparison: rows, their canonical values, and which page stands for which row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection, models

from higherself.core.models import Record
from notion_sync.mapping import NotionMapping
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionPage
from notion_sync.properties import Property, Relation

Values = dict[str, Any]
# A related row that has no page yet. No Notion id looks like it, so a relation that holds one differs from its base.
UNBORN = "@"


def rows_manager(model: type[Record]) -> models.Manager[Any]:
    """The plain manager: what the engine writes must not be marked as waiting for Notion again."""
    return model._base_manager


def lock(model: type[Record], ids: Collection[int]) -> dict[int, Record]:
    """The rows, held until the transaction ends. (SQLite's transactions hold the whole database anyway.)"""
    query = rows_manager(model).filter(pk__in=list(ids)).order_by("pk")
    if connection.features.has_select_for_update:
        query = query.select_for_update(of=("self",))
    return {row.pk: row for row in query}


class PageIndex:
    """Which page stands for which row of another database, looked up in bulk."""

    def __init__(self) -> None:
        self._page_of: dict[tuple[str, int], str | None] = {}
        self._row_of: dict[tuple[str, str], int | None] = {}
        self._trashed: set[str] = set()
        self._lost: set[str] = set()
        self._put_aside: set[tuple[str, int]] = set()

    def load_pages(self, key: str, row_ids: Iterable[int]) -> None:
        wanted = {row_id for row_id in row_ids if (key, row_id) not in self._page_of}
        if not wanted:
            return
        for row_id in wanted:
            self._page_of[key, row_id] = None
        found = NotionPage.objects.filter(database_id=key, object_id__in=wanted, page_id__isnull=False)
        self._note(key, found.values_list("object_id", "page_id", "in_trash", "state"))
        unborn = {row_id for row_id in wanted if self._page_of[key, row_id] is None}
        if unborn:
            archived = rows_manager(MAPPINGS[key].model).filter(pk__in=unborn, archived_at__isnull=False)
            self._put_aside |= {(key, row_id) for row_id in archived.values_list("pk", flat=True)}

    def load_rows(self, key: str, page_ids: Iterable[str]) -> None:
        wanted = {page_id for page_id in page_ids if (key, page_id) not in self._row_of}
        if not wanted:
            return
        for page_id in wanted:
            self._row_of[key, page_id] = None
        found = NotionPage.objects.filter(database_id=key, page_id__in=wanted, object_id__isnull=False)
        self._note(key, found.values_list("object_id", "page_id", "in_trash", "state"))
        strange = [page_id for page_id in wanted if self._row_of[key, page_id] is None]
        if strange:
            moved = NotionPage.objects.filter(page_id__in=strange).exclude(database_id=key)
            self._trashed.update(page_id for page_id in moved.values_list("page_id", flat=True) if page_id)

    def _note(self, key: str, ties: Iterable[tuple[int | None, str | None, bool, str]]) -> None:
        lost: dict[int, str] = {}
        for row_id, page_id, in_trash, state in ties:
            if row_id is not None and page_id is not None:
                self._page_of[key, row_id] = page_id
                self._row_of[key, page_id] = row_id
                if in_trash:
                    self._trashed.add(page_id)
                elif state == NotionPage.State.LOST:
                    lost[row_id] = page_id
        if lost:
            # Where the record was put aside here, its page counts as one in the trash.
            archived = rows_manager(MAPPINGS[key].model).filter(pk__in=lost, archived_at__isnull=False)
            self._trashed.update(lost.pop(row_id) for row_id in archived.values_list("pk", flat=True))
            self._lost.update(lost.values())

    def live(self, page_ids: Iterable[str]) -> list[str]:
        """Without pages in the trash, to which Notion hides the links until a restore, or moved to another database."""
        return [page_id for page_id in page_ids if page_id not in self._trashed]

    def lost(self, page_ids: Iterable[str]) -> set[str]:
        """Those that could not be reached when they were last asked for. Notion takes no link to such a page."""
        return self._lost.intersection(page_ids)

    def page(self, key: str, row_id: int) -> str | None:
        return self._page_of.get((key, row_id))

    def can_be_linked(self, key: str, row_id: int) -> bool:
        """Whether the row has a page or will get one. One that was archived before its page was made never does."""
        return (key, row_id) not in self._put_aside

    def row(self, key: str, page_id: str) -> int | None:
        return self._row_of.get((key, page_id))


def related_ids(mapping: type[NotionMapping], prop: Relation, rows: Collection[Record]) -> dict[int, list[int]]:
    """The ids of the related rows, by row: one query for a to-many relation, none for a to-one."""
    if not prop.many(mapping.model):
        column = mapping.model_field(prop).attname
        return {row.pk: [value] if (value := getattr(row, column)) else [] for row in rows}
    field = mapping.model_field(prop)
    through, source, target = through_columns(field)
    found: dict[int, list[int]] = defaultdict(list)
    pairs = through._base_manager.filter(**{f"{source}__in": [row.pk for row in rows]})
    for row_id, other_id in pairs.values_list(source, target):
        found[row_id].append(other_id)
    return {row.pk: found.get(row.pk, []) for row in rows}


def through_columns(field: Any) -> tuple[Any, str, str]:
    """The table of a many-to-many field, with the names of its two keys."""
    through = field.remote_field.through
    return through, f"{field.m2m_field_name()}_id", f"{field.m2m_reverse_field_name()}_id"


def local_values(
    mapping: type[NotionMapping], rows: Collection[Record], pages: dict[int, NotionPage], index: PageIndex
) -> dict[int, Values]:
    """The canonical values of many rows at once, relations included."""
    values = {row.pk: {prop.attr: prop.get(row) for prop in mapping.fields} for row in rows}
    for prop in mapping.relations:
        targets = related_ids(mapping, prop, rows)
        index.load_pages(prop.to, {target for ids in targets.values() for target in ids})
        for row_id, ids in targets.items():
            page = pages.get(row_id)
            waiting = page.unresolved.get(prop.attr, []) if page else []
            if ids and not prop.many(mapping.model):
                waiting = []  # a to-one relation that was set here replaces what is not known here
            linkable = [target for target in ids if index.can_be_linked(prop.to, target)]
            known = [index.page(prop.to, target) or f"{UNBORN}{prop.to}:{target}" for target in linkable]
            values[row_id][prop.attr] = sorted({*index.live(known), *waiting})
    return values


def is_unborn(canonical: Any) -> bool:
    return isinstance(canonical, list) and any(isinstance(item, str) and item.startswith(UNBORN) for item in canonical)


def is_empty(canonical: Any) -> bool:
    """Nothing, or an unticked box. The number 0 is something: a person may have typed it."""
    return canonical is None or canonical is False or canonical in ("", [], [None, None])


def writable(mapping: type[NotionMapping]) -> tuple[Property, ...]:
    """The properties that take part in the merge."""
    return (*mapping.fields, *mapping.relations)


def describe(mapping: type[NotionMapping], row: Record | None, page: NotionPage | None = None) -> str:
    """A record as an error message names it."""
    if row is not None:
        return f"{mapping.title} “{row}”"
    return f"{mapping.title} page {page.page_id if page else '?'}"
