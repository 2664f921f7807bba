"""Sensitive work asks for the password again, unless it was given a few minutes ago."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

KEY = "password_given_at"
# Seconds for which a given password is good.
GOOD_FOR = 600


def note(request: HttpRequest) -> None:
    """The person has just given the password."""
    request.session[KEY] = int(time.time())


def is_fresh(request: HttpRequest) -> bool:
    given = request.session.get(KEY, 0)
    return bool(0 <= time.time() - given < GOOD_FOR)


def ask(request: HttpRequest, back: str = "") -> HttpResponse | None:
    """Sends the person to give the password, and then ``back`` (this page by default); None when it is fresh."""
    if is_fresh(request):
        return None
    if request.method == "POST":
        messages.warning(request, _("Nothing was done yet: give your password, then press the button again."))
    target = back or request.get_full_path()
    return HttpResponseRedirect(f"{reverse('admin:confirm')}?{urlencode({'next': target})}")


class SensitiveAdmin:
    """For an admin class whose pages ask for the password before they let anybody change something.

    Stands before the admin class among the bases.
    """

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        me: Any = self
        changes = me.has_change_permission(request) if object_id else me.has_add_permission(request)
        asked = ask(request) if changes else None
        return asked or super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[misc]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        return ask(request) or super().delete_view(request, object_id, extra_context)  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        asked = ask(request) if request.method == "POST" else None
        return asked or super().changelist_view(request, extra_context)  # type: ignore[misc]
