"""Which runs of the synchronisation may be cleared away."""

from __future__ import annotations

from higherself.core.retention import rule
from notion_sync.models import SyncRun

rule(
    "runs of the synchronisation",
    setting="sync_runs",
    column="started_at",
    rows=lambda: SyncRun.objects.filter(finished_at__isnull=False),
)
