"""Django's middleware for people: sessions, languages, users and messages.

Programs that deliver webhooks have none of these, and a delivery spends a fifth of its time in them; so their paths go
past.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware import locale

from higherself.core.history.models import PERSON
from higherself.core.history.recording import by

PROGRAMS = "/webhooks/"


class _PeopleOnly:
    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(PROGRAMS):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class SessionMiddleware(_PeopleOnly, sessions.SessionMiddleware):
    """Sessions, for people."""


class LocaleMiddleware(_PeopleOnly, locale.LocaleMiddleware):
    """Languages, for people."""


class AuthenticationMiddleware(_PeopleOnly, auth.AuthenticationMiddleware):
    """Users, for people."""


class Author:
    """What a person changes in a request is noted in the person's name."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method in {"GET", "HEAD", "OPTIONS"} or request.path_info.startswith(PROGRAMS):
            return self.get_response(request)
        with by(lambda: name_of(getattr(request, "user", None)), PERSON, gather=False):
            return self.get_response(request)


def name_of(user: Any) -> str:
    """A person, or a program with a token, as records and logs name it."""
    if user is None or not getattr(user, "is_authenticated", False):
        return ""
    full_name = user.get_full_name() if hasattr(user, "get_full_name") else ""
    return str(full_name or user)[:150]


class MessageMiddleware(_PeopleOnly, messages.MessageMiddleware):
    """Messages, for people."""
