"""One run, inside its environment: `python -m tests.marathon.course SEED STEPS`."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.marathon.processes import Commands, Ended

# (kind, method, path): what may go wrong with requests of a run.
FAULTS = [
    *(("conflict", "PATCH", None), ("internal_error", "PATCH", None), ("unavailable_saved", "PATCH", None)),
    *(("internal_error", "POST", "pages$"), ("unavailable_saved", "POST", "pages$"), ("unavailable", "POST", "pages$")),
    *(("drop_after", "POST", "pages$"), ("gateway_timeout_saved", "POST", "pages$"), ("drop_after", "PATCH", None)),
    *(("bad_gateway", None, None), ("overload", None, None), ("rate_limited", None, None), ("drop_before", None, None)),
    *(("drop_after", None, None), ("gateway_timeout", None, None), ("gateway_timeout_saved", None, None)),
]
CHANGES = ("pulled", "pushed", "created_local", "created_notion", "trashed", "restored", "conflicts")
MOST_REQUESTS = 17
# How long the index of the local Notion may lag behind; seconds.
LAGS = (0, 0, 0, 1, 4)


class Course:
    def __init__(self, commands: Commands, notion: Any, seed: int) -> None:
        from tests.marathon.edits import Edits

        self.commands, self.notion, self.chance = commands, notion, random.Random(seed)
        self.edits = Edits(notion, self.chance)
        self.step, self.found = 0, 0
        # What happens at which request, before or after it is answered.
        self.planned: list[tuple[int, bool, Callable[[], Any]]] = []
        self.requests = 0
        # The page that the server made for a record, by database and the record's own ids.
        self.created: dict[tuple[str, ...], str] = {}
        self._answer, notion.service.answer = notion.service.answer, self._answering
        e = self.edits
        self.doings: dict[Callable[[], Any], int] = {
            e.edit_there: 14, e.edit_here: 14, e.edit_both: 12, e.create_there: 5, e.create_here: 5, e.trash_there: 3,
            e.restore_there: 3, e.archive_here: 3, e.restore_here: 3, e.relate_there: 7, e.relate_here: 7,
            e.edit_many_here: 2, e.hide: 1, e.show: 1, e.rename: 2, self.with_faults: 8, self.with_people: 6,
            self.killed_by_the_clock: 3, self.killed_at_a_request: 5, self.sync: 3,
        }  # fmt: skip

    # -- runs -----------------------------------------------------------------------------------------------------
    def sync(self, *arguments: str, kill_after: float | None = None) -> Ended:
        ended = self.commands.run("sync_notion", "--format", "json", *arguments, kill_after=kill_after)
        self.planned.clear()
        if "Traceback" in ended.stderr or ended.code not in {0, 1, 2, 3, -9}:
            self.violation(f"sync_notion ended with {ended.code}: {ended.stderr[-1500:]}")
        return ended

    def with_faults(self) -> None:
        for _ in range(self.chance.randint(1, 4)):
            kind, method, path = self.chance.choice(FAULTS)
            if method == "POST":
                self.edits.create_here()
            skip = self.chance.randint(0, {"POST": 1, "PATCH": 3}.get(method or "", 14))
            times = self.chance.choice([1, 1, 1, 2, 5])
            self.notion.faults.add(kind, method=method, path=path, skip=skip, times=times, seconds=1)
        if self.chance.random() < 0.4:
            self._plan_edits()
        self.sync(*self.chance.choice([(), (), ("--full",), ("--direction", "push"), ("--direction", "pull")]))
        self.notion.faults.clear()

    def with_people(self) -> None:
        self._plan_edits()
        self.sync(*self.chance.choice([(), (), ("--full",)]))

    def killed_by_the_clock(self) -> None:
        self.sync(kill_after=self.chance.choice([0.05, 0.2, 0.5, 1, 2, 3]))

    def killed_at_a_request(self) -> None:
        self._plan(self.commands.kill)
        self.sync()

    def _plan_edits(self) -> None:
        for _ in range(self.chance.randint(1, 4)):
            self._plan(self.edits.in_the_middle)

    def _plan(self, doing: Callable[[], Any]) -> None:
        self.planned.append((self.requests + self.chance.randint(1, 40), self.chance.random() < 0.5, doing))

    def _answering(self, method: str, target: str, headers: Any, raw: bytes) -> Any:
        self.requests += 1
        self._do_what_is_planned(before=True)
        known = set(self.notion.ws.pages) if method == "POST" and target.endswith("/pages") else None
        try:
            return self._answer(method, target, headers, raw)
        finally:
            # The answer may be lost, and the work be done.
            if known is not None:
                self._note_created(set(self.notion.ws.pages) - known)
            if method == "PATCH":
                self.edits.written.append((time.time(), target.rsplit("/", 1)[-1]))
            self._do_what_is_planned(before=False)

    def _note_created(self, pages: set[str]) -> None:
        """One record gets one page, whatever becomes of the answer."""
        from django.db import connections

        for page in pages:
            record = self.edits.record_of(page)
            if record in self.created:
                self.violation(f"{record} got a second page, {page}, after {self.created[record]}")
            self.created[record] = page
        if pages:
            connections.close_all()  # the local Notion's thread has its own

    def _do_what_is_planned(self, *, before: bool) -> None:
        for plan in list(self.planned):
            if plan[0] <= self.requests and plan[1] is before and plan in self.planned:
                self.planned.remove(plan)
                plan[2]()

    # -- at rest --------------------------------------------------------------------------------------------------
    def rest(self) -> None:
        from notion_sync.engine import deletes
        from notion_sync.models import PendingDelete
        from tests.marathon.rest import violations

        self.notion.faults.clear()
        time.sleep(self.notion.settings.index_lag)
        self.notion.settings.index_lag = 0
        for _ in range(10):
            report = self.sync("--full").report()
            held = list(PendingDelete.objects.filter(decided_at__isnull=True))
            for one in held:
                deletes.approve(one, "marathon")
            if report is not None and not changed(report) and not held:
                break
        else:
            self.violation(f"it does not come to rest: {changed(report) if report else 'killed'}")
        self._is_idle()
        for sentence in violations(self.edits):
            self.violation(sentence)
        self.edits.ledger.clear()
        self.edits.written.clear()
        self.notion.settings.index_lag = self.chance.choice(LAGS)

    def _is_idle(self) -> None:
        self.notion.requests.clear()
        report = self.sync().report()
        if report is None or changed(report):
            self.violation(f"a second run changed {changed(report) if report else 'nothing: it was killed'}")
            return
        # Relations of more than 25 pages that were edited a moment ago are read again, and hidden pages asked for.
        single = self.notion.requests.count_of("GET")
        if report["requests"] - single > MOST_REQUESTS:
            self.violation(f"a second run sent {report['requests']} requests, {single} of them for single pages")

    def violation(self, sentence: str) -> None:
        self.found += 1
        print(f"VIOLATION at step {self.step}: {sentence}", flush=True)  # noqa: T201

    # -- all of it ------------------------------------------------------------------------------------------------
    def run(self, steps: int) -> int:
        """Returns how many violations were found."""
        from notion_sync.mappings import MAPPINGS

        for key in [key for key in MAPPINGS for _ in range(3)]:
            self.edits.create_here(key)
            self.edits.create_there(key)
        self.rest()
        following = self._next_rest()
        for self.step in range(1, steps + 1):
            self.chance.choices(list(self.doings), list(self.doings.values()))[0]()
            if self.step >= following or self.step == steps:
                self.rest()
                following = self._next_rest()
                print(f"step {self.step}: at rest, {self.found} violations, {self.requests} requests", flush=True)  # noqa: T201
        return self.found

    def _next_rest(self) -> int:
        return self.step + self.chance.randint(10, 60)


def changed(report: dict[str, Any]) -> dict[str, dict[str, int]]:
    counts = {key: {name: each[name] for name in CHANGES if each[name]} for key, each in report["databases"].items()}
    return {key: each for key, each in counts.items() if each}


def main() -> int:
    seed, steps = (int(argument) for argument in sys.argv[1:3])
    directory = Path(os.environ["VAR_DIR"])
    commands = Commands(directory)

    import django

    django.setup()
    from notion_sync.sandbox import Sandbox

    with Sandbox(data=str(directory / "notion.sqlite3"), port=int(os.environ["SANDBOX_PORT"])) as notion:
        for command in (("migrate", "--verbosity", "0"), ("setup_notion",)):
            done = commands.run(*command)
            if done.code:
                print(done.stdout, done.stderr, sep="\n", file=sys.stderr)  # noqa: T201
                return 2
        found = Course(commands, notion, seed).run(steps)
    commands.close()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
