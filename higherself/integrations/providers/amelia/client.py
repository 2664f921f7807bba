"""Amelia's REST API (Elite only): bookings are read back, and its calendar is compared with what we were told.

Source of all rules here: Amelia's API documentation and source. Everything goes through WordPress' admin-ajax; there
is no "changed since", no paging by cursor, and single objects tell more than lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from higherself.core.http import Answer, Unauthorised, segment
from higherself.core.logs import redact
from higherself.integrations.client import Attempt, Once, Outcome, Page, ProviderClient, operation
from higherself.integrations.providers.amelia.calls import Reservation
from higherself.integrations.providers.amelia.clock import site_zone
from higherself.integrations.providers.amelia.pulled import reservation
from higherself.integrations.providers.amelia.state import state_of
from higherself.integrations.reading import as_list, text

PATH = "/wp-admin/admin-ajax.php"
ROWS = 200
MOST_PAGES = 100
# The calendar that is compared: bookings of the last days may still change, and nobody books further ahead.
DAYS_BACK, DAYS_AHEAD = 2, 365
# Bookings far ahead that are new: by descending id.
NEWEST = 50


class AmeliaClient(ProviderClient):
    needs = ("api_key",)
    # None is documented; a call takes about a second there.
    per_second = 2.0
    backfill_minutes = 15

    def credentials(self) -> dict[str, str]:
        return {"Amelia": self.options["api_key"]}

    def _error(self, method: str, url: str, answer: Answer) -> Exception:
        """A wrong key is a 403, as if it had no permission."""
        if answer.status != 403:
            return super()._error(method, url, answer)
        said = redact(self.explain(answer)).strip()[:300]
        words = f"Amelia answered 403 to {method}: {said} Its API key is wrong, has expired or is off: renew it."
        return Unauthorised(words, answer)

    def check(self) -> None:
        self._call("/appointments", page=1, limit=1)

    @operation("booking.read", Reservation, once=Once.READ, record=lambda wanted: wanted.name)
    def read(self, wanted: Reservation, attempt: Attempt) -> Outcome:
        """The appointment or event as it stands, with all its bookings, through the inbox."""
        kind, name = ("appointment", wanted.appointment_id) if wanted.appointment_id else ("event", wanted.event_id)
        found = self._one(kind, name)
        if found is None:
            return Outcome({"found": False})
        return Outcome(
            {"found": True, "status": text(found.get("status"))}, (reservation(kind, found, "booking.read"),)
        )

    def backfill(self, since: datetime, cursor: dict[str, Any]) -> Iterator[Page]:
        """Appointments and events whose state differs from the last one seen. The cursor holds a digest for each."""
        seen: dict[str, str] = dict(cursor.get("seen") or {})
        first = min(since, datetime.now(timezone.utc) - timedelta(days=DAYS_BACK))
        there: dict[str, str] = {}
        for kind, rows in self._calendar(first):
            found = []
            for row in rows:
                name, state = f"{kind}:{text(row.get('id'))}", state_of(row)
                is_news = state not in (seen.get(name), there.get(name))
                there[name] = state
                if is_news:
                    whole = self._one(kind, text(row.get("id")))
                    if whole is not None:
                        found.append(reservation(kind, whole, "backfill"))
            yield Page(found, {"seen": {**seen, **there}})
        # What is no longer in the calendar's window is forgotten, so that the cursor does not grow for ever.
        yield Page([], {"seen": there})

    def _calendar(self, first: datetime) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        zone = site_zone(self.options.get("time_zone", ""))
        last = datetime.now(timezone.utc) + timedelta(days=DAYS_AHEAD)
        days = f"{first.astimezone(zone):%Y-%m-%d},{last.astimezone(zone):%Y-%m-%d}"
        for page in range(1, MOST_PAGES + 1):
            answer = self._call("/appointments", dates=days, asArray="true", page=page, limit=ROWS)
            rows = _appointments(answer)
            yield "appointment", rows
            if len(rows) < ROWS:
                break
        yield (
            "appointment",
            _appointments(self._call("/appointments", sort="-id", asArray="true", page=1, limit=NEWEST)),
        )
        # With ``page`` the events come without their bookings, as for a visitor of the site.
        events = as_list(_data(self._call("/events", dates=days)).get("events")) or []
        yield "event", [row for row in events if isinstance(row, dict)]

    def _one(self, kind: str, name: str) -> dict[str, Any] | None:
        answer = self._call(f"/{kind}s/{segment(name)}", accept=(404,))
        found = _data(answer).get(kind)
        return found if answer.status != 404 and isinstance(found, dict) else None

    def _call(self, call: str, *, accept: tuple[int, ...] = (), **params: Any) -> Answer:
        query = {"action": "wpamelia_api", "call": f"/api/v1{call}", **params}
        return self.get(PATH, params=query, accept=accept)


def _data(answer: Answer) -> Mapping[str, Any]:
    found = answer.peek.get("data")
    return found if isinstance(found, dict) else {}


def _appointments(answer: Answer) -> list[dict[str, Any]]:
    """A list where ``asArray`` is understood, else an object by date: ``{"2026-07-20": {"appointments": […]}}``."""
    found = _data(answer).get("appointments")
    days = found.values() if isinstance(found, dict) else found if isinstance(found, list) else []
    rows: list[dict[str, Any]] = []
    for item in days:
        inner = as_list(item.get("appointments")) if isinstance(item, dict) else None
        rows += [item] if inner is None else inner
    return [row for row in rows if isinstance(row, dict) and row.get("id")]
