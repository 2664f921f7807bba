"""What is remembered about each service: its gate, its back-fill, and the webhooks that we have registered there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from higherself.core.admin import Answer, ReadOnlyAdmin, RowAction, cells
from higherself.integrations import gate, silence
from higherself.integrations.models import BackfillState, ProviderGate, Pulse, RegisteredWebhook
from higherself.integrations.registry import PROVIDERS


def _reopen(_request: HttpRequest, rows: list[ProviderGate]) -> Answer:
    for row in rows:
        gate.reopen(row.provider)
    return messages.SUCCESS, _("The next call is made at once.")


def _closed(row: ProviderGate) -> bool:
    paused = row.paused_until is not None and row.paused_until > timezone.now()
    return paused or bool(row.refused_with)


@admin.register(ProviderGate)
class ProviderGateAdmin(ReadOnlyAdmin):
    list_display = ("provider", "state", "paused", "failures", "used", "answer", "why")
    fieldsets = [
        (None, {"fields": [("provider", "state"), "reason", ("paused_until", "failures")]}),
        (gettext_lazy("Use"), {"fields": [("month", "used"), "last_answer_at", "refused_at"]}),
    ]
    row_actions = (
        RowAction("reopen", gettext_lazy("Ask again now"), _reopen, icon="restart_alt", tone="primary", when=_closed),
    )
    paused = cells.when("paused_until", gettext_lazy("paused until"))
    answer = cells.when("last_answer_at", gettext_lazy("last answer"))
    why = cells.short("reason", gettext_lazy("reason"), length=120)

    @display(description=gettext_lazy("requests this month"))
    def used(self, obj: ProviderGate) -> str:
        """Of how many, where the account has a limit."""
        provider, month = PROVIDERS.get(obj.provider), timezone.now().strftime("%Y-%m")
        limit = provider.monthly_limit if provider else 0
        number = obj.requests if obj.month == month else 0
        return _("%(n)s of %(limit)s") % {"n": f"{number:,}", "limit": f"{limit:,}"} if limit else f"{number:,}"

    @display(description=gettext_lazy("state"))
    def state(self, obj: ProviderGate) -> Any:
        if obj.refused_with:
            return cells.chip(_("credentials refused"), "bad")
        return cells.chip(_("paused"), "warn") if _closed(obj) else cells.chip(_("open"), "good")


@admin.register(BackfillState)
class BackfillStateAdmin(ReadOnlyAdmin):
    list_display = ("provider", "started", "ended", "fetched", "new", "why")
    fieldsets = [
        (None, {"fields": ["provider", ("started_at", "finished_at"), ("fetched", "new"), "error"]}),
        (gettext_lazy("Record"), {"fields": ["cursor", ("worker", "held_until")]}),
    ]
    started, ended = cells.when("started_at"), cells.when("finished_at")
    why = cells.short("error", gettext_lazy("reason"), length=120)


@admin.register(RegisteredWebhook)
class RegisteredWebhookAdmin(ReadOnlyAdmin):
    """Without the secrets: whoever knows one can sign as the provider."""

    list_display = ("provider", "name", "active", "made", "seen", "ends")
    list_filter = ("provider",)
    search_fields = ("=name", "=remote_id")
    fieldsets = [
        (None, {"fields": [("provider", "name"), ("active", "where")]}),
        (gettext_lazy("Record"), {"fields": ["remote_id", ("created_at", "checked_at"), "expires_at"]}),
    ]
    made, seen, ends = cells.when("created_at"), cells.when("checked_at"), cells.when("expires_at")

    @display(description=gettext_lazy("address"))
    def where(self, obj: RegisteredWebhook) -> str:
        """Its path may end in the secret."""
        return obj.shown_url


@admin.register(Pulse)
class PulseAdmin(ReadOnlyAdmin):
    """How often each provider sends, and who is quieter than they ever were."""

    list_display = ("provider", "state", "last", "patience", "active_hours")
    fieldsets = [(None, {"fields": [("provider", "state"), ("last", "patience"), "active_hours", "seen_until"]})]

    @display(description=gettext_lazy("state"))
    def state(self, obj: Pulse) -> Any:
        quiet = any(item.provider == obj.provider for item in silence.silent())
        return cells.chip(_("silent"), "warn") if quiet else cells.chip(_("as usual"), "good")

    @display(description=gettext_lazy("last sent"))
    def last(self, obj: Pulse) -> Any:
        moment = silence.last_of(obj.hours)
        return cells.moment(moment) if moment else cells.NOTHING

    @display(description=gettext_lazy("may be quiet for"))
    def patience(self, obj: Pulse) -> str:
        usual = silence.patience_of(obj.hours)
        return silence.span(usual) if usual else _("not known yet")

    @display(description=gettext_lazy("hours with deliveries"))
    def active_hours(self, obj: Pulse) -> int:
        return len(obj.hours)
