"""What the synchronisation puts on the console's home page, and the banner while Notion is away."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from higherself.core.admin import Matter, Notice, bounded, cells, matters, notices
from notion_sync import budget, health
from notion_sync.models import NotionDatabase, NotionPage, PendingDelete, SyncConflict


@notices
def notion_is_away() -> list[Notice]:
    """From the row that every request to Notion updates: asking costs nothing."""
    state = budget.current()
    if state is None or state.unreachable_since is None:
        return []
    since = timezone.localtime(state.unreachable_since)
    waiting = health.queue().waiting
    changes = ngettext("%(n)d change will follow", "%(n)d changes will follow", waiting) % {"n": waiting}
    text = _("Notion is unreachable since %(since)s: you can go on working here, %(changes)s.")
    return [
        Notice(
            text % {"since": f"{since:%H:%M}", "changes": changes},
            url=reverse("admin:notion_sync_requestbudget_changelist"),
            link=_("Why?"),
        )
    ]


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
