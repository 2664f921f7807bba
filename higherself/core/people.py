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


class MessageMiddleware(_PeopleOnly, messages.MessageMiddleware):
    """Messages, for people."""
