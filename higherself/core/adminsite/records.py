"""The base of the sixteen mirrored records' admin classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import SimpleListFilter, display
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from higherself.core.adminsite import cells, saved
from higherself.core.adminsite.actions import Answer, RowAction
from higherself.core.adminsite.base import Fieldsets, ModelAdmin
from higherself.core.adminsite.filters import Archived
from higherself.core.exchange import exporting
from higherself.core.history import gathered
from higherself.core.models import Record
from higherself.core.signals import records_changed


def _some(done: int, skipped: int, said: str) -> Answer:
    text = said % {"n": done}
    if skipped:
        text += " " + _("%(n)d needed nothing.") % {"n": skipped}
    return (messages.SUCCESS if done else messages.INFO), text


# May hold back that many records are put aside at once: returns what to tell the person then, else None.
ArchiveGate = Callable[[HttpRequest, list[Any]], Answer | None]


def _open_gate(_request: HttpRequest, _rows: list[Any]) -> Answer | None:
    return None


archive_gate: ArchiveGate = _open_gate


def set_archive_gate(new: ArchiveGate) -> None:
    """For the app that asks people for approvals, which this one cannot import."""
    global archive_gate
    archive_gate = new


def _archive(request: HttpRequest, rows: list[Record]) -> Answer:
    wanted = [row for row in rows if not row.is_archived]
    held = archive_gate(request, wanted)
    if held is not None:
        return held
    for row in wanted:
        row.archive()
    return _some(
        len(wanted), len(rows) - len(wanted), _("%(n)d put aside; Notion follows by moving the page to its trash.")
    )


def _restore(_request: HttpRequest, rows: list[Record]) -> Answer:
    wanted = [row for row in rows if row.is_archived]
    for row in wanted:
        row.restore()
    return _some(len(wanted), len(rows) - len(wanted), _("%(n)d brought back; Notion follows."))


def _set_paused(rows: list[Record], paused: bool) -> int:
    # The plain manager: pausing is no news for Notion.
    ids = [row.pk for row in rows if row.sync_paused is not paused]
    return type(rows[0])._base_manager.filter(pk__in=ids).update(sync_paused=paused) if ids else 0


def _pause(_request: HttpRequest, rows: list[Record]) -> Answer:
    done = _set_paused(rows, True)
    return _some(done, len(rows) - done, _("%(n)d paused: changes made here wait until you resume."))


def _resume(_request: HttpRequest, rows: list[Record]) -> Answer:
    done = _set_paused(rows, False)
    records_changed.send(sender=type(rows[0]))  # wakes the job that carries changes to Notion
    return _some(done, len(rows) - done, _("%(n)d resumed: what waited is on its way."))


ARCHIVE = RowAction(
    "archive",
    gettext_lazy("Archive"),
    _archive,
    icon="inventory_2",
    when=lambda row: not row.is_archived,
    confirm=gettext_lazy("Put this aside here and move its page to Notion's trash? You can restore it later."),
)
RESTORE = RowAction(
    "restore",
    gettext_lazy("Restore"),
    _restore,
    icon="unarchive",
    tone="primary",
    when=lambda row: row.is_archived,
)
PAUSE = RowAction(
    "pause",
    gettext_lazy("Pause synchronisation"),
    _pause,
    icon="pause",
    when=lambda row: not row.sync_paused and not row.is_archived,
)
RESUME = RowAction(
    "resume",
    gettext_lazy("Resume synchronisation"),
    _resume,
    icon="play_arrow",
    tone="primary",
    when=lambda row: row.sync_paused,
)


class Bridge:
    """What the app that synchronises adds to records. It is replaced by that app when it is loaded."""

    # Push now, pull now, …
    actions: tuple[RowAction, ...] = ()

    def annotate(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Adds ``notion_url`` and ``notion_error`` to the rows of a list, in the list's own query."""
        return queryset

    def failing(self, model: type[Record]) -> Any:
        """The ids of a model's records that Notion refuses."""
        return []


bridge = Bridge()


def set_bridge(new: Bridge) -> None:
    global bridge
    bridge = new


