"""Amelia bookings and WooCommerce orders: instances, payments, inventory."""

from __future__ import annotations

from agents_app.agents.base import NotYet


class BookingAgent(NotYet):
    name = "Booking Detection Agent"
    description = "Amelia bookings and WooCommerce orders: instances, payments, inventory."
    capabilities = (
        "Booking Detection",
        "Booking Management",
        "Workflow Management",
        "Client Communication",
        "Inventory Management",
    )
    apis = (
        "NOTION_API",
        "AMELIA_API",
        "WOOCOMMERCE_API",
    )
    planned = (
        "booking.created",
        "booking.status_changed",
        "booking.rescheduled",
        "order.created",
        "order.updated",
        "payment.received",
    )
