"""What waits for a person's word before it is done."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents_app import choices
from agents_app.models.ids import new_approval_id


class Approval(models.Model):
    """One request to do something that a person with the right has to allow.

    ``action`` says what kind of thing it is (``campaign.activate``), ``subject_…`` which record it concerns,
    ``payload`` what has to be known to do it once it is allowed. ``requested_by`` is an agent, a person or a token by
    name; ``requester`` is set when it was a person who has an account here.
    """

    approval_id = models.CharField(
        _("approval ID"), max_length=60, unique=True, default=new_approval_id, editable=False
    )
    action = models.CharField(_("action"), max_length=100)
    # One pending request for each occasion: asking again finds the first one.
    key = models.CharField(_("key"), max_length=300)
    subject_model = models.CharField(_("kind of record"), max_length=100)
    subject_id = models.BigIntegerField(_("record"), null=True, blank=True)
    subject_label = models.CharField(_("about"), max_length=500, blank=True)
    payload: models.JSONField[Any, Any] = models.JSONField(_("payload"), default=dict, blank=True)
    reason = models.TextField(_("why it was asked for"), blank=True)
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
        _("status"), max_length=20, choices=choices.ApprovalStatus.choices, default=choices.ApprovalStatus.PENDING
    )
    decided_by = models.CharField(_("decided by"), max_length=200, blank=True)
    decider = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("decider"),
        related_name="+",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    decision_note = models.TextField(_("note on the decision"), blank=True)
    outcome = models.TextField(_("what came of it"), blank=True)
    created_at = models.DateTimeField(_("requested"), default=timezone.now, editable=False)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["-created_at", "-pk"]
        permissions = [("decide_approval", _("Can approve or refuse what others ask for"))]
        indexes = [
            models.Index(fields=["status", "created_at"]),
            models.Index(fields=["subject_model", "subject_id", "status"]),
        ]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=models.Q(status="pending"), name="approval_pending_once")
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.subject_label}" if self.subject_label else self.action

    @property
    def is_pending(self) -> bool:
        return self.status == choices.ApprovalStatus.PENDING
