"""Applies pages as Notion has them to our rows, a batch in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from higherself.core.history import NOTION
from higherself.core.history.recording import draft
from higherself.core.history.values import differences
from higherself.core.models import Record
from higherself.core.signals import record_pulled, value_refused
from notion_sync.client import NotionApi
from notion_sync.engine import remote as remote_side
from notion_sync.engine import writing
from notion_sync.engine.counts import Counts
from notion_sync.engine.hidden import Hidden
from notion_sync.engine.matching import Matcher
from notion_sync.engine.merge import Action, decide, first_meeting
from notion_sync.engine.parting import release
from notion_sync.engine.plan import Plan, plan_meetings
from notion_sync.engine.records import PageIndex, Values, is_empty, is_unborn, local_values, lock, writable
from notion_sync.engine.remote import Json
from notion_sync.engine.requests import ask
from notion_sync.engine.seen import Seen
from notion_sync.mapping import NotionMapping
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase, NotionPage, SyncConflict
from notion_sync.properties import Owner, Property, Relation


@dataclass
class Meeting:
    """One page and its row while they are compared."""

    page: Json
    tie: NotionPage
    tie_before: tuple[Any, ...] | None
    row: Record
    remote: Values
    local: Values
    is_new: bool = False
    first: bool = False
    columns: set[str] = field(default_factory=set)
    links: dict[str, list[int]] = field(default_factory=dict)
    changed: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    requests: dict[str, Any] = field(default_factory=dict)
    # What could not be read, by field: why.
    refused: dict[str, str] = field(default_factory=dict)
    conflicts: list[SyncConflict] = field(default_factory=list)
    needs_push: bool = False
    waits: bool = False
    tie_changed: bool = False


class Applier:
    """Brings pages of one database over. With a ``plan`` it only says what it would do."""

    def __init__(self, api: NotionApi, database: NotionDatabase, counts: Counts, plan: Plan | None = None) -> None:
        self.plan = plan
        self.api = api
        self.database = database
        self.mapping: type[NotionMapping] = MAPPINGS[database.key]
        self.counts = counts
        self.index = PageIndex()
        self.seen = Seen(self.mapping, database, self.index)
        self.hidden = Hidden(api)

    def apply(self, pages: list[Json], *, settled: dict[str, Values] | None = None) -> None:
        """Merges the pages. ``settled`` holds, by page id, the values that we have just written to a page."""
        by_id = {page["id"]: page for page in pages}
        if not settled:
            by_id = self._without_unchanged(by_id)
        if not by_id:
            return
        remotes = {key: remote_side.read(self.api, self.mapping, self.database, page) for key, page in by_id.items()}
        if self.mapping.relations:
            self.hidden.show(self.mapping, remotes)
        with transaction.atomic():
            meetings = self._meet(by_id, remotes)
            for meeting in meetings:
                if settled and meeting.page["id"] in settled:
                    self._settle(meeting, settled[meeting.page["id"]])
                self._merge(meeting)
            if self.plan is not None:
                plan_meetings(self.plan, self.mapping, meetings)
            else:
                self._store(meetings, remember=not settled)
        self._count(meetings, settled or {})
        if self.plan is None:
            self._announce(meetings)

    def _without_unchanged(self, pages: dict[str, Json]) -> dict[str, Json]:
        unchanged = self.seen.unchanged(pages)
        self.counts.add(self.mapping.key, "unchanged", len(unchanged))
        return {page_id: page for page_id, page in pages.items() if page_id not in unchanged}

    # -- who meets whom -----------------------------------------------------------------------------------------
    def _meet(self, pages: dict[str, Json], remotes: dict[str, Values]) -> list[Meeting]:
        ties = self._ties(pages)
        rows = lock(self.mapping.model, [tie.object_id for tie in ties.values() if tie.object_id])
        strangers = {
            page_id: remotes[page_id] for page_id in pages if page_id not in ties or ties[page_id].object_id not in rows
        }
        matches = self._match(strangers)
        pairs: list[tuple[str, NotionPage, Record]] = []
        before = {}
        for page_id in pages:
            tie = ties.get(page_id) or matches.ties.get(page_id) or NotionPage(database=self.database)
            known = rows.get(tie.object_id or 0)
            row = known or matches.rows.get(page_id) or self.mapping.model()
            before[page_id] = writing.rare(tie) if tie.pk else None
            tie.page_id, tie.object_id = page_id, row.pk
            pairs.append((page_id, tie, row))
        existing = [row for _, _, row in pairs if row.pk]
        local = local_values(self.mapping, existing, {tie.object_id or 0: tie for _, tie, _ in pairs}, self.index)
        self._load_related(remotes, [tie for _, tie, _ in pairs])
        return [
            Meeting(
                pages[page_id],
                tie,
                before[page_id],
                row,
                remotes[page_id],
                local[row.pk] if row.pk else {},
                is_new=row.pk is None,
                first=page_id in matches.first,
            )
            for page_id, tie, row in pairs
        ]

    def _ties(self, pages: dict[str, Json]) -> dict[str | None, NotionPage]:
        """What the pages stand for here. One that a person moved over from another database is a stranger in this."""
        known = list(NotionPage.objects.filter(page_id__in=pages))
        ties = {tie.page_id: tie for tie in known if tie.database_id == self.database.key}
        for tie in known:
            if tie.page_id not in ties and self.plan is None:
                release(tie, self.database.title, self.counts)
        return ties

    def _match(self, strangers: dict[str, Values]) -> _Matches:
        found = _Matches()
        if not strangers:
            return found
        matcher = Matcher(self.mapping, strangers)
        for page_id, values in strangers.items():
            row = matcher.find(page_id)
            if row is not None:
                found.rows[page_id] = row
            elif matcher.is_duplicate(page_id):
                # Notion's “Duplicate” copied our id along: the copy gets one of its own.
                for attr in self.mapping.identity:
                    values[attr] = ""
        locked = lock(self.mapping.model, [row.pk for row in found.rows.values()])
        found.rows = {page_id: locked[row.pk] for page_id, row in found.rows.items() if row.pk in locked}
        unborn = NotionPage.objects.filter(database=self.database, object_id__in=locked, page_id__isnull=True)
        by_row = {tie.object_id: tie for tie in unborn}
        found.ties = {page_id: by_row[row.pk] for page_id, row in found.rows.items() if row.pk in by_row}
        # A tie that was stored before its page was created knows what both sides agreed on.
        found.first = {page_id for page_id in found.rows if not (page_id in found.ties and found.ties[page_id].base)}
        return found

    def _load_related(self, remotes: dict[str, Values], ties: list[NotionPage]) -> None:
        for prop in self.mapping.relations:
            ids = {other for values in remotes.values() for other in values.get(prop.attr, [])}
            ids |= {other for tie in ties for other in tie.base.get(prop.attr) or []}
            self.index.load_rows(prop.to, ids)
            for values in remotes.values():
                if prop.attr in values:
                    values[prop.attr] = self.index.live(values[prop.attr])

    # -- the comparison -----------------------------------------------------------------------------------------
    def _settle(self, meeting: Meeting, written: Values) -> None:
        """What we wrote counts as agreed, as far as it goes; what Notion made of it is merged like any edit."""
        for attr, value in written.items():
            meeting.tie.base[attr] = value
            meeting.tie.local_base.pop(attr, None)
        meeting.first = False
        meeting.tie_changed = True

    def _merge(self, meeting: Meeting) -> None:
        if meeting.is_new:
            self._adopt(meeting)
            return
        moved = self._moved(meeting)
        for prop in writable(self.mapping) if moved else ():
            if prop.attr in moved:
                self._one(meeting, prop, self._action(meeting, prop))
        if meeting.tie.in_trash and not meeting.page.get("in_trash"):
            self._back_from_trash(meeting)
        if meeting.tie.state != NotionPage.State.LINKED or meeting.tie.error or meeting.first:
            meeting.tie_changed = True

    def _moved(self, meeting: Meeting) -> set[str]:
        """The fields to look at: those on which a side is not as agreed. It is few of them, and mostly none."""
        if meeting.first or meeting.tie.issues:
            return set(meeting.remote)
        there, here, base, own = meeting.remote, meeting.local, meeting.tie.base, meeting.tie.local_base
        return {
            attr
            for attr, value in there.items()
            if attr not in base or value != base[attr] or here[attr] != (own[attr] if attr in own else base[attr])
        }

    def _action(self, meeting: Meeting, prop: Property) -> Action:
        local, remote = meeting.local[prop.attr], meeting.remote[prop.attr]
        if meeting.first or prop.attr not in meeting.tie.base:
            return first_meeting(prop.owner, prop.same, is_empty, local=local, remote=remote)
        base, local_base = meeting.tie.base[prop.attr], meeting.tie.agreed_local(prop.attr)
        if isinstance(prop, Relation):
            base, local_base = self.index.live(base), self.index.live(local_base)
        action = decide(
            prop.owner,
            prop.same,
            base=base,
            local_base=local_base,
            local=local,
            remote=remote,
        )
        if action is Action.KEEP and isinstance(prop, Relation) and self._first_has_gone(meeting, prop):
            return Action.PULL
        # What could not be taken over once is tried again: the reason may be gone.
        return Action.PULL if action is Action.KEEP and _has_issue(meeting.tie, prop) else action

    def _first_has_gone(self, meeting: Meeting, prop: Relation) -> bool:
        """Of several pages in a to-one relation we keep the first. When that goes to the trash, the next is ours."""
        lost = meeting.tie.agreed_local(prop.attr) and not meeting.local[prop.attr] and meeting.remote[prop.attr]
        return bool(lost) and not prop.many(self.mapping.model)

    def _one(self, meeting: Meeting, prop: Property, action: Action) -> None:
        if action is Action.KEEP:
            return
        if action is Action.PUSH:
            self._leave_to_push(meeting, prop)
        elif action is Action.AGREE:
            meeting.tie.issues = [note for note in meeting.tie.issues if not note.startswith(f"{prop.name}: ")]
            self._agree(meeting, prop, meeting.local[prop.attr])
        elif action is Action.REQUEST:
            meeting.requests[prop.attr] = meeting.remote[prop.attr]
            meeting.tie.base[prop.attr] = meeting.remote[prop.attr]
            meeting.tie_changed = meeting.needs_push = True
        else:
            if action is Action.CONFLICT:
                meeting.conflicts.append(self._conflict(meeting, prop))
            self._take(meeting, prop)

    def _leave_to_push(self, meeting: Meeting, prop: Property) -> None:
        meeting.needs_push = True
        if (
            meeting.first
            or prop.attr not in meeting.tie.base
            or not prop.same(meeting.tie.base[prop.attr], meeting.remote[prop.attr])
        ):
            meeting.tie.base[prop.attr] = meeting.remote[prop.attr]
            meeting.tie.local_base.pop(prop.attr, None)
            meeting.tie_changed = True

    def _agree(self, meeting: Meeting, prop: Property, local: Any) -> None:
        """Notion's value becomes the base; ours is noted beside it where it is spelled differently."""
        remote = meeting.remote[prop.attr]
        meeting.tie.base[prop.attr] = remote
        if prop.same(local, remote):
            meeting.tie.local_base.pop(prop.attr, None)
        else:
            meeting.tie.local_base[prop.attr] = local
        meeting.tie_changed = True

    def _take(self, meeting: Meeting, prop: Property) -> None:
        """Stores Notion's value here. A value that cannot be stored stays in Notion, and is named for people."""
        if isinstance(prop, Relation):
            local = self._relate(meeting, prop)
        else:
            old = getattr(meeting.row, prop.attr)
            try:
                prop.set(meeting.row, meeting.remote[prop.attr])
            except (ValidationError, ValueError, OverflowError) as error:
                self._issue(meeting, prop, error)
            else:
                meeting.tie.issues = [note for note in meeting.tie.issues if not note.startswith(f"{prop.name}: ")]
                meeting.columns.update(prop.columns)
                meeting.changed[prop.attr] = (old, getattr(meeting.row, prop.attr))
            local = prop.get(meeting.row)
        self._agree(meeting, prop, local)

    def _relate(self, meeting: Meeting, prop: Relation) -> list[str]:
        remote = meeting.remote[prop.attr]
        targets = {page_id: self.index.row(prop.to, page_id) for page_id in remote}
        known = [row_id for row_id in targets.values() if row_id is not None]
        waiting = [page_id for page_id, row_id in targets.items() if row_id is None]
        if not prop.many(self.mapping.model):
            known, waiting = known[:1], [] if known else waiting
            column = self.mapping.model_field(prop).attname
            old = getattr(meeting.row, column)
            setattr(meeting.row, column, known[0] if known else None)
            meeting.columns.add(column)
            meeting.changed[prop.attr] = (old, known[0] if known else None)
        else:
            meeting.links[prop.attr] = known
            meeting.changed[prop.attr] = (meeting.local.get(prop.attr, []), remote)
        meeting.tie.unresolved.pop(prop.attr, None)
        if waiting:
            meeting.tie.unresolved[prop.attr] = waiting
        pages = [self.index.page(prop.to, row_id) or "" for row_id in known]
        return sorted({*pages, *waiting})

    def _issue(self, meeting: Meeting, prop: Property, error: Exception) -> None:
        text = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        meeting.tie.issues = [note for note in meeting.tie.issues if not note.startswith(f"{prop.name}: ")]
        meeting.tie.issues.append(f"{prop.name}: {text}")
        meeting.refused[prop.attr] = text
        self.counts.error(
            self.mapping.key,
            f"{self.mapping.title} page {meeting.page['id']}, “{prop.name}”: {text} Mend it in Notion.",
        )

    def _conflict(self, meeting: Meeting, prop: Property) -> SyncConflict:
        return SyncConflict(
            page=meeting.tie,
            database=self.database,
            object_id=meeting.row.pk,
            record=str(meeting.row)[:200],
            field=prop.attr,
            property_name=prop.name,
            base_value=meeting.tie.base.get(prop.attr),
            local_value=meeting.local[prop.attr],
            notion_value=meeting.remote[prop.attr],
            local_changed_at=meeting.row.local_change_at or meeting.row.updated_at,
            notion_edited_at=remote_side.edited_at(meeting.page),
            notion_edited_by=remote_side.editor(meeting.page)[:200],
        )

    def _back_from_trash(self, meeting: Meeting) -> None:
        meeting.tie.in_trash, meeting.tie_changed = False, True
        if meeting.row.archived_at is not None:
            meeting.row.archived_at = None
            meeting.columns.add("archived_at")
        self.counts.add(self.mapping.key, "restored")

    # -- a page that has no row ---------------------------------------------------------------------------------
    def _adopt(self, meeting: Meeting) -> None:
        """Fills a new row from the page.

        A page that a person has just made lacks our id: it gets that, and with it the values that a new row begins
        with. A page that has an id already is taken as it is, but for what the server owns.
        """
        identity = [self.mapping.property(attr) for attr in self.mapping.identity]
        meeting.needs_push = any(is_empty(meeting.remote.get(prop.attr)) for prop in identity)
        if is_empty(meeting.remote.get("sync_origin")):
            meeting.row.sync_origin = "Notion"
        fresh = meeting.needs_push
        for prop in writable(self.mapping):
            if prop.attr in meeting.remote:
                self._adopt_one(meeting, prop, fresh)
        meeting.row.fill_identity()
        meeting.changed.clear()
        meeting.tie_changed = True

    def _adopt_one(self, meeting: Meeting, prop: Property, fresh: bool) -> None:
        remote = meeting.remote[prop.attr]
        empty = is_empty(remote) and remote is not False and not isinstance(prop, Relation)
        if not empty or prop.owner is Owner.NOTION or not (fresh or prop.owner is Owner.SERVER):
            self._take(meeting, prop)
            return
        meeting.tie.base[prop.attr] = remote
        own = prop.get(meeting.row)
        if fresh or prop.attr in self.mapping.identity or prop.same(own, remote):
            return
        if prop.attr == "sync_origin":
            # Where it came from is told along with something else; alone it is no reason to write to the page.
            meeting.tie.local_base[prop.attr] = own
        else:
            meeting.needs_push = True

    # -- storing ------------------------------------------------------------------------------------------------
    def _store(self, meetings: list[Meeting], *, remember: bool) -> None:
        now = timezone.now()
        for meeting in meetings:
            self._mark(meeting, now)
        writing.rows(self.mapping, meetings)
        for meeting in meetings:
            meeting.tie.object_id = meeting.row.pk
        self._note(meetings, now)
        writing.links(self.mapping, meetings)
        self._remember(meetings if remember else [], meetings)
        writing.ties([meeting for meeting in meetings if meeting.tie_changed])
        conflicts = [conflict for meeting in meetings for conflict in meeting.conflicts]
        for conflict in conflicts:
            conflict.page_id = conflict.page.pk
        SyncConflict.objects.bulk_create(conflicts)

    def _note(self, meetings: list[Meeting], now: Any) -> None:
        """The history of a batch, in one statement. What a new row began with is in its page."""
        drafts = []
        for meeting in meetings:
            if meeting.is_new:
                continue
            changes = differences(meeting.row, meeting.columns) | self._links_changed(meeting)
            if changes:
                actor = remote_side.editor(meeting.page) or "Notion"
                drafts.append(draft(type(meeting.row), meeting.row.pk, changes, actor=actor, origin=NOTION, at=now))
        writing.insert(drafts)

    def _links_changed(self, meeting: Meeting) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for attr, new in meeting.links.items():
            prop = self.mapping.property(attr)
            assert isinstance(prop, Relation)
            pages = [page for page in meeting.local.get(attr, []) if not is_unborn([page])]
            old = {row for row in (self.index.row(prop.to, page) for page in pages) if row is not None}
            if old != set(new):
                found[attr] = {"added": sorted(set(new) - old), "removed": sorted(old - set(new))}
        return found

    def _remember(self, candidates: list[Meeting], meetings: list[Meeting]) -> None:
        """Notes what is equal now, so that the next pull need not compare it, and forgets what was noted before."""
        equal = {
            m.page["id"]: m for m in candidates if not (m.waits or m.tie.unresolved or m.tie.issues or m.tie.in_trash)
        }
        pages = {page_id: meeting.page for page_id, meeting in equal.items()}
        digests = self.seen.digests({page_id: meeting.row.pk for page_id, meeting in equal.items()}, pages)
        for meeting in meetings:
            seen = digests.get(meeting.page["id"], "")
            if meeting.tie.seen != seen:
                meeting.tie.seen, meeting.tie_changed = seen, True

    def _mark(self, meeting: Meeting, now: Any) -> None:
        """Sets when the row began to wait for Notion, or that it does not wait any more."""
        row, tie = meeting.row, meeting.tie
        waits = meeting.needs_push or any(is_unborn(meeting.local.get(prop.attr)) for prop in self.mapping.relations)
        waits = waits or (row.archived_at is not None and not tie.in_trash)
        meeting.waits = waits
        if waits and row.local_change_at is None:
            row.local_change_at = now
            meeting.columns.add("local_change_at")
        elif not waits and row.local_change_at is not None:
            row.local_change_at = None
            meeting.columns.add("local_change_at")
        if meeting.changed:
            row.updated_at = now
            meeting.columns.add("updated_at")
        if meeting.tie_changed:
            tie.state, tie.error, tie.attempts, tie.next_attempt_at = NotionPage.State.LINKED, "", 0, None
            tie.url = str(meeting.page.get("url") or "")[:500]
            tie.edited_at, tie.synced_at = remote_side.edited_at(meeting.page), now

    def _count(self, meetings: list[Meeting], settled: dict[str, Values]) -> None:
        for meeting in meetings:
            self.counts.add(self.mapping.key, "conflicts", len(meeting.conflicts))
            if meeting.is_new:
                self.counts.add(self.mapping.key, "created_local")
            elif meeting.changed or meeting.requests:
                self.counts.add(self.mapping.key, "pulled")
            elif meeting.page["id"] not in settled:
                self.counts.add(self.mapping.key, "unchanged")

    def _announce(self, meetings: list[Meeting]) -> None:
        """Tells the rest of the server what a person did, once it is stored."""
        for meeting in meetings:
            actor = f"Notion ({remote_side.editor(meeting.page)})"
            for attr, value in meeting.requests.items():
                ask(self.mapping, meeting.row.pk, attr, value, actor)
            model = self.mapping.model
            if meeting.changed or meeting.is_new:
                made_at = remote_side.made_at(meeting.page) if meeting.is_new else None
                pk, changed = meeting.row.pk, meeting.changed
                record_pulled.send(sender=model, pk=pk, changed=changed, actor=actor, made_at=made_at)
            if meeting.refused:
                value_refused.send(sender=model, pk=meeting.row.pk, refused=meeting.refused, actor=actor)


def _has_issue(tie: NotionPage, prop: Property) -> bool:
    return prop.attr in tie.local_base and any(
        note.startswith(f"{prop.name}: ") and note.endswith(writing.TAKEN) for note in tie.issues
    )


@dataclass
class _Matches:
    rows: dict[str, Record] = field(default_factory=dict)
    ties: dict[str, NotionPage] = field(default_factory=dict)
    first: set[str] = field(default_factory=set)
