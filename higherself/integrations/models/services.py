"""What is remembered about each service: whether it may be asked now, how far it was read, what is registered there."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from higherself.core.logs import redact


class ProviderGate(models.Model):
    """The one gate that all processes' requests to a provider go through: pace, pauses, refusals, and their number."""

    provider = models.CharField(_("provider"), primary_key=True, max_length=40)
    # Seconds since 1970 at which the next request may start.
    next_at = models.FloatField(_("next request"), default=0.0)
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    # A digest of the credentials that were refused, so that new ones are tried at once.
    refused_with = models.CharField(_("refused credentials"), max_length=64, blank=True)
    refused_at = models.DateTimeField(_("refused"), null=True, blank=True)
    last_answer_at = models.DateTimeField(_("last answer"), null=True, blank=True)
    month = models.CharField(_("month"), max_length=7, blank=True)
    requests = models.PositiveIntegerField(_("requests this month"), default=0)

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["provider"]

    def __str__(self) -> str:
        return self.provider


class BackfillState(models.Model):
    """How far a provider's history was read, so that a run goes on where the last one ended, or died."""

    provider = models.CharField(_("provider"), primary_key=True, max_length=40)
    cursor = models.JSONField(_("cursor"), default=dict, blank=True)
    worker = models.CharField(_("worker"), max_length=100, blank=True)
    held_until = models.DateTimeField(_("held until"), null=True, blank=True)
    started_at = models.DateTimeField(_("last start"), null=True, blank=True)
    finished_at = models.DateTimeField(_("last end"), null=True, blank=True)
    fetched = models.PositiveIntegerField(_("fetched last time"), default=0)
    new = models.PositiveIntegerField(_("new last time"), default=0)
    error = models.TextField(_("reason"), blank=True)

    class Meta:
        verbose_name = _("back-fill")
        verbose_name_plural = _("back-fills")
        ordering = ["provider"]

    def __str__(self) -> str:
        return self.provider


class RegisteredWebhook(models.Model):
    """A webhook that we have set up at a provider. Its secret is shown nowhere."""

    provider = models.CharField(_("provider"), max_length=40)
    name = models.CharField(_("name"), max_length=200, help_text=_("What it listens to: a form, a topic, an event."))
    remote_id = models.CharField(_("ID there"), max_length=200, blank=True)
    url = models.CharField(_("address"), max_length=2000)
    secret = models.CharField(max_length=500, blank=True)
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("registered"), default=timezone.now)
    checked_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    data = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("registered webhook")
        verbose_name_plural = _("registered webhooks")
        ordering = ["provider", "name"]
        constraints = [models.UniqueConstraint(fields=["provider", "name"], name="integrations_webhook_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.name}"

    @property
    def shown_url(self) -> str:
        """The address without the secret that its path may end in."""
        return redact(self.url)
