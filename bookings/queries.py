"""Look-ups that several agents and pages need."""

from __future__ import annotations

from bookings.models import Product


def product_from(system: str, external_id: str) -> Product | None:
    """The live product that a shop or booking system knows under ``external_id``."""
    if not external_id:
        return None
    return Product.objects.live().filter(integration_system=system, external_id=external_id).first()
