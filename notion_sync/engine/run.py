"""One reconciliation from its beginning to its end."""

from __future__ import annotations

import contextlib
import gc
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from higherself.core.errors import Conflict, Permanent, Retryable
from notion_sync.client import NotAuthorised, NotionApi, NotionUnreachable, NotShared
from notion_sync.engine.completion import complete_relations
from notion_sync.engine.counts import Counts
from notion_sync.engine.lease import Held
from notion_sync.engine.plan import Plan
from notion_sync.engine.pull import Puller, refuse_unusable
from notion_sync.engine.push import Pusher, pending, settling
from notion_sync.engine.remote import SchemaChanged
from notion_sync.mappings import MAPPINGS
from notion_sync.models import Lease, NotionDatabase, SyncRun
from notion_sync.schema.binding import refresh, stored, usable

logger = logging.getLogger(__name__)

BOTH, PULL, PUSH = "both", "pull", "push"
# New pages that point at each other need a second turn; a third is for what a fault delayed.
PUSH_TURNS = 3
# How often a run says how far it is; seconds.
LIVE_EVERY = 1.0
_COLLECT_AFTER = 200_000
# The generations that a collection between two batches looks at.
YOUNG = 1


class Progress:
    """Told what a run is doing. The command draws bars; the console reads what `live` has noted."""

    def begin(self, key: str, title: str, direction: str, total: int | None) -> None: ...

    def advance(self, key: str, direction: str, rows: int) -> None: ...

    def end(self, key: str, direction: str) -> None: ...


class LiveProgress(Progress):
    """Notes on the lease what its holder is doing, at most once a second, so that a short run writes nothing."""

    def __init__(self, name: str, holder: str) -> None:
        self.lease = Lease.objects.filter(name=name, holder=holder)
        self.now: dict[str, Any] = {}
        self.since = timezone.now().isoformat()
        self.written = time.monotonic()

    def begin(self, key: str, title: str, direction: str, total: int | None) -> None:
        self.now = {"title": title, "direction": direction, "done": 0, "total": total, "since": self.since}
        self._write()

    def advance(self, key: str, direction: str, rows: int) -> None:
        self.now["done"] = self.now.get("done", 0) + rows
        self._write()

    def _write(self) -> None:
        if time.monotonic() - self.written >= LIVE_EVERY:
            self.lease.update(progress=self.now)
            self.written = time.monotonic()


@dataclass
class Job:
    """What to reconcile, and how patiently."""

    keys: Sequence[str] = field(default_factory=lambda: list(MAPPINGS))
    direction: str = BOTH
    full: bool = False
    # Rows that failed before are tried at once, and all that waits is pushed, however long it takes.
    impatient: bool = False
    until: Callable[[], bool] = lambda: False
    progress: Progress = field(default_factory=Progress)
    # Only say what would be done: nothing is written on either side.
    plan: Plan | None = None
    # What people changed was read a moment ago, so that a push overwrites nothing unseen.
    has_read: bool = False


