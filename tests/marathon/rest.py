"""What must hold once everything is at rest. Every violation is a sentence; none is an exception."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from higherself.core.history import NOTION, ChangeSet
from notion_sync.engine.records import PageIndex, Values, local_values, writable
from notion_sync.mapping import NotionMapping
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase, NotionPage, SyncConflict
from notion_sync.properties import Owner, Property, Relation
from tests.marathon.edits import ACTOR, Edit, Edits

# An edit in Notion between our look at the page and our write cannot be seen (docs/sync.md); seconds.
WINDOW = 2.5


def violations(edits: Edits) -> Iterator[str]:
    for key in MAPPINGS:
        yield from _of_one_database(edits, key)
    yield from _lost_edits(edits)


# -- both sides are equal ---------------------------------------------------------------------------------------------
def _of_one_database(edits: Edits, key: str) -> Iterator[str]:
    mapping, database = MAPPINGS[key], NotionDatabase.objects.get(key=key)
    if not database.usable:
        yield f"{key} is paused: {database.problem}"
        return
    ties = {tie.object_id: tie for tie in NotionPage.objects.filter(database_id=key)}
    rows = list(mapping.model._base_manager.order_by("pk"))
    for page in set(edits.pages(key)) - {tie.page_id for tie in ties.values()}:
        yield f"{key}: the page {page} has no record"
    index = PageIndex()
    local = local_values(mapping, rows, ties, index)
    for row in rows:
        tie = ties.get(row.pk)
        if tie is not None and tie.page_id in edits.hidden:
            continue
        if tie is None or not tie.page_id:
            if not row.is_archived:
                yield f"{key} {row.pk} has no page: {tie.error if tie else 'it was never tried'}"
            continue
        yield from _of_one_record(edits, row, tie, local[row.pk], index)


def _of_one_record(edits: Edits, row: Any, tie: NotionPage, local: Values, index: PageIndex) -> Iterator[str]:
    page = edits.notion.person.page(tie.page_id or "")
    name = f"{tie.database_id} {row.pk} ({tie.page_id})"
    if page["in_trash"] != row.is_archived:
        yield f"{name}: in the trash there {page['in_trash']}, archived here {row.is_archived}; {tie.error}"
    if page["in_trash"] or row.is_archived:
        return
    mapping = MAPPINGS[tie.database_id]
    for prop in writable(mapping):
        # Where a record came from is told along with something else.
        if prop.owner is Owner.NOTION or prop.attr == "sync_origin" or _has_issue(tie, prop):
            continue
        there, here = edits.in_notion(tie.database_id, tie.page_id or "", prop), local[prop.attr]
        if isinstance(prop, Relation):
            if not _same_links(edits, mapping, prop, (there, here), tie):
                yield f"{name}, {prop.name}: linked there {there}, here {here}; {tie.error}"
        # Notion's date-times have no seconds: ours stay here.
        elif not prop.same(there, here) and not (prop.type == "date" and prop.attr in tie.local_base):
            yield f"{name}, {prop.name}: there {there!r}, here {here!r}; {tie.error}"


def _same_links(
    edits: Edits, mapping: type[NotionMapping], prop: Relation, sides: tuple[list[str], list[str]], tie: NotionPage
) -> bool:
    """Without pages in the trash or out of sight, to which Notion shows no links."""
    pages = edits.notion.ws.pages
    there, here = ({one for one in side if one in pages and not pages[one].in_trash} for side in sides)
    if edits.hidden & {*there, *here, *(tie.base.get(prop.attr) or [])}:
        return True
    if not prop.many(mapping.model) and len(there) > 1:
        return len(here) == 1 and here < there
    return there == here


def _has_issue(tie: NotionPage, prop: Property) -> bool:
    return any(note.startswith(f"{prop.name}: ") for note in tie.issues)


# -- nothing was lost -----------------------------------------------------------------------------------------------
def _lost_edits(edits: Edits) -> Iterator[str]:
    kept: dict[tuple[str, int, str], list[Any]] = defaultdict(list)
    for key, pk, attr, value in SyncConflict.objects.values_list("database", "object_id", "field", "local_value"):
        kept[key, pk, attr].append(value)
    ours, theirs = _by_row(edits.ledger.ours), _by_row(edits.ledger.theirs)
    for key, pk, attr in sorted({*ours, *theirs}):
        mapping = MAPPINGS[key]
        row = mapping.model._base_manager.filter(pk=pk, archived_at__isnull=True).first()
        tie = NotionPage.objects.filter(database_id=key, object_id=pk, in_trash=False, state="linked").first()
        if row is None or tie is None or tie.page_id in edits.hidden or _has_issue(tie, mapping.property(attr)):
            continue
        fate = _Fate(edits, tie, mapping.property(attr), row)
        mine, their = ours.get((key, pk, attr)), theirs.get((key, pk, attr))
        if their and not fate.stands(their) and not fate.gave_way_to(their, mine):
            yield f"{fate.name}: Notion's {their.value!r} was lost; now {fate.now!r}, ours {mine}"
        if mine and not fate.stands(mine) and not fate.was_seen_there(mine, their):
            values = kept[key, pk, attr]
            if not any(fate.prop.same(value, mine.value) for value in values) and not fate.follows_a_rule(mine):
                yield f"{fate.name}: our {mine.value!r} was lost; now {fate.now!r}, Notion's {their}, kept {values}"


def _by_row(noted: dict[tuple[str, tuple[str, Any], str], Edit]) -> dict[tuple[str, int, str], Edit]:
    found = {}
    for (key, (kind, identity), attr), edit in noted.items():
        known = NotionPage.objects.filter(page_id=identity).first() if kind == "page" else None
        pk = identity if kind == "row" else known and known.object_id
        if pk:
            found[key, pk, attr] = edit
    return found


class _Fate:
    """What became of the edits of one property of one record."""

    def __init__(self, edits: Edits, tie: NotionPage, prop: Property, row: Any) -> None:
        self.edits, self.tie, self.prop = edits, tie, prop
        self.name = f"{tie.database_id} {row.pk}, {prop.name}"
        self.now = prop.get(row)
        notes = ChangeSet.objects.filter(model=row._meta.label_lower, record_id=row.pk)
        self.notes = [note for note in notes if prop.attr in note.changes]

    def stands(self, edit: Edit) -> bool:
        """It is the value of today, or changed nothing."""
        return self.prop.same(self.now, edit.value) or self.prop.same(edit.value, edit.before)

    def gave_way_to(self, their: Edit, mine: Edit | None) -> bool:
        """Ours was made in the knowledge of theirs, or theirs came in the moment that nobody can see."""
        if mine and self.prop.same(self.now, mine.value):
            if self.prop.same(mine.before, their.value) or self._was_pulled(their):
                return True
            if their.during_a_run and self._seconds_until_we_wrote(their) < WINDOW:
                return True
        return self.follows_a_rule(their)

    def was_seen_there(self, mine: Edit, their: Edit | None) -> bool:
        """Notion had ours when a person changed it."""
        return their is not None and self.prop.same(their.before, mine.value)

    def follows_a_rule(self, edit: Edit) -> bool:
        """The server changed it after that, and its history says so."""
        later = [note for note in self.notes if note.at.timestamp() > edit.at - 0.5]
        return any(note.actor != ACTOR and note.origin != NOTION for note in later)

    def _was_pulled(self, their: Edit) -> bool:
        pulled = [note.changes[self.prop.attr] for note in self.notes if note.origin == NOTION]
        return any(str(change[1]) == str(their.value) for change in pulled)

    def _seconds_until_we_wrote(self, their: Edit) -> float:
        ours = [moment for moment, page in self.edits.written if page == their.page and moment > their.at]
        return min(ours, default=float("inf")) - their.at
