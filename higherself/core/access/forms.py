"""The forms of logging in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget


def minutes_locked(seconds: int) -> str:
    """The sentence for whoever is locked out."""
    minutes = max(1, -(-seconds // 60))
    return ngettext(
        "Too many attempts have failed. Try again in %(n)d minute, or ask an Owner to unlock the account.",
        "Too many attempts have failed. Try again in %(n)d minutes, or ask an Owner to unlock the account.",
        minutes,
    ) % {"n": minutes}


class LoginForm(AuthenticationForm):  # type: ignore[misc]
    """The console's log-in form; it says so when the account is closed for a while."""

    def get_invalid_login_error(self) -> ValidationError:
        seconds = getattr(self.request, "locked_for", 0)
        if seconds:
            return ValidationError(minutes_locked(seconds), code="locked")
        error: ValidationError = super().get_invalid_login_error()
        return error


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false", "autocapitalize": "off"}
        ),
    )


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def refuse(self, text: Any) -> None:
        self.add_error("password", text)
