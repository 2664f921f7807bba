"""Erasing a person, and how far it is at each place: the page, its remedies, and the receipt."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache

from agents_app.services import erasing
from contacts.models import Contact, ErasedAddress, Erasure, ErasurePlace
from contacts.personal import person_of
from higherself.core.admin import (
    TOP,
    Matter,
    Panel,
    ReadOnlyAdmin,
    ask_password,
    bounded,
    cells,
    matters,
    page,
    panel,
    shown,
    who,
)
from higherself.core.personal import export as rows_about
from higherself.integrations.models import OutboundCall

PERMISSION = "contacts.erase_contact"
Status = ErasurePlace.Status
TONES = {
    Status.ASKED: "busy",
    Status.DONE: "good",
    Status.NOTHING: "calm",
    Status.UNCONFIGURED: "calm",
    Status.FAILED: "bad",
    Status.PERSON: "warn",
}
# What waits for somebody, unlike what is under way.
_WAITS = (Status.FAILED, Status.PERSON)


def _check(request: HttpRequest) -> None:
    user: Any = request.user
    if not (user.has_perm(PERMISSION) and user.has_perm("contacts.view_contact")):
        raise PermissionDenied


def _tone(status: str) -> str:
    return TONES[Status(status)]


# -- before ---------------------------------------------------------------------------------------------------------
@never_cache
def erase_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Says what will be erased and where, and erases it when the contact's id is typed."""
    _check(request)
    contact = get_object_or_404(Contact, pk=pk)
    asked = ask_password(request)
    if asked is not None:
        return asked
    if request.method == "POST":
        if request.POST.get("contact_id", "").strip() == contact.contact_id:
            done = erasing.erase(contact, who(request), reason=request.POST.get("reason", "").strip())
            text = _("The person is erased here, in %(n)d rows. Below is how far it is everywhere else.")
            messages.success(request, text % {"n": sum(done.counts.values())})
            return HttpResponseRedirect(reverse("admin:erasure", args=[done.pk]))
        messages.error(request, _("This is not the contact's id: nothing was erased."))
    person = person_of(contact)
    counts = sorted((name.replace("_", " "), len(rows)) for name, rows in rows_about(person).items() if rows)
    places = [(item.label, _foreseen(item)) for item in erasing.foresee(person)]
    context = {
        "contact": contact,
        "counts": counts,
        "places": places,
        "opts": Contact._meta,
        "back": cells.change_url(Contact, contact.pk),
    }
    return shown(request, "console/erase.html", _("Erase %(name)s") % {"name": contact}, context)


def _foreseen(item: erasing.Foreseen) -> str:
    said = {
        Status.ASKED: _("erased by a call"),
        Status.UNCONFIGURED: _("not configured, and nothing is known of the person there"),
    }
    if item.status == Status.PERSON:
        return _("by hand, because no call does it: %(how)s") % {"how": item.reason}
    return said.get(Status(item.status), item.reason)


# -- after ----------------------------------------------------------------------------------------------------------
@never_cache
def erasure_view(request: HttpRequest, pk: int) -> HttpResponse:
    """How far an erasure is at each place, looked up anew; the part with the places is fetched again while it lasts."""
    _check(request)
    row = get_object_or_404(Erasure, pk=pk)
    if request.method == "POST":
        return _remedy(request, row)
    erasing.refresh(row)
    context = {
        "erasure": row,
        "contact_url": cells.change_url(Contact, row.contact_id) if row.contact_id else "",
        "lines": [_line(place) for place in row.places.all()],
        "counts": sorted((name.replace("_", " "), number) for name, number in row.counts.items()),
        "back_again": row.addresses.filter(back_at__isnull=False),
        "receipt_url": reverse("admin:erasure_receipt", args=[row.pk]),
        "live_url": f"{reverse('admin:erasure', args=[row.pk])}?part=live" if row.settled_at is None else "",
        "opts": Erasure._meta,
    }
    if request.GET.get("part") == "live":
        return render(request, "console/erasure_live.html", context)
    return shown(request, "console/erasure.html", _("Erasure %(id)s") % {"id": row.erasure_id}, context)


def _line(place: ErasurePlace) -> dict[str, Any]:
    call = OutboundCall.objects.filter(dedupe_key=place.call_key).first() if place.call_key else None
    remedy, url, label = "", "", ""
    if place.status == Status.FAILED and place.place == erasing.NOTION:
        url, label = reverse("admin:sync_overview"), _("To the synchronisation")
    elif place.status == Status.FAILED and call is not None and call.status == OutboundCall.Status.UNCONFIGURED:
        url, label = reverse("admin:integrations"), _("To the integrations")
    elif place.status == Status.FAILED and call is not None and call.payload:
        remedy = "again"
    return {
        "place": place,
        "chip": cells.chip(place.get_status_display(), _tone(place.status)),
        "when": cells.moment(place.settled_at) if place.settled_at else "",
        "remedy": remedy,
        "url": url,
        "url_label": label,
        "by_hand": not place.is_settled and place.status in _WAITS and place.place != erasing.NOTION,
        "call_url": cells.change_url(OutboundCall, call.pk) if call is not None else "",
    }


