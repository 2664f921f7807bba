"""The outbox: every effect that is wanted at a provider, and what became of it."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OutboundCall(models.Model):
    """One operation at one provider, wanted by a transaction and carried out after it, exactly once.

    The row is the truth about it; the queue only says that there is something to do. While it is to be sent,
    ``next_attempt_at`` says from when; for a call that is being sent, that is the end of the sender's lease. Calls that
    are finished, or wait for a person or for a configuration, have none.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("being sent")
        DONE = "done", _("done")
        RETRYING = "retrying", _("will be retried")
        UNCONFIGURED = "unconfigured", _("not configured")
        REFUSED = "refused", _("credentials refused")
        QUARANTINED = "quarantined", _("needs a person")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")

    provider = models.CharField(_("provider"), max_length=40)
    operation = models.CharField(_("operation"), max_length=60)
    payload = models.JSONField(_("content"), default=dict, blank=True)
    dedupe_key = models.CharField(
        _("dedupe key"), max_length=200, unique=True, help_text=_("A second call with the same key is the same call.")
    )
    record = models.CharField(
        _("record"), max_length=200, blank=True, help_text=_("Calls about the same record are sent in order.")
    )
    about_model = models.CharField(_("about (kind)"), max_length=100, blank=True)
    about_id = models.CharField(_("about (ID)"), max_length=64, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    worker = models.CharField(_("worker"), max_length=100, blank=True)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True, default=timezone.now)
    # Once set, an effect may exist already: whoever sends again has to look first.
    first_tried_at = models.DateTimeField(_("first tried"), null=True, blank=True)
    error = models.TextField(_("reason"), blank=True)
    result = models.JSONField(_("result"), default=dict, blank=True)
    created_at = models.DateTimeField(_("wanted"), default=timezone.now)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    decided_by = models.CharField(_("replayed or cancelled by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("outbound call")
        verbose_name_plural = _("outbound calls")
        ordering = ["-created_at", "-pk"]
        indexes = [
            # What a relay asks for: what is due. Finished calls are not in it.
            models.Index(
                fields=["next_attempt_at"], name="integrations_call_due", condition=Q(next_attempt_at__isnull=False)
            ),
            # "Is there an earlier one about the same record?", "what is its id over there?", and the console's search.
            models.Index(fields=["record", "provider", "id"], name="integrations_call_record"),
            models.Index(fields=["created_at"], name="integrations_call_time"),
            # What is neither done nor on its way, among many that are.
            models.Index(
                fields=["status", "provider"],
                name="integrations_call_trouble",
                condition=Q(status__in=["retrying", "unconfigured", "refused", "quarantined"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.operation}"

    @property
    def lease_until(self) -> datetime | None:
        """Until when the worker that sends it is believed to be alive."""
        return self.next_attempt_at if self.status == self.Status.SENDING else None
