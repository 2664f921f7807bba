"""The console's one search box: people, what they bought, instances, tasks and more, a few of each."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from unfold.dataclasses import SearchResult

from higherself.core.adminsite.cells import change_url

# Where to look, in this order, and with which sign.
PEOPLE = "contacts.contact"
SEARCHED = (
    (PEOPLE, "contacts"),
    ("agents_app.workflowinstance", "route"),
    ("agents_app.task", "task_alt"),
    ("bookings.product", "spa"),
    ("campaigns.campaign", "campaign"),
    ("community.member", "diversity_3"),
    ("campaigns.feedback", "reviews"),
)
# Found by the person they belong to, or by exactly what they are called; these columns have indexes.
OF_PEOPLE = (
    ("bookings.order", "shopping_bag", ("number", "external_id")),
    ("bookings.booking", "event_available", ("external_id", "reservation_id")),
)
OF_EACH = 6
# Of so many people who are found, the newest ones, what they bought is shown.
PEOPLE_ASKED = 20


def search(request: HttpRequest, term: str) -> list[SearchResult]:
    found: list[SearchResult] = []
    for label, icon in SEARCHED:
        model = apps.get_model(label)
        rows = _found_in(request, model, term)
        found += [_result(row, icon) for row in rows[:OF_EACH]]
        if label == PEOPLE:
            found += _bought(request, [row.pk for row in rows], term)
    return found


def _found_in(request: HttpRequest, model: Any, term: str) -> list[Any]:
    registered: Any = admin.site._registry[model]
    if not registered.has_view_or_change_permission(request):
        return []
    rows, _duplicates = registered.get_search_results(request, model.objects.live(), term)
    return list(rows.order_by("-pk")[: PEOPLE_ASKED if model._meta.label_lower == PEOPLE else OF_EACH])


def _bought(request: HttpRequest, people: list[int], term: str) -> list[SearchResult]:
    found = []
    called = term.strip().removeprefix("#")
    for label, icon, names in OF_PEOPLE:
        model = apps.get_model(label)
        if not admin.site._registry[model].has_view_or_change_permission(request):
            continue
        wanted = Q(contact__in=people)
        for name in names:
            wanted |= Q(**{name: called})
        rows = model._default_manager.filter(wanted).select_related("contact").order_by("-pk")[:OF_EACH]
        found += [_result(row, icon, row.contact) for row in rows]
    return found


def _result(row: Any, icon: str, person: Any = None) -> SearchResult:
    """``person`` is whose it is. The line below the name tells those apart that are called the same."""
    told = [str(row._meta.verbose_name).capitalize(), str(person or getattr(row, "email", "") or "")]
    told.append(str(getattr(row, "status", "") or ""))
    link = change_url(type(row), row.pk)
    return SearchResult(title=str(row), description=" · ".join(filter(None, told)), link=link, icon=icon)
