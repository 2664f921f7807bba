"""Workflow definitions and use cases."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from agents_app.admin import picture
from agents_app.admin.forms import EditedAdmin
from agents_app.models import UseCase, Workflow, WorkflowInstance
from agents_app.services import catalog
from agents_app.workflow import diagram
from agents_app.workflow.machine import Definition
from higherself.core.admin import TOP, Panel, RecordAdmin, cells, options, panel
from higherself.core.errors import Permanent


@admin.register(Workflow)
class WorkflowAdmin(EditedAdmin):
    list_display = ("workflow_name", "workflow_id", "version", "state", "active", "total_instances_count", "success")
    list_filter = (options("status"), options("trigger_type"), "business_entities")
    search_fields = ("workflow_name", "workflow_id")
    ordering = ("workflow_name", "version")
    fieldsets = [
        (None, {"fields": ["workflow_name", "workflow_id", "version", "status", "description", "business_entities"]}),
        (_("Trigger"), {"fields": ["trigger_type", "trigger_conditions"]}),
        (
            _("Measured"),
            {
                "fields": [
                    *("active_instances_count", "total_instances_count"),
                    *("average_completion_time", "success_rate"),
                ]
            },
        ),
        (
            _("Definition"),
            {"fields": ["edit_result", "initial_state", "states", "transitions"], "classes": ["collapse"]},
        ),
        (
            _("More"),
            {
                "fields": [
                    *("required_integrations", "data_schema", "validation_model_path", "visualization_url"),
                    *("documentation_url", "created_date", "owner", "tags"),
                ],
                "classes": ["collapse"],
            },
        ),
    ]
    facts = (
        *("active_instances_count", "total_instances_count", "average_completion_time", "success_rate"),
        "edit_result",
    )
    state, success = cells.status("status"), cells.share("success_rate", _("success"))

    @display(description=_("active"), ordering="active_instances_count")
    def active(self, obj: Workflow) -> Any:
        url = cells.list_url(WorkflowInstance, f"workflow__id__exact={obj.pk}&status=Active")
        return cells.link(url, obj.active_instances_count)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Running instances refer to a version; another version is another row.
        return (*super().get_readonly_fields(request, obj), *(["workflow_id", "version"] if obj else []))


def definition_or_problem(workflow: Workflow) -> tuple[Definition | None, str]:
    try:
        return catalog.definition(workflow), ""
    except Permanent as error:
        return None, str(error)


@panel(Workflow)
def workflow_picture(_request: HttpRequest, workflow: Workflow) -> Panel:
    definition, problem = definition_or_problem(workflow)
    context: dict[str, Any] = {"problem": problem}
    if definition is not None:
        context |= {"svg": picture.svg(definition), "mermaid": diagram.mermaid(definition)}
    return Panel(_("How it runs"), "console/workflow_picture.html", context, place=TOP, order=10, icon="account_tree")


@admin.register(UseCase)
class UseCaseAdmin(RecordAdmin):
    list_display = ("use_case_title", "state", "urgency", "complexity", "estimated_effort", "target")
    list_filter = (options("implementation_status"), options("priority"), options("complexity"))
    search_fields = ("use_case_title", "use_case_id")
    ordering = ("use_case_title", "pk")
    fieldsets = [
        (None, {"fields": ["use_case_title", "implementation_status", "priority", "description", "business_value"]}),
        (_("Wanted"), {"fields": ["user_stories", "acceptance_criteria"]}),
        (_("For and with"), {"fields": ["business_entities", "related_workflows", "required_integrations"]}),
        (
            _("Plan"),
            {
                "fields": [
                    *("complexity", "estimated_effort", "target_implementation_date", "actual_implementation_date"),
                    "stakeholders",
                ]
            },
        ),
        (
            _("More"),
            {
                "fields": ["use_case_id", "created_date", "tags", "documentation_url", "notion_dashboard_link"],
                "classes": ["collapse"],
            },
        ),
    ]
    state, urgency = cells.status("implementation_status", _("status")), cells.status("priority")
    target = cells.when("target_implementation_date", _("target"))
