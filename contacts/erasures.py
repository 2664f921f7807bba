"""That a person was erased, where, and with what result: the proof, without the person."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from higherself.core.ids import public_id


def new_erasure_id() -> str:
    return public_id("ERAS")


class Erasure(models.Model):
    """One erasure of one person, everywhere. It is open until all its places are settled.

    ``records`` are the keys of the erased records that have pages in Notion, by kind of record; ``counts`` the rows
    that were changed here, by table. Neither tells who it was.
    """

    erasure_id = models.CharField(_("erasure ID"), max_length=60, unique=True, default=new_erasure_id, editable=False)
    contact = models.ForeignKey(
        "contacts.Contact",
        verbose_name=_("contact"),
        related_name="erasures",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    contact_ref = models.CharField(_("contact ID"), max_length=60)
    actor = models.CharField(_("erased by"), max_length=200)
    reason = models.CharField(_("asked for"), max_length=200, blank=True)
    at = models.DateTimeField(_("erased"), default=timezone.now)
    counts: models.JSONField[Any, Any] = models.JSONField(_("rows changed here"), default=dict)
    records: models.JSONField[Any, Any] = models.JSONField(_("records"), default=dict)
    settled_at = models.DateTimeField(_("settled everywhere"), null=True, blank=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["at"], name="erasure_open", condition=models.Q(settled_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.erasure_id


class ErasurePlace(models.Model):
    """One place that an erasure has to reach, and how far it is there.

    ``handle`` is by what a person of ours finds the person there, where no call can do it; it goes when the place is
    settled. ``call_key`` is the dedupe key of the call that was asked for.
    """

    class Status(models.TextChoices):
        ASKED = "asked", _("asked")
        DONE = "done", _("done")
        NOTHING = "nothing", _("nothing there")
        UNCONFIGURED = "unconfigured", _("not configured")
        FAILED = "failed", _("failed")
        PERSON = "person", _("needs a person")

    erasure = models.ForeignKey(Erasure, verbose_name=_("erasure"), related_name="places", on_delete=models.CASCADE)
    place = models.CharField(_("place"), max_length=40)
    label = models.CharField(_("name"), max_length=100)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.ASKED)
    found = models.PositiveIntegerField(_("erased there"), null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    handle = models.TextField(_("found there by"), blank=True)
    call_key = models.CharField(max_length=200, blank=True, editable=False)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settled_by = models.CharField(_("settled by"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("place of an erasure")
        verbose_name_plural = _("places of erasures")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["erasure", "place"], name="erasure_place_once")]

    def __str__(self) -> str:
        return f"{self.erasure.erasure_id}: {self.label}"

    @property
    def is_settled(self) -> bool:
        return self.settled_at is not None


class ErasedAddress(models.Model):
    """An address of somebody who was erased, as a keyed digest: it tells the address again, and tells it to nobody.

    ``back_at`` says that the person has come back by themselves since, or was entered again by staff.
    """

    digest = models.CharField(_("digest"), max_length=64, unique=True)
    erasure = models.ForeignKey(Erasure, verbose_name=_("erasure"), related_name="addresses", on_delete=models.CASCADE)
    at = models.DateTimeField(_("erased"), default=timezone.now)
    back_at = models.DateTimeField(_("came back"), null=True, blank=True)
    back_by = models.CharField(_("came back by"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("erased address")
        verbose_name_plural = _("erased addresses")

    def __str__(self) -> str:
        return f"{self.digest[:12]}…"
