"""A row and its page part: the page went to the trash, or to another database. Nothing is deleted."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from higherself.core import history
from higherself.core.history.recording import note
from higherself.core.history.values import plain
from higherself.core.models import Record
from notion_sync.engine.counts import Counts
from notion_sync.engine.records import rows_manager
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionPage, PendingDelete


@transaction.atomic
def archive(tie: NotionPage, counts: Counts) -> None:
    """The page is in Notion's trash, so the row is put aside here. Nothing is deleted."""
    row = row_of(tie)
    now = timezone.now()
    tie.in_trash, tie.synced_at = True, now
    tie.save(update_fields=["in_trash", "synced_at"])
    if row is not None:
        # Not marked as waiting: this is Notion's own news. Edits that wait stay waiting for a restore.
        rows_manager(type(row)).filter(pk=row.pk).update(
            archived_at=row.archived_at or now, local_change_at=None, updated_at=now
        )
        if row.archived_at is None:
            with history.by("Notion", history.NOTION):
                note(type(row), row.pk, {"archived_at": [None, plain(now)]})
    counts.add(tie.database_id, "trashed")


@transaction.atomic
def release(tie: NotionPage, to: str, counts: Counts) -> None:
    """A person moved the page into ``to``, another of the 16 databases, where it is a record of its own from now on.

    The row that it stood for is put aside like one whose page is in the trash. Restoring it creates a page anew.
    """
    if not tie.in_trash:
        archive(tie, counts)
    tie.page_id, tie.state, tie.seen, tie.url = None, NotionPage.State.LINKED, "", ""
    tie.base, tie.local_base, tie.unresolved, tie.issues = {}, {}, {}, []
    tie.error, tie.attempts, tie.next_attempt_at = "", 0, None
    tie.save()
    # Where it was one of many that went at once: what became of it is known now.
    PendingDelete.objects.filter(page=tie, decided_at__isnull=True).update(
        decision=PendingDelete.Decision.APPROVED, decided_at=timezone.now(), decided_by=f"server: moved to “{to}”"[:150]
    )


def row_of(tie: NotionPage) -> Record | None:
    if tie.object_id is None:
        return None
    found: Record | None = rows_manager(MAPPINGS[tie.database_id].model).filter(pk=tie.object_id).first()
    return found
