"""What customers have booked: one row for each booking, however often and in whatever order it is told."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bookings import choices
from bookings.models.products import Product
from contacts.models import BusinessEntity, Contact


class Booking(models.Model):
    """One booking of one customer at a booking system, or a package of several that was bought.

    Everything about its course (``status`` to ``ends_at``) is computed from ``evidence``: see `bookings.evidence`.
    """

    system = models.CharField(_("system"), max_length=50)
    external_id = models.CharField(_("ID there"), max_length=100)
    kind = models.CharField(_("kind"), max_length=20, choices=choices.BookingKind.choices)
    reservation_id = models.CharField(_("appointment or event"), max_length=100, blank=True)
    customer_id = models.CharField(_("customer there"), max_length=100, blank=True)
    contact = models.ForeignKey(
        Contact,
        verbose_name=_("contact"),
        related_name="bookings",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    product = models.ForeignKey(
        Product,
        verbose_name=_("product or service"),
        related_name="bookings",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    business_entity = models.ForeignKey(
        BusinessEntity,
        verbose_name=_("business entity"),
        related_name="bookings",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    status = models.CharField(_("status"), max_length=50, blank=True)
    payment_status = models.CharField(
        _("payment"), max_length=20, choices=choices.PaymentStatus.choices, default=choices.PaymentStatus.OPEN
    )
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, null=True, blank=True)
    paid = models.DecimalField(_("paid"), max_digits=12, decimal_places=2, default=0)
    currency = models.CharField(_("currency"), max_length=10, blank=True)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    persons = models.PositiveIntegerField(_("persons"), default=1)
    starts_at = models.DateTimeField(_("start"), null=True, blank=True)
    ends_at = models.DateTimeField(_("end"), null=True, blank=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, help_text=_("Of the place: its clock is what people are told.")
    )
    location = models.CharField(_("location"), max_length=500, blank=True)
    answers: models.JSONField[Any, Any] = models.JSONField(_("answers"), default=dict, blank=True)
    extras: models.JSONField[Any, Any] = models.JSONField(_("extras"), default=list, blank=True)
    coupon = models.CharField(_("coupon"), max_length=200, blank=True)
    is_from_package = models.BooleanField(_("paid with a package"), default=False)
    evidence: models.JSONField[Any, Any] = models.JSONField(_("evidence"), default=dict, blank=True)
    heard_at = models.DateTimeField(_("last heard of"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["starts_at"]),
            models.Index(fields=["paid_at"]),
            models.Index(fields=["system", "customer_id"]),
            models.Index(fields=["created_at"]),
            # The console's search box.
            models.Index(fields=["external_id"]),
            models.Index(fields=["reservation_id"]),
        ]
        constraints = [
            models.UniqueConstraint(fields=["system", "external_id"], name="booking_once"),
        ]

    def __str__(self) -> str:
        return f"{self.system} {self.external_id}"

    @property
    def zone(self) -> ZoneInfo | None:
        """The clock of the place, where it is known."""
        try:
            return ZoneInfo(self.time_zone) if self.time_zone else None
        except (ZoneInfoNotFoundError, ValueError):
            return None

    @property
    def balance(self) -> Any:
        """What is still to be paid; None where the price is not known."""
        return None if self.price is None else max(self.price - self.paid, 0)
