"""The synchronisation in figures."""

from __future__ import annotations

from collections.abc import Iterator

from higherself.core.metrics import Gauge, gauges
from notion_sync import budget, health
from notion_sync.models import NotionPage, PendingDelete, SyncConflict


@gauges
def notion() -> Iterator[Gauge]:
    waits, state = health.queue(), budget.current()
    yield Gauge("higherself_notion_waiting", "Rows that Notion has not got yet", {(): float(waits.waiting)})
    yield Gauge("higherself_notion_lag_seconds", "Age of the oldest such row", {(): float(waits.lag_seconds)})
    conflicts = SyncConflict.objects.filter(resolved_at__isnull=True).count()
    yield Gauge("higherself_notion_conflicts", "Conflicts that nobody has decided", {(): float(conflicts)})
    held = PendingDelete.objects.filter(decided_at__isnull=True).count()
    yield Gauge("higherself_notion_held_deletes", "Deletes that wait for a person", {(): float(held)})
    failing = NotionPage.objects.exclude(error="").count()
    yield Gauge("higherself_notion_failing", "Records that Notion refuses", {(): float(failing)})
    if state is not None:
        requests = {(): float(state.requests)}
        yield Gauge("higherself_notion_requests", "Requests sent to Notion since the beginning", requests)
        limited = {(): float(state.rate_limited)}
        yield Gauge("higherself_notion_rate_limited", "Of these, answered 429", limited)
        reachable = {(): float(state.unreachable_since is None)}
        yield Gauge("higherself_notion_reachable", "1 while Notion answers, else 0", reachable)
