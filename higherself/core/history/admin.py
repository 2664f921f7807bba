"""The history in the console: on each record's page, as a page of its own, and as one list for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from higherself.core.adminsite import cells
from higherself.core.adminsite.actions import Answer, Refused, RowAction, who
from higherself.core.adminsite.base import ReadOnlyAdmin
from higherself.core.adminsite.panels import Panel, panel
from higherself.core.history.models import AGENT, IMPORT, NOTION, PERSON, PROVIDER, ChangeSet, of
from higherself.core.history.revert import record_of, revert
from higherself.core.models import Record

SHOWN = 5
ON_A_PAGE = 30
_LONG = 200
_TONES = {PERSON: "good", AGENT: "busy", NOTION: "calm", PROVIDER: "busy", IMPORT: "warn"}


@dataclass
class Line:
    """One change set as people read it."""

    change: ChangeSet
    who: str
    origin: Any
    at: datetime
    fields: list[tuple[str, Any, Any]] = field(default_factory=list)
    event_url: str = ""
    revert_url: str = ""


def lines(request: HttpRequest, record: models.Model, changes: Sequence[ChangeSet]) -> list[Line]:
    """The sets of one record, with names instead of keys, looked up once for each kind of relation."""
    names = _names(type(record), changes)
    may = may_revert(request, type(record))
    return [_line(type(record), change, names, may) for change in changes]


def _line(model: type[models.Model], change: ChangeSet, names: dict[str, dict[Any, str]], may: bool) -> Line:
    found = Line(
        change,
        change.actor or _("the server"),
        cells.chip(change.get_origin_display(), _TONES.get(change.origin, "calm")),
        change.at,
        [_shown(model, name, value, names.get(name, {})) for name, value in change.changes.items()],
    )
    if change.event_id:
        found.event_url = cells.change_url("integrations.inboundevent", change.event_id)
    if may and change.changes:
        found.revert_url = reverse("admin:core_changeset_do", args=[change.pk, "revert"])
    return found


def _shown(model: type[models.Model], name: str, change: Any, names: dict[Any, str]) -> tuple[str, Any, Any]:
    try:
        item: Any = model._meta.get_field(name)
        label = str(item.verbose_name)
    except FieldDoesNotExist:
        item, label = None, name
    if isinstance(change, dict):
        gone, come = ([names.get(key, f"#{key}") for key in change[verb]] for verb in ("removed", "added"))
        return label, ", ".join(gone) or cells.NOTHING, ", ".join(come) or cells.NOTHING
    old, new = ((names.get(value, f"#{value}") if names and value else value) for value in change)
    return label, _text(item, old), _text(item, new)


def _text(item: Any, value: Any) -> Any:
    if value in (None, "", [], {}):
        return cells.NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(item, models.DateTimeField) and (moment := parse_datetime(str(value))):
        return cells.moment(moment)
    if isinstance(value, list):
        value = ", ".join(str(one.get("name") or one) if isinstance(one, dict) else str(one) for one in value)
    text = str(value)
    return text if len(text) <= _LONG else text[:_LONG] + "…"


def _names(model: type[models.Model], changes: Sequence[ChangeSet]) -> dict[str, dict[Any, str]]:
    """By field, the names of the records that relations point or pointed to."""
    wanted: dict[str, set[Any]] = defaultdict(set)
    for change in changes:
        for name, value in change.changes.items():
            keys = [*value["added"], *value["removed"]] if isinstance(value, dict) else value
            wanted[name].update(key for key in keys if isinstance(key, int) and not isinstance(key, bool))
    found = {}
    for name, keys in wanted.items():
        try:
            item: Any = model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
        if item.is_relation and keys:
            rows = item.related_model._base_manager.filter(pk__in=keys)
            found[name] = {row.pk: str(row) for row in rows}
    return found


def may_revert(request: HttpRequest, model: type[models.Model]) -> bool:
    user: Any = request.user
    change = f"{model._meta.app_label}.change_{model._meta.model_name}"
    return bool(user.has_perm("core.revert_changeset") and user.has_perm(change))


@panel(Record)
def history(request: HttpRequest, record: Any) -> Panel:
    """The newest changes, each with a button that takes it back."""
    changes = list(of(record, SHOWN + 1))
    opts = record._meta
    context = {
        "lines": lines(request, record, changes[:SHOWN]),
        "more": reverse(f"admin:{opts.app_label}_{opts.model_name}_history", args=[record.pk])
        if len(changes) > SHOWN
        else "",
        "record": record,
    }
    return Panel(gettext_lazy("History"), "console/history.html", context, order=90, icon="history")


def history_page(admin_class: Any, request: HttpRequest, record: Any) -> HttpResponse:
    """The whole history of one record, a page at a time."""
    if not admin_class.has_view_or_change_permission(request, record):
        raise PermissionDenied
    pages = Paginator(of(record), ON_A_PAGE)
    found = pages.get_page(request.GET.get("p"))
    context = {
        **admin.site.each_context(request),
        "title": _("History: %(name)s") % {"name": record},
        "opts": record._meta,
        "original": record,
        "c": {"lines": lines(request, record, list(found.object_list)), "record": record},
        "found": found,
        "back": cells.change_url(type(record), record.pk),
    }
    return TemplateResponse(request, "console/history_page.html", context)


# -- the list of all ------------------------------------------------------------------------------------------------
def _revert(request: HttpRequest, rows: list[ChangeSet]) -> Answer:
    done, kept = [], []
    for change in rows:
        record = record_of(change)
        if record is None:
            raise Refused(_("The record is gone."))
        if not may_revert(request, type(record)):
            raise Refused(_("You may not change this kind of record."))
        result = revert(change, who(request), locked=_locked(type(record)))
        done += result.done
        kept += result.kept
    text = _("Taken back: %(fields)s. Notion follows.") % {"fields": ", ".join(done)}
    if kept:
        return messages.WARNING, text + " " + _("Left as it is: %(reasons)s.") % {"reasons": "; ".join(kept)}
    return text


def _locked(model: type[models.Model]) -> list[str]:
    """The fields that the console shows and nobody edits."""
    registered: Any = admin.site._registry.get(model)
    named = [item.name for item in model._meta.get_fields() if isinstance(item, models.Field)]
    free = {"archived_at"}
    return [name for name in named if name not in free and registered is not None and registered._is_fact(name)]


@admin.register(ChangeSet)
class ChangeSetAdmin(ReadOnlyAdmin):
    """Every change of every record."""

    list_display = ("moment", "who", "by", "record", "what")
    list_filter = ("origin",)
    search_fields = ("actor", "=model")
    ordering = ("-pk",)
    fieldsets = [(None, {"fields": ["moment", "who", "by", "record", "kind", "show_changes"]})]
    row_actions = (
        RowAction(
            "revert",
            gettext_lazy("Take back"),
            _revert,
            icon="undo",
            when=lambda change: bool(change.changes),
            bulk=False,
            permission="revert",
            confirm=gettext_lazy("The fields of this change get their old values back, here and in Notion. Go on?"),
        ),
    )
    moment = cells.when("at", gettext_lazy("when"))

    @display(description=gettext_lazy("who"), ordering="actor")
    def who(self, obj: ChangeSet) -> str:
        return obj.actor or _("the server")

    @display(description=gettext_lazy("by"), ordering="origin")
    def by(self, obj: ChangeSet) -> Any:
        return cells.chip(obj.get_origin_display(), _TONES.get(obj.origin, "calm"))

    @display(description=gettext_lazy("record"))
    def record(self, obj: ChangeSet) -> Any:
        try:
            name = apps.get_model(obj.model)._meta.verbose_name
        except LookupError:
            return f"{obj.model} {obj.record_id}"
        return cells.link(cells.change_url(obj.model, obj.record_id), f"{name} {obj.record_id}")

    @display(description=gettext_lazy("what"))
    def what(self, obj: ChangeSet) -> str:
        return ", ".join(obj.changes) or str(obj.get_kind_display())
