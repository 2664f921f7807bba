"""The assistant in the console: what can be asked of it, what it said, and what that cost."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents_app.admin.instances import WorkflowInstanceAdmin
from agents_app.assist import desk
from agents_app.models import AssistAnswer, WorkflowInstance
from campaigns.admin import FeedbackAdmin
from campaigns.models import Feedback
from higherself.core.admin import Answer, Panel, ReadOnlyAdmin, RowAction, cells, panel, table, tone_of, who

SHOWN = 5
CONTENT = "WF-CONT-CYCLE"


def _asks(kind: str, label: Any, icon: str, when: Any) -> RowAction:
    def run(request: HttpRequest, rows: list[Any]) -> Answer:
        for row in rows:
            desk.ask(kind, row, requested_by=who(request), requester=request.user)
        words = settings.AI_MODEL or _("the rules, because no model is set")
        return _("Asked (%(n)d); the answer comes from %(who)s and is shown here shortly.") % {
            "n": len(rows),
            "who": words,
        }

    return RowAction(f"ask_{kind.replace('.', '_')}", label, run, icon=icon, when=when)


def _open(row: WorkflowInstance) -> bool:
    return row.end_date is None


def _is_content(row: WorkflowInstance) -> bool:
    return _open(row) and row.workflow is not None and row.workflow.workflow_id == CONTENT


WorkflowInstanceAdmin.row_actions = (
    *WorkflowInstanceAdmin.row_actions,
    _asks("lead.summary", gettext_lazy("Summarise"), "summarize", lambda row: _open(row) and not _is_content(row)),
    _asks(
        "reply.draft",
        gettext_lazy("Draft a reply"),
        "edit_note",
        lambda row: _open(row) and not _is_content(row) and row.contact_id is not None,
    ),
    _asks("content.draft", gettext_lazy("Draft the content"), "edit_note", _is_content),
)
FeedbackAdmin.row_actions = (
    *FeedbackAdmin.row_actions,
    _asks("feedback.sentiment", gettext_lazy("Judge the sentiment"), "mood", lambda row: not row.sentiment),
)


@admin.register(AssistAnswer)
class AssistAnswerAdmin(ReadOnlyAdmin):
    list_display = ("kind", "about", "state", "model", "tokens", "cost", "requested_by", "asked")
    list_filter = ("status", "kind")
    search_fields = ("assist_id", "subject_label", "requested_by")
    ordering = ("-created_at", "-pk")
    fieldsets = [
        (None, {"fields": ["kind", "about", "state", "said", "error"]}),
        (gettext_lazy("Asked"), {"fields": ["requested_by", "created_at", "told"]}),
        (
            gettext_lazy("Answered"),
            {"fields": ["answered_at", "model", ("input_tokens", "output_tokens", "cost"), "assist_id"]},
        ),
    ]
    state, asked = cells.status("status"), cells.when("created_at", gettext_lazy("asked"))

    @display(description=gettext_lazy("about"), ordering="subject_label")
    def about(self, obj: AssistAnswer) -> Any:
        return cells.link(cells.change_url(obj.subject_model, obj.subject_id), obj.subject_label or obj.subject_id)

    @display(description=gettext_lazy("tokens"))
    def tokens(self, obj: AssistAnswer) -> str:
        return f"{obj.input_tokens:,} + {obj.output_tokens:,}"

    @display(description=gettext_lazy("answer"))
    def said(self, obj: AssistAnswer) -> Any:
        return cells.text_block("\n\n".join(f"{name}: {value}" for name, value in obj.output.items()))

    @display(description=gettext_lazy("what it was told"))
    def told(self, obj: AssistAnswer) -> Any:
        return cells.text_block(obj.prompt)


def _answers(subject: Any) -> Panel | None:
    rows = AssistAnswer.objects.filter(subject_model=subject._meta.label_lower, subject_id=subject.pk)
    lines = [
        (
            cells.link(cells.change_url(AssistAnswer, row.pk), row.kind),
            cells.chip(row.get_status_display(), tone_of(row.status)),
            row.model or cells.NOTHING,
            cells.moment(row.created_at),
        )
        for row in rows.order_by("-pk")[:SHOWN]
    ]
    if not lines:
        return None
    heads = [_("Asked for"), _("Status"), _("By"), _("When")]
    return table(gettext_lazy("Assistant"), heads, lines, order=40, icon="robot_2")


@panel(WorkflowInstance)
def about_instance(_request: HttpRequest, instance: WorkflowInstance) -> Panel | None:
    return _answers(instance)


@panel(Feedback)
def about_feedback(_request: HttpRequest, feedback: Feedback) -> Panel | None:
    return _answers(feedback)
