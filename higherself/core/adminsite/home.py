"""The home page and the banners of the console."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from higherself.core import health
from higherself.core.adminsite import scope as scopes
from higherself.core.adminsite.attention import (
    current_charts,
    current_figures,
    current_listings,
    current_matters,
    current_notices,
)

# Said at the head of the page, in this order.
_FIRST = ("notion", "inbox", "worker")
_TONES = {health.OK: "good", health.DEGRADED: "warn", health.DOWN: "bad"}
_WORDS = {
    health.OK: gettext_lazy("Everything works"),
    health.DEGRADED: gettext_lazy("It works, but something is not as it should be"),
    health.DOWN: gettext_lazy("The server cannot work"),
}


def context(request: HttpRequest) -> dict[str, Any]:
    """Added to every page of the console."""
    user: Any = request.user
    return {"console_notices": current_notices() if user.is_active and user.is_staff else []}


def home(request: HttpRequest, page: dict[str, Any]) -> dict[str, Any]:
    """The home page: what needs a person, how the system is, and today, for all businesses or the chosen one."""
    overall, parts = health.report()
    scope = scopes.chosen(request)
    page["health"] = {
        "word": _WORDS[overall],
        "tone": _TONES[overall],
        "parts": [(_name(name), _TONES[part.status], part.summary) for name, part in parts.items()],
        "first": [(_TONES[part.status], part.summary) for name, part in parts.items() if name in _FIRST],
    }
    page["switch"] = scopes.switch(request, scope)
    page["matters"] = _allowed(request, current_matters())
    page["figures"] = _allowed(request, current_figures(scope))
    page["charts"] = _allowed(request, current_charts(scope))
    page["listings"] = _allowed(request, current_listings(scope))
    return page


def _allowed(request: HttpRequest, items: list[Any]) -> list[Any]:
    user: Any = request.user
    return [item for item in items if not item.permission or user.has_perm(item.permission)]


def _name(component: str) -> str:
    return component.replace("_", " ").replace(":", ": ").capitalize()


def own_page(_request: HttpRequest) -> list[dict[str, Any]]:
    """The links of the menu behind one's name."""
    return [
        {"title": _("Your account"), "link": reverse("admin:account")},
        {"title": _("Change password"), "link": reverse("admin:password_change")},
    ]


def stylesheet(_request: HttpRequest) -> str:
    return static("console/console.css")


def pages_stylesheet(_request: HttpRequest) -> str:
    return static("console/pages.css")


def script(_request: HttpRequest) -> str:
    return static("console/console.js")


def favicon(_request: HttpRequest) -> str:
    return static("console/icon.svg")
