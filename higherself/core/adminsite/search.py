"""The console's one search box: people, instances, tasks and more, a few of each."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from unfold.dataclasses import SearchResult

from higherself.core.adminsite.cells import change_url

# Where to look, in this order, and with which sign.
SEARCHED = (
    ("contacts.contact", "contacts"),
    ("agents_app.workflowinstance", "route"),
    ("agents_app.task", "task_alt"),
    ("bookings.product", "spa"),
    ("campaigns.campaign", "campaign"),
    ("community.member", "diversity_3"),
    ("campaigns.feedback", "reviews"),
)
OF_EACH = 6


def search(request: HttpRequest, term: str) -> list[SearchResult]:
    found: list[SearchResult] = []
    for label, icon in SEARCHED:
        found += _in_model(request, apps.get_model(label), term, icon)
    return found


def _in_model(request: HttpRequest, model: Any, term: str, icon: str) -> list[SearchResult]:
    registered: Any = admin.site._registry[model]
    if not registered.has_view_or_change_permission(request):
        return []
    rows, _duplicates = registered.get_search_results(request, model.objects.live(), term)
    title = str(model._meta.verbose_name).capitalize()
    return [
        SearchResult(title=str(row), description=title, link=change_url(model, row.pk), icon=icon)
        for row in rows.order_by("-pk")[:OF_EACH]
    ]