def _remedy(request: HttpRequest, row: Erasure) -> HttpResponse:
    here = HttpResponseRedirect(reverse("admin:erasure", args=[row.pk]))
    asked = ask_password(request, here["Location"])
    if asked is not None:
        return asked
    place = row.places.filter(pk=request.POST.get("place", "0") or 0).first()
    if place is None:
        return here
    if request.POST.get("do") == "again":
        if erasing.send_again([place], who(request)):
            messages.success(request, _("%(place)s is asked again.") % {"place": place.label})
        else:
            messages.warning(request, _("The call cannot be sent again: do it by hand, then say so."))
    elif request.POST.get("do") == "done" and erasing.settle_by_hand(place, who(request)):
        messages.success(request, _("Noted: the person was erased at %(place)s.") % {"place": place.label})
    return here


@never_cache
def receipt_view(request: HttpRequest, pk: int) -> HttpResponse:
    """The proof as a file."""
    _check(request)
    row = get_object_or_404(Erasure, pk=pk)
    erasing.refresh(row)
    text = json.dumps(erasing.receipt(row), indent=2, ensure_ascii=False)
    answer = HttpResponse(text, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{row.erasure_id}.json"'
    return answer


page("contacts/contact/<int:pk>/erase/", "contact_erase", erase_view)
page("contacts/erasure/<int:pk>/places/", "erasure", erasure_view)
page("contacts/erasure/<int:pk>/receipt.json", "erasure_receipt", receipt_view)


# -- lists ----------------------------------------------------------------------------------------------------------
@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ("erasure_id", "contact_ref", "moment", "actor", "reason", "state")
    list_filter = (("settled_at", admin.EmptyFieldListFilter),)
    search_fields = ("erasure_id", "contact_ref")
    ordering = ("-pk",)
    fieldsets = [
        (None, {"fields": ["erasure_id", "contact_ref", "actor", "reason", "at", "settled_at"]}),
        (gettext_lazy("Here"), {"fields": ["counts", "records"], "classes": ["collapse"]}),
    ]
    moment = cells.when("at", gettext_lazy("erased"))

    @display(description=gettext_lazy("state"))
    def state(self, obj: Erasure) -> Any:
        if obj.settled_at is not None:
            return cells.chip(_("settled everywhere"), "good")
        return cells.chip(_("still open"), "warn")


@admin.register(ErasurePlace)
class ErasurePlaceAdmin(ReadOnlyAdmin):
    """For those who follow what waits; by what somebody is found there stands on the erasure's own page only."""

    list_display = ("label", "erasure", "state", "settled_at", "settled_by")
    list_filter = ("status", "place")
    list_select_related = ("erasure",)
    ordering = ("-pk",)
    fieldsets = [(None, {"fields": ["erasure", "label", "status", "found", "reason", "settled_at", "settled_by"]})]

    @display(description=gettext_lazy("state"), ordering="status")
    def state(self, obj: ErasurePlace) -> Any:
        return cells.chip(obj.get_status_display(), _tone(obj.status))


@admin.register(ErasedAddress)
class ErasedAddressAdmin(ReadOnlyAdmin):
    """Digests of addresses, by which somebody who was erased is known again."""

    list_display = ("digest", "erasure", "at", "back_at", "back_by")
    list_select_related = ("erasure",)
    ordering = ("-pk",)
    fieldsets = [(None, {"fields": ["digest", "erasure", "at", "back_at", "back_by"]})]


@panel(Erasure)
def places(request: HttpRequest, row: Erasure) -> Panel | None:
    user: Any = request.user
    if not user.has_perm(PERMISSION):
        return None
    context = {"url": reverse("admin:erasure", args=[row.pk])}
    return Panel(gettext_lazy("Places"), "console/erasure_link.html", context, place=TOP, order=5, icon="person_off")


@panel(Contact)
def was_erased(request: HttpRequest, contact: Contact) -> Panel | None:
    user: Any = request.user
    rows = list(contact.erasures.order_by("-pk")[:5]) if user.has_perm(PERMISSION) else []
    if not rows:
        return None
    links = [(reverse("admin:erasure", args=[row.pk]), row) for row in rows]
    return Panel(gettext_lazy("Erased"), "console/erased.html", {"links": links}, place=TOP, order=3, icon="person_off")


@matters
def waiting() -> list[Matter]:
    """Erasures that are stuck somewhere, or that a person has to finish."""
    open_ones = Erasure.objects.filter(settled_at__isnull=True, places__status__in=_WAITS).distinct()
    count = bounded(open_ones)
    if not count:
        return []
    only = open_ones.first() if count == 1 else None
    url = reverse("admin:erasure", args=[only.pk]) if only else cells.list_url(Erasure, "settled_at__isempty=1")
    title = ngettext("erasure of a person is not finished", "erasures of people are not finished", count)
    hint = _("The law gives a month. The page says for each service what is to be done.")
    return [Matter("erasures", title, count, url, "bad", hint, icon="person_off", permission=PERMISSION)]
