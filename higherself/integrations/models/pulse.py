"""When each provider has sent: the history by which its silence is judged."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Pulse(models.Model):
    """The hours in which a provider has sent something, as hours since 1970, oldest first, and the newest only.

    It outlives the clean-up of the inbox. ``seen_until`` is how far the inbox was looked through.
    """

    provider = models.CharField(_("provider"), primary_key=True, max_length=40)
    hours = models.JSONField(_("hours"), default=list, blank=True)
    seen_until = models.DateTimeField(_("seen until"))

    class Meta:
        verbose_name = _("pulse")
        verbose_name_plural = _("pulses")
        ordering = ["provider"]

    def __str__(self) -> str:
        return self.provider
