"""Pages of the console that belong to no model: each app adds its own, under ``/admin/`` and in its namespace."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

View = Callable[..., HttpResponse]
_pages: list[URLPattern] = []
_permissions: dict[str, str] = {}


def page(route: str, name: str, view: View, *, guarded: bool = True) -> None:
    """Adds a page: ``reverse("admin:<name>")``. Guarded ones are for staff who are logged in; the view itself checks
    the permission that its work needs."""
    if guarded:
        _pages.append(path(route, admin.site.admin_view(view), name=name))
    else:
        _pages.append(path(route, view, name=name))


def staff_page(route: str, *, name: str, permission: str) -> Callable[[View], View]:
    """Adds the decorated view as a page for those who have the permission; the navigation hides it from others."""

    def register(view: View) -> View:
        def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user: Any = request.user
            if not user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        page(route, name, update_wrapper(guard, view))
        _permissions[name] = permission
        return view

    return register


def permission_of(name: str) -> str:
    """What it takes to see a page. Raises KeyError for one that was not added by `staff_page`."""
    return _permissions[name]


def shown(request: HttpRequest, template: str, title: Any, context: dict[str, Any]) -> TemplateResponse:
    """The page in the console's frame."""
    frame = admin.site.each_context(request)
    return TemplateResponse(request, template, {**frame, "title": title, **context})


site: Any = admin.site
# django-unfold puts these before Django's own addresses, which end in one that catches all.
site.extra_urls = lambda: list(_pages)
