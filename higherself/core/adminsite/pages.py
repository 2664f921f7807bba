"""Pages of the console that belong to no model: each app adds its own, under ``/admin/`` and in its namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpResponse
from django.urls import URLPattern, path

View = Callable[..., HttpResponse]
_pages: list[URLPattern] = []


def page(route: str, name: str, view: View, *, guarded: bool = True) -> None:
    """Adds a page: ``reverse("admin:<name>")``. Guarded ones are for staff who are logged in; the view itself checks
    the permission that its work needs."""
    if guarded:
        _pages.append(path(route, admin.site.admin_view(view), name=name))
    else:
        _pages.append(path(route, view, name=name))


site: Any = admin.site
# django-unfold puts these before Django's own addresses, which end in one that catches all.
site.extra_urls = lambda: list(_pages)
