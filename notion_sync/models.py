"""What is known of Notion's side: databases, pages, runs, conflicts, held deletes, and the shared request budget."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class NotionDatabase(models.Model):
    """One of the 16 databases: where it is, which property ids its fields have, and how far it has been read."""

    class State(models.TextChoices):
        UNKNOWN = "unknown", _("not set up")
        OK = "ok", _("in use")
        PAUSED = "paused", _("paused")

    key = models.CharField(max_length=50, primary_key=True)
    title = models.CharField(max_length=200, blank=True)
    database_id = models.CharField(max_length=36, blank=True)
    data_source_id = models.CharField(max_length=36, blank=True)
    url = models.URLField(max_length=500, blank=True)
    # {attr: {"id": …, "name": …, "type": …}}: a person may rename a property, its id stays.
    properties = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.UNKNOWN)
    problem = models.TextField(blank=True)
    schema_read_at = models.DateTimeField(null=True, blank=True)
    # Everything that was edited before this instant has been read.
    watermark = models.DateTimeField(null=True, blank=True)
    # While the first read goes on: when it began, and up to which creation it has come. It may take many rounds.
    first_read_began = models.DateTimeField(null=True, blank=True)
    first_read_to = models.DateTimeField(null=True, blank=True)
    pulled_at = models.DateTimeField(null=True, blank=True)
    pushed_at = models.DateTimeField(null=True, blank=True)
    swept_at = models.DateTimeField(null=True, blank=True)
    sweep_wanted = models.BooleanField(default=False, editable=False)
    # A person has stopped its synchronisation; only a person goes on with it. `state` is what the server finds.
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True)
    stopped_by = models.CharField(_("stopped by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("Notion database")

    def __str__(self) -> str:
        return self.title or self.key

    @property
    def usable(self) -> bool:
        return self.state == self.State.OK and bool(self.data_source_id) and not self.is_stopped

    @property
    def is_stopped(self) -> bool:
        return self.stopped_at is not None

    def forget_reading(self) -> None:
        """It is another database now: nothing of it has been read."""
        self.properties = {}
        self.watermark = self.first_read_began = self.first_read_to = None

    def pause(self, problem: str) -> None:
        """Stops synchronising this database alone; `setup_notion` or a good schema read resumes it."""
        self.state, self.problem = self.State.PAUSED, problem
        self.save(update_fields=["state", "problem"])


class NotionPage(models.Model):
    """The tie between a local row and a Notion page, with the values that both sides last agreed on.

    ``base`` holds Notion's canonical values. ``local_base`` holds our own canonical value for a property where the
    agreed values are not spelled alike (a date-time with seconds, a second page in a to-one relation, a text that
    the model cannot hold), so that neither side looks changed.
    """

    class State(models.TextChoices):
        LINKED = "linked", _("linked")
        CREATING = "creating", _("being created")
        LOST = "lost", _("not reachable")

    # Every index is written anew with each change of a page, so there are no more than are used.
    database = models.ForeignKey(NotionDatabase, on_delete=models.CASCADE, related_name="pages", db_index=False)
    object_id = models.BigIntegerField(null=True, blank=True)
    page_id = models.CharField(max_length=36, null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.LINKED)
    in_trash = models.BooleanField(default=False)
    base = models.JSONField(default=dict, blank=True)
    local_base = models.JSONField(default=dict, blank=True)
    # {attr: [page ids]}: related pages that are not known here (yet); they stay part of the relation.
    unresolved = models.JSONField(default=dict, blank=True)
    # A digest of page and row as they were when they were last found equal; empty: compare them. See engine/seen.py.
    seen = models.CharField(max_length=32, blank=True, default="", editable=False)
    # Values in Notion that could not be taken over, in words.
    issues = models.JSONField(default=list, blank=True)
    url = models.CharField(max_length=500, blank=True)
    edited_at = models.DateTimeField(_("edited in Notion"), null=True, blank=True)
    synced_at = models.DateTimeField(_("last synced"), null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("Notion page")
        constraints = [
            models.UniqueConstraint(fields=["database", "object_id"], name="one_page_per_row"),
            models.UniqueConstraint(fields=["page_id"], name="one_row_per_page"),
        ]
        indexes = [
            models.Index(fields=["database"], condition=~models.Q(state="linked"), name="notion_page_unlinked"),
        ]

    def __str__(self) -> str:
        return f"{self.database_id} {self.page_id or '(not created yet)'}"

    def agreed_local(self, attr: str) -> Any:
        return self.local_base[attr] if attr in self.local_base else self.base.get(attr)


class SyncRun(models.Model):
    """One run of the reconciliation, with what it did."""

    class Status(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    started_at = models.DateTimeField(default=timezone.now, db_index=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    trigger = models.CharField(max_length=50)
    direction = models.CharField(max_length=10)
    full = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    counts = models.JSONField(default=dict, blank=True)
    requests = models.PositiveIntegerField(default=0)
    rate_limited = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-started_at"]
        verbose_name = _("sync run")

    def __str__(self) -> str:
        return f"{self.trigger} {self.started_at:%Y-%m-%d %H:%M}"


class SyncConflict(models.Model):
    """Both sides changed one property to different values: Notion's stands, ours is kept here."""

    class Resolution(models.TextChoices):
        OURS = "ours", _("our value applied")
        NOTION = "notion", _("Notion's value kept")

    page = models.ForeignKey(NotionPage, on_delete=models.CASCADE, related_name="conflicts")
    database = models.ForeignKey(NotionDatabase, on_delete=models.CASCADE)
    object_id = models.BigIntegerField()
    record = models.CharField(max_length=200)
    field = models.CharField(max_length=100)
    property_name = models.CharField(max_length=200)
    base_value = models.JSONField(null=True, blank=True)
    local_value = models.JSONField(null=True, blank=True)
    notion_value = models.JSONField(null=True, blank=True)
    local_changed_at = models.DateTimeField(null=True, blank=True)
    notion_edited_at = models.DateTimeField(null=True, blank=True)
    notion_edited_by = models.CharField(max_length=200, blank=True)
    detected_at = models.DateTimeField(default=timezone.now)
    resolution = models.CharField(max_length=10, choices=Resolution.choices, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-detected_at"]
        verbose_name = _("sync conflict")
        indexes = [
            models.Index(fields=["detected_at"], name="open_conflicts", condition=models.Q(resolved_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.record}: {self.property_name}"


class PendingDelete(models.Model):
    """A page that went missing in Notion together with many others: archived here only when a person agrees."""

    class Decision(models.TextChoices):
        APPROVED = "approved", _("archived here")
        REJECTED = "rejected", _("restored in Notion")
        CLEARED = "cleared", _("came back by itself")

    page = models.ForeignKey(NotionPage, on_delete=models.CASCADE, related_name="pending_deletes")
    database = models.ForeignKey(NotionDatabase, on_delete=models.CASCADE)
    record = models.CharField(max_length=200)
    detected_at = models.DateTimeField(default=timezone.now)
    decision = models.CharField(max_length=10, choices=Decision.choices, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-detected_at"]
        verbose_name = _("held delete")

    def __str__(self) -> str:
        return self.record


class RequestBudget(models.Model):
    """The request budget of one Notion token, shared by every process through this row."""

    key = models.CharField(max_length=64, primary_key=True)
    version = models.BigIntegerField(default=0)
    # Times (seconds since the epoch) of the requests of the last minute, oldest first.
    grants = models.JSONField(default=list)
    # When the next evenly paced request would be due (generic cell rate algorithm).
    due = models.FloatField(default=0.0)
    paused_until = models.FloatField(default=0.0)
    paused_reason = models.CharField(max_length=100, blank=True)
    # Consecutive failures to reach Notion, and until when nobody tries.
    failures = models.PositiveIntegerField(default=0)
    unreachable_since = models.DateTimeField(null=True, blank=True)
    # The last time that it was, once it is over.
    outage_from = models.DateTimeField(null=True, blank=True)
    outage_to = models.DateTimeField(null=True, blank=True)
    retry_at = models.FloatField(default=0.0)
    refused_since = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    # How many seconds the stamps that Notion puts on pages are behind our clock (0 or less).
    clock_offset = models.FloatField(default=0.0)
    last_success_at = models.DateTimeField(null=True, blank=True)
    requests = models.BigIntegerField(default=0)
    rate_limited = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.key


class Lease(models.Model):
    """Who does a thing that only one process may do at a time."""

    name = models.CharField(max_length=50, primary_key=True)
    holder = models.CharField(max_length=100, blank=True)
    until = models.DateTimeField(default=timezone.now)
    # What the holder is doing, for people who watch: {"title", "direction", "done", "total", "since"}.
    progress = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.holder or 'free'}"


class WebhookToken(models.Model):
    """The verification token of a new webhook subscription, until an operator has set it as NOTION_WEBHOOK_TOKEN."""

    token = models.CharField(max_length=500)
    received_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"received {self.received_at:%Y-%m-%d %H:%M}"


class NotionChange(models.Model):
    """Notion's word that something changed, until it has been looked at. Many words about one page are one row."""

    class Kind(models.TextChoices):
        CHANGED = "changed", _("changed")
        GONE = "gone", _("trashed or moved")
        SCHEMA = "schema", _("structure changed")

    entity_id = models.CharField(max_length=36, primary_key=True)
    data_source_id = models.CharField(max_length=36, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("change in Notion")
        indexes = [models.Index(fields=["last_at"], name="notion_change_last")]

    def __str__(self) -> str:
        return f"{self.entity_id}: {self.kind}"
