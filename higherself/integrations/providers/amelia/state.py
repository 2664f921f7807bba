"""In which state a reservation is: what webhook, read-back and calendar tell alike, whatever else they tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from higherself.integrations.base import digest
from higherself.integrations.reading import as_list, text


def state_of(reservation: Mapping[str, Any]) -> str:
    """A digest of status, times, provider and each booking's status, persons and payments."""
    bookings = [item for item in as_list(reservation.get("bookings")) or [] if isinstance(item, dict)]
    periods = [item for item in as_list(reservation.get("periods")) or [] if isinstance(item, dict)]
    parts = [
        *(text(reservation.get(name)) for name in ("status", "bookingStart", "bookingEnd", "providerId")),
        *(f"{text(item.get('periodStart'))}/{text(item.get('periodEnd'))}" for item in periods),
        *sorted(_booking(item) for item in bookings),
    ]
    return digest(*parts)[:16]


def _booking(booking: Mapping[str, Any]) -> str:
    payments = [item for item in as_list(booking.get("payments")) or [] if isinstance(item, dict)]
    paid = ",".join(sorted(f"{text(item.get('id'))}={text(item.get('status'))}" for item in payments))
    return f"{text(booking.get('id'))}:{text(booking.get('status'))}:{text(booking.get('persons'))}:{paid}"
