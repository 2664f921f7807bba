"""Saved filters: a list with its filters, search and order under a name, for oneself or for all."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from higherself.core.adminsite.pages import page
from higherself.core.models import SavedFilter

# Not a part of what is looked at: the page of the list, and how the filter's panel stands.
_PASSING = ("p", "all", "e", "_facets")


def cleaned(query: str) -> str:
    """The part of a list's address that a saved filter keeps."""
    values = QueryDict(query, mutable=True)
    for name in _PASSING:
        values.pop(name, None)
    return values.urlencode()


def saved_for(request: HttpRequest, label: str) -> list[SavedFilter]:
    """One's own filters of a list and those that others share, by name."""
    user: Any = request.user
    rows = SavedFilter.objects.filter(Q(user_id=user.pk or 0) | Q(shared=True), model=label)
    return list(rows.select_related("user").order_by("name", "pk"))


def _list_of(model: str) -> Any:
    from django.apps import apps  # noqa: PLC0415
    from django.contrib import admin  # noqa: PLC0415

    try:
        return admin.site._registry[apps.get_model(model)]
    except (LookupError, KeyError, ValueError) as error:
        raise PermissionDenied from error


@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Keeps the present list under a name; the same name again replaces what it held."""
    model, name = request.POST.get("model", ""), request.POST.get("name", "").strip()[:100]
    found = _list_of(model)
    if not found.has_view_or_change_permission(request):
        raise PermissionDenied
    query = cleaned(request.POST.get("query", ""))
    if not name or len(query) > SavedFilter.LONGEST:
        messages.error(request, _("Give the filter a name."))
    else:
        shared = request.POST.get("shared") == "on"
        SavedFilter.objects.update_or_create(
            user_id=request.user.pk or 0, model=model, name=name, defaults={"query": query, "shared": shared}
        )
        messages.success(request, _("“%(name)s” is kept.") % {"name": name})
    app, _dot, model_name = model.partition(".")
    return HttpResponseRedirect(reverse(f"admin:{app}_{model_name}_changelist") + (f"?{query}" if query else ""))


@require_POST
def forget_view(request: HttpRequest, pk: int) -> HttpResponse:
    """One removes one's own; whoever may manage people removes those that others share."""
    row = get_object_or_404(SavedFilter, pk=pk)
    user: Any = request.user
    if row.user_id != user.pk and not (row.shared and user.has_perm("auth.change_user")):
        raise PermissionDenied
    row.delete()
    messages.success(request, _("“%(name)s” is gone.") % {"name": row.name})
    app, _dot, model_name = row.model.partition(".")
    return HttpResponseRedirect(reverse(f"admin:{app}_{model_name}_changelist"))


page("saved-filters/", "saved_filter_save", save_view)
page("saved-filters/<int:pk>/forget/", "saved_filter_forget", forget_view)
