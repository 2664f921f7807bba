"""The base of every admin class: look, bounded lists, pretty JSON, relations by search, and safe buttons."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import SimpleListFilter, display
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin as UnfoldModelAdmin

from higherself.core.access.sensitive import ask
from higherself.core.adminsite import cells, widgets
from higherself.core.adminsite.actions import MOST_AT_ONCE, RowAction, perform
from higherself.core.adminsite.paginator import BoundedPaginator
from higherself.core.adminsite.panels import BOTTOM, TOP, panels_for
from higherself.core.fields import FilesField, NameListField, PeopleField
from higherself.core.wordsearch import by_words

Fieldsets = list[tuple[Any, dict[str, Any]]]


class ModelAdmin(UnfoldModelAdmin):
    """A list that never counts without bound, and a page with the buttons of `row_actions`.

    Name fields in ``fieldsets`` as the model does: those that nobody edits are shown read-only by themselves, JSON
    pretty-printed. Foreign keys and many-to-many fields are chosen by search.
    """

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_fullwidth = True
    warn_unsaved_form = True
    empty_value_display = cells.NOTHING
    formfield_overrides = {
        models.URLField: {"form_class": widgets.HttpsUrl},
        models.TextField: {"widget": widgets.text_area()},
        models.JSONField: {"form_class": widgets.PrettyJson, "widget": widgets.json_area()},
    }
    change_form_outer_before_template = "console/panels_top.html"
    change_form_outer_after_template = "console/panels_bottom.html"

    # Text columns that a long table is searched in as if they were one (see `higherself.core.wordsearch`).
    word_search: tuple[str, ...] = ()
    row_actions: tuple[RowAction, ...] = ()
    # Shown, never edited.
    facts: tuple[str, ...] = ()

    def __init__(self, model: type[models.Model], admin_site: Any) -> None:
        super().__init__(model, admin_site)
        for item in self._json_fields():
            setattr(self, f"show_{item.name}", _shower(item))

    # -- fields -------------------------------------------------------------------------------------------------
    def _json_fields(self) -> list[models.Field[Any, Any]]:
        return [item for item in self.model._meta.concrete_fields if isinstance(item, models.JSONField)]

    def _is_fact(self, name: str) -> bool:
        """Whether nobody edits this field here."""
        if name in self.facts or name in self.readonly_fields:
            return True
        try:
            item = self.model._meta.get_field(name)
        except FieldDoesNotExist:
            return True
        return not getattr(item, "editable", True) or isinstance(item, PeopleField)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Fieldsets:
        frozen = obj is not None and not self.has_change_permission(request, obj)
        json_names = {item.name for item in self._json_fields()}
        found: Fieldsets = []
        for title, options in super().get_fieldsets(request, obj):
            rows = [line if isinstance(line, (list, tuple)) else (line,) for line in options["fields"]]
            shown = [
                tuple(
                    f"show_{name}" if name in json_names and (frozen or self._is_fact(name)) else name
                    for name in row
                    if obj is not None or not self._is_fact(name)
                )
                for row in rows
            ]
            if any(shown):
                found.append((title, {**options, "fields": [row for row in shown if row]}))
        return found

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        named = flatten_fieldsets(self.fieldsets) if self.fieldsets else []
        shown = [f"show_{item.name}" for item in self._json_fields()]
        return (*super().get_readonly_fields(request, obj), *shown, *filter(self._is_fact, named))

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        relations = [*self.model._meta.fields, *self.model._meta.many_to_many]
        return [item.name for item in relations if self._searchable(item)]

    def _searchable(self, item: Any) -> bool:
        other = item.remote_field and self.admin_site._registry.get(item.related_model)
        return bool(other and other.search_fields)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        return widgets.formfield(db_field, field) if field is not None else None

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        # The total is not counted: without this the heading offers to "show all" of it.
        changelist.full_result_count = changelist.result_count
        return changelist

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        if self.word_search:
            return by_words(queryset, self.word_search, search_term), False
        return super().get_search_results(request, queryset, search_term)

    # -- actions ------------------------------------------------------------------------------------------------
    def get_row_actions(self) -> tuple[RowAction, ...]:
        return self.row_actions

    def may(self, request: HttpRequest, action: RowAction) -> bool:
        """Whether this person may use the action. Ledgers are read-only here, their actions are not."""
        name = action.permission
        if "." not in name:
            name = f"{self.model._meta.app_label}.{name}_{self.model._meta.model_name}"
        return bool(request.user.has_perm(name))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found = super().get_actions(request)
        if not self.has_delete_permission(request):
            found.pop("delete_selected", None)
        for action in self.get_row_actions():
            if action.bulk and self.may(request, action):
                found[action.name] = (_bulk(action), action.name, action.label)
        return found

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.do_view)
        info = f"{self.model._meta.app_label}_{self.model._meta.model_name}_do"
        return [path("<path:object_id>/do/<slug:name>/", view, name=info), *super().get_urls()]

    def do_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """What a button on a record's page calls."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        action = next((item for item in self.get_row_actions() if item.name == name), None)
        obj = self.get_object(request, unquote(object_id)) if action else None
        if action is None or obj is None:
            raise Http404(f"There is no action {name!r} for this record.")
        if not self.may(request, action):
            raise PermissionDenied
        asked = ask(request, self._back(request, object_id)) if action.sensitive else None
        if asked is not None:
            return asked
        if perform(request, action, [obj]):
            self.note(request, action, [obj])
        return HttpResponseRedirect(self._back(request, object_id))

    def _back(self, request: HttpRequest, object_id: str) -> str:
        wanted = request.POST.get("next", "")
        if wanted and url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
            return wanted
        opts = self.model._meta
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[object_id])

    def note(self, request: HttpRequest, action: RowAction, rows: list[Any]) -> None:
        """Puts who did it into the record's history."""
        LogEntry.objects.log_actions(str(request.user.pk), rows, CHANGE, change_message=str(action.label))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = dict(extra_context or {})
        if object_id and request.method == "GET":
            obj = self.get_object(request, unquote(object_id))
            if obj is not None and self.has_view_or_change_permission(request, obj):
                context |= self._page_extras(request, obj)
        return super().changeform_view(request, object_id, form_url, context)

    def _page_extras(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        opts = self.model._meta
        found = panels_for(request, obj)
        buttons = [
            {
                "action": action,
                "url": reverse(f"admin:{opts.app_label}_{opts.model_name}_do", args=[obj.pk, action.name]),
            }
            for action in self.get_row_actions()
            if action.button and action.when(obj) and self.may(request, action)
        ]
        return {
            "record_buttons": buttons,
            "panels_top": [item for item in found if item.place == TOP],
            "panels_bottom": [item for item in found if item.place == BOTTOM],
        }


def _shower(item: models.Field[Any, Any]) -> Callable[[Any], Any]:
    """A read-only rendering of a JSON field."""
    maker: Any = cells.pretty
    if isinstance(item, PeopleField):
        maker = cells.people
    elif isinstance(item, NameListField):
        maker = cells.names
    elif isinstance(item, FilesField):
        maker = _files
    cell = maker(item.name, item.verbose_name)

    @display(description=item.verbose_name)
    def show(obj: Any) -> Any:
        return cell(None, obj)

    return show


def _files(field: str, description: Any) -> Callable[[Any, Any], Any]:
    def show(_admin: Any, obj: Any) -> Any:
        files = getattr(obj, field) or []
        return cells.lines([cells.web_link(item.get("url", ""), item.get("name", "")) for item in files])

    return show


def _bulk(action: RowAction) -> Callable[[ModelAdmin, HttpRequest, models.QuerySet[Any]], HttpResponse | None]:
    """The action for the list's "Select action"."""

    def run(admin: ModelAdmin, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponse | None:
        asked = ask(request) if action.sensitive else None
        if asked is not None:
            return asked
        rows = list(queryset[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            text = _("Choose at most %(most)d records at once; nothing was done.") % {"most": MOST_AT_ONCE}
            messages.error(request, text)
        elif perform(request, action, rows):
            admin.note(request, action, rows)
        return None

    run.__name__ = action.name
    return run


class ReadOnlyAdmin(ModelAdmin):
    """For ledgers and what the engine owns: looked at here, changed by nobody but through actions."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def filters(*items: str | type[SimpleListFilter] | Iterable[Any]) -> list[Any]:
    """A ``list_filter`` (typed loosely, as Django takes names, classes and pairs)."""
    return list(items)
