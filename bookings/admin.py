"""Products and services in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.utils.translation import gettext_lazy as _

from bookings.models import Product
from higherself.core.admin import RecordAdmin, cells, options


@admin.register(Product)
class ProductAdmin(RecordAdmin):
    list_display = ("name", "type", "state", "cost", "inventory_count", "entity", "starts")
    list_filter = (
        options("type"),
        options("status"),
        options("integration_system"),
        "business_entity",
        "featured",
    )
    list_select_related = ("business_entity",)
    search_fields = ("name", "product_id", "sku", "external_id")
    ordering = ("name", "pk")
    fieldsets = [
        (None, {"fields": ["name", ("type", "status"), "description", "business_entity", "artist", "featured"]}),
        (_("Price and stock"), {"fields": [("price", "currency"), "price_tier", ("inventory_count", "sku")]}),
        (_("Booking"), {"fields": ["starts_at", "ends_at", ("duration_minutes", "capacity"), "booking_link"]}),
        (_("Shelf"), {"fields": ["categories", "tags", "images"]}),
        (_("Shop"), {"fields": ["product_id", "integration_system", "external_id"]}),
    ]
    state, starts = cells.status("status"), cells.when("starts_at", _("start"))
    entity = cells.related("business_entity", _("entity"))

    @display(description=_("price"), ordering="price")
    def cost(self, obj: Product) -> Any:
        return cells.NOTHING if obj.price is None else f"{obj.price:,.2f} {obj.currency}"

    @display(description=_("price tier"))
    def price_tier(self, obj: Product) -> Any:
        return obj.price_tier or cells.NOTHING
