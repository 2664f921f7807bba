"""What was asked of the assistant, and what it answered: every word and its price."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents_app import choices
from agents_app.models.ids import new_assist_id
from contacts.models import Contact


class AssistAnswer(models.Model):
    """One question to a language model, or to the rules that answer where none is set, with the typed answer."""

    assist_id = models.CharField(_("assist ID"), max_length=60, unique=True, default=new_assist_id, editable=False)
    kind = models.CharField(_("kind"), max_length=60)
    subject_model = models.CharField(_("kind of record"), max_length=100)
    subject_id = models.BigIntegerField(_("record"))
    subject_label = models.CharField(_("about"), max_length=500, blank=True)
    contact = models.ForeignKey(
        Contact, verbose_name=_("contact"), related_name="+", on_delete=models.SET_NULL, null=True, blank=True
    )
    requested_by = models.CharField(_("requested by"), max_length=200)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("requester"),
        related_name="+",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    status = models.CharField(
        _("status"), max_length=20, choices=choices.AssistStatus.choices, default=choices.AssistStatus.WAITING
    )
    prompt = models.TextField(_("what it was told"), blank=True)
    output: models.JSONField[Any, Any] = models.JSONField(_("answer"), default=dict, blank=True)
    model = models.CharField(_("model"), max_length=200, blank=True)
    input_tokens = models.PositiveIntegerField(_("tokens in"), default=0)
    output_tokens = models.PositiveIntegerField(_("tokens out"), default=0)
    cost = models.DecimalField(
        _("cost (USD)"), max_digits=12, decimal_places=6, null=True, blank=True, help_text=_("Empty where not known.")
    )
    error = models.TextField(_("error"), blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True, default=timezone.now)
    created_at = models.DateTimeField(_("asked"), default=timezone.now, editable=False)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    class Meta:
        verbose_name = _("answer of the assistant")
        verbose_name_plural = _("answers of the assistant")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["status", "next_attempt_at"]),
            models.Index(fields=["subject_model", "subject_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject_label}"
