"""What staff can have done about the synchronisation, from the console: now, for these records, with their name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from higherself.core import jobs
from higherself.core.errors import Conflict, Permanent, Retryable
from higherself.core.models import Record
from notion_sync.budget import Lane
from notion_sync.client import NotionApi
from notion_sync.engine import deletes
from notion_sync.engine.counts import Counts
from notion_sync.engine.lease import hold
from notion_sync.engine.pull import Puller, refuse_unusable
from notion_sync.engine.push import Pusher
from notion_sync.engine.records import UNBORN, rows_manager
from notion_sync.mapping import NotionMapping
from notion_sync.mappings import MAPPINGS, mapping_for
from notion_sync.models import NotionDatabase, NotionPage, PendingDelete, SyncConflict
from notion_sync.properties import Relation
from notion_sync.schema.binding import usable

# A person waits at the other end; in seconds.
PATIENCE = 15.0
WAIT_FOR_OTHERS = 6.0


def pull_now(rows: Sequence[Record]) -> Counts:
    """Reads these records' pages in Notion and takes over what people changed there."""
    return _now(rows, pull=True, push=False)


def push_now(rows: Sequence[Record]) -> Counts:
    """Carries what waits in these records to Notion; reads their pages first, so that no edit is overwritten unseen."""
    return _now(rows, pull=True, push=True)


def _now(rows: Sequence[Record], *, pull: bool, push: bool) -> Counts:
    mapping = mapping_for(type(rows[0])) if rows else None
    if mapping is None:
        raise Permanent(_("These records are not kept in Notion."))
    counts = Counts()
    with NotionApi(lane=Lane.STAFF, patience=PATIENCE) as api, hold(wait=WAIT_FOR_OTHERS) as held:
        if held is None:
            jobs.wake("push_to_notion")
            raise Retryable(_("A synchronisation is running; what waits is carried over by it. Look again shortly."))
        database = usable(api, [mapping.key])[0]
        refuse_unusable(database)
        ids = [row.pk for row in rows]
        puller, pusher = Puller(api, database, counts), Pusher(api, database, counts, impatient=True)
        for row_id in ids:  # one after the other, so that what was read is not old when it is written
            if pull:
                puller.pages(_page_ids(mapping, [row_id]))
            if push:
                pusher.push_rows(list(rows_manager(mapping.model).filter(pk=row_id)))
    return counts


def _page_ids(mapping: type[NotionMapping], row_ids: list[int]) -> list[str]:
    ties = NotionPage.objects.filter(database_id=mapping.key, object_id__in=row_ids, page_id__isnull=False)
    return [page_id for page_id in ties.exclude(in_trash=True).values_list("page_id", flat=True) if page_id]


# -- failures -------------------------------------------------------------------------------------------------------
def retry(pages: Iterable[NotionPage]) -> int:
    """Ends the pause of records that Notion refused, and has them tried again."""
    ids = [page.pk for page in pages]
    done = NotionPage.objects.filter(pk__in=ids).exclude(error="").update(next_attempt_at=None, attempts=0)
    if done:
        jobs.wake("push_to_notion")
    return done


# -- conflicts ------------------------------------------------------------------------------------------------------
def apply_ours(conflict: SyncConflict, who: str) -> None:
    """Sets the overruled local value again, so that it is pushed. Raises `Conflict` when that is not possible."""
    with transaction.atomic():
        open_one = _open(conflict)
        mapping = MAPPINGS[open_one.database_id]
        row = rows_manager(mapping.model).filter(pk=open_one.object_id).first()
        if row is None:
            raise Conflict(_("%(record)s is no longer here.") % {"record": open_one.record})
        try:
            with transaction.atomic():
                _set(mapping, row, open_one)
        except IntegrityError as error:
            text = _("%(record)s: this value of “%(name)s” belongs to another record by now.")
            raise Conflict(text % {"record": open_one.record, "name": open_one.property_name}) from error
        _resolve(open_one, SyncConflict.Resolution.OURS, who)
    _copy(open_one, conflict)


def keep_notions(conflict: SyncConflict, who: str) -> None:
    """Notion's value stands already; the conflict is only closed."""
    with transaction.atomic():
        open_one = _open(conflict)
        _resolve(open_one, SyncConflict.Resolution.NOTION, who)
    _copy(open_one, conflict)


def _open(conflict: SyncConflict) -> SyncConflict:
    """The conflict as it is now, locked; somebody else may have decided meanwhile."""
    found = SyncConflict.objects.select_for_update(of=("self",)).get(pk=conflict.pk)
    if found.resolved_at is not None:
        text = _("“%(conflict)s” was decided already, by %(who)s.")
        raise Conflict(text % {"conflict": found, "who": found.resolved_by or "?"})
    return found


