"""What the synchronisation adds to the sixteen records' lists and pages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from higherself.core.admin import TOP, Answer, Bridge, Panel, RowAction, cells, panel, set_bridge
from higherself.core.models import Record
from notion_sync import actions
from notion_sync.admin.words import COUNTS, said
from notion_sync.engine.counts import Counts
from notion_sync.mappings import mapping_for
from notion_sync.models import NotionDatabase, NotionPage, SyncConflict

# Each record costs a request or two, and a person waits.
MOST_AT_ONCE = 20


def _push(_request: HttpRequest, rows: list[Record]) -> Answer:
    return _too_many(rows) or _told(actions.push_now(rows), _("Notion has it."))


def _pull(_request: HttpRequest, rows: list[Record]) -> Answer:
    return _too_many(rows) or _told(actions.pull_now(rows), _("Equal with Notion."))


def _too_many(rows: list[Record]) -> Answer | None:
    if len(rows) <= MOST_AT_ONCE:
        return None
    text = _("Choose at most %(most)d records; for all that waits use “Synchronise now” under Databases.")
    return messages.WARNING, text % {"most": MOST_AT_ONCE}


def _told(counts: Counts, nothing: str) -> Answer:
    if counts.messages:
        return messages.ERROR, " ".join(counts.messages[:5])
    did = said({name: counts.total(name) for name in COUNTS})
    if counts.total("conflicts"):
        did += ": " + _("Notion's value stands, ours is kept under Conflicts")
    return messages.SUCCESS, f"{did}." if did else nothing


PUSH = RowAction("push_now", gettext_lazy("Push to Notion now"), _push, icon="cloud_upload")
PULL = RowAction("pull_now", gettext_lazy("Pull from Notion now"), _pull, icon="cloud_download")


class NotionBridge(Bridge):
    actions = (PUSH, PULL)

    def annotate(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        mapping = mapping_for(queryset.model)
        if mapping is None:
            return queryset
        ties = NotionPage.objects.filter(database_id=mapping.key, object_id=OuterRef("pk"))
        return queryset.annotate(
            notion_url=Subquery(ties.filter(in_trash=False).values("url")[:1]),
            notion_error=Subquery(ties.values("error")[:1]),
        )

    def failing(self, model: type[Record]) -> Any:
        mapping = mapping_for(model)
        ties = NotionPage.objects.filter(database_id=mapping.key if mapping else "", object_id__isnull=False)
        return ties.exclude(error="").values("object_id")


set_bridge(NotionBridge())


@panel(Record)
def notion(_request: HttpRequest, row: Record) -> Panel | None:
    """Where the record is in Notion, and how equal."""
    mapping = mapping_for(type(row))
    if mapping is None:
        return None
    tie = NotionPage.objects.filter(database_id=mapping.key, object_id=row.pk).first()
    database = NotionDatabase.objects.filter(key=mapping.key).first()
    open_conflicts = list(
        SyncConflict.objects.filter(database_id=mapping.key, object_id=row.pk, resolved_at__isnull=True)[:20]
    )
    context = {
        "state": _state(row, tie),
        "page_link": cells.web_link(page_url(tie), _("Open in Notion")) if tie and tie.page_id else "",
        "synced": cells.moment(tie.synced_at) if tie else "",
        "edited": cells.moment(tie.edited_at) if tie and tie.edited_at else "",
        "waiting": cells.moment(row.local_change_at) if row.local_change_at else "",
        "tie": tie,
        "tie_url": cells.change_url(NotionPage, tie.pk) if tie else "",
        "next": cells.moment(tie.next_attempt_at) if tie and tie.next_attempt_at else "",
        "database_problem": database.problem if database else _("Notion is not set up: run `manage.py setup_notion`."),
        "conflicts": [(item, cells.change_url(SyncConflict, item.pk)) for item in open_conflicts],
        "unresolved": sum(map(len, tie.unresolved.values())) if tie else 0,
    }
    return Panel("Notion", "console/notion.html", context, place=TOP, order=40, icon="sync")


def _state(row: Record, tie: NotionPage | None) -> Any:
    if tie is not None and tie.state == NotionPage.State.LOST:
        return cells.chip(_("not reachable"), "bad")
    if tie is not None and tie.error:
        return cells.chip(_("refused"), "bad")
    if row.sync_paused:
        return cells.chip(_("paused"), "warn")
    if row.local_change_at is not None:
        return cells.chip(_("waiting"), "busy")
    if tie is not None and tie.in_trash:
        return cells.chip(_("in Notion's trash"), "calm")
    return cells.chip(_("equal"), "good") if tie and tie.page_id else cells.chip(_("not there yet"), "calm")


def page_url(tie: NotionPage) -> str:
    """The page's address: as Notion gave it, or made from its id."""
    if tie.url or not tie.page_id:
        return tie.url
    base = settings.NOTION_BASE_URL if settings.SANDBOX_ENABLED else "https://www.notion.so"
    return f"{base}/{tie.page_id.replace('-', '')}"
