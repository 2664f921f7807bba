"""What the agents did: one row per event that an agent handled."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents_app import choices


class AgentRun(models.Model):
    """One agent's handling of one event. Kept apart from the agent's row, which people may rename or remove."""

    agent_id = models.CharField(_("agent"), max_length=200)
    event_kind = models.CharField(_("event"), max_length=100)
    inbound_event = models.UUIDField(_("inbound event"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=choices.RunOutcome.choices, blank=True)
    message = models.TextField(_("message"), blank=True)
    created: models.JSONField[Any, Any] = models.JSONField(_("created records"), default=list, blank=True)

    # Not stored: that what was told was about somebody who was erased.
    about_erased = False

    class Meta:
        verbose_name = _("agent run")
        verbose_name_plural = _("agent runs")
        ordering = ["-started_at", "-pk"]
        indexes = [
            models.Index(fields=["agent_id", "started_at"]),
            models.Index(fields=["started_at"]),
            models.Index(fields=["inbound_event"]),
            models.Index(fields=["outcome", "started_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id}: {self.event_kind} ({self.outcome or '…'})"
