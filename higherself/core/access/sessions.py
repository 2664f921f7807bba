"""Ending the sessions of a person: when the account is closed, or the second factor is changed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone


def end_sessions(user_pk: Any, *, but: str | None = None) -> int:
    """Ends them all, or all ``but`` the one with this key; returns how many.

    Only people have sessions: they are few.
    """
    wanted = str(user_pk)
    ended = 0
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if session.session_key != but and str(session.get_decoded().get(SESSION_KEY)) == wanted:
            session.delete()
            ended += 1
    return ended
