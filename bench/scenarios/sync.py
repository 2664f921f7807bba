"""The reconciliation against a local Notion in a process of its own, over HTTP: requests, speed and memory.

Requests are compared with what Notion's API needs at least: 100 pages a query, one write a page.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from agents_app import tasks
from bench import notion
from bench.options import Options
from bench.results import Result
from bench.scenarios.leads import store
from bench.stage import LOOPBACK, Stage, run
from contacts.models import BusinessEntity, Contact
from higherself.integrations.models import InboundEvent
from notion_sync.client import NotionApi
from notion_sync.engine.lease import hold
from notion_sync.engine.run import Job, reconcile
from notion_sync.models import NotionDatabase, NotionPage

PAGES, PUSHED, DATABASES, PER_QUERY = 10_000, 500, 16, 100
KEY, SMALL = "contacts_profiles", "business_entities"
TITLES = {KEY: notion.CONTACTS, SMALL: notion.ENTITIES}
UNCHANGED_PER_SECOND, CHANGED_PER_SECOND = 4000, 2000
MEGABYTES, GROWTH = 300, 1.15


def measure(stage: Stage, options: Options, result: Result) -> None:
    stage.manage("migrate", "--verbosity", "0")
    data = stage.directory / "notion.sqlite3"
    sandbox = Sandbox(stage, data)
    sandbox.start()
    stage.manage("setup_notion", "--verbosity", "0")
    size = min(PAGES, options.rows(PAGES))
    _measure_reading(stage, sandbox, size, result)
    _measure_changes(stage, sandbox, size, result)
    _measure_speed(stage, sandbox, size, result)
    _measure_pushing(stage, min(PUSHED, options.rows(PUSHED)), result)
    _measure_lead(stage, result)
    if options.scale > 1:
        _measure_growth(stage, sandbox, size, options.rows(PAGES), result)


class Sandbox:
    """The local Notion, which is stopped while its data file is filled."""

    def __init__(self, stage: Stage, data: Path) -> None:
        self.stage = stage
        self.data = data

    def start(self) -> None:
        self.child = self.stage.sandbox(self.data)

    def fill(self, key: str, first: int, count: int) -> None:
        self.stage.stop(self.child)
        notion.fill(self.data, first, count, TITLES[key])
        self.start()

    def change(self, key: str, count: int, value: str) -> None:
        self.stage.stop(self.child)
        notion.change(self.data, count, value, TITLES[key])
        self.start()

    def read(self, key: str) -> float:
        """Seconds to fetch all pages and do nothing with them, once the sandbox has them at hand."""
        source = NotionDatabase.objects.get(key=key).data_source_id
        fetch = [sys.executable, "-m", "bench.fetch", f"http://{LOOPBACK}:{os.environ['SANDBOX_PORT']}", source]
        run(fetch)
        return float(run(fetch).stdout)


def sync(stage: Stage, *arguments: str) -> dict[str, Any]:
    """Runs `sync_notion` and returns what it printed, with its peak memory in megabytes."""
    done = stage.manage("sync_notion", "--format", "json", *arguments)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found | {"megabytes": round(done.megabytes, 1)}


def writes(report: dict[str, Any]) -> int:
    names = ("pushed", "created_notion", "trashed", "restored")
    return sum(counts[name] for counts in report["databases"].values() for name in names)


def _measure_reading(stage: Stage, sandbox: Sandbox, size: int, result: Result) -> None:
    sandbox.fill(KEY, 0, size)
    bare = sandbox.read(KEY)
    first = sync(stage, "--direction", "pull")
    idle = sync(stage)
    full = _full(stage, KEY, size, "unchanged")
    result.figures |= {
        "pages": size,
        "bare fetch of contacts, pages/s": round(size / bare),
        "first pull, pages/s": round(size / first["seconds"]),
        "first pull, requests": first["requests"],
        "peak memory, MB": full["megabytes"],
        "unchanged contacts/s": round(size / full["seconds"]),
    }
    result.at_most("first pull, requests to those needed", ratio(first["requests"], size), 1.05)
    result.at_most("nothing changed, requests", idle["requests"], 17)
    result.at_most("nothing changed, writes", writes(idle), 0)
    result.at_most(f"peak memory at {size:,} pages, MB", full["megabytes"], MEGABYTES)


def ratio(requests: int, pages: int) -> float:
    return round(requests / (-(-pages // PER_QUERY) + DATABASES), 3)


def _measure_changes(stage: Stage, sandbox: Sandbox, size: int, result: Result) -> None:
    """Contacts have four times as many properties as the pages that the wanted speed is for."""
    sandbox.change(KEY, size, "Braga")
    sandbox.read(KEY)
    changed = _full(stage, KEY, size, "pulled")
    _expect("contacts with the new city", Contact.objects.filter(city="Braga").count(), size)
    result.figures |= {"changed contacts/s": round(size / changed["seconds"])}


def _measure_speed(stage: Stage, sandbox: Sandbox, size: int, result: Result) -> None:
    """Pages with twelve properties of their own."""
    sandbox.fill(SMALL, 0, size)
    sync(stage, "--full", "--direction", "pull", "--database", SMALL)
    bare = sandbox.read(SMALL)
    unchanged = _full(stage, SMALL, size, "unchanged")
    sandbox.change(SMALL, size, "changed")
    sandbox.read(SMALL)
    changed = _full(stage, SMALL, size, "pulled")
    stored = BusinessEntity.objects.filter(api_keys_reference="changed").count()
    _expect("entities with the new value", stored, size)
    result.figures |= {"bare fetch, pages/s": round(size / bare)}
    result.at_least("unchanged pages/s", round(size / unchanged["seconds"]), UNCHANGED_PER_SECOND)
    result.at_least("changed pages/s", round(size / changed["seconds"]), CHANGED_PER_SECOND)


def _full(stage: Stage, key: str, size: int, count: str) -> dict[str, Any]:
    """Reads a whole database, of which all pages must come out as ``count``."""
    report = sync(stage, "--full", "--direction", "pull", "--database", key)
    _expect(count, report["databases"][key][count], size)
    return report


def _measure_pushing(stage: Stage, count: int, result: Result) -> None:
    chosen = Contact.objects.order_by("pk").values("pk")[:count]
    Contact.objects.filter(pk__in=chosen).update(city="Évora", company="Sample & Sons")
    pushed = sync(stage, "--direction", "push", "--database", KEY)
    _expect("pushed", pushed["databases"][KEY]["pushed"], count)
    result.figures |= {"pushed pages/s": round(count / pushed["seconds"], 1)}
    result.at_most("push, requests to changed pages", round(pushed["requests"] / count, 3), 1.02)


def _measure_lead(stage: Stage, result: Result) -> None:
    """One lead of flow 1: a write for each page that it makes, and one more."""
    stage.manage("seed", "--verbosity", "0")
    stage.manage("sync_notion", "--quiet")
    known = NotionPage.objects.count()
    store("single", 1)
    tasks.drain_inbox()
    _expect("processed", InboundEvent.objects.filter(status=InboundEvent.Status.PROCESSED).count(), 1)
    with NotionApi() as api, hold(wait=10) as held:
        assert held is not None
        reconcile(api, Job(direction="push", impatient=True), held, "bench")
        sent = api.sent["POST pages"] + api.sent["PATCH pages"]
    made = NotionPage.objects.filter(page_id__isnull=False).count() - known
    result.figures |= {"one lead, pages made": made, "one lead, writes": sent}
    result.at_most("one lead, writes beyond pages made", sent - made, 1)


def _measure_growth(stage: Stage, sandbox: Sandbox, before: int, size: int, result: Result) -> None:
    """Many more pages must not take more memory."""
    small = result.figures["peak memory, MB"]
    sandbox.fill(KEY, before, size - before)
    sync(stage, "--full", "--direction", "pull", "--database", KEY)
    bare = sandbox.read(KEY)
    full = _full(stage, KEY, size + 1, "unchanged")  # and the one lead from before
    result.figures |= {
        f"at {size:,} pages, bare fetch of contacts, pages/s": round(size / bare),
        f"at {size:,} pages, unchanged contacts/s": round(size / full["seconds"]),
    }
    result.at_most(f"peak memory at {size:,} pages, MB", full["megabytes"], MEGABYTES)
    result.at_most(f"memory at {size:,} to that at {before:,}", round(full["megabytes"] / small, 3), GROWTH)


def _expect(what: str, found: int, wanted: int) -> None:
    """A figure counts only when the work was done."""
    if found != wanted:
        raise RuntimeError(f"{what}: {found} of {wanted}")
