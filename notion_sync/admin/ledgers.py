"""Runs, the request budget, leases: what the engine keeps for itself, to be looked at."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from higherself.core.admin import ReadOnlyAdmin, cells, tone_of
from notion_sync.admin.words import COUNTS, said
from notion_sync.mappings import MAPPINGS
from notion_sync.models import Lease, NotionChange, RequestBudget, SyncRun, WebhookToken


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = ("began", "trigger", "direction", "full", "condition", "did", "requests", "took", "trouble")
    list_filter = ("status", "trigger", "full")
    search_fields = ("trigger", "error")
    ordering = ("-started_at",)
    fieldsets = [
        (None, {"fields": ["trigger", "direction", "full", "condition", "error"]}),
        (gettext_lazy("Time"), {"fields": ["started_at", "finished_at", "took"]}),
        (gettext_lazy("What it did"), {"fields": ["table", "requests", "rate_limited"]}),
    ]
    began = cells.when("started_at", gettext_lazy("when"))
    trouble = cells.short("error", gettext_lazy("error"), 70)

    @display(description=gettext_lazy("status"), ordering="status")
    def condition(self, obj: SyncRun) -> Any:
        return cells.chip(obj.get_status_display(), tone_of(obj.status))

    @display(description=gettext_lazy("took"))
    def took(self, obj: SyncRun) -> str:
        return (
            cells.NOTHING if obj.finished_at is None else f"{(obj.finished_at - obj.started_at).total_seconds():.1f} s"
        )

    @display(description=gettext_lazy("did"))
    def did(self, obj: SyncRun) -> str:
        totals = {name: sum(counts.get(name, 0) for counts in obj.counts.values()) for name in COUNTS}
        return said(totals) or _("nothing")

    @display(description=gettext_lazy("by database"))
    def table(self, obj: SyncRun) -> Any:
        heads = format_html_join("", "<th>{}</th>", ((name.replace("_", " "),) for name in ("", *COUNTS)))
        lines = (
            (
                MAPPINGS[key].title if key in MAPPINGS else key,
                format_html_join("", "<td>{}</td>", ((counts.get(name, 0) or "·",) for name in COUNTS)),
            )
            for key, counts in obj.counts.items()
        )
        body = format_html_join("", "<tr><td>{}</td>{}</tr>", lines)
        return format_html(
            '<div class="hs-scroll" tabindex="0" role="region" aria-label="{}"><table class="hs-table">'
            "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
            _("by database"),
            heads,
            body,
        )


@admin.register(RequestBudget)
class RequestBudgetAdmin(ReadOnlyAdmin):
    """How much of what Notion allows has been used, and whether Notion can be reached."""

    list_display = ("name", "reach", "requests", "rate_limited", "in_last_minute", "succeeded")
    fieldsets = [
        (None, {"fields": ["reach", "unreachable_since", "last_error", "failures", "next_try"]}),
        (gettext_lazy("Use"), {"fields": ["requests", "rate_limited", "in_last_minute", "paused", "paused_reason"]}),
        (gettext_lazy("More"), {"fields": ["last_success_at", "clock_offset", "key"], "classes": ["collapse"]}),
    ]
    succeeded = cells.when("last_success_at", gettext_lazy("last success"))

    @display(description=gettext_lazy("budget"))
    def name(self, obj: RequestBudget) -> str:
        return obj.key[:12]

    @display(description=gettext_lazy("Notion is"))
    def reach(self, obj: RequestBudget) -> Any:
        return cells.chip(_("unreachable"), "bad") if obj.unreachable_since else cells.chip(_("reachable"), "good")

    @display(description=gettext_lazy("in the last minute"))
    def in_last_minute(self, obj: RequestBudget) -> int:
        since = datetime.now(timezone.utc).timestamp() - 60
        return sum(at > since for at in obj.grants)

    @display(description=gettext_lazy("paused until"))
    def paused(self, obj: RequestBudget) -> Any:
        return _moment(obj.paused_until)

    @display(description=gettext_lazy("next try"))
    def next_try(self, obj: RequestBudget) -> Any:
        return _moment(obj.retry_at)


def _moment(stamp: float) -> Any:
    """A time in seconds since the epoch, while it lies ahead."""
    moment = datetime.fromtimestamp(stamp, timezone.utc)
    return cells.moment(moment) if moment > datetime.now(timezone.utc) else cells.NOTHING


@admin.register(Lease)
class LeaseAdmin(ReadOnlyAdmin):
    list_display = ("name", "holder", "ends")
    fieldsets = [(None, {"fields": ["name", "holder", "until"]})]
    ends = cells.when("until", gettext_lazy("until"))


@admin.register(NotionChange)
class NotionChangeAdmin(ReadOnlyAdmin):
    """Notion's word that something changed, until it has been looked at."""

    list_display = ("entity_id", "what", "first", "last")
    list_filter = ("kind",)
    search_fields = ("=entity_id",)
    ordering = ("-last_at",)
    fieldsets = [(None, {"fields": ["entity_id", "data_source_id", "kind", "first_at", "last_at"]})]
    first, last = cells.when("first_at", gettext_lazy("first told")), cells.when("last_at", gettext_lazy("last told"))

    @display(description=gettext_lazy("what"), ordering="kind")
    def what(self, obj: NotionChange) -> Any:
        return cells.chip(obj.get_kind_display(), "busy")


@admin.register(WebhookToken)
class WebhookTokenAdmin(ReadOnlyAdmin):
    """The verification token of a new webhook subscription: set it as NOTION_WEBHOOK_TOKEN, then confirm in Notion."""

    list_display = ("__str__", "received")
    fieldsets = [(None, {"fields": ["received_at", "token"]})]
    received = cells.when("received_at", gettext_lazy("received"))

    def has_view_permission(self, request: Any, obj: Any = None) -> bool:
        # Whoever knows it can sign as Notion.
        return bool(request.user.is_superuser)
