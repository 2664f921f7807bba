"""Pairs of contacts that may be one person."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class PossibleDuplicate(models.Model):
    """Two contacts, and why they may be one person. ``decided_by`` has said that they are two."""

    class Why(models.TextChoices):
        PHONE = "phone", _("the same number")
        ADDRESS = "address", _("the same mailbox")
        NAME = "name", _("the same name")

    one = models.ForeignKey("contacts.Contact", verbose_name=_("one"), related_name="+", on_delete=models.CASCADE)
    other = models.ForeignKey("contacts.Contact", verbose_name=_("other"), related_name="+", on_delete=models.CASCADE)
    why = models.CharField(_("why"), max_length=10, choices=Why.choices)
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    decided_at = models.DateTimeField(_("kept apart"), null=True, blank=True)
    decided_by = models.CharField(_("kept apart by"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["one", "other"], name="possible_duplicate_once")]
        indexes = [
            models.Index(
                fields=["found_at"], name="possible_duplicate_open", condition=models.Q(decided_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.one_id} = {self.other_id}?"
