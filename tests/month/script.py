"""What happens in the month: every delivery with its day, as plain data. Day 1 is the first of December 2026.

Here stand leads, bookings and orders; readers, members, students and recordings stand in `audience`.

Each kind of story is told several times, with other people. A day's deliveries may arrive in any order, and twice:
nothing in a story depends on the hour.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.month.audience import audience
from tests.month.happening import Happening, email

PAYLOADS = Path(__file__).resolve().parent.parent / "payloads"
ORDER = json.loads((PAYLOADS / "woocommerce" / "order.created.json").read_text())
FORM = json.loads((PAYLOADS / "typeform" / "form_response.json").read_text())
FREE, RETREAT = 0, 450


def month() -> list[Happening]:
    found = [*leads(), *bookings(), *orders(), *audience()]
    return sorted(found, key=lambda item: item.day)


# -- leads ----------------------------------------------------------------------------------------------------------
def leads() -> Iterator[Happening]:
    """Thirty forms: ten promising, ten lukewarm, ten that say next to nothing. The promising ones book the day after
    or later; the others never do."""
    words = (
        "I would like to book a retreat soon, please call me today.",
        "I am interested in more information.",
        "",
    )
    for number in range(30):
        yield _form(_asks_on(number), number, words[number // 10], phone=number < 10)
    # One of each kind writes a second time on the same day.
    for number in (3, 14, 25):
        yield _form(_asks_on(number), number, words[number // 10], phone=number < 10, token=f"again-{number}")


def _asks_on(number: int) -> int:
    return 1 if number < 10 else number - 9


def _form(day: int, number: int, words: str, *, phone: bool, token: str = "") -> Happening:
    body = copy.deepcopy(FORM)
    response = body["form_response"]
    response |= {"form_id": "f1", "token": token or f"lead-{number}", "hidden": {}}
    questions: list[tuple[str, str, str, Any]] = [
        ("Your email", "email", "email", email(number) if number < 10 else f"visitor{number}@example.com"),
        ("What is your first name?", "short_text", "text", f"Person{number}"),
    ]
    if phone:
        questions.append(("Your phone", "phone_number", "phone_number", f"+4416329600{number:02}"))
    if words:
        questions.append(("How can we help?", "long_text", "text", words))
    response["definition"] = {"id": "f1", "title": "Retreat interest", "fields": []}
    response["answers"] = []
    for place, (title, kind, key, value) in enumerate(questions):
        asked = {"id": f"q{place}", "type": kind, "ref": f"ref-{place}"}
        response["definition"]["fields"].append({**asked, "title": title})
        response["answers"].append({"type": key, key: value, "field": asked})
    return Happening(day, "typeform", body)


# -- bookings -------------------------------------------------------------------------------------------------------
SOON, LATE, MOVED = 8, 50, 57


def bookings() -> Iterator[Happening]:
    """Forty bookings, four of each story."""
    for number in range(40):
        yield from BOOKINGS[number % len(BOOKINGS)](number, 2 + number // 20)


def _delivered(number: int, day: int) -> Iterator[Happening]:
    """Asked for, approved and paid on one day, held a week later, and never answered about."""
    yield _booking(number, day, "bookingAdded", "pending", start=SOON)
    yield _booking(number, day, "bookingStatusUpdated", "approved", start=SOON)
    yield _booking(number, day, "paymentUpdated", "approved", "paid", start=SOON)


def _unpaid(number: int, day: int) -> Iterator[Happening]:
    yield _booking(number, day, "bookingAdded", "approved")


def _ahead(number: int, day: int) -> Iterator[Happening]:
    yield _booking(number, day, "bookingAdded", "approved", "paid")


def _rejected(number: int, day: int) -> Iterator[Happening]:
    yield _booking(number, day, "bookingAdded", "pending")
    yield _booking(number, day + 1, "bookingStatusUpdated", "rejected")


def _refunded(number: int, day: int) -> Iterator[Happening]:
    yield _booking(number, day, "bookingAdded", "approved", "paid")
    yield _booking(number, day + 3, "bookingCanceled", "canceled", "paid")


def _absent(number: int, day: int) -> Iterator[Happening]:
    yield _booking(number, day, "bookingAdded", "approved", "paid", start=SOON)
    yield _booking(number, SOON + 1, "bookingStatusUpdated", "no-show", "paid", start=SOON)


def _moved(number: int, day: int) -> Iterator[Happening]:
    yield _booking(number, day, "bookingAdded", "approved", "paid")
    yield _booking(number, day + 2, "bookingTimeUpdated", "approved", "paid", start=MOVED, before=LATE)


def _free(number: int, day: int) -> Iterator[Happening]:
    yield _booking(number, day, "bookingAdded", "approved", price=FREE)


def _withdrawn(number: int, day: int) -> Iterator[Happening]:
    yield _booking(number, day, "bookingAdded", "pending")
    yield _booking(number, day + 1, "bookingCanceled", "canceled")


def _answered(number: int, day: int) -> Iterator[Happening]:
    """Held, and answered about in a survey (see `audience.surveys`)."""
    yield from _delivered(number, day)


BOOKINGS = (_delivered, _unpaid, _ahead, _rejected, _refunded, _absent, _moved, _free, _withdrawn, _answered)


def _booking(
    number: int,
    day: int,
    change: str,
    status: str,
    paid: str = "",
    *,
    start: int = LATE,
    before: int = 0,
    price: int = RETREAT,
) -> Happening:
    key = 1000 + number
    person = {"id": key, "firstName": f"Person{number}", "lastName": "Guest", "email": email(number), "phone": ""}
    entry = {
        "id": key,
        "customerId": key,
        "customer": person,
        "status": status,
        "price": price,
        "persons": 1,
        "appointmentId": key + 5000,
        "payments": {"0": {"id": key, "amount": price, "gateway": "stripe", "status": paid}} if paid else {},
    }
    appointment: dict[str, Any] = {
        "id": key + 5000,
        "status": "approved" if status not in ("approved", "pending") else status,
        "serviceId": 12,
        "service": {"id": 12, "name": "Winter retreat"},
        "bookingStart": _hour(start, 14),
        "bookingEnd": _hour(start, 16),
        "type": "appointment",
        "bookings": {"0": entry},
    }
    if before:
        former = {"bookingStart": _hour(before, 14), "bookingEnd": _hour(before, 16)}
        appointment |= {"isRescheduled": True, "initialAppointmentDateTime": former}
    body = {"appointment": appointment, "bookings": {} if change == "bookingTimeUpdated" else {"0": entry}}
    return Happening(day, "amelia", body, query=f"action={change}")


def _hour(day: int, hour: int) -> str:
    month, of_month = divmod(day - 1, 31)
    return f"{2026 + month}-{month if month else 12:02}-{of_month + 1:02} {hour:02}:00:00"


# -- orders ---------------------------------------------------------------------------------------------------------
# What the shop tells of an order, one list of (days after the first, status) for each story; ten orders of each.
ORDERS: tuple[tuple[tuple[int, str], ...], ...] = (
    ((0, "pending"), (0, "processing"), (2, "completed")),
    ((0, "processing"), (3, "refunded")),
    ((0, "pending"), (1, "cancelled")),
    ((0, "failed"), (0, "processing")),
    ((0, "processing"), (1, "completed"), (4, "refunded")),
    ((0, "on-hold"),),
)


def orders() -> Iterator[Happening]:
    for number in range(60):
        for place, (later, status) in enumerate(ORDERS[number % len(ORDERS)]):
            yield _order(number, 3 + number // 12, later, place, status)


def _order(number: int, day: int, later: int, place: int, status: str) -> Happening:
    body = copy.deepcopy(ORDER)
    paid = status in ("processing", "completed", "refunded")
    address = {**ORDER["billing"], "first_name": f"Person{number}", "email": email(number)}
    body |= {
        "id": 7000 + number,
        "number": str(7000 + number),
        "status": status,
        "billing": address,
        "date_modified_gmt": f"2026-12-{day + later:02}T{10 + place:02}:00:00",
        "date_paid_gmt": f"2026-12-{day:02}T09:30:00" if paid else None,
    }
    headers = {"X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-ID": "1"}
    return Happening(day + later, "woocommerce", body, headers=headers)
