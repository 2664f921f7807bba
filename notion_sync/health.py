"""How the connection with Notion is, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from higherself.core import health
from higherself.core.health import DEGRADED, OK, Component
from notion_sync import budget
from notion_sync.engine.records import rows_manager
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase, NotionPage, PendingDelete, SyncConflict

# Counting over 16 tables at every probe would be a way to slow the server down from outside.
_KEPT_SECONDS = 3


@dataclass(frozen=True)
class Queue:
    """Rows that Notion has not got yet."""

    waiting: int
    oldest: datetime | None

    @property
    def lag(self) -> str:
        """In the unit that says it best."""
        seconds = self.lag_seconds
        if seconds < 120:
            return f"{seconds} s"
        return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"

    @property
    def lag_seconds(self) -> int:
        return round((timezone.now() - self.oldest).total_seconds()) if self.oldest else 0


def queue() -> Queue:
    found: Queue | None = cache.get("notion.queue")
    if found is None:
        waiting, oldest = 0, []
        for mapping in MAPPINGS.values():
            rows = rows_manager(mapping.model).filter(local_change_at__isnull=False)
            counted = rows.aggregate(number=Count("pk"), first=Min("local_change_at"))
            waiting += counted["number"]
            if counted["first"] is not None:
                oldest.append(counted["first"])
        found = Queue(waiting, min(oldest, default=None))
        cache.set("notion.queue", found, _KEPT_SECONDS)
    return found


@health.component("notion")
def notion() -> Component:
    state, waits = budget.current(), queue()
    facts: dict[str, Any] = {
        "base_url": settings.NOTION_BASE_URL,
        "waiting": waits.waiting,
        "oldest_waiting_seconds": waits.lag_seconds,
        "conflicts": SyncConflict.objects.filter(resolved_at__isnull=True).count(),
        "held_deletes": PendingDelete.objects.filter(decided_at__isnull=True).count(),
        "failing": NotionPage.objects.exclude(error="").count(),
    }
    queued = ngettext("%s change waiting", "%s changes waiting", waits.waiting) % f"{waits.waiting:,}"
    queued += _(", oldest %s") % waits.lag if waits.oldest else ""
    if state is not None and state.unreachable_since is not None:
        facts["unreachable_since"] = state.unreachable_since.isoformat()
        since = timezone.localtime(state.unreachable_since)
        return Component(
            DEGRADED,
            _("Notion is unreachable since %(since)s: you can work here, %(follow)s. %(error)s")
            % {
                "since": f"{since:%H:%M}",
                "follow": ngettext("%s change will follow", "%s changes will follow", waits.waiting)
                % f"{waits.waiting:,}",
                "error": state.last_error[:300],
            },
            facts,
        )
    if state is not None and state.refused_since is not None:
        facts["refused_since"] = state.refused_since.isoformat()
        since = timezone.localtime(state.refused_since)
        return Component(
            DEGRADED,
            f"Notion refuses the token since {since:%H:%M}: set NOTION_API_TOKEN to a valid one and restart; {queued}. "
            f"{state.last_error[:300]}",
            facts,
        )
    stopped = list(NotionDatabase.objects.filter(stopped_at__isnull=False))
    if stopped:
        facts["stopped"] = [row.key for row in stopped]
        names = ", ".join(f"{row.title or row.key} (by {row.stopped_by})" for row in stopped)
        queued += f"; paused by hand: {names}"
    paused = list(NotionDatabase.objects.filter(state=NotionDatabase.State.PAUSED, stopped_at__isnull=True))
    if paused:
        facts["paused"] = [row.key for row in paused]
        reasons = " ".join(f"{row.title or row.key}: {row.problem}" for row in paused)
        return Component(
            DEGRADED, f"Paused: {len(paused)} of {len(MAPPINGS)} databases; {queued}. {reasons[:1000]}", facts
        )
    if not NotionDatabase.objects.filter(state=NotionDatabase.State.OK).exists():
        return Component(DEGRADED, f"The databases are not set up: run `manage.py setup_notion`; {queued}.", facts)
    if facts["failing"]:
        words = ngettext(
            "%(n)s record could not be written or reached, and says why; %(queued)s.",
            "%(n)s records could not be written or reached, each says why; %(queued)s.",
            facts["failing"],
        )
        return Component(DEGRADED, words % {"n": f"{facts['failing']:,}", "queued": queued}, facts)
    return Component(OK, _("Notion is reachable, %s.") % queued, facts)
