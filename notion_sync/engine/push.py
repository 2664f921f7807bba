"""Carries our changes to Notion: one create or one PATCH per page, whatever has changed in it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from higherself.core.errors import Conflict, Permanent, Retryable
from higherself.core.models import ChangeSet, Record
from notion_sync.client import InTrash, NotAuthorised, NotionApi, NotionUnreachable, NotShared, Stale, Uncertain
from notion_sync.engine import deletes
from notion_sync.engine.apply import Applier
from notion_sync.engine.counts import Counts
from notion_sync.engine.plan import Plan, plan_change
from notion_sync.engine.pull import Puller
from notion_sync.engine.records import (
    PageIndex,
    Values,
    describe,
    is_empty,
    is_unborn,
    local_values,
    rows_manager,
    writable,
)
from notion_sync.engine.remote import Json, SchemaChanged
from notion_sync.mapping import NotionMapping
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase, NotionPage
from notion_sync.properties import LIST_ITEMS, Owner, Property, Relation, Select, TooLong, canonical_datetime
from notion_sync.schema.binding import refresh

BATCH = 25
# Notion takes 500 KB a request (reference/request-limits); the rest of it is names, ids and what goes along.
PAYLOAD_BYTES = 480 * 1024
FIRST_PAUSE = timedelta(seconds=30)
# A page that was created shows in queries some seconds later. Until then nobody knows whether it was; a run for which
# an operator waits is this patient, a background job as patient as after any failure.
SETTLING = timedelta(seconds=6)
LONGEST_PAUSE = timedelta(hours=6)
# Notion cannot write a page only if nobody has changed it, so a page is looked at just before it is changed. Where so
# many wait, that costs a request each. Where more wait, one query looks for edits of all of them: after so many writes
# (it may cost a fiftieth of them, no more), or when what is known is so old; in seconds.
LOOK_AT_EACH = 20
LOOK_AFTER, LOOK_AFTER_WRITES = 2.0, 75
READ_AGAIN = 30.0
ONE_ANSWER = 90  # a query's answer holds 100 pages
# What Notion has answered to a write of ours so short a time ago need not be looked at; in seconds. (What a query
# answered must be: it may be some seconds old.)
JUST_WRITTEN = 3.0
# A write that had to wait for its turn for longer, in seconds, or that failed, is looked at again before it is sent.
FRESH = 10.0
LOOKS = 3

Progress = Callable[[int], None]


@dataclass
class Change:
    """What one row's page lacks."""

    row: Record
    tie: NotionPage
    values: Values = field(default_factory=dict)
    waits: bool = False  # for the page of a related row
    # Relations of which a part cannot be written while the other page, or its database, cannot be seen.
    held: list[Relation] = field(default_factory=list)
    overflow: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        return self.tie.page_id is None


