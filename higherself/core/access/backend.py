"""Passwords, checked only while the account is open to the caller."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from higherself.core.access import lockout
from higherself.core.addresses import client_address


class PasswordBackend(ModelBackend):
    """Django's own, with the lock in front. Every door to a password goes through it."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        if not username or password is None:
            return None
        address = client_address(request) if request is not None else ""
        seconds = lockout.seconds_locked(username, address)
        if seconds:
            if request is not None:
                request.locked_for = seconds  # type: ignore[attr-defined]  # for the form, which tells the person
            raise PermissionDenied
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is None:
            lockout.failed(username, address)
        else:
            lockout.succeeded(username, address)
        return user
