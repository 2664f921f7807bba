"""Amelia's API behind WordPress' admin-ajax, as far as it is called. A wrong key is a 403 there."""

from __future__ import annotations

import re
from typing import Any

from tests.standins.server import Case, Reply, Request, Service, route


def _booked(service: Amelia) -> None:
    service.book(533)


class Amelia(Service):
    slug = "amelia"
    options = {"api_key": "amelia-standin-0123456789", "time_zone": "Europe/Madrid"}
    cases = (
        Case("booking.read", {"appointment_id": "533"}, _booked),
        Case("booking.read", {"event_id": "999"}, _booked),
    )

    def __init__(self) -> None:
        super().__init__()
        self.appointments: dict[int, dict[str, Any]] = {}
        self.events: dict[int, dict[str, Any]] = {}
        self.as_array = True

    def authorised(self, request: Request) -> bool:
        return request.headers.get("amelia") == self.options["api_key"]

    def unauthorised(self) -> Reply:
        return Reply(403, {"message": "Invalid API key. Please provide a valid API key to access this resource."})

    def snapshot(self) -> Any:
        return {"appointments": self.appointments, "events": self.events}

    def book(self, number: int, status: str = "approved", start: str = "2026-12-01 10:00:00") -> None:
        """As the API writes it: custom fields and info are JSON within JSON, lists are lists."""
        person = {"id": 75, "firstName": "Jane", "lastName": "Doe", "email": "jane@example.com", "phone": "+440000000"}
        self.appointments[number] = {
            "id": number,
            "status": status,
            "bookingStart": start,
            "bookingEnd": start.replace("10:", "11:"),
            "serviceId": 3,
            "providerId": 2,
            "type": "appointment",
            "bookings": [
                {
                    "id": number,
                    "customerId": 75,
                    "customer": person,
                    "status": status,
                    "price": 30,
                    "persons": 1,
                    "appointmentId": number,
                    "token": "527ed24841",
                    "payments": [{"id": 531, "amount": 30, "gateway": "onSite", "status": "paid"}],
                    "customFields": '{"8":{"label":"Hand?","type":"radio","value":"Right handed"}}',
                    "info": '{"firstName":"Jane","lastName":"Doe","phone":null}',
                }
            ],
        }

    @route("GET", "/wp-admin/admin-ajax.php")
    def call(self, request: Request) -> Reply:
        query, call = request.query, request.query["call"].removeprefix("/api/v1")
        assert query["action"] == "wpamelia_api"
        one = re.fullmatch(r"/(appointment|event)s/(\d+)", call)
        if one:
            rows = self.appointments if one[1] == "appointment" else self.events
            found = rows.get(int(one[2]))
            return Reply(200, {"message": "ok", "data": {one[1]: found}}) if found else Reply(404, self.error(404))
        if call == "/events":
            assert "page" not in query
            return Reply(200, {"message": "ok", "data": {"events": list(self.events.values())}})
        if call == "/appointments":
            return Reply(200, {"message": "ok", "data": {"appointments": self._listed(query)}})
        return Reply(404, self.error(404))

    def _listed(self, query: dict[str, str]) -> Any:
        rows = sorted(self.appointments.values(), key=lambda row: -row["id"])
        if "dates" in query:
            first, last = query["dates"].split(",")
            rows = [row for row in rows if first <= row["bookingStart"][:10] <= last]
        page, limit = int(query["page"]), int(query["limit"])
        rows = rows[(page - 1) * limit : page * limit]
        if self.as_array:
            return rows
        days = sorted({row["bookingStart"][:10] for row in rows})
        return {
            day: {"date": day, "appointments": [row for row in rows if row["bookingStart"][:10] == day]} for day in days
        }
