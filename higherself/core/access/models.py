"""What is remembered about logging in. No password, and no recovery code in the clear."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class LoginAttempt(models.Model):
    """How logging in to one account from one address has gone lately."""

    account = models.CharField(_("account"), max_length=150)
    address = models.CharField(_("address"), max_length=64, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    failed_at = models.DateTimeField(_("last failure"), null=True, blank=True)
    succeeded_at = models.DateTimeField(_("last success"), null=True, blank=True)
    locked_until = models.DateTimeField(_("locked until"), null=True, blank=True)

    class Meta:
        verbose_name = _("log-in attempt")
        verbose_name_plural = _("log-in attempts")
        ordering = ["-failed_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["account", "address"], name="core_attempt_once")]
        indexes = [models.Index(fields=["locked_until"], name="core_attempt_locked")]

    def __str__(self) -> str:
        return f"{self.account} ({self.address or '?'})"

    @property
    def is_locked(self) -> bool:
        return self.locked_until is not None and self.locked_until > timezone.now()


class RecoveryCode(models.Model):
    """One of the codes that stand in for a lost phone, each good for once. Only its digest is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("recovery code")
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="core_recovery_code_once")]

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"
