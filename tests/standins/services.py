"""Every stand-in, in one visible table."""

from __future__ import annotations

from tests.standins.beehiiv import Beehiiv
from tests.standins.hubspot import HubSpot
from tests.standins.server import Service
from tests.standins.typeform import Typeform
from tests.standins.woocommerce import WooCommerce

SERVICES: tuple[type[Service], ...] = (
    HubSpot,
    Typeform,
    WooCommerce,
    Beehiiv,
)
