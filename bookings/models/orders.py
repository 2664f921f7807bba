"""What customers have bought in a shop, line by line."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bookings.models.products import Product
from contacts.models import BusinessEntity, Contact


class Order(models.Model):
    """The latest state of an order that has been heard of. ``version`` tells an older state from a newer one.

    ``status`` is in the shop's words. ``stages`` holds when the order was first heard of in each status, by the shop's
    clock, and ``presence`` what was told about its deletion: both are the same in whatever order they were told.
    """

    system = models.CharField(_("system"), max_length=50)
    external_id = models.CharField(_("ID there"), max_length=100)
    number = models.CharField(_("number"), max_length=100, blank=True)
    status = models.CharField(_("status"), max_length=50, blank=True)
    customer_id = models.CharField(_("customer there"), max_length=100, blank=True)
    contact = models.ForeignKey(
        Contact,
        verbose_name=_("contact"),
        related_name="orders",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    business_entity = models.ForeignKey(
        BusinessEntity,
        verbose_name=_("business entity"),
        related_name="orders",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    currency = models.CharField(_("currency"), max_length=10, blank=True)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2, null=True, blank=True)
    shipping_total = models.DecimalField(_("shipping"), max_digits=12, decimal_places=2, null=True, blank=True)
    refunded = models.DecimalField(_("refunded"), max_digits=12, decimal_places=2, default=0)
    shipping: models.JSONField[Any, Any] = models.JSONField(_("shipping address"), default=dict, blank=True)
    payment_method = models.CharField(_("payment method"), max_length=200, blank=True)
    note = models.TextField(_("customer's note"), blank=True)
    placed_at = models.DateTimeField(_("placed"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    modified_at = models.DateTimeField(_("changed in the shop"), null=True, blank=True)
    version = models.CharField(_("version"), max_length=100, blank=True, editable=False)
    stages: models.JSONField[Any, Any] = models.JSONField(_("stages"), default=dict, blank=True)
    presence: models.JSONField[Any, Any] = models.JSONField(_("deletions"), default=dict, blank=True)
    deleted = models.BooleanField(_("deleted in the shop"), default=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["paid_at"]),
            models.Index(fields=["system", "customer_id"]),
            models.Index(fields=["created_at"]),
            # The console's search box.
            models.Index(fields=["number"]),
            models.Index(fields=["external_id"]),
        ]
        constraints = [models.UniqueConstraint(fields=["system", "external_id"], name="order_once")]

    def __str__(self) -> str:
        return f"{self.system} {self.number or self.external_id}"


class OrderLine(models.Model):
    """One line of an order. While ``taken_at`` is set and ``returned_at`` is not, its quantity is out of stock."""

    order = models.ForeignKey(Order, verbose_name=_("order"), related_name="lines", on_delete=models.CASCADE)
    external_id = models.CharField(_("ID there"), max_length=100)
    product = models.ForeignKey(
        Product,
        verbose_name=_("product or service"),
        related_name="order_lines",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    name = models.CharField(_("name"), max_length=500, blank=True)
    sku = models.CharField(_("SKU"), max_length=200, blank=True)
    quantity = models.IntegerField(_("quantity"), default=0)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2, null=True, blank=True)
    taken_at = models.DateTimeField(_("out of stock since"), null=True, blank=True)
    returned_at = models.DateTimeField(_("back in stock since"), null=True, blank=True)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["product", "taken_at"]),
            models.Index(fields=["product", "returned_at"]),
        ]
        constraints = [models.UniqueConstraint(fields=["order", "external_id"], name="order_line_once")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name or self.external_id}"
