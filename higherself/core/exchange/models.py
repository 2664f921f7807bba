"""One spreadsheet on its way in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ImportRun(models.Model):
    """A file, what it would change, and how far the work has come. The file is dropped when the work is done."""

    class State(models.TextChoices):
        READING = "reading", _("is being read")
        READY = "ready", _("ready to import")
        WAITING = "waiting", _("is being imported")
        DONE = "done", _("done")
        DISCARDED = "discarded", _("discarded")
        FAILED = "failed", _("unreadable")

    model = models.CharField(_("kind of record"), max_length=60)
    file_name = models.CharField(_("file"), max_length=200)
    content = models.BinaryField(_("content"), default=b"")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    actor = models.CharField(_("who"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.READING)
    position = models.PositiveIntegerField(_("rows so far"), default=0)
    counts: models.JSONField[Any, Any] = models.JSONField(_("counts"), default=dict)
    # The first rows of the preview, and the first that were refused, as `Outcome.as_dict` makes them.
    sample: models.JSONField[Any, Any] = models.JSONField(_("rows"), default=list)
    refused: models.JSONField[Any, Any] = models.JSONField(_("refused rows"), default=list)
    remarks: models.JSONField[Any, Any] = models.JSONField(_("remarks"), default=list)
    made_at = models.DateTimeField(_("uploaded"), default=timezone.now)
    leased_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-pk"]
        permissions = [("export_importrun", "Can export records to spreadsheets")]

    def __str__(self) -> str:
        return f"{self.file_name}: {self.model}"
