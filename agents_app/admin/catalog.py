"""What is connected, and how foreign data becomes ours."""

from __future__ import annotations

from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents_app.admin.forms import EditedAdmin
from agents_app.models import ApiIntegration, DataTransformation
from agents_app.services import integrations
from higherself.core.admin import Answer, RecordAdmin, RowAction, cells, options, tone_of
from higherself.integrations.admin.overview import Tested, catalogue


def _test(_request: HttpRequest, rows: list[ApiIntegration]) -> Answer:
    found = [integrations.check_row(row) for row in rows]
    level = messages.WARNING if any(item.failed for item in found) else messages.SUCCESS
    return level, " ".join(f"{item.label}: {item.result.value}. {item.message}" for item in found)


@catalogue
def last_tests() -> dict[str, Tested]:
    """For the page of all integrations: what each service's row says, and its button."""
    found: dict[str, Tested] = {}
    for row in ApiIntegration.objects.live().order_by("-pk"):
        slug = integrations.slug_of(row)
        url = reverse("admin:agents_app_apiintegration_do", args=[row.pk, "test"])
        found[slug] = Tested(
            cells.chip(row.last_result or gettext("not tested yet"), tone_of(row.last_result)),
            cells.moment(row.last_tested) if row.last_tested else "",
            url if integrations.can_check(row) else "",
        )
    return found


@admin.register(ApiIntegration)
class ApiIntegrationAdmin(RecordAdmin):
    list_display = ("integration_name", "api_platform", "state", "result", "tested", "auth_method", "api_version")
    list_filter = (options("status"), options("last_result"), options("auth_method"))
    search_fields = ("integration_name", "integration_id", "api_platform")
    ordering = ("integration_name", "pk")
    fieldsets = [
        (None, {"fields": ["integration_name", "api_platform", "status", "description", "business_entities", "owner"]}),
        (_("Measured"), {"fields": ["last_result", "last_tested"]}),
        (
            _("Connection"),
            {
                "fields": [
                    *("base_url", "api_version", "auth_method", "api_key_reference"),
                    *("webhook_authentication_method", "documentation_url"),
                ]
            },
        ),
        (_("Limits"), {"fields": ["rate_limits", "rate_limiting_strategy"]}),
        (
            _("More"),
            {
                "fields": ["integration_id", "endpoints_used", "data_mapping", "implementation_notes", "tags"],
                "classes": ["collapse"],
            },
        ),
    ]
    facts = ("last_result", "last_tested")
    row_actions = (
        *RecordAdmin.row_actions,
        RowAction(
            "test", _("Test connection"), _test, icon="network_check", tone="primary", when=integrations.can_check
        ),
    )
    state, result = cells.status("status"), cells.status("last_result", _("last test"))
    tested = cells.when("last_tested", _("tested"))


@admin.register(DataTransformation)
class DataTransformationAdmin(EditedAdmin):
    facts = ("edit_result",)
    list_display = ("transformation_name", "source_system", "target_system", "form_source_key", "state", "version")
    list_filter = (options("status"), options("source_system"), options("target_system"))
    search_fields = ("transformation_name", "transformation_id", "form_source_key")
    ordering = ("transformation_name", "pk")
    fieldsets = [
        (None, {"fields": ["transformation_name", "status", "description", "business_entities"]}),
        (
            _("From and to"),
            {"fields": ["source_system", "form_source_key", "source_format", "target_system", "target_format"]},
        ),
        (_("Map"), {"fields": ["transformation_logic", "edit_result"]}),
        (_("Example"), {"fields": ["sample_input", "sample_output"], "classes": ["collapse"]}),
        (
            _("More"),
            {
                "fields": ["transformation_id", "version", "used_by_workflows", "created_date", "owner", "tags"],
                "classes": ["collapse"],
            },
        ),
    ]
    state = cells.status("status")