class Reconciliation:
    """Pulls, completes relations, pushes. A database that fails is named, and the others go on."""

    def __init__(self, api: NotionApi, job: Job, held: Held) -> None:
        self.api = api
        self.job = job
        self.held = held
        self.counts = Counts()
        self.databases: list[NotionDatabase] = []
        # Databases that could not be read: pushing there might overwrite what nobody has seen.
        self.unread: set[str] = set()
        self.refused: dict[str, set[int]] = defaultdict(set)
        self.written_at: dict[str, dict[int, float]] = defaultdict(dict)
        # When each database was read, by the monotonic clock: before the others were, or written to.
        self.read_at: dict[str, float] = {}
        self.live = LiveProgress(held.name, held.holder) if job.plan is None else Progress()

    def run(self) -> Counts:
        """Raises `NotAuthorised` and `NotionUnreachable`: then nothing can go on."""
        dry = self.job.plan is not None
        found = [stored(key) for key in self.job.keys] if dry else usable(self.api, self.job.keys)
        # What a person has paused is left alone, and that is no failure.
        self.databases = [database for database in found if not database.is_stopped]
        if self.job.direction in {BOTH, PULL}:
            # A database that is read for the first time may take long: the others do not wait for it.
            for database in sorted(self.databases, key=lambda database: database.watermark is None):
                if self.job.until():
                    self.unread.add(database.key)
                else:
                    self._each(database, PULL, self._pull)
            if not dry:
                complete_relations()
        elif not self.job.has_read:
            for database in self.databases:
                self._each(database, PULL, self._pull_waiting)
        if self.job.direction in {BOTH, PUSH}:
            self._push_all()
        return self.counts

    def _push_all(self) -> None:
        for turn in range(PUSH_TURNS if self.job.plan is None else 1):
            for database in self.databases:
                # What cannot be used, or was not read, was named then.
                if database.key not in self.unread and (database.usable or (turn == 0 and self.job.has_read)):
                    self._each(database, PUSH, self._push)
            if self.job.until():
                return
            if self.job.impatient and turn < PUSH_TURNS - 1:
                self.api.sleep(settling(self.job.keys))
            if not self._worth_another_turn():
                return

    def _worth_another_turn(self) -> bool:
        return any(
            self._pending(database).exclude(pk__in=self.refused[database.key]).exists()
            for database in self.databases
            if database.usable and database.key not in self.unread
        )

    def _pending(self, database: NotionDatabase) -> Any:
        return pending(MAPPINGS[database.key], impatient=self.job.impatient)

    def _each(self, database: NotionDatabase, direction: str, work: Callable[[NotionDatabase], None]) -> None:
        self.held.renew()
        try:
            refuse_unusable(database)
            work(database)
        except (NotAuthorised, NotionUnreachable):
            raise
        except (Permanent, Conflict, SchemaChanged, Retryable) as error:
            message = self._explained(database, error)
            logger.info("%s: %s", database.title or database.key, message)
            self.counts.error(database.key, message)
            if direction == PULL:
                self.unread.add(database.key)
        finally:
            self.job.progress.end(database.key, direction)

    def _explained(self, database: NotionDatabase, error: Exception) -> str:
        """The error, or what is behind it: a database that people have changed or taken away is paused and says so."""
        if isinstance(error, (NotShared, SchemaChanged)) and database.usable and self.job.plan is None:
            with contextlib.suppress(NotShared):
                refresh(self.api, database.key)
        database.refresh_from_db()
        title = database.title or database.key
        return f"“{title}” is paused: {database.problem}" if database.problem else f"“{title}”: {error}"

    def _pull(self, database: NotionDatabase) -> None:
        self.read_at[database.key] = time.monotonic()
        known = database.pages.count() if self.job.full or database.watermark is None else None
        self._begin(database, PULL, known or None)
        progress = self._advancing(database.key, PULL)
        puller = Puller(self.api, database, self.counts, progress, plan=self.job.plan, until=self.job.until)
        if self.job.full:
            puller.full()
        elif not puller.incremental():
            # What has not been read yet may hold what waits here: it is not pushed before that.
            self.unread.add(database.key)

    def _pull_waiting(self, database: NotionDatabase) -> None:
        """Before a push alone: merges the pages of rows that wait, so that no edit is overwritten unseen."""
        self.read_at[database.key] = time.monotonic()
        if self._pending(database).exists():
            Puller(self.api, database, self.counts, plan=self.job.plan).waiting()

    def _push(self, database: NotionDatabase) -> None:
        total = self._pending(database).count()
        if not total:
            return
        self._begin(database, PUSH, total)
        pusher = Pusher(
            self.api,
            database,
            self.counts,
            self._advancing(database.key, PUSH),
            impatient=self.job.impatient,
            plan=self.job.plan,
            read_at=self.read_at.get(database.key),
        )
        pusher.refused, pusher.written_at = self.refused[database.key], self.written_at[database.key]
        pusher.run(self.job.until)

    def _begin(self, database: NotionDatabase, direction: str, total: int | None) -> None:
        for progress in (self.job.progress, self.live):
            progress.begin(database.key, database.title, direction, total)

    def _advancing(self, key: str, direction: str) -> Callable[[int], None]:
        def advance(rows: int) -> None:
            # Between two batches there is little to look through: mostly the answers that a batch was made of.
            gc.collect(YOUNG)
            self.held.renew()
            self.job.progress.advance(key, direction, rows)
            self.live.advance(key, direction, rows)

        return advance


def reconcile(api: NotionApi, job: Job, held: Held, trigger: str) -> Counts:
    """Runs a reconciliation and keeps a record of it where it did something or failed."""
    started = timezone.now()
    run = Reconciliation(api, job, held)
    try:
        with _rarely_collecting():
            counts = run.run()
    except Exception as error:
        _record(run, trigger, started, SyncRun.Status.FAILED, str(error))
        raise
    if job.plan is not None:
        return counts
    if counts.changed() or counts.messages or job.full or trigger == "command":
        _record(run, trigger, started, SyncRun.Status.DONE, "\n".join(counts.messages[:50]))
    return counts


@contextlib.contextmanager
def _rarely_collecting() -> Iterator[None]:
    """A batch of pages is a hundred thousand small objects without a cycle among them, which go as soon as nobody
    needs them: looking for cycles after every 700 of them takes half of the time of reading. What does hold itself
    are the HTTP client's requests with their answers, half a megabyte each: they are collected between batches."""
    usual = gc.get_threshold()
    gc.set_threshold(_COLLECT_AFTER, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _record(run: Reconciliation, trigger: str, started: datetime, status: str, error: str) -> None:
    SyncRun.objects.create(
        started_at=started,
        finished_at=timezone.now(),
        trigger=trigger,
        direction=run.job.direction,
        full=run.job.full,
        status=status,
        counts={key: counts for key, counts in run.counts.as_dict(list(run.job.keys)).items() if any(counts.values())},
        requests=run.api.requests,
        rate_limited=run.api.rate_limited,
        error=error,
    )
