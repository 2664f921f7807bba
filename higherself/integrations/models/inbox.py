"""The inbox: every delivery that came in, as it came."""

from __future__ import annotations

import os
import time
import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from higherself.integrations.delivery import Delivery

# Where the row says that we asked for it. It cannot come from a sender: only headers that a provider names are kept.
PULLED = "x-higherself-pulled"


def time_ordered_uuid() -> uuid.UUID:
    """A version 7 UUID (RFC 9562): it sorts by its millisecond, so rows are appended to the index, not scattered."""
    random = int.from_bytes(os.urandom(10), "big")
    value = (time.time_ns() // 1_000_000) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


class InboundEvent(models.Model):
    """One delivery of a provider, what became of it, and what it created.

    The row is the truth about its processing; the queue only says that there is something to do. While it is
    unfinished, ``next_attempt_at`` says from when a worker may take it: for an event that is being worked on, that is
    the end of the lease. Finished events have none.
    """

    class Status(models.TextChoices):
        RECEIVED = "received", _("received")
        PROCESSING = "processing", _("being worked on")
        PROCESSED = "processed", _("done")
        IGNORED = "ignored", _("ignored")
        RETRYING = "retrying", _("will be retried")
        QUARANTINED = "quarantined", _("needs a person")

    id = models.UUIDField(primary_key=True, default=time_ordered_uuid, editable=False)
    provider = models.CharField(_("provider"), max_length=40)
    delivery_key = models.CharField(
        _("delivery key"), max_length=200, help_text=_("What a repeat has in common with the first.")
    )
    event_type = models.CharField(_("type"), max_length=100, blank=True)
    ordering_key = models.CharField(
        _("ordering key"), max_length=200, blank=True, help_text=_("Events with the same key are handled in order.")
    )
    query = models.TextField(_("query string"), blank=True)
    headers = models.JSONField(_("headers"), default=dict, blank=True)
    content_type = models.CharField(_("content type"), max_length=200, blank=True)
    body = models.BinaryField(_("body"))
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.RECEIVED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    worker = models.CharField(_("worker"), max_length=100, blank=True)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True, default=timezone.now)
    error = models.TextField(_("reason"), blank=True)
    processed_at = models.DateTimeField(_("finished"), null=True, blank=True)
    created = models.JSONField(_("created"), default=list, blank=True)
    replayed_at = models.DateTimeField(_("replayed"), null=True, blank=True)
    replayed_by = models.CharField(_("replayed by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("inbound event")
        verbose_name_plural = _("inbound events")
        ordering = ["-received_at"]
        constraints = [models.UniqueConstraint(fields=["provider", "delivery_key"], name="integrations_event_once")]
        indexes = [
            # What a worker asks for: what is due, longest first. Finished events are not in it.
            models.Index(
                fields=["next_attempt_at"], name="integrations_event_due", condition=Q(next_attempt_at__isnull=False)
            ),
            # "Is there an earlier unfinished one about the same thing?"
            models.Index(
                fields=["provider", "ordering_key", "received_at"],
                name="integrations_event_order",
                condition=Q(next_attempt_at__isnull=False),
            ),
            # All about one thing: has what was fetched been told before?
            models.Index(fields=["ordering_key", "provider"], name="integrations_event_thing"),
            models.Index(fields=["received_at"], name="integrations_event_time"),
            # The console's lists of what went wrong, among millions that did not. (PostgreSQL uses it; SQLite cannot
            # tell that a bound value is one of these.)
            models.Index(
                fields=["status", "received_at"],
                name="integrations_event_trouble",
                condition=Q(status__in=["retrying", "quarantined"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_type or self.delivery_key}".strip()

    @property
    def lease_until(self) -> datetime | None:
        """Until when the worker that holds the event is believed to be alive."""
        return self.next_attempt_at if self.status == self.Status.PROCESSING else None

    def delivery(self) -> Delivery:
        """The delivery as it came, without its path token."""
        return Delivery(
            body=bytes(self.body),
            headers=self.headers,
            query=self.query,
            content_type=self.content_type,
            pulled=self.headers.get(PULLED, ""),
            received_at=self.received_at,
        )
