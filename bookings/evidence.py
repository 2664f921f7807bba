"""What has been told about a booking, joined so that neither order nor repetition of the telling matters.

A booking system such as Amelia sends no version and no time of change. So nothing replaces anything: each delivery is
added to what is known, and what holds follows from all of it. A status never goes back (`RANK`), a payment that was
made stays made, and of the times that a booking has had, the one that it was never moved away from is the present one.
Pure, and stored as JSON::

    {"statuses": {"pending": "<first told>", …}, "payments": {"<id>": ["paid", "450.00"]},
     "times": {"<start>": ["<end>", true, "<first told>"]}, "left": ["<start>"]}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from bookings.choices import PaymentStatus

# How far along a booking is. What stands higher has been told later, whenever it arrives.
RANK = {"": 0, "waiting": 1, "pending": 2, "approved": 3, "paid": 4, "no-show": 5, "rejected": 6, "canceled": 7}
_SPELLINGS = {"cancelled": "canceled", "no_show": "no-show", "noshow": "no-show", "confirmed": "approved"}
_PAYMENT_RANK = {"pending": 1, "partiallypaid": 2, "paid": 3, "refunded": 4}
_RECEIVED = ("partiallypaid", "paid")
CANCELED, REJECTED, NO_SHOW = "canceled", "rejected", "no-show"
OFF = (CANCELED, REJECTED)

Evidence = Mapping[str, Any]


@dataclass(frozen=True)
class Payment:
    id: str
    status: str
    amount: Decimal | None = None


@dataclass(frozen=True)
class Told:
    """One delivery about a booking. ``moved``: it says that the time has changed, from ``left`` where that is told."""

    at: datetime
    status: str = ""
    payments: tuple[Payment, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    moved: bool = False
    left: datetime | None = None


def spelled(status: str) -> str:
    """A status in the one spelling that is used here."""
    word = status.strip().casefold()
    return _SPELLINGS.get(word, word)


def join(known: Evidence, told: Told) -> dict[str, Any]:
    """What is known after this delivery; commutative, associative, idempotent but for the times of telling."""
    return {
        "statuses": _statuses(known, told),
        "payments": _payments(known, told),
        "times": _times(known, told),
        "left": sorted({*known.get("left", ()), *([told.left.isoformat()] if _has_left(told) and told.left else [])}),
    }


def _has_left(told: Told) -> bool:
    return told.moved and told.left is not None and told.left != told.starts_at


def _statuses(known: Evidence, told: Told) -> dict[str, str]:
    found = dict(known.get("statuses", {}))
    status, at = spelled(told.status), told.at.isoformat()
    found[status] = min(found.get(status, at), at)
    return found


def _payments(known: Evidence, told: Told) -> dict[str, list[str | None]]:
    found = dict(known.get("payments", {}))
    for number, payment in enumerate(told.payments):
        key = payment.id or f"#{number}"
        new = [payment.status.casefold(), None if payment.amount is None else str(payment.amount)]
        found[key] = max(found.get(key, new), new, key=_further)
    return found


def _further(payment: list[str | None]) -> tuple[int, Decimal, str, str]:
    """What tells any two different ones apart, or the first to come would win."""
    status, value = payment
    return _PAYMENT_RANK.get(status or "", 0), amount(payment), value or "", status or ""


def amount(payment: Iterable[str | None]) -> Decimal:
    _, value = payment
    try:
        return Decimal(value) if value else Decimal(0)
    except InvalidOperation:
        return Decimal(0)


def _times(known: Evidence, told: Told) -> dict[str, list[Any]]:
    found = {start: list(entry) for start, entry in known.get("times", {}).items()}
    if told.starts_at is None:
        return found
    start, end = told.starts_at.isoformat(), told.ends_at.isoformat() if told.ends_at else ""
    before = found.get(start, ["", False, told.at.isoformat()])
    found[start] = [max(before[0], end), before[1] or told.moved, min(before[2], told.at.isoformat())]
    return found


# -- what follows ---------------------------------------------------------------------------------------------------
def status(known: Evidence) -> str:
    """The furthest that has been told; a status that nobody knows counts as none."""
    return max(known.get("statuses", {}), key=lambda item: (RANK.get(item, 0), item), default="")


def is_approved(known: Evidence) -> bool:
    """Whether it was ever approved, or has come further than that."""
    return any(RANK.get(item, 0) in (3, 4, 5) for item in known.get("statuses", {}))


def received(known: Evidence) -> Decimal:
    """The money that is there; what was refunded is not."""
    payments = known.get("payments", {}).values()
    return sum((amount(item) for item in payments if item[0] in _RECEIVED), Decimal(0))


def payment_status(known: Evidence, price: Decimal | None, *, from_package: bool = False) -> str:
    """What the payments come to. One of several may be open, as after a deposit."""
    found = {item[0] for item in known.get("payments", {}).values() if item[0]}
    if "paid" in known.get("statuses", {}):
        return PaymentStatus.PAID
    if found & set(_RECEIVED):
        whole = found == {"paid"} or ("paid" in found and price is not None and received(known) >= price)
        return PaymentStatus.PAID if whole else PaymentStatus.PARTLY
    if "refunded" in found:
        return PaymentStatus.REFUNDED
    return PaymentStatus.NOT_NEEDED if from_package or price == 0 else PaymentStatus.OPEN


def times(known: Evidence) -> tuple[datetime | None, datetime | None]:
    """Beginning and end: the time that the booking was not moved away from.

    Where several are left, or none (it was moved back), the one that it was moved to and that was heard of last.
    """
    entries: dict[str, list[Any]] = known.get("times", {})
    left = set(known.get("left", ()))
    rest = [start for start in entries if start not in left] or list(entries)
    if not rest:
        return None, None
    start = max(rest, key=lambda item: (entries[item][1], entries[item][2], item))
    end = entries[start][0]
    return datetime.fromisoformat(start), datetime.fromisoformat(end) if end else None
