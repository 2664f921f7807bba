"""What the synchronisation puts on the console's home page, and the banner while Notion is away."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from higherself.core.admin import Matter, Notice, bounded, cells, matters, notices
from notion_sync import budget, health
from notion_sync.models import NotionDatabase, NotionPage, PendingDelete, RequestBudget, SyncConflict

# How long after an outage every page says that it is over.
SAID_FOR = timedelta(hours=1)


@notices
def notion_is_away() -> list[Notice]:
    """From the row that every request to Notion updates: asking costs nothing."""
    state = budget.current()
    if state is None:
        return []
    if state.unreachable_since is None:
        return _is_back(state)
    since = timezone.localtime(state.unreachable_since)
    waiting = health.queue().waiting
    changes = ngettext("%(n)d change will follow", "%(n)d changes will follow", waiting) % {"n": waiting}
    text = _("Notion is unreachable since %(since)s: you can go on working here, %(changes)s.")
    return [
        Notice(
            text % {"since": f"{since:%H:%M}", "changes": changes},
            url=reverse("admin:sync_overview"),
            link=_("Look"),
        )
    ]


def _is_back(state: RequestBudget) -> list[Notice]:
    """For a while after an outage: that it is over, and what of ours was overruled by it."""
    if state.outage_from is None or state.outage_to is None or timezone.now() - state.outage_to > SAID_FOR:
        return []
    waiting = health.queue().waiting
    overruled = bounded(SyncConflict.objects.filter(detected_at__gte=state.outage_from))
    text = _("Notion is back since %(time)s.") % {"time": f"{timezone.localtime(state.outage_to):%H:%M}"} + " "
    text += (
        ngettext("%(n)d change is on its way.", "%(n)d changes are on their way.", waiting) % {"n": waiting}
        if waiting
        else _("All that was done here meanwhile is there.")
    )
    if not overruled:
        return [Notice(text, "good", icon="cloud_done")]
    text += " " + ngettext("%(n)d value was overruled.", "%(n)d values were overruled.", overruled) % {"n": overruled}
    return [Notice(text, "warn", cells.list_url(SyncConflict, "since=outage"), _("Look"), icon="cloud_done")]


@matters
def what_waits() -> list[Matter]:
    return [item for item in (_conflicts(), _deletes(), _failing(), _paused()) if item.count]


def _conflicts() -> Matter:
    number = bounded(SyncConflict.objects.filter(resolved_at__isnull=True))
    return Matter(
        "conflicts",
        ngettext("conflict is open", "conflicts are open", number),
        number,
        cells.list_url(SyncConflict, "state=open"),
        hint=_("Changed here and in Notion: Notion's value stands, ours is kept."),
        icon="compare_arrows",
        permission="notion_sync.view_syncconflict",
    )


def _deletes() -> Matter:
    number = bounded(PendingDelete.objects.filter(decided_at__isnull=True))
    return Matter(
        "deletes",
        ngettext("delete is held", "deletes are held", number),
        number,
        cells.list_url(PendingDelete, "state=open"),
        hint=_("Many pages went missing at once. Nothing was archived here."),
        icon="delete_history",
        permission="notion_sync.view_pendingdelete",
    )


def _failing() -> Matter:
    number = bounded(NotionPage.objects.exclude(error=""))
    return Matter(
        "failing",
        ngettext("record is refused by Notion", "records are refused by Notion", number),
        number,
        cells.list_url(NotionPage, "condition=refused"),
        "bad",
        _("Each says why; it is tried again by itself, or at once by a button."),
        icon="sync_problem",
        permission="notion_sync.view_notionpage",
    )


def _paused() -> Matter:
    number = bounded(NotionDatabase.objects.filter(state=NotionDatabase.State.PAUSED))
    return Matter(
        "databases",
        ngettext("database is paused", "databases are paused", number),
        number,
        cells.list_url(NotionDatabase, "state__exact=paused"),
        "bad",
        _("It does not fit what the server expects; each says what to change."),
        icon="database",
        permission="notion_sync.view_notiondatabase",
    )
