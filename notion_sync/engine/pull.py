"""Reads what people changed in Notion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from higherself.core.errors import Permanent
from notion_sync.client import InvalidCursor, NotionApi, NotShared
from notion_sync.engine import deletes
from notion_sync.engine.apply import Applier
from notion_sync.engine.counts import Counts
from notion_sync.engine.plan import Plan
from notion_sync.engine.records import rows_manager
from notion_sync.engine.remote import Json, SchemaChanged
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase, NotionPage
from notion_sync.schema.binding import refresh

# Time stamps are rounded down to the minute, and an index may lag behind: read again what is that young.
OVERLAP = timedelta(minutes=1)
RESTARTS = 3
# How many pages are merged in one transaction. Other writers of an SQLite file wait for it: about a tenth of a second.
AT_ONCE = 300

Progress = Callable[[int], None]


class Incomplete(Permanent):
    """Notion gave only a part of the rows, and there is no way to ask for the rest."""


class Puller:
    """Reads one database and merges what it finds."""

    def __init__(
        self,
        api: NotionApi,
        database: NotionDatabase,
        counts: Counts,
        progress: Progress = lambda _rows: None,
        *,
        plan: Plan | None = None,
        until: Callable[[], bool] = lambda: False,
    ) -> None:
        self.plan = plan
        self.until = until
        self.api = api
        self.database = database
        self.counts = counts
        self.progress = progress

    def incremental(self) -> bool:
        """What was edited since the last complete read; everything, the first time, and that in as many rounds as it
        takes. Returns whether it has come to the end."""
        if self.database.watermark is None:
            return self._first_read()
        since = (self.database.watermark - OVERLAP).replace(second=0, microsecond=0)
        self._scan("last_edited_time", since)
        return True

    def _first_read(self) -> bool:
        """Goes on where an earlier round ended. What was edited behind its back is found by the next read, which
        begins at the time when the first round began."""
        database, began = self.database, self.database.first_read_began or timezone.now()
        for number, batch in enumerate(_together(self._batches("created_time", database.first_read_to, set()))):
            if number and self.until():
                return False
            self._apply(batch)
            self.progress(len(batch))
            if self.plan is None:
                database.first_read_began, database.first_read_to = began, parse_datetime(batch[-1]["created_time"])
                database.save(update_fields=["first_read_began", "first_read_to"])
        self._has_read(began)
        return True

    def waiting(self) -> None:
        """Of what was edited, only the pages whose rows wait to be pushed. The watermark stays where it is."""
        since = self.database.watermark and (self.database.watermark - OVERLAP).replace(second=0, microsecond=0)
        self._merge_waiting("last_edited_time" if since else "created_time", since)

    def _merge_waiting(self, stamp: str, since: datetime | None, narrowed: Json | None = None) -> None:
        for batch in self._batches(stamp, since, set(), narrowed):
            wanted = self._waiting_among({page["id"] for page in batch})
            if wanted:
                self._apply([page for page in batch if page["id"] in wanted])

    def meanwhile(self, since: datetime, own: datetime) -> None:
        """As `waiting`, for what was edited while a long push is under way: after ``since``.

        Leaves out what we have written from the minute ``own`` on, as *Last Synced* tells.
        """
        last_synced = self.database.properties.get("last_synced")
        if last_synced is None:
            self.waiting()
            return
        older = {"property": last_synced["id"], "date": {"before": _minute(own)}}
        never = {"property": last_synced["id"], "date": {"is_empty": True}}
        behind = min(self.api.now() - timezone.now(), timedelta(0))
        self._merge_waiting("last_edited_time", since + behind - OVERLAP, {"or": [older, never]})

    def _waiting_among(self, page_ids: set[str]) -> set[str]:
        """Pages of rows that wait, and pages that nobody knows yet: they may be the same thing as a row that waits."""
        ties = NotionPage.objects.filter(database=self.database, page_id__in=page_ids)
        rows = dict(ties.values_list("object_id", "page_id"))
        waiting = rows_manager(MAPPINGS[self.database.key].model).filter(local_change_at__isnull=False, pk__in=rows)
        known = {page_id for page_id in rows.values() if page_id}
        return {rows[pk] or "" for pk in waiting.values_list("pk", flat=True)} | (page_ids - known)

    def full(self) -> None:
        """Everything; and what has gone is asked for by its id."""
        seen = self._scan("created_time", None)
        deletes.find(self.api, self.database, seen, self.counts, self.plan)
        if self.plan is not None:
            return
        self.database.swept_at = timezone.now()
        self.database.save(update_fields=["swept_at"])

    def pages(self, page_ids: list[str]) -> None:
        """Single pages, in any state: for webhooks and “pull now”."""
        for page_id in page_ids:
            deletes.look_at(self.api, self.database, page_id, self.counts)

    def gone(self, page_ids: list[str]) -> None:
        """Pages that are said to be trashed or moved: asked for by id, and held when they are many."""
        deletes.check(self.api, self.database, page_ids, self.counts)

    def _scan(self, stamp: str, since: datetime | None) -> set[str]:
        """Reads all pages from ``since`` on, then moves the watermark to when the reading began."""
        began = timezone.now()
        seen: set[str] = set()
        for batch in _together(self._batches(stamp, since, seen)):
            self._apply(batch)
            self.progress(len(batch))
        self._has_read(began)
        return seen

    def _has_read(self, began: datetime) -> None:
        if self.plan is not None:
            return
        # How far Notion's clock is behind ours is known from its answers.
        self.database.watermark = began + min(self.api.now() - timezone.now(), timedelta(0))
        self.database.pulled_at = timezone.now()
        self.database.first_read_began = self.database.first_read_to = None
        self.database.save(update_fields=["watermark", "pulled_at", "first_read_began", "first_read_to"])

    def _apply(self, batch: list[Json]) -> None:
        try:
            Applier(self.api, self.database, self.counts, self.plan).apply(batch)
        except SchemaChanged:
            if self.plan is not None:
                raise
            refresh(self.api, self.database.key)
            self.database.refresh_from_db()
            if not self.database.usable:
                raise
            Applier(self.api, self.database, self.counts).apply(batch)

    def _batches(
        self, stamp: str, since: datetime | None, seen: set[str], narrowed: Json | None = None
    ) -> Iterator[list[Json]]:
        """All pages once, in windows where one query cannot give them all (Notion ends a query at 10,000 rows)."""
        restarts = 0
        while True:
            newest: datetime | None = None
            cut = progressed = False
            try:
                for pages, incomplete in self.api.query(self.database.data_source_id, _query(stamp, since, narrowed)):
                    fresh = [page for page in pages if page.get("object") == "page" and page["id"] not in seen]
                    seen.update(page["id"] for page in fresh)
                    cut = cut or incomplete
                    progressed = progressed or bool(fresh)
                    newest = parse_datetime(pages[-1][stamp]) if pages else newest
                    if fresh:
                        yield fresh
            except InvalidCursor:
                # The cursor went stale while we were reading: start this window again, without what we have.
                restarts += 1
                if restarts > RESTARTS:
                    raise
                continue
            if not cut:
                return
            if not progressed or newest is None or newest == since:
                raise Incomplete(
                    f"“{self.database.title}”: Notion gives at most 10,000 rows a query, and more than that share the "
                    f"{stamp} {newest}. Nothing was deleted here; move some of these rows apart by editing them."
                )
            since = newest


def _together(batches: Iterator[list[Json]]) -> Iterator[list[Json]]:
    """Several answers at a time: each transaction costs a dozen statements, however many pages it is for."""
    held: list[Json] = []
    for batch in batches:
        held += batch
        if len(held) >= AT_ONCE:
            yield held
            held = []
    if held:
        yield held


def _query(stamp: str, since: datetime | None, narrowed: Json | None) -> dict[str, Any]:
    body: dict[str, Any] = {"sorts": [{"timestamp": stamp, "direction": "ascending"}], "result_type": "page"}
    if since is not None:
        body["filter"] = {"timestamp": stamp, stamp: {"on_or_after": _minute(since)}}
    if narrowed is not None:
        body["filter"] = {"and": [body["filter"], narrowed]} if since is not None else narrowed
    return body


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:00.000Z")


def refuse_unusable(database: NotionDatabase) -> None:
    if database.is_stopped:
        raise NotShared(
            f"“{database.title}” was paused by {database.stopped_by}: resume it in the console, under Sync."
        )
    if not database.usable:
        raise NotShared(database.problem or f"“{database.title}” is not set up: run `manage.py setup_notion`.")
