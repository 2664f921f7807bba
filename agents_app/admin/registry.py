"""Agents and what they may tell each other."""

from __future__ import annotations

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents_app.choices import AgentStatus
from agents_app.models import Agent, AgentRun, CommunicationPattern
from higherself.core.admin import Answer, Panel, RecordAdmin, RowAction, cells, options, panel, table, tone_of

SHOWN = 10


def _switch(rows: list[Agent], status: str) -> int:
    wanted = [row for row in rows if row.status != status]
    for row in wanted:
        row.status = status
        row.save(update_fields=["status"])
    return len(wanted)


def _on(_request: HttpRequest, rows: list[Agent]) -> Answer:
    done = _switch(rows, AgentStatus.DEPLOYED)
    return messages.SUCCESS, _("%(n)d switched on: events that waited are worked on now.") % {"n": done}


def _off(_request: HttpRequest, rows: list[Agent]) -> Answer:
    done = _switch(rows, AgentStatus.INACTIVE)
    return messages.SUCCESS, _("%(n)d switched off: their events wait, and nothing is lost.") % {"n": done}


@admin.register(Agent)
class AgentAdmin(RecordAdmin):
    list_display = ("agent_name", "state", "health", "ran", "execution_count", "success", "version")
    list_filter = (options("status"), options("health_status"))
    search_fields = ("agent_name", "agent_id")
    ordering = ("agent_name", "pk")
    fieldsets = [
        (None, {"fields": ["agent_name", "agent_id", "status", "description", "owner"]}),
        (
            gettext_lazy("Measured"),
            {"fields": ["health_status", "last_execution", "execution_count", "success_rate"]},
        ),
        (gettext_lazy("What it does"), {"fields": ["capabilities", "primary_apis_utilized", "business_entities"]}),
        (
            gettext_lazy("What it uses"),
            {
                "fields": [
                    *("workflows", "api_integrations", "data_transformations"),
                    *("primary_data_sources", "primary_data_sinks"),
                ]
            },
        ),
        (
            gettext_lazy("Where it runs"),
            {
                "fields": ["version", "runtime_environment", "source_code_location", "documentation_url"],
                "classes": ["collapse"],
            },
        ),
    ]
    # The id is the name of the agent's class; the figures are measured.
    facts = ("agent_id", "health_status", "last_execution", "execution_count", "success_rate")
    row_actions = (
        RowAction(
            "switch_on",
            gettext_lazy("Switch on"),
            _on,
            icon="toggle_on",
            tone="primary",
            when=lambda row: row.status != AgentStatus.DEPLOYED,
        ),
        RowAction(
            "switch_off",
            gettext_lazy("Switch off"),
            _off,
            icon="toggle_off",
            when=lambda row: row.status == AgentStatus.DEPLOYED,
            confirm=gettext_lazy("Its events will wait until it is switched on again. Switch it off?"),
        ),
        *RecordAdmin.row_actions,
    )
    state, health = cells.status("status"), cells.status("health_status", gettext_lazy("health"))
    ran = cells.when("last_execution", gettext_lazy("last run"))
    success = cells.share("success_rate", gettext_lazy("success"))


@panel(Agent)
def last_runs(_request: HttpRequest, agent: Agent) -> Panel:
    rows = AgentRun.objects.filter(agent_id=agent.agent_id).order_by("-started_at")[:SHOWN]
    lines = [
        (
            cells.link(cells.change_url(AgentRun, row.pk), cells.moment(row.started_at)),
            row.event_kind,
            cells.chip(row.get_outcome_display() or _("waits"), tone_of(row.outcome)),
            cells.NOTHING if row.duration_ms is None else f"{row.duration_ms:,} ms",
            Truncator(row.message).chars(120),
        )
        for row in rows
    ]
    heads = [_("When"), _("Event"), _("Outcome"), _("Took"), _("What it said")]
    more = cells.list_url(AgentRun, f"q={agent.agent_id}")
    return table(gettext_lazy("Last runs"), heads, lines, more=more, order=10, icon="play_circle")


@admin.register(CommunicationPattern)
class CommunicationPatternAdmin(RecordAdmin):
    list_display = ("pattern_name", "event_type", "sender", "receiver", "state", "communication_protocol", "version")
    list_filter = (options("status"), options("communication_protocol"), "source_agent", "target_agent")
    list_select_related = ("source_agent", "target_agent")
    search_fields = ("pattern_name", "pattern_id", "event_type")
    ordering = ("pattern_name", "pk")
    fieldsets = [
        (None, {"fields": ["pattern_name", "status", "event_type", "source_agent", "target_agent", "description"]}),
        (
            gettext_lazy("How"),
            {
                "fields": [
                    *("communication_protocol", "timeout_settings", "required_permissions", "success_criteria"),
                    "error_handling",
                ]
            },
        ),
        (gettext_lazy("Message"), {"fields": ["message_format", "sample_payload"]}),
        (
            gettext_lazy("More"),
            {
                "fields": [
                    *("pattern_id", "active_workflows_using", "version", "created_date", "tags"),
                    "documentation_url",
                ],
                "classes": ["collapse"],
            },
        ),
    ]
    state = cells.status("status")
    sender = cells.related("source_agent", gettext_lazy("from"))
    receiver = cells.related("target_agent", gettext_lazy("to"))
