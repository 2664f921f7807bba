"""What another service holds a copy of."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Copied(models.Model):
    """One record as it was last handed to Airtable. ``seen_at`` is the record's own time of change that was looked at;
    ``digest`` stands for what was written, so that a change of something that is not copied costs no call."""

    kind = models.CharField(_("kind"), max_length=20)
    object_id = models.BigIntegerField(_("record"))
    seen_at = models.DateTimeField(_("state of"), null=True, blank=True)
    # The call that carried it. When nothing came of it, and nobody decided so, it is handed over again.
    call_id = models.BigIntegerField(null=True, blank=True, editable=False)
    # How often it was handed over: two looks at once are one call, and a later one with the same content is another.
    version = models.PositiveIntegerField(default=0, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("copy at Airtable")
        verbose_name_plural = _("copies at Airtable")
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="copied_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"
