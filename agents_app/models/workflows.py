"""Workflow definitions, their running instances, the log of every transition, and why a workflow exists."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents_app import choices
from agents_app.models.ids import new_instance_id, new_use_case_id, new_workflow_id
from bookings.models import Product
from campaigns.models import Campaign, Feedback
from contacts.models import BusinessEntity, Contact
from higherself.core.fields import LowercaseEmailField, NameListField, PeopleField, SelectField
from higherself.core.models import Record


class Workflow(Record):
    """One version of a workflow's definition. Instances stay on the version that they began with."""

    workflow_name = models.CharField(_("workflow name"), max_length=500)
    workflow_id = models.CharField(_("workflow ID"), max_length=200, default=new_workflow_id)
    description = models.TextField(_("description"), blank=True)
    status = SelectField(_("status"), options=choices.WorkflowStatus.values, default=choices.WorkflowStatus.DRAFT)
    business_entities = models.ManyToManyField(
        BusinessEntity, verbose_name=_("business entities"), related_name="primary_workflows", blank=True
    )
    trigger_type = SelectField(_("trigger type"), options=choices.TriggerType.values)
    trigger_conditions = models.TextField(_("trigger conditions"), blank=True)
    initial_state = models.CharField(_("initial state"), max_length=100, blank=True)
    states = models.JSONField(_("states"), default=list, blank=True)
    transitions = models.JSONField(_("transitions"), default=list, blank=True)
    required_integrations = models.ManyToManyField(
        "agents_app.ApiIntegration", verbose_name=_("required integrations"), related_name="workflows", blank=True
    )
    active_instances_count = models.IntegerField(_("active instances"), default=0)
    total_instances_count = models.IntegerField(_("total instances"), default=0)
    average_completion_time = models.FloatField(
        _("average completion time"), null=True, blank=True, help_text=_("In hours; empty before the first.")
    )
    success_rate = models.FloatField(
        _("success rate"), null=True, blank=True, help_text=_("From 0 to 1; empty before the first end.")
    )
    version = models.CharField(_("version"), max_length=50, default="1.0.0")
    edit_result = models.TextField(
        _("edit result"), blank=True, help_text=_("What became of the last edit, or why it was put back.")
    )
    data_schema = models.JSONField(_("data schema"), default=dict, blank=True)
    validation_model_path = models.CharField(_("validation model path"), max_length=500, blank=True)
    visualization_url = models.URLField(_("visualisation"), max_length=2000, blank=True)
    documentation_url = models.URLField(_("documentation"), max_length=2000, blank=True)
    created_date = models.DateTimeField(_("created date"), null=True, blank=True, default=timezone.now)
    owner = PeopleField(_("owner"))
    tags = NameListField(_("tags"), options=choices.WORKFLOW_TAGS)

    # Measured by the server, not edited.
    unnoted = frozenset({"total_instances_count", "active_instances_count", "success_rate", "average_completion_time"})

    class Meta(Record.Meta):
        verbose_name = _("workflow")
        verbose_name_plural = _("workflows")
        ordering = ["workflow_name", "version"]
        indexes = [*Record.Meta.indexes, models.Index(fields=["workflow_id", "status"])]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow_id", "version"],
                name="workflow_version_once",
                violation_error_message=_("This version of the workflow exists already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.workflow_name or self.workflow_id} ({self.version})"


class WorkflowInstance(Record):
    """One run of a workflow for one booking, order, lead, campaign, …

    ``current_state`` changes through the engine only, so that every change is legal and in the log.
    """

    instance_name = models.CharField(_("instance name"), max_length=500)
    instance_id = models.CharField(
        _("instance ID"), max_length=60, unique=True, default=new_instance_id, editable=False
    )
    workflow = models.ForeignKey(
        Workflow,
        verbose_name=_("workflow"),
        related_name="instances",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    business_entity = models.ForeignKey(
        BusinessEntity,
        verbose_name=_("business entity"),
        related_name="workflow_instances",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    contact = models.ForeignKey(
        Contact,
        verbose_name=_("contact"),
        related_name="workflow_instances",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    products = models.ManyToManyField(
        Product, verbose_name=_("products and services"), related_name="workflow_instances", blank=True
    )
    campaign = models.ForeignKey(
        Campaign,
        verbose_name=_("campaign"),
        related_name="workflow_instances",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    feedback = models.ManyToManyField(
        Feedback, verbose_name=_("feedback"), related_name="related_workflow_instances", blank=True
    )
    current_state = SelectField(_("current state"))
    status = SelectField(_("status"), options=choices.InstanceStatus.values, default=choices.InstanceStatus.ACTIVE)
    priority = SelectField(_("priority"), options=choices.Priority.values, default=choices.Priority.MEDIUM)
    source_system = SelectField(
        _("source system"), options=choices.SourceSystem.values, default=choices.SourceSystem.MANUAL
    )
    source_record_id = models.CharField(_("source record ID"), max_length=200, blank=True)
    client_lead_email = LowercaseEmailField(_("client's e-mail"), blank=True)
    client_lead_name = models.CharField(_("client's name"), max_length=500, blank=True)
    client_lead_phone = models.CharField(_("client's phone"), max_length=200, blank=True)
    start_date = models.DateTimeField(_("start"), null=True, blank=True, default=timezone.now)
    last_transition_date = models.DateTimeField(_("last transition"), null=True, blank=True)
    end_date = models.DateTimeField(_("end"), null=True, blank=True)
    assigned_to = PeopleField(_("assigned to"))
    assigned_agent = models.ForeignKey(
        "agents_app.Agent",
        verbose_name=_("assigned agent"),
        related_name="assigned_instances",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    tags = NameListField(_("tags"))
    error_message = models.TextField(_("error message"), blank=True)
    key_data = models.JSONField(_("key data"), default=dict, blank=True)
    history_tail = models.TextField(
        _("history (tail)"), blank=True, help_text=_("The last lines of the log, for Notion.")
    )
    hubspot_contact_id = models.CharField(_("HubSpot contact ID"), max_length=200, blank=True)
    airtable_record_id = models.CharField(_("Airtable record ID"), max_length=200, blank=True)
    # Not shown to people: when the clock has to look at it next, and until when it has looked for what is timed.
    next_timer_at = models.DateTimeField(null=True, blank=True, editable=False)
    timers_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    testing_mode = models.BooleanField(_("testing mode"), default=False)
    validation_status = SelectField(_("validation status"), options=choices.ValidationStatus.values)

    # Told by its transitions; the last two are the clock's own.
    unnoted = frozenset(
        {
            *("current_state", "status", "last_transition_date", "end_date", "error_message", "history_tail"),
            *("key_data", "next_timer_at", "timers_seen_at"),
        }
    )

    class Meta(Record.Meta):
        verbose_name = _("workflow instance")
        verbose_name_plural = _("workflow instances")
        ordering = ["-start_date", "-pk"]
        indexes = [
            *Record.Meta.indexes,
            # A column of the board: what has stood there longest, or the newest.
            models.Index(fields=["workflow", "current_state", "last_transition_date"], name="instance_board"),
            models.Index(fields=["workflow", "start_date"], name="instance_began"),
            models.Index(fields=["status", "last_transition_date"]),
            models.Index(fields=["client_lead_email"]),
            # The unique constraint's index is partial, and SQLite cannot use it for a look-up by parameter.
            models.Index(fields=["source_record_id"]),
            models.Index(fields=["updated_at", "id"]),
            models.Index(
                fields=["next_timer_at"], name="instance_timer", condition=models.Q(next_timer_at__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source_system", "source_record_id", "workflow"],
                condition=~models.Q(source_record_id=""),
                name="instance_source_once",
                violation_error_message=_("This record of the source system runs in this workflow already."),
            )
        ]

    def __str__(self) -> str:
        return self.instance_name or self.instance_id

    @property
    def duration_days(self) -> int | None:
        if self.start_date is None:
            return None
        return ((self.end_date or timezone.now()) - self.start_date) // timedelta(days=1)

    @property
    def sla_status(self) -> str:
        late = (self.duration_days or 0) > choices.SLA_DAYS
        if self.status == choices.InstanceStatus.COMPLETED:
            return "Overdue" if late else "Met"
        return "Overdue" if late else "Within SLA"


class WorkflowTransition(models.Model):
    """One line of an instance's history. Lines are added and never changed."""

    instance = models.ForeignKey(
        WorkflowInstance, verbose_name=_("instance"), related_name="history", on_delete=models.CASCADE
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    actor = models.CharField(_("actor"), max_length=200)
    from_state = models.CharField(_("from"), max_length=100, blank=True)
    to_state = models.CharField(_("to"), max_length=100)
    event = models.CharField(_("event"), max_length=100)
    note = models.TextField(_("note"), blank=True)
    data: models.JSONField[Any, Any] = models.JSONField(_("data"), default=dict, blank=True)
    # No foreign key: inbound events are cleared away after a while, history is not.
    inbound_event = models.UUIDField(_("inbound event"), null=True, blank=True)

    class Meta:
        verbose_name = _("transition")
        verbose_name_plural = _("transitions")
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["instance", "at"])]

    def __str__(self) -> str:
        return f"{self.event}: {self.from_state or '·'} → {self.to_state}"


class UseCase(Record):
    """What a workflow is for, in the words of the business."""

    use_case_title = models.CharField(_("use case title"), max_length=500)
    use_case_id = models.CharField(
        _("use case ID"), max_length=60, unique=True, default=new_use_case_id, editable=False
    )
    description = models.TextField(_("description"), blank=True)
    business_value = models.TextField(_("business value"), blank=True)
    user_stories = models.TextField(_("user stories"), blank=True)
    acceptance_criteria = models.TextField(_("acceptance criteria"), blank=True)
    implementation_status = SelectField(
        _("implementation status"),
        options=choices.ImplementationStatus.values,
        default=choices.ImplementationStatus.PLANNED,
    )
    business_entities = models.ManyToManyField(
        BusinessEntity, verbose_name=_("business entities"), related_name="use_cases", blank=True
    )
    related_workflows = models.ManyToManyField(
        Workflow, verbose_name=_("related workflows"), related_name="related_use_cases", blank=True
    )
    required_integrations = models.ManyToManyField(
        "agents_app.ApiIntegration", verbose_name=_("required integrations"), related_name="use_cases", blank=True
    )
    priority = SelectField(
        _("priority"), options=choices.UseCasePriority.values, default=choices.UseCasePriority.MEDIUM
    )
    complexity = SelectField(_("complexity"), options=choices.Complexity.values)
    estimated_effort = SelectField(_("estimated effort"), options=choices.Effort.values)
    stakeholders = PeopleField(_("stakeholders"))
    created_date = models.DateField(_("created date"), null=True, blank=True, default=timezone.localdate)
    target_implementation_date = models.DateField(_("target date"), null=True, blank=True)
    actual_implementation_date = models.DateField(_("actual date"), null=True, blank=True)
    tags = NameListField(_("tags"), options=choices.USE_CASE_TAGS)
    documentation_url = models.URLField(_("documentation"), max_length=2000, blank=True)
    notion_dashboard_link = models.URLField(_("Notion dashboard"), max_length=2000, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("use case")
        verbose_name_plural = _("use cases")
        ordering = ["use_case_title", "pk"]
        indexes = [*Record.Meta.indexes, models.Index(fields=["implementation_status"])]

    def __str__(self) -> str:
        return self.use_case_title or self.use_case_id
