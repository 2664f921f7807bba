"""The agents, and which of them may tell another what."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents_app import choices
from agents_app.models.ids import new_agent_id, new_pattern_id
from contacts.models import BusinessEntity
from higherself.core.fields import NameListField, PeopleField, SelectField
from higherself.core.models import Record


class Agent(Record):
    """An agent as the registry shows it. ``agent_id`` is the name of its class; the status switches it off."""

    agent_name = models.CharField(_("agent name"), max_length=500)
    agent_id = models.CharField(_("agent ID"), max_length=200, unique=True, default=new_agent_id)
    description = models.TextField(_("description"), blank=True)
    version = models.CharField(_("version"), max_length=50, blank=True, default="1.0.0")
    status = SelectField(_("status"), options=choices.AgentStatus.values, default=choices.AgentStatus.DEPLOYED)
    capabilities = NameListField(_("capabilities"), options=choices.Capability.values)
    primary_apis_utilized = NameListField(_("primary APIs utilised"), options=choices.Api.values)
    business_entities = models.ManyToManyField(
        BusinessEntity, verbose_name=_("business entities"), related_name="active_agents", blank=True
    )
    runtime_environment = SelectField(
        _("runtime environment"), options=choices.Runtime.values, default=choices.Runtime.DOCKER
    )
    source_code_location = models.CharField(_("source code location"), max_length=2000, blank=True)
    primary_data_sources = NameListField(_("primary data sources"))
    primary_data_sinks = NameListField(_("primary data sinks"))
    health_status = SelectField(_("health status"), options=choices.HealthStatus.values)
    last_execution = models.DateTimeField(_("last execution"), null=True, blank=True)
    execution_count = models.IntegerField(_("execution count"), default=0)
    success_rate = models.FloatField(
        _("success rate"), null=True, blank=True, help_text=_("From 0 to 1; empty before the first execution.")
    )
    api_integrations = models.ManyToManyField(
        "agents_app.ApiIntegration", verbose_name=_("API integrations"), related_name="agents_using", blank=True
    )
    data_transformations = models.ManyToManyField(
        "agents_app.DataTransformation",
        verbose_name=_("data transformations"),
        related_name="agents_using",
        blank=True,
    )
    workflows = models.ManyToManyField(
        "agents_app.Workflow", verbose_name=_("workflows"), related_name="required_agents", blank=True
    )
    owner = PeopleField(_("owner"))
    documentation_url = models.URLField(_("documentation"), max_length=2000, blank=True)

    # Measured by the server, not edited.
    unnoted = frozenset({"last_execution", "execution_count", "success_rate", "health_status"})

    class Meta(Record.Meta):
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        ordering = ["agent_name", "pk"]
        indexes = [*Record.Meta.indexes, models.Index(fields=["status"])]

    def __str__(self) -> str:
        return self.agent_name or self.agent_id

    @property
    def is_deployed(self) -> bool:
        return self.status == choices.AgentStatus.DEPLOYED and not self.is_archived


class CommunicationPattern(Record):
    """A message that one agent may send another. An event without an active pattern is not handed over."""

    pattern_name = models.CharField(_("pattern name"), max_length=500)
    pattern_id = models.CharField(_("pattern ID"), max_length=60, unique=True, default=new_pattern_id, editable=False)
    description = models.TextField(_("description"), blank=True)
    source_agent = models.ForeignKey(
        Agent,
        verbose_name=_("source agent"),
        related_name="sends",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    target_agent = models.ForeignKey(
        Agent,
        verbose_name=_("target agent"),
        related_name="receives",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    message_format = models.JSONField(_("message format"), default=dict, blank=True)
    sample_payload = models.JSONField(_("sample payload"), default=dict, blank=True)
    event_type = models.CharField(_("event type"), max_length=200, blank=True)
    communication_protocol = SelectField(
        _("communication protocol"), options=choices.Protocol.values, default=choices.Protocol.DIRECT_CALL
    )
    active_workflows_using = models.ManyToManyField(
        "agents_app.Workflow",
        verbose_name=_("active workflows using it"),
        related_name="communication_patterns",
        blank=True,
    )
    version = models.CharField(_("version"), max_length=50, blank=True, default="1.0.0")
    status = SelectField(_("status"), options=choices.CatalogStatus.values, default=choices.CatalogStatus.ACTIVE)
    created_date = models.DateTimeField(_("created date"), null=True, blank=True, default=timezone.now)
    success_criteria = models.TextField(_("success criteria"), blank=True)
    error_handling = models.TextField(_("error handling"), blank=True)
    timeout_settings = models.FloatField(_("timeout"), null=True, blank=True, help_text=_("In seconds."))
    required_permissions = NameListField(_("required permissions"), options=choices.PERMISSIONS)
    tags = NameListField(_("tags"), options=choices.PATTERN_TAGS)
    documentation_url = models.URLField(_("documentation"), max_length=2000, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("communication pattern")
        verbose_name_plural = _("communication patterns")
        ordering = ["pattern_name", "pk"]
        indexes = [*Record.Meta.indexes, models.Index(fields=["event_type", "status"])]

    def __str__(self) -> str:
        return self.pattern_name or self.pattern_id

    @property
    def usage_count(self) -> int:
        return self.active_workflows_using.count()
