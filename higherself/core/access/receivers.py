"""What logging in and changing an account set in motion."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from higherself.core.access import second_factor, sensitive
from higherself.core.access.sessions import end_sessions


@receiver(user_logged_in, dispatch_uid="core.access.logged_in")
def logged_in(sender: Any, request: HttpRequest, user: Any, **_kwargs: Any) -> None:
    """A new session: the password is fresh, the second factor is still to come where there is one."""
    sensitive.note(request)
    request.session.pop(second_factor.KEY, None)
    if not second_factor.is_enrolled(user):
        request.session[second_factor.KEY] = second_factor.NONE


@receiver(post_save, sender=get_user_model(), dispatch_uid="core.access.user_saved")
def user_saved(sender: Any, instance: Any, created: bool, raw: bool = False, **_kwargs: Any) -> None:
    """A closed account has no sessions, not even after it is opened again. (A new password ends them by itself.)"""
    if not raw and not created and not (instance.is_active and instance.is_staff):
        end_sessions(instance.pk)
