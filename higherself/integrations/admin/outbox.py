"""The outbox: every call that is wanted at a provider, why it waits, and the buttons that send or drop it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter, display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from higherself.core.admin import Answer, Matter, ReadOnlyAdmin, RowAction, bounded, cells, matters, tone_of, who
from higherself.integrations import outbox
from higherself.integrations.admin.events import ProviderFilter
from higherself.integrations.models import OutboundCall
from higherself.integrations.registry import PROVIDERS

Status = OutboundCall.Status
_TROUBLE = ("retrying", "unconfigured", "refused", "quarantined")
_OVER = (Status.DONE, Status.SENDING, Status.CANCELLED, Status.EXPIRED)


def _rows(rows: list[OutboundCall]) -> QuerySet[OutboundCall]:
    return OutboundCall.objects.filter(pk__in=[row.pk for row in rows])


def _replay(request: HttpRequest, rows: list[OutboundCall]) -> Answer:
    done = outbox.replay(_rows(rows), who(request))
    text = _("%(n)d will be sent.") % {"n": done}
    if done < len(rows):
        text += " " + _("%(n)d are done, or on their way, and were left alone.") % {"n": len(rows) - done}
    return (messages.SUCCESS if done else messages.WARNING), text


def _cancel(request: HttpRequest, rows: list[OutboundCall]) -> Answer:
    done = outbox.cancel(_rows(rows), who(request))
    text = _("%(n)d will not be sent.") % {"n": done}
    if done < len(rows):
        text += " " + _("%(n)d are done, or being sent right now.") % {"n": len(rows) - done}
    return (messages.SUCCESS if done else messages.WARNING), text


class StatusFilter(SimpleListFilter):
    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Status.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in _TROUBLE:
            queryset = _in_trouble(queryset)
        return queryset.filter(status=self.value()) if self.value() else queryset


class Trouble(SimpleListFilter):
    title = gettext_lazy("needs a person")
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return _needing_a_person(queryset) if self.value() else queryset


@admin.register(OutboundCall)
class OutboundCallAdmin(ReadOnlyAdmin):
    list_display = ("wanted", "provider_name", "operation", "about", "state", "attempts", "reason")
    list_filter = (StatusFilter, Trouble, ProviderFilter)
    search_fields = ("=id", "=dedupe_key", "=record")
    search_help_text = gettext_lazy("A call's id or key, or a record as the call names it, such as contact:ada@…")
    ordering = ("-created_at",)
    list_display_links = ("wanted",)
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("provider_name", "operation"),
                    ("state", "attempts"),
                    *("error", "about"),
                    ("created_at", "finished_at"),
                ]
            },
        ),
        (gettext_lazy("What is said"), {"fields": ["payload", "result"]}),
        (
            gettext_lazy("Work"),
            {"fields": [("next_attempt_at", "worker"), ("first_tried_at", "valid_until"), "decided_by"]},
        ),
        (gettext_lazy("Record"), {"fields": ["id", "dedupe_key", "record"], "classes": ["collapse"]}),
    ]
    row_actions = (
        RowAction(
            "replay",
            gettext_lazy("Send now"),
            _replay,
            icon="replay",
            tone="primary",
            when=lambda call: call.status not in (Status.DONE, Status.SENDING, Status.WAITING),
        ),
        RowAction(
            "cancel",
            gettext_lazy("Do not send"),
            _cancel,
            icon="cancel",
            tone="bad",
            when=lambda call: call.status not in _OVER,
            confirm=gettext_lazy("The provider will not hear of this. Drop the call?"),
        ),
    )
    wanted = cells.when("created_at", gettext_lazy("wanted"))
    reason = cells.short("error", gettext_lazy("reason"), length=120)

    @display(description=gettext_lazy("provider"), ordering="provider")
    def provider_name(self, obj: OutboundCall) -> str:
        return PROVIDERS[obj.provider].label if obj.provider in PROVIDERS else obj.provider

    @display(description=gettext_lazy("status"), ordering="status")
    def state(self, obj: OutboundCall) -> Any:
        return cells.chip(obj.get_status_display(), tone_of(obj.status))

    @display(description=gettext_lazy("about"))
    def about(self, obj: OutboundCall) -> Any:
        url = cells.change_url(obj.about_model, obj.about_id) if obj.about_model else ""
        return cells.link(url, obj.record or obj.about_id) if url else obj.record or cells.NOTHING


def _in_trouble(calls: QuerySet[OutboundCall] | None = None) -> QuerySet[OutboundCall]:
    """By the index of just these calls: SQLite uses it only where the statement itself names the words."""
    rows = OutboundCall.objects.all() if calls is None else calls
    words = ", ".join(f"'{word}'" for word in _TROUBLE)
    return rows.extra(where=[f"{OutboundCall._meta.db_table}.status IN ({words})"])  # noqa: S610 - our own words


def _needing_a_person(calls: QuerySet[OutboundCall] | None = None) -> QuerySet[OutboundCall]:
    return _in_trouble(calls).filter(status__in=[Status.QUARANTINED, Status.REFUSED])


@matters
def calls_that_wait() -> list[Matter]:
    stuck = bounded(_needing_a_person())
    unconfigured = bounded(_in_trouble().filter(status=Status.UNCONFIGURED))
    found = [
        Matter(
            "calls",
            ngettext("call to a service could not be made", "calls to services could not be made", stuck),
            stuck,
            cells.list_url(OutboundCall, "trouble=yes"),
            "bad",
            _("Each says why; send it once the reason is gone, or drop it."),
            icon="outbox",
            permission="integrations.view_outboundcall",
        ),
        Matter(
            "unconfigured_calls",
            ngettext("call waits for its service's set-up", "calls wait for their service's set-up", unconfigured),
            unconfigured,
            cells.list_url(OutboundCall, "status=unconfigured"),
            "calm",
            _("They are sent once the service is configured, and expire after 30 days."),
            icon="outbox",
            permission="integrations.view_outboundcall",
        ),
    ]
    return [item for item in found if item.count]
