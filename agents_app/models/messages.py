"""What is sent to people: the templates, and each message on its way."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents_app import choices
from agents_app.models.ids import new_template_id
from agents_app.models.work import Task
from agents_app.models.workflows import Workflow, WorkflowInstance
from campaigns.models import Campaign
from contacts.models import BusinessEntity, Contact
from higherself.core.fields import NameListField, PeopleField, SelectField
from higherself.core.models import Record


class NotificationTemplate(Record):
    """Subject and content with ``{{placeholders}}``. The tag "Marketing" restricts it to those who opted in."""

    template_name = models.CharField(_("template name"), max_length=500)
    template_id = models.CharField(_("template ID"), max_length=200, unique=True, default=new_template_id)
    description = models.TextField(_("description"), blank=True)
    channel = SelectField(_("channel"), options=choices.Channel.values, default=choices.Channel.EMAIL)
    subject_template = models.TextField(_("subject template"), blank=True)
    content_template = models.TextField(_("content template"), blank=True)
    supported_placeholders = NameListField(_("supported placeholders"), options=choices.PLACEHOLDERS)
    trigger_event = SelectField(_("trigger event"), options=choices.TriggerEvent.values)
    status = SelectField(_("status"), options=choices.TemplateStatus.values, default=choices.TemplateStatus.DRAFT)
    version = models.CharField(_("version"), max_length=50, blank=True, default="1.0.0")
    edit_result = models.TextField(
        _("edit result"), blank=True, help_text=_("What became of the last edit, or why it was put back.")
    )
    sample_rendered_output = models.TextField(_("sample output"), blank=True)
    business_entities = models.ManyToManyField(
        BusinessEntity, verbose_name=_("business entities"), related_name="templates", blank=True
    )
    related_workflows = models.ManyToManyField(
        Workflow, verbose_name=_("related workflows"), related_name="templates", blank=True
    )
    campaigns = models.ManyToManyField(Campaign, verbose_name=_("campaigns"), related_name="templates", blank=True)
    created_by = PeopleField(_("created by"))
    created_date = models.DateTimeField(_("created date"), null=True, blank=True, default=timezone.now)
    last_sent = models.DateTimeField(_("last sent"), null=True, blank=True)
    send_count = models.IntegerField(_("send count"), default=0)
    tags = NameListField(_("tags"), options=choices.TEMPLATE_TAGS)

    # Measured by the server, not edited.
    unnoted = frozenset({"send_count", "last_sent"})

    class Meta(Record.Meta):
        verbose_name = _("notification template")
        verbose_name_plural = _("notification templates")
        ordering = ["template_name", "pk"]
        indexes = [*Record.Meta.indexes, models.Index(fields=["trigger_event", "status"])]

    def __str__(self) -> str:
        return self.template_name or self.template_id

    @property
    def is_marketing(self) -> bool:
        return choices.MARKETING_TAG in self.tags


class Notification(models.Model):
    """One message to one recipient. ``key`` names its occasion, so that a replayed event sends nothing twice."""

    key = models.CharField(_("key"), max_length=300, unique=True)
    template = models.ForeignKey(
        NotificationTemplate,
        verbose_name=_("template"),
        related_name="notifications",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    channel = SelectField(_("channel"), options=choices.Channel.values)
    recipient = models.CharField(_("recipient"), max_length=500, blank=True)
    subject = models.TextField(_("subject"), blank=True)
    body = models.TextField(_("body"), blank=True)
    contact = models.ForeignKey(
        Contact,
        verbose_name=_("contact"),
        related_name="notifications",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    instance = models.ForeignKey(
        WorkflowInstance,
        verbose_name=_("workflow instance"),
        related_name="notifications",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    task = models.ForeignKey(
        Task,
        verbose_name=_("task"),
        related_name="notifications",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=choices.NotificationStatus.choices,
        default=choices.NotificationStatus.QUEUED,
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True, default=timezone.now)
    error = models.TextField(_("error"), blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["status", "next_attempt_at"])]

    def __str__(self) -> str:
        return f"{self.channel} → {self.recipient or '?'}: {self.subject[:80]}"
