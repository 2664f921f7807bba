"""What people did, and what they allowed: append-only facts, from which a contact's figures are computed.

A fact is stored once, under its key, whatever the order in which deliveries arrive or however often they do. What is
computed from all of them is therefore the same in the end.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts import choices


class Interaction(models.Model):
    """One thing that a person did. ``key`` names it for good: the same thing told again is not counted again.

    ``identity`` names a person at a service (``circle:123``) whose address is not known yet; ``contact`` is empty
    until it is. ``points`` are what it was worth when it happened: `contacts.interactions` says what becomes of them.
    """

    contact = models.ForeignKey(
        "contacts.Contact",
        verbose_name=_("contact"),
        related_name="interactions",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
    )
    identity = models.CharField(_("identity at the service"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=40, choices=choices.InteractionKind.choices)
    source = models.CharField(_("source"), max_length=100)
    key = models.CharField(_("key"), max_length=300, unique=True)
    points = models.PositiveSmallIntegerField(_("points"), default=0)
    about = models.CharField(_("about"), max_length=300, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["contact", "at"]),
            models.Index(fields=["kind", "at"]),
            models.Index(fields=["identity"], name="interaction_identity", condition=~models.Q(identity="")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.source})"


class ConsentChange(models.Model):
    """One "yes" or "no" to marketing, with who heard it and when. The newest does not simply win: see `consent`."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        SMS = "sms", _("SMS")

    contact = models.ForeignKey(
        "contacts.Contact", verbose_name=_("contact"), related_name="consent_history", on_delete=models.CASCADE
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    granted = models.BooleanField(_("granted"))
    source = models.CharField(_("source"), max_length=100)
    by_person = models.BooleanField(_("entered by staff"), default=False)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    key = models.CharField(_("key"), max_length=300, unique=True)
    # The contact's status before this "no" made it Unsubscribed: it comes back with the next valid "yes".
    status_before = models.CharField(max_length=100, blank=True, editable=False)
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("consent change")
        verbose_name_plural = _("consent history")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["contact", "channel", "at"])]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {'yes' if self.granted else 'no'} ({self.source})"