def _resolve(conflict: SyncConflict, resolution: str, who: str) -> None:
    conflict.resolution, conflict.resolved_at, conflict.resolved_by = resolution, timezone.now(), who[:150]
    conflict.save(update_fields=["resolution", "resolved_at", "resolved_by"])


def _copy(source: SyncConflict, target: SyncConflict) -> None:
    for name in ("resolution", "resolved_at", "resolved_by"):
        setattr(target, name, getattr(source, name))


def _set(mapping: type[NotionMapping], row: Record, conflict: SyncConflict) -> None:
    prop = mapping.property(conflict.field)
    if isinstance(prop, Relation):
        _relate(mapping, row, prop, conflict)
    else:
        prop.set(row, conflict.local_value)
        row.save(update_fields=list(prop.columns))


def _relate(mapping: type[NotionMapping], row: Record, prop: Relation, conflict: SyncConflict) -> None:
    """Sets a relation from canonical ids: pages that are known here, rows without a page, and pages unknown here."""
    wanted = [str(item) for item in conflict.local_value or []]
    unborn = [int(item.rpartition(":")[2]) for item in wanted if item.startswith(UNBORN)]
    page_ids = [item for item in wanted if not item.startswith(UNBORN)]
    ties = NotionPage.objects.filter(database_id=prop.to, page_id__in=page_ids, object_id__isnull=False)
    known = dict(ties.values_list("page_id", "object_id"))
    row_ids = [*known.values(), *unborn]
    target = MAPPINGS[prop.to].model
    present = list(rows_manager(target).filter(pk__in=row_ids).values_list("pk", flat=True))
    if prop.many(mapping.model):
        getattr(row, prop.attr).set(present)
        row.save(update_fields=[])
    else:
        setattr(row, mapping.model_field(prop).attname, present[0] if present else None)
        row.save(update_fields=[prop.attr])
    tie = conflict.page
    unknown = sorted(set(page_ids) - set(known))
    tie.unresolved = {key: value for key, value in tie.unresolved.items() if key != prop.attr}
    if unknown:
        tie.unresolved[prop.attr] = unknown
    tie.save(update_fields=["unresolved"])


# -- held deletes ---------------------------------------------------------------------------------------------------
def approve(held: Iterable[PendingDelete], who: str) -> int:
    """Archives here what is gone in Notion."""
    done = 0
    for item in held:
        with transaction.atomic():
            fresh = PendingDelete.objects.select_for_update(of=("self",)).select_related("page").get(pk=item.pk)
            if fresh.decided_at is None:
                deletes.approve(fresh, who)
                done += 1
    return done


def reject(held: Iterable[PendingDelete], who: str) -> int:
    """Takes the pages out of Notion's trash again. Raises what Notion answers when it refuses."""
    done = 0
    with NotionApi(lane=Lane.STAFF, patience=PATIENCE) as api:
        for item in held:
            fresh = PendingDelete.objects.select_related("page").get(pk=item.pk)
            if fresh.decided_at is None:
                deletes.reject(api, fresh, who)
                done += 1
    return done


# -- pausing --------------------------------------------------------------------------------------------------------
def stop(databases: Iterable[NotionDatabase], who: str) -> int:
    """Leaves these databases alone, both ways, until `resume`; changes made here wait. Returns how many are new."""
    keys = [database.key for database in databases]
    rows = NotionDatabase.objects.filter(key__in=keys, stopped_at__isnull=True)
    return rows.update(stopped_at=timezone.now(), stopped_by=who[:150])


def resume(databases: Iterable[NotionDatabase]) -> int:
    """Goes on with them: what people changed in Notion meanwhile is read, then what waits is carried over."""
    keys = [database.key for database in databases]
    rows = NotionDatabase.objects.filter(key__in=keys, stopped_at__isnull=False)
    done = rows.update(stopped_at=None, stopped_by="")
    if done:
        run_now()
    return done


# -- figures --------------------------------------------------------------------------------------------------------
def waiting_by_database() -> dict[str, int]:
    """How many records of each database wait for Notion; each count reads a partial index of just these."""
    return {
        key: rows_manager(mapping.model).filter(local_change_at__isnull=False).count()
        for key, mapping in MAPPINGS.items()
    }


def run_now(*, everything: bool = False) -> None:
    """Asks for a synchronisation as soon as a worker is free."""
    for name in ("sweep_notion",) if everything else ("poll_notion", "push_to_notion"):
        jobs.wake(name)
