"""The inbox: every delivery as it came, what became of it, and the button that has it worked on again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter, display
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from higherself.core.admin import (
    Answer,
    Matter,
    ReadOnlyAdmin,
    RowAction,
    bounded,
    cells,
    matters,
    who,
)
from higherself.core.logs import redact
from higherself.integrations import inbox
from higherself.integrations.admin import searching
from higherself.integrations.admin.working import ProviderFilter, Since, StatusFilter, Worked, in_statuses
from higherself.integrations.delivery import Unreadable, db_text
from higherself.integrations.models import InboundEvent

Status = InboundEvent.Status
# Headers whose value proves the sender: shown by their ends only.
_PROOFS = ("signature", "secret", "token", "authorization", "hmac")
# Ignored events older than this ask nobody any more.
RECENT = timedelta(days=1)
_TROUBLE = ("retrying", "quarantined")


def _replay(request: HttpRequest, rows: list[InboundEvent]) -> Answer:
    done = inbox.replay(InboundEvent.objects.filter(pk__in=[row.pk for row in rows]), who(request))
    left = len(rows) - done
    text = _("%(n)d will be worked on again from the start.") % {"n": done}
    if left:
        text += " " + _("%(n)d are being worked on right now and were left alone.") % {"n": left}
    return (messages.SUCCESS if done else messages.WARNING), text


def _quarantine(request: HttpRequest, rows: list[InboundEvent]) -> Answer:
    done = inbox.quarantine(InboundEvent.objects.filter(pk__in=[row.pk for row in rows]), who(request))
    text = _("%(n)d put aside: nobody tries them until you replay them.") % {"n": done}
    return (messages.SUCCESS if done else messages.WARNING), text


class EventStatus(StatusFilter):
    statuses = Status
    indexed = _TROUBLE


class Trouble(SimpleListFilter):
    """What a person should look at: what failed for good, and what was ignored for a reason of ours lately."""

    title = gettext_lazy("needs a person")
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("ignored", _("Ignored lately"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return in_statuses(queryset, _TROUBLE).filter(status=Status.QUARANTINED)
        return queryset.filter(_ignored_lately()) if self.value() == "ignored" else queryset


def _ignored_lately() -> Q:
    return Q(status=Status.IGNORED, received_at__gte=timezone.now() - RECENT)


@admin.register(InboundEvent)
class InboundEventAdmin(Worked, ReadOnlyAdmin):
    list_display = ("received", "provider_name", "event_type", "state", "attempts", "reason")
    list_filter = (EventStatus, Trouble, ProviderFilter, Since.of("received_at", gettext_lazy("received")))
    search_fields = ("=id", "=delivery_key", "^event_type", "=ordering_key")
    search_help_text = gettext_lazy("An id, a delivery key, or words of the newest 5,000 deliveries")
    # By time: the newest page needs no sorting.
    ordering = ("-received_at",)
    list_display_links = ("received",)
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("provider_name", "event_type"),
                    ("state", "attempts"),
                    *("error", "made"),
                    ("received_at", "processed_at"),
                ]
            },
        ),
        (gettext_lazy("What came"), {"fields": ["payload", "safe_headers", "query_string", "content_type"]}),
        (gettext_lazy("Work"), {"fields": [("next_attempt_at", "worker"), ("replayed_at", "replayed_by")]}),
        (gettext_lazy("Record"), {"fields": ["id", "delivery_key", "ordering_key"], "classes": ["collapse"]}),
    ]
    row_actions = (
        RowAction(
            "replay",
            gettext_lazy("Replay"),
            _replay,
            icon="replay",
            tone="primary",
            when=lambda event: event.status != Status.PROCESSING,
        ),
        RowAction(
            "quarantine",
            gettext_lazy("Stop trying"),
            _quarantine,
            icon="block",
            when=lambda event: event.status in {Status.RECEIVED, Status.RETRYING},
        ),
    )
    received = cells.when("received_at", gettext_lazy("received"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        queryset = super().get_queryset(request)
        # A list of fifty bodies may weigh fifty megabytes.
        return queryset.defer("body", "headers") if _is_list(request) else queryset

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return searching.search(queryset, search_term), False

    @display(description=gettext_lazy("what came of it"))
    def reason(self, obj: InboundEvent) -> Any:
        return cells.short("error", length=120)(self, obj) if obj.error else cells.created_first(obj.created)

    @display(description=gettext_lazy("created"))
    def made(self, obj: InboundEvent) -> Any:
        return cells.created(obj.created)

    @display(description=gettext_lazy("body"))
    def payload(self, obj: InboundEvent) -> Any:
        return body_of(obj)

    @display(description=gettext_lazy("headers"))
    def safe_headers(self, obj: InboundEvent) -> Any:
        return cells.json_block({name: _masked(name, str(value)) for name, value in obj.headers.items()})

    @display(description=gettext_lazy("query string"))
    def query_string(self, obj: InboundEvent) -> str:
        return redact(obj.query) or cells.NOTHING


def _is_list(request: HttpRequest) -> bool:
    match = request.resolver_match
    return bool(match and match.url_name and match.url_name.endswith("_changelist"))


def _masked(name: str, value: str) -> str:
    if any(word in name.lower() for word in _PROOFS):
        return f"{value[:4]}…{value[-4:]} ({len(value)})" if len(value) > 16 else "…"
    return value


def body_of(event: InboundEvent) -> Any:
    """The body for reading: unpacked and indented where it is JSON, else as text, else in hexadecimal."""
    delivery = event.delivery()
    try:
        if delivery.is_json or delivery.is_form:
            value = delivery.json if delivery.is_json else delivery.form
            return _safe(json.dumps(value, indent=2, ensure_ascii=False))
        content = delivery.content
    except (Unreadable, RecursionError):
        content = delivery.body
    try:
        return _safe(content.decode("utf-8"))
    except UnicodeDecodeError:
        shown = content[:4096].hex(" ")
        return _safe(_("%(size)d bytes that are no text:") % {"size": len(content)} + f"\n{shown}")


def _safe(text: str) -> Any:
    """Without the server's own secrets, and without characters that no page can hold."""
    return cells.text_block(redact(db_text(text)))


