"""What events that come in and calls that go out have in common on their pages: a provider, and a status."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter, display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from higherself.core.admin import cells, tone_of
from higherself.integrations.registry import PROVIDERS


def in_statuses(rows: QuerySet[Any], words: tuple[str, ...]) -> QuerySet[Any]:
    """By the index of just these rows: SQLite uses a partial index only where the statement itself names the words."""
    named = ", ".join(f"'{word}'" for word in words)
    return rows.extra(where=[f"{rows.model._meta.db_table}.status IN ({named})"])  # noqa: S610 - our own words


class ProviderFilter(SimpleListFilter):
    title = gettext_lazy("provider")
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(slug, provider.label) for slug, provider in PROVIDERS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(provider=self.value()) if self.value() else queryset


class StatusFilter(SimpleListFilter):
    """``indexed`` are the statuses that a partial index of the table holds."""

    title = gettext_lazy("status")
    parameter_name = "status"
    statuses: ClassVar[Any]
    indexed: ClassVar[tuple[str, ...]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.statuses.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in self.indexed:
            queryset = in_statuses(queryset, self.indexed)
        return queryset.filter(status=self.value()) if self.value() else queryset


class Since(SimpleListFilter):
    """By how long ago it was; ``column`` is the time that counts."""

    parameter_name = "since"
    column: ClassVar[str]
    spans: ClassVar[dict[str, timedelta]] = {
        "hour": timedelta(hours=1),
        "day": timedelta(days=1),
        "week": timedelta(days=7),
    }

    @classmethod
    def of(cls, column: str, title: Any) -> type[Since]:
        return type(f"{column}_since", (cls,), {"column": column, "title": title})

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("hour", _("Last hour")), ("day", _("Last 24 hours")), ("week", _("Last 7 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        length = self.spans.get(self.value() or "")
        return queryset.filter(**{f"{self.column}__gte": timezone.now() - length}) if length else queryset


class Worked:
    """The columns of a row that a provider sent, or is to be sent."""

    @display(description=gettext_lazy("provider"), ordering="provider")
    def provider_name(self, obj: Any) -> str:
        return PROVIDERS[obj.provider].label if obj.provider in PROVIDERS else obj.provider

    @display(description=gettext_lazy("status"), ordering="status")
    def state(self, obj: Any) -> Any:
        return cells.chip(obj.get_status_display(), tone_of(obj.status))
