"""What can be booked or bought."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from bookings import choices
from contacts.models import BusinessEntity, Contact
from higherself.core.fields import FilesField, NameListField, SelectField
from higherself.core.ids import public_id
from higherself.core.models import Record


def new_product_id() -> str:
    return public_id("PROD")


class Product(Record):
    """A product or service: a retreat, an art piece, a course. Found by the shop's own id."""

    name = models.CharField(_("name"), max_length=500)
    product_id = models.CharField(_("product ID"), max_length=60, unique=True, default=new_product_id, editable=False)
    type = SelectField(_("type"), options=choices.ProductType.values)
    description = models.TextField(_("description"), blank=True)
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, null=True, blank=True)
    currency = SelectField(_("currency"), options=choices.CURRENCIES, default="USD")
    status = SelectField(_("status"), options=choices.ProductStatus.values, default=choices.ProductStatus.ACTIVE)
    inventory_count = models.IntegerField(
        _("inventory count"), null=True, blank=True, help_text=_("Empty when the stock is not counted.")
    )
    business_entity = models.ForeignKey(
        BusinessEntity,
        verbose_name=_("business entity"),
        related_name="products",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    integration_system = SelectField(
        _("integration system"), options=choices.IntegrationSystem.values, default=choices.IntegrationSystem.MANUAL
    )
    external_id = models.CharField(
        _("external ID"), max_length=200, blank=True, help_text=_("The id in the integration system.")
    )
    sku = models.CharField(_("SKU"), max_length=200, blank=True)
    images = FilesField(_("images"))
    booking_link = models.URLField(_("booking link"), max_length=2000, blank=True)
    duration_minutes = models.IntegerField(
        _("duration in minutes"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    starts_at = models.DateTimeField(_("start"), null=True, blank=True)
    ends_at = models.DateTimeField(_("end"), null=True, blank=True)
    capacity = models.IntegerField(_("capacity"), null=True, blank=True, validators=[MinValueValidator(0)])
    artist = models.ForeignKey(
        Contact,
        verbose_name=_("artist"),
        related_name="artworks",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    categories = NameListField(_("categories"), options=choices.CATEGORIES)
    tags = NameListField(_("tags"), options=choices.PRODUCT_TAGS)
    featured = models.BooleanField(_("featured"), default=False)
    # Not shown to people: when the count was taken, and which state of the shop's product is known.
    stock_at = models.DateTimeField(null=True, blank=True, editable=False)
    told_at = models.DateTimeField(null=True, blank=True, editable=False)
    unnoted = frozenset({"stock_at", "told_at"})

    class Meta(Record.Meta):
        verbose_name = _("product or service")
        verbose_name_plural = _("products and services")
        ordering = ["name", "pk"]
        indexes = [
            *Record.Meta.indexes,
            models.Index(fields=["status", "type"]),
            models.Index(fields=["sku"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["integration_system", "external_id"],
                condition=models.Q(archived_at__isnull=True) & ~models.Q(external_id=""),
                name="product_external_id_once",
                violation_error_message=_("Another product has this id in the integration system."),
            )
        ]

    def __str__(self) -> str:
        return self.name or self.product_id

    @property
    def is_physical(self) -> bool:
        return self.type in choices.PHYSICAL_TYPES

    @property
    def price_tier(self) -> str:
        if self.price is None:
            return ""
        if self.price < choices.BUDGET_BELOW:
            return "Budget"
        return "Standard" if self.price < choices.STANDARD_BELOW else "Premium"
