"""The kernel's own rows in the console: people who log in, tokens, the worker, and what staff did."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin import display
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from higherself.core import jobs, roles
from higherself.core.access.admin import RESET_SECOND_FACTOR
from higherself.core.access.sensitive import SensitiveAdmin, ask
from higherself.core.adminsite import cells
from higherself.core.adminsite.actions import Answer, RowAction
from higherself.core.adminsite.base import ModelAdmin, ReadOnlyAdmin
from higherself.core.models import ApiToken, Heartbeat

admin.site.index_title = gettext_lazy("Today")  # type: ignore[assignment]

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(SensitiveAdmin, DjangoUserAdmin, ModelAdmin):  # type: ignore[misc]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "full_name", "roles", "is_active", "is_staff", "is_superuser", "last_seen")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    facts = ("last_login", "date_joined")
    last_seen = cells.when("last_login", gettext_lazy("last login"))
    row_actions = (RESET_SECOND_FACTOR,)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        found = tuple(super().get_readonly_fields(request, obj))
        # Whoever manages people must not make himself, or others, more than that.
        return found if _is_superuser(request) else (*found, "is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (_is_superuser(request) or not _above(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (_is_superuser(request) or not _above(obj))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        return ask(request) or super().user_change_password(request, id, form_url)

    @display(description=gettext_lazy("name"), ordering="last_name")
    def full_name(self, obj: User) -> str:
        return obj.get_full_name() or cells.NOTHING

    @display(description=gettext_lazy("roles"))
    def roles(self, obj: User) -> str:
        return ", ".join(group.name for group in obj.groups.all()) or cells.NOTHING


@admin.register(Group)
class GroupAdmin(SensitiveAdmin, DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """The five roles are kept by the server; groups of your own are yours."""

    list_display = ("name", "purpose", "people")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(number_of_people=Count("user"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_role(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_role(obj)

    @display(description=gettext_lazy("for whom"))
    def purpose(self, obj: Group) -> Any:
        return _(roles.PURPOSE[obj.name]) if obj.name in roles.PURPOSE else _("a group of your own")

    @display(description=gettext_lazy("people"))
    def people(self, obj: Any) -> int:
        return int(obj.number_of_people)


def _is_superuser(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.is_superuser)


def _above(user: User | None) -> bool:
    """Accounts that only a superuser manages."""
    return user is not None and user.is_superuser


def _is_role(group: Group | None) -> bool:
    return group is not None and group.name in roles.ROLES


def _revoke(_request: HttpRequest, rows: list[ApiToken]) -> Answer:
    ids = [row.pk for row in rows]
    done = ApiToken.objects.filter(pk__in=ids, revoked_at__isnull=True).update(revoked_at=timezone.now())
    return messages.SUCCESS, _("%(n)d revoked: they open nothing any more.") % {"n": done}


@admin.register(ApiToken)
class ApiTokenAdmin(SensitiveAdmin, ModelAdmin):  # type: ignore[misc]
    """Tokens are made by ``manage.py create_token``, which shows them once; here they are revoked."""

    list_display = ("name", "state", "allowed", "made", "used", "ends")
    search_fields = ("name",)
    fieldsets = [
        (None, {"fields": ["name", "scopes", "expires_at"]}),
        (gettext_lazy("Record"), {"fields": ["created_at", "last_used_at", "revoked_at"]}),
    ]
    facts = ("revoked_at",)
    row_actions = (
        RowAction(
            "revoke",
            gettext_lazy("Revoke"),
            _revoke,
            icon="block",
            tone="bad",
            when=lambda row: row.revoked_at is None,
            sensitive=True,
            confirm=gettext_lazy("Programs that use this token are locked out at once. Revoke it?"),
        ),
    )
    made, used, ends = cells.when("created_at"), cells.when("last_used_at"), cells.when("expires_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @display(description=gettext_lazy("state"))
    def state(self, obj: ApiToken) -> Any:
        if obj.revoked_at is not None:
            return cells.chip(_("revoked"), "bad")
        if obj.expires_at is not None and obj.expires_at <= timezone.now():
            return cells.chip(_("expired"), "warn")
        return cells.chip(_("valid"), "good")

    @display(description=gettext_lazy("allows"))
    def allowed(self, obj: ApiToken) -> str:
        return ", ".join(map(str, obj.scopes)) or _("everything")


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("name", "seen")
    seen = cells.when("at", gettext_lazy("last seen"))
    fieldsets = [(None, {"fields": ["name", "at"]})]


_FLAGS = {1: ("added", "good"), 2: ("changed", "busy"), 3: ("deleted", "bad")}


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """What staff did in the console."""

    list_display = ("at", "user", "what", "object_repr", "content_type", "message")
    list_filter = ("action_flag",)
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr",)
    fieldsets = [(None, {"fields": ["action_time", "user", "content_type", "object_repr", "message", "to_record"]})]
    at = cells.when("action_time", gettext_lazy("when"))

    @display(description=gettext_lazy("what"), ordering="action_flag")
    def what(self, obj: LogEntry) -> Any:
        return cells.chip(*_FLAGS.get(obj.action_flag, (obj.action_flag, "calm")))

    @display(description=gettext_lazy("details"))
    def message(self, obj: LogEntry) -> str:
        return obj.get_change_message()[:200]

    @display(description=gettext_lazy("record"))
    def to_record(self, obj: LogEntry) -> Any:
        kind = obj.content_type
        url = cells.change_url(f"{kind.app_label}.{kind.model}", obj.object_id) if kind else ""
        return cells.link(url, obj.object_repr) if url else obj.object_repr


# -- the queue ------------------------------------------------------------------------------------------------------
# Its models are taken from the registry of models, so that the job module stays the only one that knows the queue.
def _run_now(_request: HttpRequest, rows: list[Any]) -> Answer:
    wanted = sorted({row.name.partition("+")[0] for row in rows} & set(jobs.names()))
    for name in wanted:
        jobs.wake(name)
    return (messages.SUCCESS if wanted else messages.WARNING), _("Woken: %(names)s") % {
        "names": ", ".join(wanted) or cells.NOTHING
    }


class ScheduleAdmin(ReadOnlyAdmin):
    """When which job is woken. Jobs find their own work, so waking one once more does no harm."""

    list_display = ("name", "rhythm", "due")
    search_fields = ("name",)
    ordering = ("name",)
    fieldsets = [(None, {"fields": ["name", "func", "args", "rhythm", "next_run"]})]
    row_actions = (RowAction("run_now", gettext_lazy("Run now"), _run_now, icon="play_arrow", tone="primary"),)
    due = cells.when("next_run", gettext_lazy("next"))

    @display(description=gettext_lazy("every"))
    def rhythm(self, obj: Any) -> str:
        if obj.minutes:
            return _("%d min") % obj.minutes
        at = timezone.localtime(obj.next_run)
        is_daily = obj.schedule_type == obj.DAILY
        return _("day at %s") % date_format(at, "TIME_FORMAT") if is_daily else obj.get_schedule_type_display()


class TaskAdmin(ReadOnlyAdmin):
    """What the queue remembers of the jobs that ran."""

    list_display = ("name", "func", "began", "ended")
    search_fields = ("name",)
    fieldsets = [(None, {"fields": ["name", "func", "args", "started", "stopped", "result"]})]
    began, ended = cells.when("started"), cells.when("stopped")


class QueuedAdmin(ReadOnlyAdmin):
    """Wake-ups that no worker has taken yet."""

    list_display = ("id", "key", "held")
    fieldsets = [(None, {"fields": ["key", "lock"]})]
    held = cells.when("lock", gettext_lazy("taken"))


for _name, _admin in {
    "Schedule": ScheduleAdmin,
    "Success": TaskAdmin,
    "Failure": TaskAdmin,
    "OrmQ": QueuedAdmin,
}.items():
    _model = apps.get_model("django_q", _name)
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
    admin.site.register(_model, _admin)
