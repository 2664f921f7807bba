"""What happens when a page goes away. Absence is never proof: a missing page is asked for by its id."""

from __future__ import annotations

from django.utils import timezone

from notion_sync.client import NotionApi, NotShared
from notion_sync.engine.apply import Applier
from notion_sync.engine.counts import Counts
from notion_sync.engine.parting import archive, row_of
from notion_sync.engine.plan import Plan
from notion_sync.engine.records import describe
from notion_sync.engine.remote import Json, parent_of, trashed
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase, NotionPage, PendingDelete
from notion_sync.schema.binding import IN_TRASH

# More than this many at once, and more than this share of the database, wait for a person.
HANDFUL = 5
SHARE = 0.02
CHUNK = 500


def find(api: NotionApi, database: NotionDatabase, seen: set[str], counts: Counts, plan: Plan | None = None) -> None:
    """Looks for pages that a complete listing did not show, and for held ones that came back."""
    if plan is None:
        _clear_returned(database, seen)
    linked = NotionPage.objects.filter(
        database=database, in_trash=False, page_id__isnull=False, state=NotionPage.State.LINKED
    )
    absent = [pk for pk, page_id in linked.values_list("pk", "page_id").iterator() if page_id not in seen]
    missing = [
        tie for start in range(0, len(absent), CHUNK) for tie in linked.filter(pk__in=absent[start : start + CHUNK])
    ]
    _judge(api, database, missing, counts, plan)


def check(api: NotionApi, database: NotionDatabase, page_ids: list[str], counts: Counts) -> None:
    """Asks for single pages that are said to be gone."""
    ties = list(NotionPage.objects.filter(database=database, page_id__in=page_ids, in_trash=False))
    known = {tie.page_id for tie in ties}
    _judge(api, database, ties, counts, None)
    for page_id in page_ids:
        if page_id not in known:
            look_at(api, database, page_id, counts)


def _judge(
    api: NotionApi, database: NotionDatabase, missing: list[NotionPage], counts: Counts, plan: Plan | None
) -> None:
    """Archives what is in the trash or was moved away. More than a handful at once wait for a person."""
    gone: list[NotionPage] = []
    for tie in missing:
        page = _page(api, tie, counts, plan)
        if page is not None and (trashed(page) or not _here(database, page)):
            gone.append(tie)
        elif page is not None:
            Applier(api, database, counts, plan).apply([page])
    if gone:
        _require_database(api, database, plan)
    if plan is not None:
        for tie in gone:
            plan.add(f"archive here {describe(MAPPINGS[database.key], row_of(tie), tie)}")
        return
    total = NotionPage.objects.filter(database=database, in_trash=False, page_id__isnull=False).count()
    if len(gone) > max(HANDFUL, SHARE * total):
        _hold(database, gone, counts)
        return
    for tie in gone:
        archive(tie, counts)


def look_at(api: NotionApi, database: NotionDatabase, page_id: str, counts: Counts) -> None:
    """Reads one page by its id and does what its state asks for."""
    tie = NotionPage.objects.filter(page_id=page_id).first()
    try:
        page = api.page(page_id)
    except NotShared:
        if tie is not None:
            _lose(tie, counts)
        return
    # A page that was moved may stand for a row of another database than the one that was rung for.
    homes = [database, tie.database] if tie is not None else [database]
    home = None if trashed(page) else next((one for one in homes if _here(one, page)), None)
    if home is not None:
        Applier(api, home, counts).apply([page])
    elif tie is not None and not tie.in_trash:
        _require_database(api, tie.database, None)
        archive(tie, counts)


def _require_database(api: NotionApi, database: NotionDatabase, plan: Plan | None) -> None:
    """Pages also look trashed while their whole database is in the trash: then it is paused, and no row archived.

    Raises `NotShared`.
    """
    if not api.data_source(database.data_source_id).get("in_trash"):
        return
    if plan is None:
        database.pause(IN_TRASH)
    raise NotShared(IN_TRASH)


def _page(api: NotionApi, tie: NotionPage, counts: Counts, plan: Plan | None) -> Json | None:
    try:
        return api.page(tie.page_id or "")
    except NotShared:
        if plan is None:
            _lose(tie, counts)
        return None


def _here(database: NotionDatabase, page: Json) -> bool:
    return parent_of(page) in {database.data_source_id, database.database_id}


def _lose(tie: NotionPage, counts: Counts) -> None:
    """Deleted for good or not shared any more, which look the same: shown to people, and left as it is."""
    row = row_of(tie)
    message = (
        f"{describe(MAPPINGS[tie.database_id], row, tie)} cannot be reached in Notion: its page was deleted for good "
        "or is not shared any more. Share it again, or archive the record here."
    )
    tie.state, tie.error = NotionPage.State.LOST, message
    tie.save(update_fields=["state", "error"])
    counts.error(tie.database_id, message)


def _hold(database: NotionDatabase, ties: list[NotionPage], counts: Counts) -> None:
    held = set(PendingDelete.objects.filter(page__in=ties, decided_at__isnull=True).values_list("page_id", flat=True))
    mapping = MAPPINGS[database.key]
    PendingDelete.objects.bulk_create(
        PendingDelete(page=tie, database=database, record=describe(mapping, row_of(tie), tie)[:200])
        for tie in ties
        if tie.pk not in held
    )
    counts.error(
        database.key,
        f"“{database.title}”: {len(ties)} pages are gone in Notion at once. Nothing was archived here; approve or "
        "reject the held deletes in the admin.",
    )


def _clear_returned(database: NotionDatabase, seen: set[str]) -> None:
    for held in PendingDelete.objects.filter(database=database, decided_at__isnull=True).select_related("page"):
        if held.page.page_id in seen:
            held.decision, held.decided_at = PendingDelete.Decision.CLEARED, timezone.now()
            held.save(update_fields=["decision", "decided_at"])


def approve(held: PendingDelete, who: str) -> None:
    """Archives here what is gone in Notion."""
    archive(held.page, Counts())
    held.decision, held.decided_at, held.decided_by = PendingDelete.Decision.APPROVED, timezone.now(), who
    held.save(update_fields=["decision", "decided_at", "decided_by"])


def reject(api: NotionApi, held: PendingDelete, who: str) -> None:
    """Takes the page out of Notion's trash again."""
    api.update_page(held.page.page_id or "", {"in_trash": False})
    held.decision, held.decided_at, held.decided_by = PendingDelete.Decision.REJECTED, timezone.now(), who
    held.save(update_fields=["decision", "decided_at", "decided_by"])
