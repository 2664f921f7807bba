from __future__ import annotations

import json
import signal
import sys
import threading
import time
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from higherself.core.errors import Retryable
from notion_sync.budget import Lane
from notion_sync.client import NotionApi
from notion_sync.engine.counts import NAMES, Counts
from notion_sync.engine.lease import hold
from notion_sync.engine.plan import Plan
from notion_sync.engine.run import BOTH, PULL, PUSH, Job, reconcile
from notion_sync.engine.run import Progress as RunProgress
from notion_sync.management.stopping import stops_with_2
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase, NotionPage, PendingDelete, SyncConflict

# How long to wait for another reconciliation to end, in seconds.
PATIENCE = 180.0


class Command(BaseCommand):
    help = (
        "Two-way reconciliation with Notion. Exit 0: in sync; 1: finished, but some records need a person; 2: could "
        "not run (authentication, network, configuration)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--database", action="extend", nargs="+", choices=list(MAPPINGS), metavar="NAME", help="one or several"
        )
        parser.add_argument("--direction", choices=[BOTH, PULL, PUSH], default=BOTH)
        parser.add_argument("--full", action="store_true", help="read everything, and find what has gone in Notion")
        parser.add_argument("--dry-run", action="store_true", help="write nothing on either side, print the plan")
        parser.add_argument("--watch", type=float, metavar="SECONDS", help="again and again, with this pause between")
        parser.add_argument("--format", choices=["table", "json"], default="table")
        parser.add_argument("--quiet", action="store_true", help="print nothing but errors")

    def handle(self, *args: Any, **options: Any) -> None:
        _stop_on_sigterm()
        try:
            status = self._once(options) if options["watch"] is None else self._watch(options)
        except KeyboardInterrupt:
            raise CommandError("Stopped. What was done is kept; the next run goes on.", returncode=130) from None
        if status:
            sys.exit(status)

    def _watch(self, options: dict[str, Any]) -> int:
        if options["watch"] <= 0:
            raise CommandError("--watch takes a number of seconds above 0.", returncode=2)
        try:
            while True:
                try:
                    self._once(options)
                except CommandError as error:
                    # A net that tears at the first outage is none: it says so, and goes on.
                    self.stderr.write(f"{error}")
                time.sleep(options["watch"])
        except KeyboardInterrupt:
            return 0

    def _once(self, options: dict[str, Any]) -> int:
        started = time.monotonic()
        keys = options["database"] or list(MAPPINGS)
        plan = Plan() if options["dry_run"] else None
        progress = _Bars() if sys.stderr.isatty() and not options["quiet"] else RunProgress()
        job = Job(
            keys=[key for key in MAPPINGS if key in keys],
            direction=options["direction"],
            full=options["full"],
            impatient=True,
            progress=progress,
            plan=plan,
        )
        with (
            stops_with_2("The synchronisation could not run: "),
            NotionApi(lane=Lane.STAFF, patience=900) as api,
            _shown(progress),
        ):
            counts = self._reconcile(api, job)
            requests, limited = api.requests, api.rate_limited
        self._report(options, counts, plan, requests, limited, time.monotonic() - started)
        return 1 if counts.messages or counts.total("conflicts") or (plan is None and needs_a_person(job.keys)) else 0

    def _reconcile(self, api: NotionApi, job: Job) -> Counts:
        with hold(
            wait=PATIENCE, waiting=lambda who: self.stderr.write(f"Waiting for the run of {who} to end ...")
        ) as held:
            if held is None:
                raise Retryable("another synchronisation is running and has not ended; try again later")
            return reconcile(api, job, held, "command")

    def _report(
        self, options: dict[str, Any], counts: Counts, plan: Plan | None, requests: int, limited: int, seconds: float
    ) -> None:
        for message in counts.messages:
            self.stderr.write(self.style.WARNING(message))
        keys = options["database"] or list(MAPPINGS)
        for stopped in NotionDatabase.objects.filter(key__in=keys, stopped_at__isnull=False):
            self.stderr.write(f"“{stopped}” was paused by {stopped.stopped_by} and was left alone.")
        if plan is not None and not (options["quiet"] or options["format"] == "json"):
            self.stdout.write("\n".join(plan.lines) or "Nothing would change.")
        if options["format"] == "json":
            row = {
                "databases": counts.as_dict(keys),
                "requests": requests,
                "rate_limited": limited,
                "seconds": round(seconds, 3),
            }
            self.stdout.write(json.dumps(row))
        elif not options["quiet"]:
            self._table(keys, counts, requests, seconds)

    def _table(self, keys: list[str], counts: Counts, requests: int, seconds: float) -> None:
        table = Table("Database", *(name.replace("_", " ") for name in NAMES))
        for key, row in counts.as_dict(keys).items():
            table.add_row(MAPPINGS[key].title, *(str(row[name] or "·") for name in NAMES))
        Console(file=cast("IO[str]", self.stdout), width=None if sys.stdout.isatty() else 160).print(table)
        self.stdout.write(f"{requests} requests in {seconds:.1f} s")


def needs_a_person(keys: Any) -> bool:
    """Conflicts, held deletes and refused records that are left from this run or an earlier one."""
    return (
        SyncConflict.objects.filter(database__in=keys, resolved_at__isnull=True).exists()
        or PendingDelete.objects.filter(database__in=keys, decided_at__isnull=True).exists()
        or NotionPage.objects.filter(database__in=keys).exclude(error="", issues=[]).exists()
    )


class _Bars(RunProgress):
    """Progress bars with a remaining time, on a terminal."""

    def __init__(self) -> None:
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self.tasks: dict[tuple[str, str], Any] = {}

    def begin(self, key: str, title: str, direction: str, total: int | None) -> None:
        word = "reading" if direction == PULL else "writing"
        self.tasks[key, direction] = self.bars.add_task(f"{word} {title}", total=total)

    def advance(self, key: str, direction: str, rows: int) -> None:
        self.bars.advance(self.tasks[key, direction], rows)

    def end(self, key: str, direction: str) -> None:
        task = self.tasks.pop((key, direction), None)
        if task is not None:
            self.bars.remove_task(task)


def _shown(progress: RunProgress) -> Any:
    return progress.bars if isinstance(progress, _Bars) else _Nothing()


class _Nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_exc: object) -> None: ...


def _stop_on_sigterm() -> None:
    """SIGTERM ends a run as Ctrl-C does: between two requests, with the lease let go."""

    def stop(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
