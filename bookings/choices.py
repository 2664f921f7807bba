"""The options that the server itself knows; people may add others in Notion (see `SelectField`)."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ProductType(models.TextChoices):
    COURSE = "Course"
    RETREAT = "Retreat"
    WORKSHOP = "Workshop"
    CONSULTATION = "Consultation"
    ART_PIECE = "Art Piece"
    DIGITAL_PRODUCT = "Digital Product"
    PHYSICAL_PRODUCT = "Physical Product"
    MEMBERSHIP = "Membership"
    SERVICE = "Service"


class ProductStatus(models.TextChoices):
    ACTIVE = "Active"
    INACTIVE = "Inactive"
    COMING_SOON = "Coming Soon"
    DISCONTINUED = "Discontinued"
    SEASONAL = "Seasonal"
    OUT_OF_STOCK = "Out of Stock"
    SOLD = "Sold"


class IntegrationSystem(models.TextChoices):
    WOOCOMMERCE = "WooCommerce"
    AMELIA = "Amelia"
    ACUITY = "Acuity"
    SHOPIFY = "Shopify"
    TUTORLM = "TutorLM"
    MANUAL = "Manual"
    # No external system at all; the word is Notion's option name.
    NOTHING = "None"


class BookingKind(models.TextChoices):
    APPOINTMENT = "appointment", _("appointment")
    EVENT = "event", _("event")
    PACKAGE = "package", _("package")


class PaymentStatus(models.TextChoices):
    """Not needed: there is no price, or a package has paid for it."""

    OPEN = "open", _("open")
    PARTLY = "partly", _("partly paid")
    PAID = "paid", _("paid")
    REFUNDED = "refunded", _("refunded")
    NOT_NEEDED = "not needed", _("not needed")


# Money is there, all of it or a part.
RECEIVED = (PaymentStatus.PAID, PaymentStatus.PARTLY)

CURRENCIES = ("USD", "EUR", "GBP", "CAD", "AUD")
CATEGORIES = ("Wellness", "Art", "Education", "Consulting", "Digital", "Physical")
PRODUCT_TAGS = ("Featured", "Bestseller", "New", "Sale", "Limited Edition")
PHYSICAL_TYPES = (ProductType.ART_PIECE, ProductType.PHYSICAL_PRODUCT)

# Price tiers: below the first amount "Budget", below the second "Standard", above "Premium".
BUDGET_BELOW = 100
STANDARD_BELOW = 500
