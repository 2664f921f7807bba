"""The pages of logging in, and what Owners see of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter, display
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_otp.plugins.otp_totp.models import TOTPDevice

from higherself.core.access import second_factor, views
from higherself.core.access.models import LoginAttempt
from higherself.core.adminsite import cells
from higherself.core.adminsite.actions import Answer, Refused, RowAction
from higherself.core.adminsite.attention import Matter, bounded, matters
from higherself.core.adminsite.base import ReadOnlyAdmin
from higherself.core.adminsite.pages import page

page("second-factor/", "second_factor", views.second_factor_view, guarded=False)
page("second-factor/set-up/", "second_factor_setup", views.setup_view, guarded=False)
page("confirm/", "confirm", views.confirm_view)
page("account/", "account", views.account_view)
page("account/recovery-codes/", "recovery_codes", views.new_codes_view)
page("account/second-factor-off/", "second_factor_off", views.switch_off_view)

# The library's own page would show the secrets of others.
if admin.site.is_registered(TOTPDevice):
    admin.site.unregister(TOTPDevice)


def _unlock(_request: HttpRequest, rows: list[LoginAttempt]) -> Answer:
    done = LoginAttempt.objects.filter(pk__in=[row.pk for row in rows]).update(failures=0, locked_until=None)
    return messages.SUCCESS, _("%(n)d unlocked.") % {"n": done}


class Locked(SimpleListFilter):
    title = gettext_lazy("locked")
    parameter_name = "locked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Locked now"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(locked_until__gt=timezone.now()) if self.value() == "yes" else queryset


@admin.register(LoginAttempt)
class LoginAttemptAdmin(ReadOnlyAdmin):
    """Who has logged in from where, and who is locked out."""

    list_display = ("account", "address", "state", "failures", "failed", "succeeded")
    list_filter = (Locked,)
    search_fields = ("account", "address")
    ordering = ("-failed_at", "-pk")
    fieldsets = [
        (None, {"fields": ["account", "address", "state", "failures", "failed_at", "succeeded_at", "locked_until"]})
    ]
    row_actions = (
        RowAction(
            "unlock",
            gettext_lazy("Unlock"),
            _unlock,
            icon="lock_open",
            tone="primary",
            when=lambda row: row.failures > 0,
        ),
    )
    failed = cells.when("failed_at", gettext_lazy("last failure"))
    succeeded = cells.when("succeeded_at", gettext_lazy("last success"))

    @display(description=gettext_lazy("state"), ordering="locked_until")
    def state(self, obj: LoginAttempt) -> Any:
        return cells.chip(_("locked"), "bad") if obj.is_locked else cells.chip(_("open"), "calm")


@matters
def locked_accounts() -> list[Matter]:
    number = bounded(LoginAttempt.objects.filter(locked_until__gt=timezone.now()))
    if not number:
        return []
    return [
        Matter(
            "lockouts",
            ngettext("log-in is locked", "log-ins are locked", number),
            number,
            cells.list_url(LoginAttempt, "locked=yes"),
            hint=_("After too many wrong passwords. It ends by itself; you can end it at once."),
            icon="lock",
            permission="core.view_loginattempt",
        )
    ]


# -- on a user's page -----------------------------------------------------------------------------------------------
def reset_second_factor(request: HttpRequest, rows: list[Any]) -> Answer:
    if any(row.is_superuser for row in rows) and not getattr(request.user, "is_superuser", False):
        raise Refused(_("Only a superuser resets the second factor of a superuser."))
    for row in rows:
        second_factor.remove(row)
    text = ngettext(
        "The second factor of %(n)d person is gone, and so are the person's sessions. It is set up at the next log-in.",
        "The second factor of %(n)d people is gone, and so are their sessions. It is set up at the next log-in.",
        len(rows),
    )
    return messages.SUCCESS, text % {"n": len(rows)}


RESET_SECOND_FACTOR = RowAction(
    "reset_second_factor",
    gettext_lazy("Reset second factor"),
    reset_second_factor,
    icon="phonelink_erase",
    tone="bad",
    sensitive=True,
    confirm=gettext_lazy("The person logs in with the password alone once, and sets up a new factor. Reset it?"),
)
