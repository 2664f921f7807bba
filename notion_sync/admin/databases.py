"""The sixteen databases, and the pages that stand for our records."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter, display
from django.core.cache import cache
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from higherself.core.admin import Answer, ReadOnlyAdmin, RowAction, cells, tone_of, who
from notion_sync import actions
from notion_sync.admin.bridge import page_url
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase, NotionPage

_KEPT_SECONDS = 3


def _sync(_request: HttpRequest, _rows: list[NotionDatabase]) -> Answer:
    actions.run_now()
    return messages.SUCCESS, _("Woken: a worker reads what people changed and carries what waits, in a moment.")


def _sweep(_request: HttpRequest, _rows: list[NotionDatabase]) -> Answer:
    actions.run_now(everything=True)
    return messages.SUCCESS, _("Woken: a worker reads and compares everything; see Runs for how it went.")


def _stop(request: HttpRequest, rows: list[NotionDatabase]) -> Answer:
    done = actions.stop(rows, who(request))
    text = _("%(n)d paused: nothing is read or written there, and changes made here wait until you resume.")
    return (messages.SUCCESS if done else messages.INFO), text % {"n": done}


def _go_on(_request: HttpRequest, rows: list[NotionDatabase]) -> Answer:
    done = actions.resume(rows)
    text = _("%(n)d resumed: what people changed is read first, then what waits is carried over.")
    return (messages.SUCCESS if done else messages.INFO), text % {"n": done}


@admin.register(NotionDatabase)
class NotionDatabaseAdmin(ReadOnlyAdmin):
    list_display = ("name", "condition", "waiting", "pulled", "pushed", "swept", "open_in_notion")
    list_filter = ("state",)
    search_fields = ("title", "key")
    ordering = ("title",)
    fieldsets = [
        (None, {"fields": ["title", "condition", "problem", "open_in_notion", "records"]}),
        (
            gettext_lazy("How far"),
            {"fields": ["waiting", "watermark", "pulled_at", "pushed_at", "swept_at", "schema_read_at"]},
        ),
        (gettext_lazy("Ids"), {"fields": ["key", "database_id", "data_source_id", "property_table"]}),
    ]
    row_actions = (
        RowAction("sync_now", gettext_lazy("Synchronise now"), _sync, icon="sync", tone="primary"),
        RowAction("compare_all", gettext_lazy("Read and compare everything"), _sweep, icon="manage_search"),
        RowAction(
            "stop", gettext_lazy("Pause this database"), _stop, icon="pause", when=lambda row: not row.is_stopped
        ),
        RowAction(
            "go_on", gettext_lazy("Resume"), _go_on, icon="play_arrow", tone="primary", when=lambda row: row.is_stopped
        ),
    )
    pulled, pushed = cells.when("pulled_at", gettext_lazy("read")), cells.when("pushed_at", gettext_lazy("written"))
    swept = cells.when("swept_at", gettext_lazy("compared completely"))

    @display(description=gettext_lazy("database"), ordering="title")
    def name(self, obj: NotionDatabase) -> str:
        return str(obj)

    @display(description=gettext_lazy("state"), ordering="state")
    def condition(self, obj: NotionDatabase) -> Any:
        if obj.is_stopped:
            return cells.chip(_("paused by %(who)s") % {"who": obj.stopped_by}, "warn", title=obj.problem)
        words = {"ok": "good", "paused": "bad", "unknown": "warn"}
        return cells.chip(obj.get_state_display(), words.get(obj.state, "calm"), title=obj.problem)

    @display(description=gettext_lazy("waiting"))
    def waiting(self, obj: NotionDatabase) -> Any:
        number = _waiting().get(obj.key, 0)
        url = cells.list_url(MAPPINGS[obj.key].model, "notion=waiting") if obj.key in MAPPINGS else ""
        return cells.chip(number, "busy", href=url) if number and url else number

    @display(description=gettext_lazy("in Notion"))
    def open_in_notion(self, obj: NotionDatabase) -> Any:
        return cells.web_link(obj.url, _("Open")) if obj.url else cells.NOTHING

    @display(description=gettext_lazy("records here"))
    def records(self, obj: NotionDatabase) -> Any:
        mapping = MAPPINGS.get(obj.key)
        return cells.link(cells.list_url(mapping.model), mapping.title) if mapping else cells.NOTHING

    @display(description=gettext_lazy("properties"))
    def property_table(self, obj: NotionDatabase) -> Any:
        rows = ((attr, item.get("name"), item.get("type"), item.get("id")) for attr, item in obj.properties.items())
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>", rows)
        heads = format_html_join("", "<th>{}</th>", ((text,) for text in (_("Field"), _("In Notion"), _("Type"), "Id")))
        return format_html('<table class="hs-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', heads, body)


def _waiting() -> dict[str, int]:
    """Asked for by each row of the list: counted once for all."""
    found: dict[str, int] | None = cache.get("console.waiting_by_database")
    if found is None:
        found = actions.waiting_by_database()
        cache.set("console.waiting_by_database", found, _KEPT_SECONDS)
    return found


def _retry(_request: HttpRequest, rows: list[NotionPage]) -> Answer:
    done = actions.retry(rows)
    return (messages.SUCCESS if done else messages.INFO), _("%(n)d will be tried again at once.") % {"n": done}


class Condition(SimpleListFilter):
    title = gettext_lazy("condition")
    parameter_name = "condition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("refused", _("Refused or lost")), ("issues", _("Values not taken over")), ("trash", _("In the trash"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "refused":
            return queryset.exclude(error="")
        if self.value() == "issues":
            return queryset.exclude(issues=[])
        return queryset.filter(in_trash=True) if self.value() == "trash" else queryset


@admin.register(NotionPage)
class NotionPageAdmin(ReadOnlyAdmin):
    """The ties between our records and Notion's pages, with what went wrong."""

    list_display = ("page_name", "database", "condition", "record", "tries", "synced", "trouble", "open_in_notion")
    list_filter = (Condition, "database", "state")
    list_select_related = ("database",)
    search_fields = ("=page_id", "error")
    ordering = ("-pk",)
    fieldsets = [
        (None, {"fields": ["database", "record", "condition", "error", "show_issues", "open_in_notion"]}),
        (
            gettext_lazy("Course"),
            {"fields": ["synced_at", "edited_at", "attempts", "next_attempt_at", "in_trash"]},
        ),
        (
            gettext_lazy("What both sides last agreed on"),
            {"fields": ["base", "local_base", "unresolved"], "classes": ["collapse"]},
        ),
        (gettext_lazy("Ids"), {"fields": ["page_id", "object_id"], "classes": ["collapse"]}),
    ]
    row_actions = (
        RowAction(
            "retry",
            gettext_lazy("Try again now"),
            _retry,
            icon="replay",
            tone="primary",
            when=lambda tie: bool(tie.error),
        ),
    )
    synced = cells.when("synced_at", gettext_lazy("synced"))
    trouble = cells.short("error", gettext_lazy("error"), 90)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset = super().get_queryset(request)
        match = request.resolver_match
        wide = ("base", "local_base", "unresolved")
        return queryset.defer(*wide) if match and str(match.url_name).endswith("_changelist") else queryset

    @display(description=gettext_lazy("page"), ordering="page_id")
    def page_name(self, obj: NotionPage) -> str:
        return obj.page_id or _("not created yet")

    @display(description=gettext_lazy("condition"), ordering="state")
    def condition(self, obj: NotionPage) -> Any:
        if obj.error:
            return cells.chip(_("refused") if obj.state != "lost" else obj.get_state_display(), "bad")
        return cells.chip(_("in the trash") if obj.in_trash else obj.get_state_display(), tone_of(obj.state))

    @display(description=gettext_lazy("record"))
    def record(self, obj: NotionPage) -> Any:
        mapping = MAPPINGS.get(obj.database_id)
        if mapping is None or obj.object_id is None:
            return cells.NOTHING
        name = f"{mapping.model._meta.verbose_name} {obj.object_id}"
        return cells.link(cells.change_url(mapping.model, obj.object_id), name)

    @display(description=gettext_lazy("attempts"), ordering="attempts")
    def tries(self, obj: NotionPage) -> int:
        return obj.attempts

    @display(description=gettext_lazy("values not taken over"))
    def show_issues(self, obj: NotionPage) -> Any:
        return cells.lines(list(obj.issues))

    @display(description=gettext_lazy("in Notion"))
    def open_in_notion(self, obj: NotionPage) -> Any:
        return cells.web_link(page_url(obj), _("Open"))
