"""What is connected (API integrations) and how foreign data becomes ours (data transformations)."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents_app import choices
from agents_app.models.ids import new_integration_id, new_transformation_id
from contacts.models import BusinessEntity
from higherself.core.fields import NameListField, PeopleField, SelectField
from higherself.core.models import Record


class ApiIntegration(Record):
    """An external service. The last test's time and result are measured, never assumed."""

    integration_name = models.CharField(_("integration name"), max_length=500)
    integration_id = models.CharField(
        _("integration ID"), max_length=60, unique=True, default=new_integration_id, editable=False
    )
    description = models.TextField(_("description"), blank=True)
    api_platform = SelectField(_("API platform"), options=choices.Api.values)
    status = SelectField(_("status"), options=choices.IntegrationState.values, default=choices.IntegrationState.PLANNED)
    api_version = models.CharField(_("API version"), max_length=100, blank=True)
    auth_method = SelectField(_("authentication"), options=choices.AuthMethod.values)
    api_key_reference = models.CharField(
        _("API key reference"),
        max_length=500,
        blank=True,
        help_text=_("Such as env:NOTION_API_TOKEN; never a key itself."),
    )
    webhook_authentication_method = SelectField(_("webhook authentication"), options=choices.WebhookAuthMethod.values)
    base_url = models.URLField(_("base URL"), max_length=2000, blank=True)
    documentation_url = models.URLField(_("documentation"), max_length=2000, blank=True)
    business_entities = models.ManyToManyField(
        BusinessEntity, verbose_name=_("business entities"), related_name="integrations", blank=True
    )
    rate_limits = models.TextField(_("rate limits"), blank=True)
    rate_limiting_strategy = models.TextField(_("rate limiting strategy"), blank=True)
    endpoints_used = models.TextField(_("endpoints used"), blank=True)
    implementation_notes = models.TextField(_("implementation notes"), blank=True)
    data_mapping = models.ManyToManyField(
        "agents_app.DataTransformation",
        verbose_name=_("data mapping"),
        related_name="related_api_integrations",
        blank=True,
    )
    last_tested = models.DateTimeField(_("last tested"), null=True, blank=True)
    last_result = SelectField(_("last result"), options=choices.TestResult.values)
    owner = PeopleField(_("owner"))
    tags = NameListField(_("tags"), options=choices.CATALOG_TAGS)

    class Meta(Record.Meta):
        verbose_name = _("API integration")
        verbose_name_plural = _("API integrations")
        ordering = ["integration_name", "pk"]
        indexes = [*Record.Meta.indexes, models.Index(fields=["api_platform"])]

    def __str__(self) -> str:
        return self.integration_name or self.integration_id


class DataTransformation(Record):
    """A declarative map from foreign fields to ours. It is data and never code: nothing in it is executed."""

    transformation_name = models.CharField(_("transformation name"), max_length=500)
    transformation_id = models.CharField(
        _("transformation ID"), max_length=60, unique=True, default=new_transformation_id, editable=False
    )
    description = models.TextField(_("description"), blank=True)
    source_format = SelectField(_("source format"), options=choices.SOURCE_FORMATS)
    target_format = SelectField(_("target format"), options=choices.TARGET_FORMATS)
    source_system = SelectField(_("source system"), options=choices.SOURCE_SYSTEMS)
    target_system = SelectField(_("target system"), options=choices.TARGET_SYSTEMS)
    transformation_logic = models.JSONField(_("transformation logic"), default=dict, blank=True)
    edit_result = models.TextField(
        _("edit result"), blank=True, help_text=_("What became of the last edit, or why it was put back.")
    )
    form_source_key = models.CharField(
        _("form or source key"), max_length=200, blank=True, help_text=_("Such as the id of the form it serves.")
    )
    sample_input = models.TextField(_("sample input"), blank=True)
    sample_output = models.TextField(_("sample output"), blank=True)
    status = SelectField(_("status"), options=choices.CatalogStatus.values, default=choices.CatalogStatus.ACTIVE)
    version = models.CharField(_("version"), max_length=50, blank=True, default="1.0.0")
    business_entities = models.ManyToManyField(
        BusinessEntity, verbose_name=_("business entities"), related_name="transformations", blank=True
    )
    used_by_workflows = models.ManyToManyField(
        "agents_app.Workflow", verbose_name=_("used by workflows"), related_name="transformations", blank=True
    )
    created_date = models.DateTimeField(_("created date"), null=True, blank=True, default=timezone.now)
    owner = PeopleField(_("owner"))
    tags = NameListField(_("tags"), options=choices.CATALOG_TAGS)

    class Meta(Record.Meta):
        verbose_name = _("data transformation")
        verbose_name_plural = _("data transformations")
        ordering = ["transformation_name", "pk"]
        indexes = [*Record.Meta.indexes, models.Index(fields=["source_system", "form_source_key"])]

    def __str__(self) -> str:
        return self.transformation_name or self.transformation_id
