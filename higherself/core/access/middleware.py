"""Whoever has, or must have, a second factor gets nowhere in this session without it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from higherself.core.access import second_factor
from higherself.core.people import PROGRAMS

Next = Callable[[HttpRequest], HttpResponse]


class SecondFactor:
    """After the middleware that knows the user. The console leads to the page for the code; elsewhere the person
    counts as a stranger until the code was given."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Programs have no session; looking into one would only make their answers vary by cookie.
        if request.path_info.startswith((PROGRAMS, "/static/")) or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        wanted = _wanted(request)
        if not wanted or request.path in _open_paths():
            return self.get_response(request)
        if request.path.startswith(reverse("admin:index")):
            return HttpResponseRedirect(f"{reverse(wanted)}?{urlencode({'next': request.get_full_path()})}")
        request.user = AnonymousUser()
        return self.get_response(request)


def _wanted(request: HttpRequest) -> str:
    """The page that the person has to go to first; empty when there is none."""
    state = request.session.get(second_factor.KEY)
    if state == second_factor.PASSED or (state == second_factor.NONE and not second_factor.is_required()):
        return ""
    user: Any = request.user
    if not user.is_authenticated or not user.is_staff:
        return ""
    if second_factor.is_enrolled(user):
        return "admin:second_factor"
    if second_factor.is_required():
        return "admin:second_factor_setup"
    request.session[second_factor.KEY] = second_factor.NONE
    return ""


@lru_cache(maxsize=1)
def _open_paths() -> frozenset[str]:
    names = ("login", "logout", "second_factor", "second_factor_setup", "jsi18n")
    return frozenset(reverse(f"admin:{name}") for name in names)