class NotionState(SimpleListFilter):
    """How far a record's synchronisation is, as the row itself knows it."""

    title = gettext_lazy("Notion")
    parameter_name = "notion"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("Waiting for Notion")), ("failing", _("Refused by Notion")), ("paused", _("Paused"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "waiting":
            return queryset.filter(local_change_at__isnull=False)
        if self.value() == "paused":
            return queryset.filter(sync_paused=True)
        if self.value() == "failing":
            return queryset.filter(pk__in=bridge.failing(queryset.model))
        return queryset


def sync_chip(row: Any) -> Any:
    """How a record's synchronisation is, in one coloured word, leading to its page in Notion."""
    url = getattr(row, "notion_url", None) or ""
    word, tone, title = _sync_word(row, url)
    return cells.chip(word + (" ↗" if url else ""), tone, href=url, title=title, new_tab=True)


def _sync_word(row: Any, url: str) -> tuple[str, str, str]:
    error = getattr(row, "notion_error", None) or ""
    if error:
        return _("refused"), "bad", error[:500]
    if row.sync_paused:
        return _("paused"), "warn", _("Changes made here wait until the record is resumed.")
    if row.local_change_at is not None:
        return _("waiting"), "busy", _("Notion gets it soon.")
    return (_("equal"), "good", _("Open in Notion")) if url else (_("not there yet"), "calm", "")


class RecordAdmin(ModelAdmin):
    """A mirrored record: put aside instead of deleted, with its state of synchronisation in list and page."""

    row_actions: tuple[RowAction, ...] = (ARCHIVE, RESTORE, PAUSE, RESUME)
    # Added to every record's page, below its own groups.
    system_fields: tuple[str, ...] = ("created_at", "updated_at", "sync_origin")

    list_before_template = "console/list_tools.html"
    # By which fields, besides the unique ones, a row of an imported file finds its record; whether it may make one.
    import_keys: tuple[str, ...] = ()
    import_adds = True

    def import_problem(self, obj: Any) -> str:
        """Why a record that an import would write must not be so; empty when it may."""
        return ""

    def import_save(self, obj: Any, actor: str, save: Callable[[], None]) -> None:
        """Saves a record that was imported; ``save`` does it."""
        save()

    def get_row_actions(self) -> tuple[RowAction, ...]:
        return (*bridge.actions, *self.row_actions)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        name = f"{self.model._meta.app_label}_{self.model._meta.model_name}"
        return [
            path("export/<slug:kind>/", view(self.export_view), name=f"{name}_export"),
            path("import/", view(self.import_view), name=f"{name}_import"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        return exporting.export_view(self, request, kind)

    def import_view(self, request: HttpRequest) -> HttpResponseBase:
        from higherself.core.exchange.admin import import_view  # noqa: PLC0415 - it builds on this module

        return import_view(self, request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from higherself.core.exchange.admin import may_import  # noqa: PLC0415 - it builds on this module

        user: Any = request.user
        opts = self.model._meta
        tools = {
            "saved_filters": saved.saved_for(request, opts.label_lower),
            "saved_query": saved.cleaned(request.GET.urlencode()),
            "cl_url": reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"),
            "may_export": user.has_perm(exporting.PERMISSION),
            "may_import": may_import(request, self),
            "may_forget_shared": user.has_perm("auth.change_user"),
        }
        return super().changelist_view(request, {**tools, **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), "notion_state"]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_filter(request), NotionState, Archived]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        # Only the page that is shown: looking for a record by its id needs no annotations.
        changelist.result_list = bridge.annotate(changelist.result_list)
        return changelist

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Fieldsets:
        found = super().get_fieldsets(request, obj)
        if obj is not None:
            found.append((gettext_lazy("Record"), {"fields": list(self.system_fields), "classes": ["collapse"]}))
        return found

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), *self.system_fields)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def _changeform_view(self, *args: Any, **kwargs: Any) -> Any:
        # One edit is one entry of the history, relations included. (This runs inside the edit's transaction.)
        with gathered():
            return super()._changeform_view(*args, **kwargs)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """The field history in place of Django's list of who pressed "Save"."""
        from higherself.core.history.admin import history_page  # noqa: PLC0415 - it builds on this module

        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404(_("There is no such record."))
        return history_page(self, request, obj)

    @display(description=gettext_lazy("Notion"), ordering="local_change_at")
    def notion_state(self, obj: Any) -> Any:
        return sync_chip(obj)
