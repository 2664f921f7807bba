"""The synchronisation on one page: how it is, what it is doing, and each database with its buttons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from datetime import timezone as zones
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from higherself.core.admin import bounded, cells, shown, staff_page, tone_of
from notion_sync import budget, health
from notion_sync.admin.words import COUNTS, said
from notion_sync.engine.lease import SYNC
from notion_sync.engine.records import rows_manager
from notion_sync.engine.run import PULL
from notion_sync.mappings import MAPPINGS
from notion_sync.models import Lease, NotionDatabase, NotionPage, RequestBudget, SyncConflict, SyncRun

TEMPLATE = "console/pages/sync.html"
LIVE = "console/pages/sync_live.html"
PERMISSION = "notion_sync.view_notiondatabase"
RUNS = 8
# Counting sixteen tables is for a person who looks, not for every request. Seconds.
KEPT_SECONDS = 5


@dataclass(frozen=True)
class Row:
    """One database of the table."""

    database: NotionDatabase
    title: str
    url: str
    records: str
    waiting: int
    oldest: datetime | None
    last: dict[str, Any]
    list_url: str

    @property
    def lag(self) -> str:
        return cells.span((timezone.now() - self.oldest).total_seconds()) if self.oldest else ""

    @property
    def chip(self) -> Any:
        if self.database.is_stopped:
            return cells.chip(_("paused by %(who)s") % {"who": self.database.stopped_by}, "warn")
        words = {"ok": "good", "paused": "bad", "unknown": "warn"}
        return cells.chip(self.database.get_state_display(), words.get(self.database.state, "calm"))

    @property
    def stop_url(self) -> str:
        return reverse("admin:notion_sync_notiondatabase_do", args=[self.database.pk, "stop"])

    @property
    def resume_url(self) -> str:
        return reverse("admin:notion_sync_notiondatabase_do", args=[self.database.pk, "go_on"])

    @property
    def did(self) -> str:
        return said(self.last.get("counts", {})) or cells.NOTHING

    @property
    def read(self) -> Any:
        return cells.moment(self.database.pulled_at)

    @property
    def written(self) -> Any:
        return cells.moment(self.database.pushed_at)

    @property
    def compared(self) -> Any:
        return cells.moment(self.database.swept_at)


@staff_page("sync/", name="sync_overview", permission=PERMISSION)
def overview(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    rows = _rows()
    first = rows[0].database if rows else None
    context = _live() | {
        "rows": rows,
        "runs": _runs(),
        "may": user.has_perm("notion_sync.change_notiondatabase"),
        "may_see_runs": user.has_perm("notion_sync.view_syncrun"),
        "here": request.path,
        "live_url": reverse("admin:sync_live"),
        "sync_url": reverse("admin:notion_sync_notiondatabase_do", args=[first.pk, "sync_now"]) if first else "",
        "compare_url": reverse("admin:notion_sync_notiondatabase_do", args=[first.pk, "compare_all"]) if first else "",
        "conflicts": bounded(SyncConflict.objects.filter(resolved_at__isnull=True)),
        "conflicts_url": cells.list_url(SyncConflict, "state=open"),
        "refused": bounded(NotionPage.objects.exclude(error="")),
        "refused_url": cells.list_url(NotionPage, "condition=refused"),
        "outage": _outage(),
    }
    return shown(request, TEMPLATE, _("Synchronisation with Notion"), context)


@staff_page("sync/live/", name="sync_live", permission=PERMISSION)
def live(request: HttpRequest) -> HttpResponse:
    """The part of the page that is fetched again every few seconds."""
    return render(request, LIVE, _live())


def _live() -> dict[str, Any]:
    state, lease = budget.current(), Lease.objects.filter(name=SYNC).first()
    part = health.notion()
    return {
        "sentence": part.summary,
        "tone": "good" if part.status == "ok" else "warn",
        "budget": _budget(state),
        "doing": _doing(lease),
    }


def _budget(state: RequestBudget | None) -> dict[str, Any]:
    """How much of the minute's requests is used; Notion's limit is none where pacing is off."""
    now = datetime.now(zones.utc).timestamp()
    used = sum(at > now - budget.WINDOW for at in state.grants) if state else 0
    allowed = settings.NOTION_REQUESTS_PER_MINUTE
    paused = max(state.paused_until - now, 0.0) if state else 0.0
    return {
        "used": used,
        "allowed": allowed,
        "percent": min(round(100 * used / allowed), 100) if allowed else 0,
        "paused": cells.span(paused) if paused else "",
        "reason": state.paused_reason if state else "",
        "total": state.requests if state else 0,
        "limited": state.rate_limited if state else 0,
    }


def _doing(lease: Lease | None) -> dict[str, Any]:
    """What a run is at, where one is under way."""
    if lease is None or not lease.holder or lease.until <= timezone.now():
        return {}
    now: dict[str, Any] = lease.progress if isinstance(lease.progress, dict) else {}
    since = parse_datetime(str(now.get("since", "")))
    total = now.get("total") or 0
    return {
        "holder": lease.holder,
        "title": now.get("title", ""),
        "word": _("reading") if now.get("direction") == PULL else _("writing"),
        "done": now.get("done", 0),
        "total": total,
        "percent": min(round(100 * now.get("done", 0) / total), 100) if total else None,
        "since": cells.moment(since) if since else "",
    }


def _outage() -> dict[str, Any]:
    """The last time that Notion was away, and what was overruled because of it."""
    state = budget.current()
    if state is None or state.outage_from is None or state.outage_to is None:
        return {}
    return {
        "from": timezone.localtime(state.outage_from),
        "to": timezone.localtime(state.outage_to),
        "overruled": bounded(SyncConflict.objects.filter(detected_at__gte=state.outage_from)),
        "url": cells.list_url(SyncConflict, "since=outage"),
    }


def _runs() -> list[dict[str, Any]]:
    found = []
    for run in SyncRun.objects.order_by("-started_at")[:RUNS]:
        totals = {name: sum(counts.get(name, 0) for counts in run.counts.values()) for name in COUNTS}
        found.append(
            {
                "url": cells.change_url(SyncRun, run.pk),
                "when": cells.moment(run.started_at),
                "trigger": run.trigger,
                "chip": cells.chip(run.get_status_display(), tone_of(run.status)),
                "did": said(totals) or cells.NOTHING,
                "requests": run.requests,
                "error": run.error[:200],
            }
        )
    return found


def _rows() -> list[Row]:
    stored = {row.key: row for row in NotionDatabase.objects.all()}
    counted, last = _counted(), _last_runs()
    return [
        Row(
            stored[key],
            mapping.title,
            stored[key].url,
            counted[key][0],
            counted[key][1],
            counted[key][2],
            last.get(key, {}),
            cells.list_url(mapping.model, "notion=waiting"),
        )
        for key, mapping in MAPPINGS.items()
        if key in stored
    ]


def _counted() -> dict[str, tuple[str, int, datetime | None]]:
    """For each database: its records (no further than is worth knowing), what waits, and since when the oldest."""
    found: dict[str, tuple[str, int, datetime | None]] | None = cache.get("console.sync.counted")
    if found is None:
        found = {key: _count(mapping.model) for key, mapping in MAPPINGS.items()}
        cache.set("console.sync.counted", found, KEPT_SECONDS)
    return found


def _count(model: Any) -> tuple[str, int, datetime | None]:
    number = bounded(model.objects.live())
    rows = rows_manager(model).filter(local_change_at__isnull=False)
    counted = rows.aggregate(number=Count("pk"), first=Min("local_change_at"))
    return ("1,000+" if number > 1000 else f"{number:,}"), counted["number"], counted["first"]


def _last_runs() -> dict[str, dict[str, Any]]:
    """The last of the newest runs that did something in each database."""
    found: dict[str, dict[str, Any]] = {}
    for run in SyncRun.objects.order_by("-started_at")[:50]:
        for key, counts in run.counts.items():
            found.setdefault(key, {"at": run.started_at, "counts": counts, "url": cells.change_url(SyncRun, run.pk)})
    return found
