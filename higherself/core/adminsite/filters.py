"""List filters that every app uses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

Rows = QuerySet[Any]


class OptionFilter(SimpleListFilter):
    """Filters a select field by the options that the server knows, without asking the database which are in use."""

    field = ""

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.title = model._meta.get_field(self.field).verbose_name
        self.options = list(model._meta.get_field(self.field).options)
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in self.options]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        return queryset.filter(**{self.field: self.value()}) if self.value() else queryset


def options(field: str) -> type[OptionFilter]:
    return type(f"{field}_filter", (OptionFilter,), {"field": field, "parameter_name": field, "title": field})


class Archived(SimpleListFilter):
    """Records that were put aside are left out unless they are asked for."""

    title = _("put aside")
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("only", _("Archived")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        yield {
            "selected": self.value() is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": _("Current"),
        }
        for key, label in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: key})
            yield {"selected": self.value() == key, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        if self.value() == "all":
            return queryset
        return queryset.filter(archived_at__isnull=self.value() != "only")


class Due(SimpleListFilter):
    """Tasks by when they are due."""

    title = _("due")
    parameter_name = "due"
    open_states: tuple[str, ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("overdue", _("Overdue")), ("today", _("Today")), ("week", _("Within 7 days")), ("none", _("Without"))]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        now = timezone.now()
        end_of_day = timezone.localtime().replace(hour=23, minute=59, second=59, microsecond=999999)
        ranges: dict[str, dict[str, Any]] = {
            "overdue": {"due_date__lt": now},
            "today": {"due_date__gte": end_of_day - timedelta(days=1), "due_date__lte": end_of_day},
            "week": {"due_date__gte": now, "due_date__lte": now + timedelta(days=7)},
            "none": {"due_date__isnull": True},
        }
        wanted = ranges.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(status__in=self.open_states, **wanted)
