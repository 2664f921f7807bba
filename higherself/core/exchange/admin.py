"""Import and export in the console."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget

from higherself.core.adminsite import cells
from higherself.core.adminsite.actions import Answer, Refused, RowAction, who
from higherself.core.adminsite.base import ReadOnlyAdmin
from higherself.core.adminsite.panels import TOP, Panel, panel
from higherself.core.exchange import sheets, work
from higherself.core.exchange.columns import fields_of, is_kept_by_server, keys_of
from higherself.core.exchange.models import ImportRun

PERMISSION = "core.add_importrun"
_OUTCOMES = (
    ("created", gettext_lazy("new"), "good"),
    ("changed", gettext_lazy("changed"), "busy"),
    ("unchanged", gettext_lazy("unchanged"), "calm"),
    ("refused", gettext_lazy("refused"), "bad"),
)


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV (UTF-8) or XLSX, with the names of the fields in the first row."),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.xlsx,.txt"}),
    )

    def clean_file(self) -> Any:
        found = self.cleaned_data["file"]
        if found.size > sheets.MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than %(n)d MB: split it.") % {"n": 20})
        return found


def may_import(request: HttpRequest, admin_class: Any) -> bool:
    user: Any = request.user
    return bool(
        user.has_perm(PERMISSION)
        and admin_class.has_change_permission(request)
        and admin_class.has_add_permission(request)
    )


def import_view(admin_class: Any, request: HttpRequest) -> HttpResponse:
    """Takes a file and leads to its preview. Nothing is changed yet."""
    if not may_import(request, admin_class):
        raise PermissionDenied
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        run = ImportRun.objects.create(
            model=admin_class.model._meta.label_lower,
            file_name=str(upload.name)[-200:],
            content=upload.read(),
            user_id=request.user.pk,
            actor=who(request),
        )
        work.begin(run)
        return HttpResponseRedirect(reverse("admin:core_importrun_change", args=[run.pk]))
    opts = admin_class.model._meta
    context = {
        **admin.site.each_context(request),
        "title": _("Import %(names)s") % {"names": opts.verbose_name_plural},
        "opts": opts,
        "form": form,
        "keys": [opts.model._meta.get_field(name) for name in keys_of(admin_class.model)],
        "fields": [
            item
            for item in fields_of(admin_class.model)
            if item.name in keys_of(admin_class.model) or not is_kept_by_server(admin_class.model, item.name)
        ],
        "back": reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"),
    }
    return TemplateResponse(request, "console/import.html", context)


def _admin_of(run: ImportRun) -> Any:
    try:
        return admin.site._registry[apps.get_model(run.model)]
    except (LookupError, KeyError) as error:
        raise Refused(_("This kind of record is gone.")) from error


def _carry_out(request: HttpRequest, rows: list[ImportRun]) -> Answer:
    run = rows[0]
    if not may_import(request, _admin_of(run)):
        raise Refused(_("You may not import this kind of record."))
    if not work.carry_out(run):
        raise Refused(_("This file is not waiting to be imported."))
    run.refresh_from_db()
    if run.state == ImportRun.State.DONE:
        counts = {key: run.counts.get(key, 0) for key, _label, _tone in _OUTCOMES}
        return (
            _("Imported: %(created)d new, %(changed)d changed, %(unchanged)d unchanged, %(refused)d refused.") % counts
        )
    return messages.INFO, _("The import is under way; this page tells how far it is.")


def _discard(_request: HttpRequest, rows: list[ImportRun]) -> Answer:
    if not work.discard(rows[0]):
        raise Refused(_("This file is not waiting any more."))
    return _("Discarded: nothing was changed.")


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    """Files on their way in. People see their own; Owners see all."""

    list_display = ("file_name", "kind", "condition", "result", "actor", "when")
    list_filter = ("state",)
    search_fields = ("file_name", "actor")
    ordering = ("-pk",)
    fieldsets = [(None, {"fields": ["kind", "condition", "actor", "made_at", "finished_at"]})]
    row_actions = (
        RowAction(
            "carry_out",
            gettext_lazy("Import"),
            _carry_out,
            icon="upload",
            tone="primary",
            when=lambda run: (
                run.state == ImportRun.State.READY and bool(run.counts.get("created") or run.counts.get("changed"))
            ),
            bulk=False,
            permission="add",
        ),
        RowAction(
            "discard",
            gettext_lazy("Discard"),
            _discard,
            icon="delete",
            when=lambda run: run.state in {ImportRun.State.READY, ImportRun.State.READING},
            bulk=False,
            permission="add",
        ),
    )
    when = cells.when("made_at", gettext_lazy("uploaded"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found = super().get_queryset(request).defer("content", "sample", "refused")
        user: Any = request.user
        return found if user.has_perm("core.delete_importrun") else found.filter(user_id=user.pk)

    @display(description=gettext_lazy("kind of record"))
    def kind(self, obj: ImportRun) -> Any:
        try:
            name = apps.get_model(obj.model)._meta.verbose_name_plural
        except LookupError:
            return obj.model
        return cells.link(cells.list_url(obj.model), name)

    @display(description=gettext_lazy("state"), ordering="state")
    def condition(self, obj: ImportRun) -> Any:
        tones = {"ready": "busy", "done": "good", "failed": "bad", "waiting": "busy", "reading": "busy"}
        return cells.chip(obj.get_state_display(), tones.get(obj.state, "calm"))

    @display(description=gettext_lazy("rows"))
    def result(self, obj: ImportRun) -> str:
        return ", ".join(f"{obj.counts[key]} {label}" for key, label, _tone in _OUTCOMES if obj.counts.get(key)) or "–"


@panel(ImportRun)
def preview(_request: HttpRequest, run: ImportRun) -> Panel:
    """What the file would change, or has changed."""
    context = {
        "run": run,
        "counts": [(run.counts.get(key, 0), label, tone) for key, label, tone in _OUTCOMES],
        "under_way": run.state in {ImportRun.State.READING, ImportRun.State.WAITING},
        "shown": work.SHOWN,
    }
    return Panel(gettext_lazy("Rows of the file"), "console/import_rows.html", context, place=TOP, icon="table_rows")
