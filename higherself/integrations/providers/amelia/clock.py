"""The site's wall clock: Amelia writes times without a zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from higherself.integrations.base import Unreadable


def site_zone(name: str) -> ZoneInfo:
    """``AMELIA_TIME_ZONE``, or the server's own. Raises `Unreadable` where there is no such zone: a guess would move
    people's bookings; after a correction the delivery can be replayed."""
    name = name.strip() or settings.TIME_ZONE
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unreadable(
            f"AMELIA_TIME_ZONE is {name!r}, which is no time zone. Set a name such as Europe/Madrid and replay this."
        ) from None
