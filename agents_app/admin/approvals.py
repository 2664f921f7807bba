"""What waits for a person's word: the queue, the decision, and the gate before many records are put aside."""

from __future__ import annotations

import hashlib
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter, display
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agents_app.choices import ApprovalStatus
from agents_app.models import Approval, WorkflowInstance
from agents_app.services import approvals
from higherself.core.admin import (
    TOP,
    Answer,
    Matter,
    Panel,
    ReadOnlyAdmin,
    RowAction,
    ask_password,
    bounded,
    cells,
    is_fresh,
    matters,
    panel,
    set_archive_gate,
    table,
    tone_of,
    who,
)
from higherself.core.errors import Conflict, Permanent
from higherself.core.models import Record

NOTE_LENGTH = 2000
SHOWN = 10


def _note(request: HttpRequest) -> str:
    return request.POST.get("note", "").strip()[:NOTE_LENGTH]


def _approve(request: HttpRequest, rows: list[Approval]) -> Answer:
    """Each for itself: one that cannot be decided does not stop the others."""
    ready = [row for row in rows if not _needs_password(request, row)]
    if ready == rows:
        return _decide(request, rows, approvals.approve)
    text = _("%(n)d need your password: open each, and approve it there.") % {"n": len(rows) - len(ready)}
    if ready:
        level, said = _decide(request, ready, approvals.approve)
        return max(level, messages.WARNING), f"{said}\n{text}"
    return messages.WARNING, text


def _needs_password(request: HttpRequest, row: Approval) -> bool:
    return row.action in approvals.NEEDS and not is_fresh(request)


def _refuse(request: HttpRequest, rows: list[Approval]) -> Answer:
    return _decide(request, rows, approvals.refuse)


def _decide(request: HttpRequest, rows: list[Approval], decision: Any) -> tuple[int, str]:
    said, failed = [], []
    for row in rows:
        try:
            done = decision(row, request.user, _note(request))
        except (Permanent, Conflict) as error:
            failed.append(f"{row.approval_id}: {error}")
        else:
            said.append(f"{row.approval_id}: {done.outcome or done.get_status_display()}")
    level = messages.SUCCESS if not failed else messages.WARNING if said else messages.ERROR
    return level, "\n".join([*said, *failed][:10])


class Waiting(SimpleListFilter):
    """What still waits is shown unless something else is asked for."""

    title = gettext_lazy("status")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(value), label) for value, label in ApprovalStatus.choices] + [("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        shown = self.value() or ApprovalStatus.PENDING
        for value, title in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": shown == value, "query_string": query, "display": title}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ApprovalStatus.PENDING
        return queryset if value == "all" else queryset.filter(status=value)


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    list_display = ("asked_for", "about", "state", "requested_by", "asked", "decided_by", "result")
    list_filter = (Waiting,)
    search_fields = ("approval_id", "subject_label", "requested_by", "action")
    ordering = ("-created_at", "-pk")
    fieldsets = [
        (None, {"fields": ["asked_for", "about", "requested_by", "reason", "created_at"]}),
        (
            gettext_lazy("Decision"),
            {"fields": ["state", "decided_by", "decision_note", "decided_at", "outcome"]},
        ),
        (gettext_lazy("Record"), {"fields": ["approval_id", "action", "payload"], "classes": ["collapse"]}),
    ]
    # The buttons stand in a card of their own, with a note.
    row_actions = (
        RowAction("approve", gettext_lazy("Approve"), _approve, button=False, permission=approvals.DECIDE),
        RowAction("refuse", gettext_lazy("Refuse"), _refuse, button=False, permission=approvals.DECIDE),
    )
    state = cells.status("status")
    asked, result = cells.when("created_at", gettext_lazy("asked")), cells.short("outcome", gettext_lazy("outcome"))

    def do_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id)) if name == "approve" and request.method == "POST" else None
        asked = ask_password(request, self._back(request, object_id)) if row and _needs_password(request, row) else None
        return asked or super().do_view(request, object_id, name)

    @display(description=gettext_lazy("asked for"), ordering="action")
    def asked_for(self, obj: Approval) -> str:
        return approvals.label(obj.action)

    @display(description=gettext_lazy("about"), ordering="subject_label")
    def about(self, obj: Approval) -> Any:
        if obj.subject_id is None:
            return obj.subject_label
        return cells.link(cells.change_url(obj.subject_model, obj.subject_id), obj.subject_label or obj.subject_id)


def _do(approval: Approval, name: str) -> str:
    return reverse("admin:agents_app_approval_do", args=[approval.pk, name])


@panel(Approval)
def decision(request: HttpRequest, approval: Approval) -> Panel | None:
    if not approval.is_pending:
        return None
    context = {
        "problem": approvals.problem(approval, request.user),
        "approve_url": _do(approval, "approve"),
        "refuse_url": _do(approval, "refuse"),
    }
    return Panel(gettext_lazy("Your word"), "console/approval.html", context, place=TOP, order=10, icon="how_to_reg")


@panel(WorkflowInstance)
def asked_of_people(request: HttpRequest, instance: WorkflowInstance) -> Panel | None:
    rows = Approval.objects.filter(subject_model=instance._meta.label_lower, subject_id=instance.pk)
    lines = [
        (
            cells.link(cells.change_url(Approval, row.pk), approvals.label(row.action)),
            cells.chip(row.get_status_display(), tone_of(row.status)),
            row.requested_by,
            row.decided_by or cells.NOTHING,
            cells.moment(row.created_at),
        )
        for row in rows.order_by("-pk")[:SHOWN]
    ]
    if not lines:
        return None
    heads = [_("Approval"), _("Status"), _("Requested by"), _("Decided by"), _("Asked")]
    return table(gettext_lazy("Approvals"), heads, lines, order=12, icon="how_to_reg")


@matters
def waiting() -> list[Matter]:
    count = bounded(Approval.objects.filter(status=ApprovalStatus.PENDING))
    if not count:
        return []
    title = ngettext("request waits for approval", "requests wait for approval", count)
    url = cells.list_url(Approval)
    return [Matter("approvals", title, count, url, icon="how_to_reg", permission="agents_app.view_approval")]


# -- many records at once -------------------------------------------------------------------------------------------
def hold_archive(request: HttpRequest, rows: list[Record]) -> Answer | None:
    """Putting many records aside is asked for, not done."""
    if len(rows) < settings.ARCHIVE_APPROVAL_FROM:
        return None
    model = type(rows[0])
    ids = sorted(row.pk for row in rows)
    name = model._meta.label_lower
    made = approvals.request(
        approvals.ARCHIVE,
        model,
        requested_by=who(request),
        requester=request.user,
        note=_("%(n)d records: %(names)s …") % {"n": len(rows), "names": ", ".join(str(row) for row in rows[:5])},
        # Of exactly these: another choice with the same ends is another request.
        key=f"{approvals.ARCHIVE}:{name}:{hashlib.sha256(repr(ids).encode()).hexdigest()[:32]}",
        payload={"model": name, "ids": ids},
    )
    text = _("Nothing was put aside yet: %(n)d records at once need an approval, which was asked for as %(id)s.")
    return messages.WARNING, text % {"n": len(rows), "id": made.approval_id}


@approvals.carries_out(approvals.ARCHIVE)
def archive_approved(approval: Approval) -> str:
    model: Any = apps.get_model(approval.payload["model"])
    rows = list(model.objects.live().filter(pk__in=approval.payload["ids"]))
    for row in rows:
        row.archive()
    return _("%(n)d put aside; Notion follows by moving the pages to its trash.") % {"n": len(rows)}


set_archive_gate(hold_archive)
