"""The outbox: every call that is wanted at a provider, why it waits, and the buttons that send or drop it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter, display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from higherself.core.admin import Answer, Matter, ReadOnlyAdmin, RowAction, bounded, cells, matters, who
from higherself.integrations import outbox
from higherself.integrations.admin.working import ProviderFilter, StatusFilter, Worked, in_statuses
from higherself.integrations.models import OutboundCall

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


class CallStatus(StatusFilter):
    statuses = Status
    indexed = _TROUBLE


class Trouble(SimpleListFilter):
    title = gettext_lazy("needs a person")
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return _needing_a_person(queryset) if self.value() else queryset


@admin.register(OutboundCall)
class OutboundCallAdmin(Worked, ReadOnlyAdmin):
    list_display = ("wanted", "provider_name", "operation", "about", "state", "attempts", "reason")
    list_filter = (CallStatus, Trouble, ProviderFilter)
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

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Of a call that erases somebody nobody reads here whom it is about."""
        found = super().get_fieldsets(request, obj)
        if obj is None or not outbox.forgets(obj):
            return found
        hidden = {"show_payload", "record"}
        kept = [(title, _without(options, hidden)) for title, options in found]
        return [(title, options) for title, options in kept if options["fields"]]

    @display(description=gettext_lazy("about"))
    def about(self, obj: OutboundCall) -> Any:
        if outbox.forgets(obj):
            return _("somebody who is erased")
        url = cells.change_url(obj.about_model, obj.about_id) if obj.about_model else ""
        return cells.link(url, obj.record or obj.about_id) if url else obj.record or cells.NOTHING


def _without(options: dict[str, Any], hidden: set[str]) -> dict[str, Any]:
    rows = [line if isinstance(line, (list, tuple)) else (line,) for line in options["fields"]]
    shown = [tuple(name for name in row if name not in hidden) for row in rows]
    return {**options, "fields": [row for row in shown if row]}


def _needing_a_person(calls: QuerySet[OutboundCall]) -> QuerySet[OutboundCall]:
    return in_statuses(calls, _TROUBLE).filter(status__in=[Status.QUARANTINED, Status.REFUSED])


@matters
def calls_that_wait() -> list[Matter]:
    calls = OutboundCall.objects.all()
    stuck = bounded(_needing_a_person(calls))
    unconfigured = bounded(in_statuses(calls, _TROUBLE).filter(status=Status.UNCONFIGURED))
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
