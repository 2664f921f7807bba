"""What was refused at the door: counted, never stored."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class RefusedDelivery(models.Model):
    """How many deliveries one address saw refused for one reason within one hour.

    No body, header or secret of them is kept: anybody may send anything. ``provider`` is empty where the address of
    the webhook names none; ``address`` is empty for those that came after too many different ones in the same hour.
    """

    class Reason(models.TextChoices):
        NO_PROOF = "no_proof", _("without signature or secret")
        STALE = "stale", _("signed too long ago")
        WRONG_PROOF = "wrong_proof", _("signature or secret is not ours")
        UNREADABLE = "unreadable", _("cannot be read")
        TOO_LARGE = "too_large", _("too large")
        FLOOD = "flood", _("too many at once")
        NOT_CONFIGURED = "not_configured", _("not configured here")
        UNKNOWN = "unknown", _("no such provider")
        NOT_STORED = "not_stored", _("the database was away")

    provider = models.CharField(_("provider"), max_length=40, blank=True)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices)
    address = models.CharField(_("sender's address"), max_length=64, blank=True)
    hour = models.DateTimeField(_("hour"))
    number = models.PositiveIntegerField(_("number"), default=1)
    first_at = models.DateTimeField(_("first"))
    last_at = models.DateTimeField(_("last"))
    detail = models.CharField(_("what was answered"), max_length=200, blank=True)
    agent = models.CharField(_("the sender calls itself"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("refused delivery")
        verbose_name_plural = _("refused deliveries")
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(fields=["hour", "provider", "reason", "address"], name="integrations_refused_once")
        ]
        indexes = [models.Index(fields=["last_at"], name="integrations_refused_time")]

    def __str__(self) -> str:
        return f"{self.provider or '?'}: {self.get_reason_display()}"
