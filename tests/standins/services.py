"""Every stand-in, in one visible table."""

from __future__ import annotations

from tests.standins.hubspot import HubSpot
from tests.standins.server import Service

SERVICES: tuple[type[Service], ...] = (HubSpot,)
