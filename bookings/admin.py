"""Products, and what was booked and bought, in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from bookings.models import Booking, Order, OrderLine, Product
from bookings.signals import stock_counted
from higherself.core.admin import ReadOnlyAdmin, RecordAdmin, cells, options


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

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "inventory_count" in form.changed_data:
            stock_counted.send(sender=Product, pk=obj.pk)

    @display(description=_("price"), ordering="price")
    def cost(self, obj: Product) -> Any:
        return cells.NOTHING if obj.price is None else f"{obj.price:,.2f} {obj.currency}"

    @display(description=_("price tier"))
    def price_tier(self, obj: Product) -> Any:
        return obj.price_tier or cells.NOTHING


def _money(amount: Any, currency: str) -> Any:
    return cells.NOTHING if amount is None else f"{amount:,.2f} {currency}".strip()


@admin.register(Booking)
class BookingAdmin(ReadOnlyAdmin):
    """What the booking system has told; it is changed there, and its course in its workflow instance."""

    list_display = ("external_id", "kind", "customer", "about", "state", "payment_status", "money", "starts")
    list_filter = ("kind", "status", "payment_status", "business_entity")
    list_select_related = ("contact", "product")
    search_fields = ("external_id", "reservation_id", "contact__email", "contact__full_name")
    ordering = ("-pk",)
    fieldsets = [
        (None, {"fields": ["system", "external_id", "kind", "reservation_id", "status", "is_from_package"]}),
        (_("About"), {"fields": ["contact", "customer_id", "product", "business_entity", "persons", "location"]}),
        (_("Time"), {"fields": ["starts_at", "ends_at", "time_zone"]}),
        (_("Money"), {"fields": ["payment_status", "price", "paid", "currency", "paid_at", "coupon"]}),
        (_("Told"), {"fields": ["answers", "extras", "heard_at", "created_at", "evidence"]}),
    ]
    state = cells.status("status")
    customer, about = cells.related("contact", _("contact")), cells.related("product", _("product"))
    starts = cells.when("starts_at", _("start"))

    @display(description=_("paid"), ordering="paid")
    def money(self, obj: Booking) -> Any:
        return _money(obj.paid, obj.currency)


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """What the shop has told; it is changed there, and its course in its workflow instance."""

    list_display = ("number", "customer", "state", "sum", "placed", "changed")
    list_filter = ("status", "deleted", "business_entity")
    list_select_related = ("contact",)
    search_fields = ("number", "external_id", "contact__email", "contact__full_name")
    ordering = ("-pk",)
    fieldsets = [
        (None, {"fields": ["system", "number", "external_id", "status", "deleted", "contact", "business_entity"]}),
        (_("Bought"), {"fields": ["bought"]}),
        (_("Money"), {"fields": ["total", "shipping_total", "refunded", "currency", "payment_method", "paid_at"]}),
        (_("Shipping"), {"fields": ["shipping", "note"]}),
        (_("Told"), {"fields": ["placed_at", "modified_at", "stages", "presence", "created_at"]}),
    ]
    state, customer = cells.status("status"), cells.related("contact", _("contact"))
    placed, changed = cells.when("placed_at", _("placed")), cells.when("modified_at", _("changed in the shop"))

    @display(description=_("lines"))
    def bought(self, obj: Order) -> Any:
        lines = [(line.quantity, line.name, _money(line.total, obj.currency)) for line in obj.lines.order_by("pk")]
        return format_html_join(mark_safe("<br>"), "{} × {} · {}", lines) or cells.NOTHING

    @display(description=_("total"), ordering="total")
    def sum(self, obj: Order) -> Any:
        return _money(obj.total, obj.currency)


@admin.register(OrderLine)
class OrderLineAdmin(ReadOnlyAdmin):
    """What was bought, and since when it is out of stock."""

    list_display = ("name", "quantity", "amount", "product_link", "order_link", "taken", "returned")
    list_select_related = ("product", "order")
    search_fields = ("name", "sku", "order__number")
    ordering = ("-pk",)
    fieldsets = [
        (None, {"fields": ["order", "product", "name", "sku", "quantity", "total", "taken_at", "returned_at"]})
    ]
    product_link, order_link = cells.related("product", _("product")), cells.related("order", _("order"))
    taken, returned = cells.when("taken_at", _("out of stock")), cells.when("returned_at", _("back in stock"))

    @display(description=_("total"), ordering="total")
    def amount(self, obj: OrderLine) -> Any:
        return _money(obj.total, obj.order.currency)