class Pusher:
    def __init__(
        self,
        api: NotionApi,
        database: NotionDatabase,
        counts: Counts,
        progress: Progress = lambda _rows: None,
        *,
        impatient: bool = False,
        plan: Plan | None = None,
        read_at: float | None = None,
    ) -> None:
        """``read_at``: when the database was read, by the monotonic clock; a moment ago if it is left out."""
        self.plan = plan
        self.api = api
        self.database = database
        self.mapping: type[NotionMapping] = MAPPINGS[database.key]
        self.counts = counts
        self.progress = progress
        self.impatient = impatient
        self._read_at = time.monotonic() if read_at is None else read_at
        self._writes = self._writes_since = 0
        self._looks_at_each = False
        # Rows that Notion has refused in this run: trying again at once would be refused again.
        self.refused: set[int] = set()
        # When Notion last answered a write of a row's page, by the monotonic clock.
        self.written_at: dict[int, float] = {}
        self.index = PageIndex()
        self.waiting = 0

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Pushes everything that waits, oldest change first, until ``until()``."""
        began = timezone.now()
        if self.plan is None:
            waiting = pending(self.mapping, impatient=self.impatient).values("pk")
            pages = NotionPage.objects.filter(database=self.database, page_id__isnull=False, object_id__in=waiting)
            self._looks_at_each = pages.count() <= LOOK_AT_EACH
        for batch in self._batches():
            for change in self.changes(self._unchanged_there(batch, began)):
                if until():
                    return
                if self.plan is not None:
                    self._foretell(self.plan, change)
                else:
                    self._guarded(change)
                self.progress(1)
        if self.plan is not None:
            return
        self.database.pushed_at = timezone.now()
        self.database.save(update_fields=["pushed_at"])

    def _unchanged_there(self, batch: list[Record], began: datetime) -> list[Record]:
        """In a long run people go on editing: their edits of these rows' pages are read and merged before a push."""
        age = time.monotonic() - self._read_at
        old = age >= READ_AGAIN or (self._writes_since >= LOOK_AFTER_WRITES and age >= LOOK_AFTER)
        if self.plan is not None or not old:
            return batch
        self._read_at, self._writes_since = time.monotonic(), 0
        # *Last Synced* knows minutes only: pages written in the one in which we began look like ours. While ours are
        # few, they are read along.
        own = began if self._writes > ONE_ANSWER else began + timedelta(minutes=1)
        Puller(self.api, self.database, self.counts).meanwhile(timezone.now() - timedelta(seconds=age), own)
        again = rows_manager(self.mapping.model).filter(pk__in=[row.pk for row in batch], local_change_at__isnull=False)
        return list(again.order_by("local_change_at", "pk"))

    def push_rows(self, rows: list[Record]) -> None:
        """Pushes just these rows, at once: for “push now”."""
        for change in self.changes(rows):
            self._guarded(change)

    def changes(self, rows: list[Record]) -> list[Change]:
        """What each row's page lacks, by comparing with the agreed values."""
        known = NotionPage.objects.filter(database=self.database, object_id__in=[row.pk for row in rows])
        ties = {tie.object_id or 0: tie for tie in known}
        self.index = PageIndex()
        local = local_values(self.mapping, rows, ties, self.index)
        for prop in self.mapping.relations:
            self.index.load_rows(prop.to, {page for tie in known for page in tie.base.get(prop.attr) or []})
        return [self._change(row, ties.get(row.pk), local[row.pk]) for row in rows]

    # -- finding ------------------------------------------------------------------------------------------------
    def _batches(self) -> Iterator[list[Record]]:
        """Rows that wait, in the order of their changes. A row that stays waiting is not met twice."""
        query = pending(self.mapping, impatient=self.impatient).order_by("local_change_at", "pk")
        last: tuple[Any, int] | None = None
        while True:
            page = query
            if last is not None:
                page = query.filter(Q(local_change_at__gt=last[0]) | Q(local_change_at=last[0], pk__gt=last[1]))
            rows = list(page[:BATCH])
            if not rows:
                return
            last = (rows[-1].local_change_at, rows[-1].pk)
            yield [row for row in rows if row.pk not in self.refused]

    def _change(self, row: Record, tie: NotionPage | None, local: Values) -> Change:
        change = Change(row, tie or NotionPage(database=self.database, object_id=row.pk))
        for prop in writable(self.mapping):
            if prop.owner is Owner.NOTION or prop.attr not in self.database.properties:
                continue
            value = local[prop.attr]
            if is_unborn(value):
                change.waits = True
                continue
            if self._differs(change, prop, value):
                shown = self._that_can_be_seen(change, prop, value) if isinstance(prop, Relation) else value
                if shown is value or self._differs(change, prop, shown):
                    change.values[prop.attr] = shown
        return change

    def _that_can_be_seen(self, change: Change, prop: Relation, value: list[str]) -> list[str]:
        """Notion refuses a whole page for one link to a page that we cannot see: such a link waits until it is back.

        Where one of the links that are to stay leads to such a page, the list stays as it is: writing it would cut
        that link.
        """
        agreed = self.index.live(change.tie.base.get(prop.attr) or []) if not change.is_new else []
        closed = NotionDatabase.objects.filter(key=prop.to).exclude(state=NotionDatabase.State.OK).exists()
        hidden = self.index.lost(value)
        if not hidden and not closed:
            return value
        change.waits = True
        change.held.append(prop)
        return agreed if closed or hidden.intersection(agreed) else [page for page in value if page not in hidden]

    def _differs(self, change: Change, prop: Property, value: Any) -> bool:
        if change.is_new:
            return value not in (None, "", [], [None, None])
        if prop.attr not in change.tie.base:
            return not is_empty(value)
        agreed = change.tie.agreed_local(prop.attr)
        return not prop.same(value, self.index.live(agreed or []) if isinstance(prop, Relation) else agreed)

    # -- doing --------------------------------------------------------------------------------------------------
    def _guarded(self, change: Change) -> None:
        """Pushes one row. Its failure is noted with it and stops nothing but itself."""
        try:
            if change.tie.state == NotionPage.State.LOST and change.tie.page_id:
                self._look_for_lost(change)
                return
            looked_at = self._looked_at(change)
            if looked_at is None:
                return
            change = looked_at
            self._push(change)
        except (NotAuthorised, NotionUnreachable):
            raise
        except InTrash as error:
            if change.tie.page_id is None:
                self._failed(change, str(error), permanent=True)
                self._recheck_schema()
            else:
                deletes.look_at(self.api, self.database, change.tie.page_id, self.counts)
        except NotShared as error:
            self._gone(change, error)
        except (Permanent, TooLong, SchemaChanged) as error:
            self._refused(change, error)
        except (Retryable, Conflict) as error:
            self._failed(change, str(error), permanent=False)
        if change.waits:
            self.waiting += 1

    def _looked_at(self, change: Change) -> Change | None:
        """What the row's page lacks as it is this moment; None when that is nothing any more."""
        tie = change.tie
        if not self._looks_at_each or change.is_new or not change.values or tie.in_trash or change.row.is_archived:
            return change
        if time.monotonic() - self.written_at.get(change.row.pk, -JUST_WRITTEN) < JUST_WRITTEN:
            return change
        return self._as_it_is(change)

    def _as_it_is(self, change: Change) -> Change | None:
        """Reads the row's page, merges what people did there, and finds what is left to write."""
        key, unchanged = self.mapping.key, self.counts.get(self.mapping.key, "unchanged")
        deletes.look_at(self.api, self.database, change.tie.page_id or "", self.counts)
        # A page that is looked at once more is none more that was found unchanged.
        self.counts.add(key, "unchanged", unchanged - self.counts.get(key, "unchanged"))
        rows = rows_manager(self.mapping.model).filter(pk=change.row.pk, local_change_at__isnull=False)
        return next(iter(self.changes(list(rows))), None)

    def _foretell(self, plan: Plan, change: Change) -> None:
        plan_change(plan, self.mapping, change)
        if change.row.archived_at is not None:
            self.counts.add(self.mapping.key, "trashed")
        elif change.is_new or change.values:
            self.counts.add(self.mapping.key, "created_notion" if change.is_new else "pushed")

    def _push(self, change: Change) -> None:
        row, tie = change.row, change.tie
        if row.archived_at is not None:
            self._archive(change)
        elif change.is_new:
            self._create(change)
        elif tie.in_trash:
            self._restore(change)
        elif change.values:
            self._update(change)
        else:
            self._nothing_left(change)

    def _update(self, change: Change) -> None:
        self._writes, self._writes_since = self._writes + 1, self._writes_since + 1
        found = self._written(change)
        if found is None:
            return
        change, page = found
        self._link_overflow(change)
        self.counts.add(self.mapping.key, "pushed")
        self._settle(change, page, change.values)

    def _written(self, change: Change) -> tuple[Change, Json] | None:
        """The change as it was sent, and Notion's answer. Never rests on what was read before a pause or a failure."""
        for looks in range(LOOKS + 1):
            page_id, body = change.tie.page_id or "", {"properties": self._wire(change)}
            try:
                return change, self.api.update_page(page_id, body, fresh_for=FRESH if looks < LOOKS else None)
            except Stale:
                left = self._as_it_is(change)
                if left is None or not left.values or left.tie.in_trash:
                    return None
                change = left
        raise AssertionError("the last attempt has no limit of time")

    def _create(self, change: Change) -> None:
        # The intent is stored first: after a crash between the request and its answer the page is looked for, and
        # what was to be written is the base by which later edits of either side are told.
        wire = self._wire(change)
        tried = change.tie.state == NotionPage.State.CREATING and bool(change.tie.pk)
        page = self._find(change) if tried else None
        if page is None:
            change.tie.state, change.tie.base = NotionPage.State.CREATING, self._intended(change)
            change.tie.local_base = {}
            # Whoever comes after a crash waits until the page would show in queries.
            change.tie.next_attempt_at = timezone.now() + SETTLING
            change.tie.save()
        if page is None:
            try:
                page = self.api.create_page(self.database.data_source_id, wire)
            except Uncertain as error:
                page = self.api.page(error.page_id) if error.page_id else self._find(change)
                if page is None:
                    raise
            self.counts.add(self.mapping.key, "created_notion")
        change.tie.page_id, change.tie.state, change.tie.in_trash = page["id"], NotionPage.State.LINKED, False
        change.tie.save(update_fields=["page_id", "state", "in_trash"])
        self._link_overflow(change)
        self._settle(change, page, {})

    def _find(self, change: Change) -> Json | None:
        """The page that carries the row's own id, if an earlier create went through after all."""
        conditions = []
        for attr in self.mapping.identity:
            prop, value = self.mapping.property(attr), self.mapping.property(attr).get(change.row)
            conditions.append({"property": self._id(attr), prop.type: {"equals": value}})
        for pages, _ in self.api.query(self.database.data_source_id, {"filter": {"and": conditions}}):
            for page in pages:
                if not NotionPage.objects.filter(page_id=page["id"]).exclude(pk=change.tie.pk).exists():
                    return page
        return None

    def _archive(self, change: Change) -> None:
        tie = change.tie
        if tie.page_id is not None and change.values and self._was_erased(change.row):
            self._empty(change)
        if tie.page_id is not None and not tie.in_trash:
            try:
                self.api.update_page(tie.page_id, {"in_trash": True})
            except InTrash:
                # Notion refuses to trash what is in the trash: that is what we wanted.
                tie.in_trash = True
            tie.in_trash, tie.synced_at = True, timezone.now()
            tie.save(update_fields=["in_trash", "synced_at"])
            self.counts.add(self.mapping.key, "trashed")
        self._done(change.row)

    def _was_erased(self, row: Record) -> bool:
        notes = ChangeSet.objects.filter(model=row._meta.label_lower, record_id=row.pk)
        return notes.filter(kind=ChangeSet.Kind.ERASED).exists()

    def _empty(self, change: Change) -> None:
        """A page in the trash can be read and put back for thirty days, so what was erased is taken out of it. Notion
        changes no page that is in its trash: it is fetched out for as long as that takes."""
        tie = change.tie
        if tie.in_trash:
            self.api.update_page(tie.page_id or "", {"in_trash": False})
            tie.in_trash = False
            tie.save(update_fields=["in_trash"])
        page = self.api.update_page(tie.page_id or "", {"properties": self._wire(change)})
        self._settle(change, page, change.values)

    def _restore(self, change: Change) -> None:
        page = self.api.update_page(change.tie.page_id or "", {"in_trash": False})
        change.tie.in_trash = False
        change.tie.save(update_fields=["in_trash"])
        self.counts.add(self.mapping.key, "restored")
        if change.values:
            self._update(change)
        else:
            self._settle(change, page, {})

    def _wire(self, change: Change) -> Json:
        """The request's properties, by property id: as many as one request takes. Those that are left out stay as
        they are on both sides, so they are found to be waiting when this request is settled."""
        wire: Json = {}
        room = PAYLOAD_BYTES
        for attr, value in sorted(change.values.items(), key=lambda item: item[0] not in self.mapping.identity):
            prop = self.mapping.property(attr)
            shown = value[:LIST_ITEMS] if isinstance(prop, Relation) else value
            written = prop.write(self._clipped(prop, shown))
            room -= len(json.dumps(written, ensure_ascii=False).encode())
            if room < 0 and wire:
                break
            if isinstance(prop, Relation) and len(value) > LIST_ITEMS:
                change.overflow[attr] = value[LIST_ITEMS:]
            wire[self._id(attr)] = written
        change.values = {attr: value for attr, value in change.values.items() if self._id(attr) in wire}
        return wire | self._volatile(change.row)

    def _volatile(self, row: Record) -> Json:
        """What goes along with other writes and is no reason of its own: when it was synced, and last changed."""
        known = [prop for prop in self.mapping.properties if prop.volatile and prop.attr in self.database.properties]
        moments = {prop: getattr(row, prop.attr, timezone.now()) for prop in known}
        return {self._id(prop.attr): prop.write(canonical_datetime(moment)) for prop, moment in moments.items()}

    def _clipped(self, prop: Property, value: Any) -> Any:
        if prop.type == "multi_select" and isinstance(prop, Select) and len(value) > LIST_ITEMS:
            raise TooLong(f"“{prop.name}” has {len(value)} options; Notion takes {LIST_ITEMS}")
        return value

    def _id(self, attr: str) -> str:
        return str(self.database.properties[attr]["id"])

    def _link_overflow(self, change: Change) -> None:
        """A request takes 100 related pages; the others are added from their own side, one by one."""
        for attr, page_ids in change.overflow.items():
            reverse = self.database.properties[attr].get("reverse_id")
            if not reverse:
                raise Permanent(f"“{self.mapping.property(attr).name}” has more than 100 pages and no reverse side")
            for page_id in page_ids:
                present = [item["relation"]["id"] for item in self.api.property_items(page_id, reverse)]
                if change.tie.page_id not in present:
                    ids = [{"id": other} for other in [*present, change.tie.page_id]]
                    self.api.update_page(page_id, {"properties": {reverse: {"relation": ids}}})

    def _settle(self, change: Change, page: Json, written: Values) -> None:
        """Compares Notion's answer with what was asked, and takes over what it made of it."""
        self.written_at[change.row.pk] = time.monotonic()
        if change.overflow:
            page = self.api.page(page["id"])
        Applier(self.api, self.database, self.counts).apply([page], settled={page["id"]: written})

    def _intended(self, change: Change) -> Values:
        """All values that a new page will have: those that are written, and what Notion has for the others."""
        left_out = [prop for prop in writable(self.mapping) if prop.attr not in change.values]
        return {prop.attr: prop.from_wire(None) for prop in left_out} | change.values

    def _nothing_left(self, change: Change) -> None:
        if not change.waits:
            self._done(change.row)
        elif change.held:
            self._say_what_is_held(change)

    def _say_what_is_held(self, change: Change) -> None:
        names = ", ".join(f"“{prop.name}”" for prop in change.held)
        message = (
            f"{describe(self.mapping, change.row)}: {names} waits for a linked page that cannot be reached in Notion. "
            "Share that page again, archive its record here, or take the link away."
        )
        if change.tie.error != message:
            change.tie.error = message
            change.tie.save(update_fields=["error"])
        self.refused.add(change.row.pk)
        self.counts.error(self.mapping.key, message)

    def _done(self, row: Record) -> None:
        # Only if nobody has changed the row since it was read.
        rows_manager(self.mapping.model).filter(pk=row.pk, local_change_at=row.local_change_at).update(
            local_change_at=None
        )

    # -- failing ------------------------------------------------------------------------------------------------
    @transaction.atomic
    def _failed(self, change: Change, message: str, *, permanent: bool) -> None:
        tie = change.tie
        tie.attempts += 1
        pause = min(FIRST_PAUSE * 2 ** min(tie.attempts - 1, 12), LONGEST_PAUSE)
        if permanent and tie.page_id is None:
            tie.state = NotionPage.State.LINKED  # it was refused, so nothing was created that could be looked for
        if self.impatient and not permanent and tie.state == NotionPage.State.CREATING:
            pause = SETTLING
        tie.error = f"{describe(self.mapping, change.row)}: {message}"
        tie.next_attempt_at = timezone.now() + (LONGEST_PAUSE if permanent and tie.attempts > 3 else pause)
        # Only these: what is agreed may have moved since the change was found.
        tie.save(update_fields=["state", "attempts", "error", "next_attempt_at"] if tie.pk else None)
        self.counts.error(self.mapping.key, tie.error)

    def _gone(self, change: Change, error: NotShared) -> None:
        """The whole database is gone, or the page is, or one that it was to be linked to: find out which."""
        self._recheck_schema()
        if change.tie.page_id:
            deletes.look_at(self.api, self.database, change.tie.page_id, self.counts)
            change.tie.refresh_from_db()
        if change.tie.state == NotionPage.State.LOST or not self._pushed_without_dead_links(change):
            self._failed(change, str(error), permanent=True)

    def _refused(self, change: Change, error: Exception) -> None:
        if self._pushed_without_dead_links(change):
            return
        self.refused.add(change.row.pk)
        self._failed(change, str(error), permanent=True)
        self._recheck_schema()

    def _pushed_without_dead_links(self, change: Change) -> bool:
        """Whether one of the new links was what Notion refused. Then everything else is written."""
        if not self._dead_links(change):
            return False
        if change.is_new:
            # It was refused, so nothing was created that could be looked for.
            change.tie.state = NotionPage.State.LINKED
            change.tie.save(update_fields=["state"])
        for left in self.changes([change.row]):
            self._guarded(left)
        return True

    def _dead_links(self, change: Change) -> bool:
        """Asks for the pages that were to be linked. Whether one of them cannot be linked any more."""
        dead = False
        for prop in self.mapping.relations:
            agreed = [] if change.is_new else change.tie.base.get(prop.attr) or []
            for page_id in set(change.values.get(prop.attr) or []) - set(agreed):
                deletes.look_at(self.api, NotionDatabase.objects.get(key=prop.to), page_id, self.counts)
                tie = NotionPage.objects.filter(page_id=page_id).first()
                dead = dead or (tie is not None and (tie.in_trash or tie.state == NotionPage.State.LOST))
        return dead

    def _look_for_lost(self, change: Change) -> None:
        """A page that could not be reached is asked for, not written to. What waits goes with the next turn once it is
        back."""
        deletes.look_at(self.api, self.database, change.tie.page_id or "", self.counts)
        tie = change.tie
        tie.refresh_from_db()
        if tie.state != NotionPage.State.LOST:
            return
        if change.row.is_archived:
            # There is nothing that could be put into the trash. Should the page come back, it is done then.
            tie.error, tie.attempts, tie.next_attempt_at = "", 0, None
            tie.save(update_fields=["error", "attempts", "next_attempt_at"])
            self._done(change.row)
            return
        self.refused.add(change.row.pk)
        self._failed(change, "its page cannot be reached in Notion.", permanent=True)

    def _recheck_schema(self) -> None:
        """Notion refused a write: perhaps a person has changed the database. Pauses it where it does not fit."""
        refresh(self.api, self.database.key)
        self.database.refresh_from_db()
        if not self.database.usable:
            raise NotShared(self.database.problem)


def pending(mapping: type[NotionMapping], *, impatient: bool = False) -> Any:
    """Rows with changes that Notion has not got, without paused ones and those that rest after a failure.

    ``impatient`` tries what failed again at once, but for pages of which nobody knows yet whether they were created.
    """
    resting = NotionPage.objects.filter(database_id=mapping.key, next_attempt_at__gt=timezone.now())
    if impatient:
        resting = resting.filter(state=NotionPage.State.CREATING)
    waiting = rows_manager(mapping.model).filter(local_change_at__isnull=False, sync_paused=False)
    return waiting.exclude(pk__in=resting.filter(object_id__isnull=False).values("object_id"))


def settling(keys: Iterable[str]) -> float:
    """Seconds until it may be known whether the pages that are being created exist; 0 when none is, or soon."""
    ties = NotionPage.objects.filter(database__in=keys, state=NotionPage.State.CREATING, page_id__isnull=True)
    now = timezone.now()
    soon = ties.filter(next_attempt_at__gt=now, next_attempt_at__lte=now + SETTLING).aggregate(
        last=Max("next_attempt_at")
    )
    return (soon["last"] - now).total_seconds() if soon["last"] else 0.0
