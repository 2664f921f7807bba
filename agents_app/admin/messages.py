"""Templates of messages, and the messages themselves."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib import messages as told
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents_app.admin.forms import EditedAdmin
from agents_app.choices import NotificationStatus
from agents_app.models import Notification, NotificationTemplate
from agents_app.services.edits import problem_of, stored
from agents_app.services.messages import JOB, preview
from higherself.core import jobs
from higherself.core.admin import BOTTOM, Answer, Panel, ReadOnlyAdmin, RowAction, cells, options, panel


@admin.register(NotificationTemplate)
class NotificationTemplateAdmin(EditedAdmin):
    list_display = ("template_name", "template_id", "channel", "trigger_event", "state", "send_count", "sent")
    list_filter = (options("status"), options("channel"), options("trigger_event"), "business_entities")
    search_fields = ("template_name", "template_id")
    ordering = ("template_name", "pk")
    fieldsets = [
        (None, {"fields": ["template_name", "template_id", "status", "channel", "trigger_event", "description"]}),
        (
            gettext_lazy("Message"),
            {"fields": ["subject_template", "content_template", "supported_placeholders", "edit_result"]},
        ),
        (gettext_lazy("Measured"), {"fields": ["send_count", "last_sent"]}),
        (gettext_lazy("For"), {"fields": ["business_entities", "related_workflows", "campaigns", "tags"]}),
        (
            gettext_lazy("More"),
            {
                "fields": ["version", "created_by", "created_date", "sample_rendered_output"],
                "classes": ["collapse"],
            },
        ),
    ]
    facts = ("send_count", "last_sent", "edit_result")
    state, sent = cells.status("status"), cells.when("last_sent", gettext_lazy("last sent"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Workflows name their templates by this id.
        return (*super().get_readonly_fields(request, obj), *(["template_id"] if obj else []))


@panel(NotificationTemplate)
def preview_of(_request: HttpRequest, template: NotificationTemplate) -> Panel:
    """The message as it would be written, so that nobody has to send one to see it."""
    context = {"text": preview(template), "problem": problem_of(template, stored(template))}
    return Panel(gettext_lazy("Preview"), "console/message_preview.html", context, BOTTOM, order=10, icon="preview")


def _send_again(_request: HttpRequest, rows: list[Notification]) -> Answer:
    """Failed ones only: what was sent is not sent twice by a click."""
    ids = [row.pk for row in rows]
    failed = Notification.objects.filter(pk__in=ids, status=NotificationStatus.FAILED)
    done = failed.update(status=NotificationStatus.QUEUED, attempts=0, error="", next_attempt_at=timezone.now())
    if done:
        jobs.wake(JOB)
    level = told.SUCCESS if done else told.WARNING
    return level, _("%(n)d queued again; messages that had not failed were left alone.") % {"n": done}


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("about", "recipient", "channel", "state", "attempts", "made", "went", "reason")
    list_filter = ("status", options("channel"))
    search_fields = ("recipient", "subject")
    ordering = ("-pk",)
    fieldsets = [
        (None, {"fields": ["subject", "recipient", "channel", "text"]}),
        (gettext_lazy("Course"), {"fields": ["state", "attempts", "next_attempt_at", "sent_at", "error"]}),
        (gettext_lazy("About"), {"fields": ["template", "contact", "instance", "task"]}),
        (gettext_lazy("Record"), {"fields": ["key", "created_at"]}),
    ]
    row_actions = (
        RowAction(
            "send_again",
            gettext_lazy("Send again"),
            _send_again,
            icon="send",
            tone="primary",
            when=lambda row: row.status == NotificationStatus.FAILED,
        ),
    )
    about, state = cells.short("subject", gettext_lazy("subject"), 60), cells.status("status")
    made, went = cells.when("created_at", gettext_lazy("made")), cells.when("sent_at", gettext_lazy("sent"))
    reason = cells.short("error", gettext_lazy("reason"), 60)

    @display(description=gettext_lazy("text"))
    def text(self, obj: Notification) -> Any:
        return cells.text_block(obj.body)
