"""Conflicts side by side, and deletes that wait for a decision."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter, display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from higherself.core.admin import TOP, Answer, Panel, ReadOnlyAdmin, Refused, RowAction, cells, panel, tone_of, who
from higherself.core.errors import Conflict
from notion_sync import actions, budget
from notion_sync.admin.bridge import page_url
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionPage, PendingDelete, SyncConflict
from notion_sync.properties import Relation


class Undecided(SimpleListFilter):
    """Open ones first: what is decided is history."""

    title = gettext_lazy("decision")
    parameter_name = "state"
    column = "resolved_at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Open")), ("closed", _("Decided"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in {"open", "closed"}:
            return queryset.filter(**{f"{self.column}__isnull": self.value() == "open"})
        return queryset


class UndecidedDelete(Undecided):
    column = "decided_at"


class Since(SimpleListFilter):
    """What was found since Notion was last away: what the outage has cost."""

    title = gettext_lazy("found")
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("outage", _("Since the last outage"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "outage":
            return queryset
        state = budget.current()
        began = state and (state.unreachable_since or state.outage_from)
        return queryset.filter(detected_at__gte=began) if began else queryset.none()


def _each(rows: list[SyncConflict], decide: Any, name: str) -> int:
    """Decides as many as possible; those that are not are named."""
    done, refused = 0, []
    for row in rows:
        try:
            decide(row, name)
            done += 1
        except Conflict as error:
            refused.append(str(error))
    if refused and not done:
        raise Refused(" ".join(refused[:5]))
    return done


def _ours(request: HttpRequest, rows: list[SyncConflict]) -> Answer:
    done = _each(rows, actions.apply_ours, who(request))
    level = messages.SUCCESS if done == len(rows) else messages.WARNING
    return level, _("%(n)d of %(all)d: our value stands here again and is on its way to Notion.") % {
        "n": done,
        "all": len(rows),
    }


def _notion(request: HttpRequest, rows: list[SyncConflict]) -> Answer:
    done = _each(rows, actions.keep_notions, who(request))
    level = messages.SUCCESS if done == len(rows) else messages.WARNING
    return level, _("%(n)d of %(all)d: Notion's value stays.") % {"n": done, "all": len(rows)}


def _is_open(conflict: SyncConflict) -> bool:
    return conflict.resolved_at is None


@admin.register(SyncConflict)
class SyncConflictAdmin(ReadOnlyAdmin):
    list_display = ("record", "property_name", "ours", "notions", "editor", "found", "decision")
    list_filter = (Undecided, Since, "database")
    list_select_related = ("database", "page")
    search_fields = ("record", "property_name")
    ordering = ("-detected_at",)
    fieldsets = [
        (None, {"fields": ["record_link", "property_name", "detected_at"]}),
        (gettext_lazy("Decision"), {"fields": ["decision", "resolved_at", "resolved_by"]}),
    ]
    row_actions = (
        RowAction(
            "apply_ours",
            gettext_lazy("Apply our value"),
            _ours,
            icon="undo",
            when=_is_open,
            button=False,
            confirm=gettext_lazy("Notion's value will be replaced by ours. Go on?"),
        ),
        RowAction(
            "keep_notion", gettext_lazy("Keep Notion's value"), _notion, icon="check", when=_is_open, button=False
        ),
    )
    found = cells.when("detected_at", gettext_lazy("found"))

    @display(description=gettext_lazy("record"))
    def record_link(self, obj: SyncConflict) -> Any:
        mapping = MAPPINGS.get(obj.database_id)
        url = cells.change_url(mapping.model, obj.object_id) if mapping else ""
        return cells.link(url, obj.record) if url else obj.record

    @display(description=gettext_lazy("ours (overruled)"))
    def ours(self, obj: SyncConflict) -> str:
        return Truncator(plain(obj.local_value)).chars(60)

    @display(description=gettext_lazy("Notion's (stands)"))
    def notions(self, obj: SyncConflict) -> str:
        return Truncator(plain(obj.notion_value)).chars(60)

    @display(description=gettext_lazy("edited in Notion by"))
    def editor(self, obj: SyncConflict) -> str:
        return obj.notion_edited_by or cells.NOTHING

    @display(description=gettext_lazy("decision"), ordering="resolved_at")
    def decision(self, obj: SyncConflict) -> Any:
        if obj.resolved_at is None:
            return cells.chip(_("open"), "warn")
        return cells.chip(obj.get_resolution_display(), tone_of("done"), title=obj.resolved_by)


def plain(value: Any) -> str:
    """A property's value as a person reads it."""
    if value in (None, "", [], [None, None]):
        return _("(empty)")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        parts = [str(item.get("name") or item.get("id") or item) if isinstance(item, dict) else item for item in value]
        return ", ".join("…" if part is None else str(part) for part in parts)
    return json.dumps(value, ensure_ascii=False, indent=2) if isinstance(value, dict) else str(value)


