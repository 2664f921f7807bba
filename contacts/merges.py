"""Which contact was merged into which."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from higherself.core.fields import LowercaseEmailField


class ContactMerge(models.Model):
    """That a contact was merged into another: the pointer from the archived one, and what is needed to undo it."""

    survivor = models.ForeignKey(
        "contacts.Contact", verbose_name=_("kept"), on_delete=models.CASCADE, related_name="merges"
    )
    merged = models.ForeignKey(
        "contacts.Contact", verbose_name=_("merged"), on_delete=models.CASCADE, related_name="merged_by"
    )
    email = LowercaseEmailField(_("e-mail of the merged contact"), blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.CharField(_("who"), max_length=200, blank=True)
    # {"app.model.field": [keys]} of what was moved to the survivor; {field: [before, after]} of the survivor.
    moved: models.JSONField[Any, Any] = models.JSONField(default=dict)
    before: models.JSONField[Any, Any] = models.JSONField(default=dict)
    undone_at = models.DateTimeField(_("taken apart"), null=True, blank=True)

    class Meta:
        verbose_name = _("merge of contacts")
        verbose_name_plural = _("merges of contacts")
        ordering = ["-pk"]
        permissions = [
            ("merge_contact", "Can merge contacts"),
            ("erase_contact", "Can erase a person"),
            ("disclose_contact", "Can hand out everything about a person"),
        ]
        indexes = [models.Index(fields=["email"], name="contact_merge_email")]

    def __str__(self) -> str:
        return f"{self.merged_id} → {self.survivor_id}"
