"""Pages about a person as a whole: merging and handing out. (Erasing reaches further: `agents_app.admin.erasures`.)"""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from contacts import personal
from contacts.duplicates import PossibleDuplicate, open_pairs
from contacts.merging import fields_to_choose, merge
from contacts.models import Contact
from higherself.core.admin import Panel, ask_password, cells, page, panel, who
from higherself.core.errors import Permanent

MOST_AT_ONCE = 5
_SHOWN = 20


def _may(request: HttpRequest, power: str) -> bool:
    user: Any = request.user
    return bool(user.has_perm(f"contacts.{power}_contact") and user.has_perm("contacts.view_contact"))


def _check(request: HttpRequest, power: str) -> None:
    if not _may(request, power):
        raise PermissionDenied


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    found = {**admin.site.each_context(request), "title": title, "opts": Contact._meta, **context}
    return TemplateResponse(request, template, found)


def _contact_url(pk: int) -> str:
    return cells.change_url(Contact, pk)


def merge_url(pair: PossibleDuplicate) -> str:
    return f"{reverse('admin:contact_merge')}?ids={pair.one_id},{pair.other_id}"


# -- merging --------------------------------------------------------------------------------------------------------
def merge_view(request: HttpRequest) -> HttpResponse:
    """Shows the contacts side by side; the survivor and each field's value are chosen."""
    _check(request, "merge")
    if not getattr(request.user, "has_perm", bool)("contacts.change_contact"):
        raise PermissionDenied
    rows = _wanted(request)
    if request.method == "POST" and len(rows) >= 2 and request.POST.get("survivor"):
        return _merge(request, rows)
    first = rows[0] if rows else None
    return _page(
        request,
        "console/merge.html",
        _("Merge contacts"),
        rows=rows,
        lines=_lines(rows),
        suggestions=_suggestions(first) if first is not None and len(rows) == 1 else [],
        ids=",".join(str(row.pk) for row in rows),
        most=MOST_AT_ONCE,
    )


def _wanted(request: HttpRequest) -> list[Contact]:
    """The contacts of ``ids``, and the one that ``add`` names by address, contact id or key; in that order."""
    source = request.POST if request.method == "POST" else request.GET
    keys = [int(part) for part in source.get("ids", "").split(",") if part.isdigit()]
    added = source.get("add", "").strip()
    if added:
        found = Contact.objects.live().filter(Q(email=added) | Q(contact_id=added)).first()
        if found is None:
            messages.warning(request, _("There is no contact “%(text)s”.") % {"text": added[:100]})
        else:
            keys.append(found.pk)
    rows = {row.pk: row for row in Contact.objects.live().filter(pk__in=keys[:MOST_AT_ONCE])}
    return [rows[key] for key in dict.fromkeys(keys) if key in rows]


def _lines(rows: list[Contact]) -> list[dict[str, Any]]:
    """The fields on which they differ. The fullest value is proposed: the first one that is not empty."""
    found = []
    for item in fields_to_choose() if len(rows) >= 2 else ():
        values = [(row.pk, getattr(row, item.attname)) for row in rows]
        if all(value == values[0][1] for _pk, value in values):
            continue
        proposed = next((pk for pk, value in values if value not in (None, "", [], {}, False)), rows[0].pk)
        cells_ = [(pk, _text(value), pk == proposed) for pk, value in values]
        found.append({"name": item.name, "label": item.verbose_name, "cells": cells_})
    return found


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return cells.NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 120 else text[:120] + "…"


def _suggestions(contact: Contact) -> list[Contact]:
    """Who might be the same person: the same name or number at this moment, and what the night has found."""
    wanted = Q(pk__in=_pairs_of(contact).values("one")) | Q(pk__in=_pairs_of(contact).values("other"))
    if contact.full_name:
        wanted |= Q(full_name__iexact=contact.full_name)
    if contact.phone:
        wanted |= Q(phone=contact.phone)
    return list(Contact.objects.live().filter(wanted).exclude(pk=contact.pk).order_by("-pk")[:_SHOWN])


def _pairs_of(contact: Contact) -> QuerySet[PossibleDuplicate]:
    return open_pairs().filter(Q(one=contact) | Q(other=contact))


def _merge(request: HttpRequest, rows: list[Contact]) -> HttpResponse:
    by_key = {str(row.pk): row for row in rows}
    survivor = by_key.get(request.POST["survivor"])
    chosen = {
        item.name: int(request.POST[f"field_{item.name}"])
        for item in fields_to_choose()
        if request.POST.get(f"field_{item.name}", "") in by_key
    }
    if survivor is None:
        raise PermissionDenied
    try:
        kept = merge(survivor, [row for row in rows if row.pk != survivor.pk], chosen, who(request))
    except Permanent as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(f"{reverse('admin:contact_merge')}?ids={request.POST.get('ids', '')}")
    text = _("Merged: everything of the others is here now, and they are archived. Notion follows.")
    messages.success(request, text)
    return HttpResponseRedirect(_contact_url(kept.pk))


# -- handing out and erasing ----------------------------------------------------------------------------------------
@never_cache
def disclose_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about the person as a JSON file."""
    _check(request, "disclose")
    contact = get_object_or_404(Contact, pk=pk)
    asked = ask_password(request)
    if asked is not None:
        return asked
    text = json.dumps(personal.export(contact), indent=2, ensure_ascii=False, default=str)
    answer = HttpResponse(text, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{contact.contact_id}.json"'
    return answer


page("contacts/contact/merge/", "contact_merge", merge_view)
page("contacts/contact/<int:pk>/person.json", "contact_disclose", disclose_view)


@panel(Contact)
def person(request: HttpRequest, contact: Contact) -> Panel | None:
    """What can be done with the person as a whole."""
    links = []
    user: Any = request.user
    if _may(request, "merge") and user.has_perm("contacts.change_contact") and not contact.is_archived:
        links.append(
            (f"{reverse('admin:contact_merge')}?ids={contact.pk}", "merge", _("Merge with another contact"), "")
        )
    if _may(request, "disclose"):
        url = reverse("admin:contact_disclose", args=[contact.pk])
        links.append((url, "download", _("Hand out everything (JSON)"), ""))
    if _may(request, "erase"):
        url = reverse("admin:contact_erase", args=[contact.pk])
        links.append((url, "person_off", _("Erase this person"), "bad"))
    if not links:
        return None
    pairs = _pairs_of(contact).select_related("one", "other")[:MOST_AT_ONCE]
    context = {
        "links": links,
        "pairs": [
            (pair.other if pair.one_id == contact.pk else pair.one, pair.get_why_display(), merge_url(pair))
            for pair in (pairs if _may(request, "merge") else ())
        ],
        "merges": contact.merges.filter(undone_at__isnull=True).select_related("merged")[:_SHOWN],
    }
    return Panel(gettext_lazy("The person"), "console/person.html", context, order=95, icon="badge")
