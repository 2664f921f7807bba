"""Abstract bases shared by every app, and the few rows of the kernel itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from higherself.core.access.models import LoginAttempt, RecoveryCode
from higherself.core.exchange.models import ImportRun
from higherself.core.fields import SelectField
from higherself.core.history import recording
from higherself.core.history.models import ChangeSet
from higherself.core.history.values import remember
from higherself.core.signals import records_changed

__all__ = [
    "ApiToken",
    "ChangeSet",
    "DayFigures",
    "Heartbeat",
    "ImportRun",
    "LoginAttempt",
    "Record",
    "RecordManager",
    "RecordQuerySet",
    "RecoveryCode",
    "SavedFilter",
]

SYNC_ORIGINS = ["Server", "Notion", "Import"]

_R = TypeVar("_R", bound="Record")


class RecordQuerySet(models.QuerySet[_R]):
    """Marks what it changes as waiting for Notion, so that bulk updates are carried over like single saves.

    What it changes is noted in the history, too.
    """

    def live(self) -> RecordQuerySet[_R]:
        return self.filter(archived_at__isnull=True)

    def update(self, **kwargs: Any) -> int:
        if "local_change_at" not in kwargs:
            now = timezone.now()
            kwargs.setdefault("updated_at", now)
            kwargs["local_change_at"] = now
            records_changed.send(sender=self.model)
        notes = recording.before_update(self, kwargs)
        if not notes:
            return super().update(**kwargs)
        with transaction.atomic(savepoint=False):
            done = super().update(**kwargs)
            if done:
                recording.write(notes)
        return done

    def bulk_create(self, objs: Iterable[_R], *args: Any, **kwargs: Any) -> list[_R]:
        records_changed.send(sender=self.model)
        with transaction.atomic(savepoint=False):
            rows = super().bulk_create(objs, *args, **kwargs)
            recording.rows_created(rows)
        return rows

    def bulk_update(self, objs: Iterable[_R], fields: Iterable[str], batch_size: int | None = None) -> int:
        now = timezone.now()
        rows = list(objs)
        for row in rows:
            row.updated_at = row.local_change_at = now
        records_changed.send(sender=self.model)
        names = list(dict.fromkeys([*fields, "updated_at", "local_change_at"]))
        with transaction.atomic(savepoint=False):
            done = super().bulk_update(rows, names, batch_size=batch_size)
            recording.rows_changed(rows, names)
        return done


class RecordManager(models.Manager[_R]):
    """Written out rather than made by ``from_queryset``, so that a model's queries are known to be of that model."""

    def get_queryset(self) -> RecordQuerySet[_R]:
        return RecordQuerySet(self.model, using=self._db)

    def live(self) -> RecordQuerySet[_R]:
        """Those that are not archived."""
        return self.get_queryset().live()


class Record(models.Model):
    """A row that is kept equal with a page of one Notion database.

    ``local_change_at`` is the time of the newest change that Notion has not got yet, and null when there is
    none. It stands in the row itself so that marking a change costs nothing and commits or rolls back with it.
    """

    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)
    local_change_at = models.DateTimeField(
        _("waiting for Notion since"), null=True, blank=True, default=timezone.now, editable=False
    )
    sync_paused = models.BooleanField(_("synchronisation paused"), default=False)
    sync_origin = SelectField(_("origin"), options=SYNC_ORIGINS, default="Server", editable=False)

    objects = RecordManager()

    # Fields whose changes the history leaves out: measured ones, and those that have a history of their own.
    unnoted: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        abstract = True
        indexes = [
            models.Index(
                fields=["local_change_at"],
                name="%(class)s_pending",
                condition=models.Q(local_change_at__isnull=False),
            )
        ]

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        self.updated_at = self.local_change_at = timezone.now()
        if update_fields is not None:
            update_fields = {*update_fields, "updated_at", "local_change_at"}
        added = self._state.adding
        with transaction.atomic(savepoint=False):
            super().save(*args, update_fields=update_fields, **kwargs)
            recording.saved(self, added, update_fields)

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Any:
        row = super().from_db(*args, **kwargs)
        remember(row)
        return row

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        fields = kwargs.get("fields") or (args[1] if len(args) > 1 else None)
        remember(self, fields)

    def fill_identity(self) -> None:
        """Gives the row its own id, for models that make it from other values."""

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None

    def archive(self) -> None:
        """Put aside here, and into the trash in Notion; `restore` brings both back."""
        if self.archived_at is None:
            self.archived_at = timezone.now()
            self.save(update_fields=["archived_at"])

    def restore(self) -> None:
        if self.archived_at is not None:
            self.archived_at = None
            self.save(update_fields=["archived_at"])


class Heartbeat(models.Model):
    """When a background process was last seen alive."""

    name = models.CharField(max_length=100, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"


class DayFigures(models.Model):
    """One chart's figures of days that are over, as ``{"2026-11-01": "17"}``, and when they were counted."""

    question = models.CharField(max_length=40, primary_key=True)
    days = models.JSONField(default=dict)
    counted_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.question


class ApiToken(models.Model):
    """A token for the API. Only its digest is stored; the token itself is shown once, when it is made."""

    name = models.CharField(_("name"), max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=list, blank=True, help_text=_("Empty: everything the API allows."))
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("API token")

    def __str__(self) -> str:
        return self.name


class SavedFilter(models.Model):
    """A list of the console as somebody likes to see it: its filters, search and order under a name."""

    LONGEST = 2000

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="saved_filters"
    )
    model = models.CharField(_("list"), max_length=60)
    name = models.CharField(_("name"), max_length=100)
    query = models.CharField(_("filter"), max_length=LONGEST, blank=True)
    shared = models.BooleanField(_("shared"), default=False)

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        constraints = [models.UniqueConstraint(fields=["user", "model", "name"], name="core_filter_once")]
        indexes = [models.Index(fields=["model", "shared"], name="core_filter_list")]

    def __str__(self) -> str:
        return self.name
