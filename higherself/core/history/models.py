"""One row for each change of a record: a set of fields with their old and new values."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

PERSON, AGENT, NOTION, PROVIDER, IMPORT, SERVER = "person", "agent", "notion", "provider", "import", "server"
ORIGINS = {
    PERSON: _("person"),
    AGENT: _("agent"),
    NOTION: _("Notion"),
    PROVIDER: _("provider"),
    IMPORT: _("import"),
    SERVER: _("server"),
}


class ChangeSet(models.Model):
    """What one actor changed in one record at one time.

    ``changes`` is ``{field: [old, new]}``; for a to-many relation ``{field: {"added": [keys], "removed": [keys]}}``.
    A set of kind "created" has none: the row itself, and the sets after it, tell what it began with.
    """

    class Kind(models.TextChoices):
        CREATED = "created", _("created")
        CHANGED = "changed", _("changed")
        ERASED = "erased", _("person erased")

    model = models.CharField(_("kind of record"), max_length=60)
    record_id = models.BigIntegerField(_("record"))
    at = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.CharField(_("who"), max_length=200, blank=True)
    origin = models.CharField(_("by"), max_length=10, choices=list(ORIGINS.items()), default=SERVER)
    kind = models.CharField(_("what"), max_length=10, choices=Kind.choices, default=Kind.CHANGED)
    changes: models.JSONField[Any, Any] = models.JSONField(_("changes"), default=dict)
    event_id = models.UUIDField(_("event"), null=True, blank=True)
    reverts = models.ForeignKey(
        "self",
        verbose_name=_("takes back"),
        related_name="reverted_by",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ["-pk"]
        permissions = [("revert_changeset", "Can take changes of records back")]
        indexes = [
            models.Index(fields=["model", "record_id", "id"], name="core_change_record"),
            models.Index(fields=["at"], name="core_change_time"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.record_id}: {', '.join(self.changes) or self.kind}"


def of(record: models.Model, limit: int | None = None) -> models.QuerySet[ChangeSet]:
    """The change sets of a record, the newest first."""
    found = ChangeSet.objects.filter(model=record._meta.label_lower, record_id=record.pk).order_by("-pk")
    return found if limit is None else found[:limit]