@panel(SyncConflict)
def side_by_side(request: HttpRequest, conflict: SyncConflict) -> Panel:
    """The agreed value and the two that replaced it, with a button under each that can be had."""
    mapping = MAPPINGS.get(conflict.database_id)
    prop = mapping.property(conflict.field) if mapping else None
    show = _related_names(prop, conflict) if isinstance(prop, Relation) else plain
    user: Any = request.user
    context = {
        "base": show(conflict.base_value),
        "ours": show(conflict.local_value),
        "notion": show(conflict.notion_value),
        "changed": cells.moment(conflict.local_changed_at),
        "edited": cells.moment(conflict.notion_edited_at),
        "editor": conflict.notion_edited_by,
        "open": conflict.resolved_at is None and user.has_perm("notion_sync.change_syncconflict"),
        "conflict": conflict,
        "page_url": page_url(conflict.page),
    }
    return Panel(gettext_lazy("Side by side"), "console/conflict.html", context, place=TOP, icon="compare_arrows")


def _related_names(prop: Relation, conflict: SyncConflict) -> Any:
    """Shows related records by name instead of by the ids of their pages."""
    ids = {
        str(item) for side in (conflict.base_value, conflict.local_value, conflict.notion_value) for item in side or []
    }
    ties = NotionPage.objects.filter(database_id=prop.to, page_id__in=ids, object_id__isnull=False)
    rows: dict[str, int] = {str(key): int(pk or 0) for key, pk in ties.values_list("page_id", "object_id")}
    unborn = {item: int(item.rpartition(":")[2]) for item in ids if item.startswith("@")}
    found = MAPPINGS[prop.to].model._base_manager.in_bulk([*rows.values(), *unborn.values()])
    names = {key: str(found[pk]) for key, pk in {**rows, **unborn}.items() if pk in found}

    def show(value: Any) -> str:
        return ", ".join(names.get(str(item), str(item)) for item in value or []) or _("(empty)")

    return show


# -- held deletes ---------------------------------------------------------------------------------------------------
def _approve(request: HttpRequest, rows: list[PendingDelete]) -> Answer:
    done = actions.approve(rows, who(request))
    return (messages.SUCCESS if done else messages.INFO), _("%(n)d put aside here.") % {"n": done}


def _reject(request: HttpRequest, rows: list[PendingDelete]) -> Answer:
    done = actions.reject(rows, who(request))
    return (messages.SUCCESS if done else messages.INFO), _("%(n)d taken out of Notion's trash.") % {"n": done}


def _is_held(held: PendingDelete) -> bool:
    return held.decided_at is None


@admin.register(PendingDelete)
class PendingDeleteAdmin(ReadOnlyAdmin):
    """Pages that went missing together: put aside here only when a person agrees."""

    list_display = ("record", "database", "found", "outcome", "decided_by", "open_in_notion")
    list_filter = (UndecidedDelete, "database")
    list_select_related = ("database", "page")
    search_fields = ("record",)
    ordering = ("-detected_at",)
    fieldsets = [
        (None, {"fields": ["record", "record_link", "database", "open_in_notion", "detected_at"]}),
        (gettext_lazy("Decision"), {"fields": ["outcome", "decided_at", "decided_by"]}),
    ]
    row_actions = (
        RowAction(
            "approve",
            gettext_lazy("Put aside here too"),
            _approve,
            icon="inventory_2",
            tone="bad",
            when=_is_held,
            confirm=gettext_lazy("The record will be archived here; it can be restored later. Go on?"),
        ),
        RowAction(
            "reject", gettext_lazy("Take it out of Notion's trash"), _reject, icon="undo", tone="primary", when=_is_held
        ),
    )
    found = cells.when("detected_at", gettext_lazy("found"))

    @display(description=gettext_lazy("record here"))
    def record_link(self, obj: PendingDelete) -> Any:
        mapping = MAPPINGS.get(obj.database_id)
        if mapping is None or obj.page.object_id is None:
            return cells.NOTHING
        return cells.link(cells.change_url(mapping.model, obj.page.object_id), obj.record)

    @display(description=gettext_lazy("decision"), ordering="decided_at")
    def outcome(self, obj: PendingDelete) -> Any:
        if obj.decided_at is None:
            return cells.chip(_("waits for you"), "warn")
        return cells.chip(obj.get_decision_display(), tone_of(obj.decision))

    @display(description=gettext_lazy("in Notion"))
    def open_in_notion(self, obj: PendingDelete) -> Any:
        return cells.web_link(page_url(obj.page), _("Open"))
