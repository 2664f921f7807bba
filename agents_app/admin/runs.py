"""What the agents did."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.utils.translation import gettext_lazy as _

from agents_app.admin.instances import event_link
from agents_app.models import AgentRun
from higherself.core.admin import ReadOnlyAdmin, cells


@admin.register(AgentRun)
class AgentRunAdmin(ReadOnlyAdmin):
    list_display = ("began", "agent_id", "event_kind", "result", "duration", "said")
    list_filter = ("outcome",)
    search_fields = ("agent_id", "event_kind")
    ordering = ("-started_at", "-pk")
    fieldsets = [
        (None, {"fields": ["agent_id", "event_kind", "result", "message", "made", "came_from"]}),
        (_("Time"), {"fields": ["started_at", "finished_at", "duration"]}),
    ]
    began, result = cells.when("started_at", _("when")), cells.status("outcome")
    said = cells.short("message")

    @display(description=_("took"), ordering="duration_ms")
    def duration(self, obj: AgentRun) -> str:
        return cells.NOTHING if obj.duration_ms is None else f"{obj.duration_ms:,} ms"

    @display(description=_("created"))
    def made(self, obj: AgentRun) -> Any:
        return cells.created(obj.created)

    @display(description=_("inbound event"))
    def came_from(self, obj: AgentRun) -> Any:
        return event_link(obj.inbound_event)