def _in_trouble() -> QuerySet[InboundEvent]:
    return in_statuses(InboundEvent.objects.all(), _TROUBLE)


@matters
def events_that_wait() -> list[Matter]:
    held = bounded(_in_trouble().filter(status=Status.QUARANTINED))
    retrying = bounded(_in_trouble().filter(status=Status.RETRYING, attempts__gt=0))
    found = [
        Matter(
            "events",
            ngettext("event could not be worked on", "events could not be worked on", held),
            held,
            cells.list_url(InboundEvent, "trouble=yes"),
            "bad",
            _("Each says why; replay it once the reason is gone."),
            icon="inbox",
            permission="integrations.view_inboundevent",
        ),
        Matter(
            "retrying",
            ngettext("event will be tried again", "events will be tried again", retrying),
            retrying,
            cells.list_url(InboundEvent, "status=retrying"),
            hint=_("Nothing to do, unless it lasts."),
            icon="update",
            permission="integrations.view_inboundevent",
        ),
        _ignored(),
    ]
    return [item for item in found if item.count]


def _ignored() -> Matter:
    number = bounded(InboundEvent.objects.filter(_ignored_lately()).exclude(error=""))
    return Matter(
        "ignored",
        ngettext("event was ignored since yesterday", "events were ignored since yesterday", number),
        number,
        cells.list_url(InboundEvent, "trouble=ignored"),
        "calm",
        _("Genuine, stored, and acted upon by nobody: look whether that is right."),
        icon="do_not_disturb_on",
        permission="integrations.view_inboundevent",
    )
