"""Every stand-in, in one visible table."""

from __future__ import annotations

from tests.standins.airtable import Airtable
from tests.standins.amelia import Amelia
from tests.standins.beehiiv import Beehiiv
from tests.standins.circle import Circle
from tests.standins.hubspot import HubSpot
from tests.standins.plaud import Plaud
from tests.standins.server import Service
from tests.standins.snovio import Snovio
from tests.standins.tutorlm import TutorLM
from tests.standins.typeform import Typeform
from tests.standins.userfeedback import UserFeedback
from tests.standins.woocommerce import WooCommerce

SERVICES: tuple[type[Service], ...] = (
    HubSpot,
    Typeform,
    WooCommerce,
    Beehiiv,
    Airtable,
    Amelia,
    Circle,
    Plaud,
    Snovio,
    TutorLM,
    UserFeedback,
)
