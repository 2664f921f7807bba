"""What a booking or an order does next in its workflow, from all that is known of it: pure.

Each function names the one event that is due in this state, or none. Called until there is none, the end depends on
what is known alone, and not on the order in which it became known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

BEFORE_SERVICE = ("new_booking", "payment_pending", "payment_confirmed", "booking_confirmed", "preparation")
# A customer can only have stayed away once the booking was settled.
MAY_BE_MISSED = ("booking_confirmed", "preparation", "service_delivery", "follow_up")
# The preparation begins seven days before the start, by the calendar there: a change of the clocks may lie between. A
# booking that is moved further away is prepared again.
PREPARATION = timedelta(days=7, hours=2)


@dataclass(frozen=True)
class BookingFacts:
    """``paid``: money has been received; ``free``: none is asked for."""

    status: str = ""
    approved: bool = False
    paid: bool = False
    free: bool = False
    starts_at: datetime | None = None


def booking_event(state: str, facts: BookingFacts, now: datetime) -> str | None:
    if facts.status in ("canceled", "rejected"):
        return facts.status if state in BEFORE_SERVICE else None
    if facts.status == "no-show" and state in MAY_BE_MISSED:
        return "no_show"
    if state in ("new_booking", "payment_pending"):
        return _before_payment(state, facts)
    if state == "payment_confirmed":
        return "confirmation_sent" if facts.approved else None
    if state in ("preparation", "service_delivery") and _is_far(facts, now, state):
        return "rescheduled"
    return None


def _before_payment(state: str, facts: BookingFacts) -> str | None:
    if facts.paid:
        return "payment_received"
    if not facts.approved:
        return None
    if facts.free:
        return "nothing_to_pay"
    return "approved" if state == "new_booking" else None


def _is_far(facts: BookingFacts, now: datetime, state: str) -> bool:
    if facts.starts_at is None:
        return False
    return facts.starts_at > now + (PREPARATION if state == "preparation" else timedelta())


# -- orders ---------------------------------------------------------------------------------------------------------
# WooCommerce: the statuses of its core. Those of plug-ins change nothing here.
PAID = ("processing", "completed")
ENDED = ("cancelled", "refunded", "failed", "trash")
BEFORE_SHIPPING = ("order_received", "payment_failed", "payment_confirmed", "packaging")
REFUNDABLE = (*BEFORE_SHIPPING, "shipped", "delivered", "follow_up", "returned")


@dataclass(frozen=True)
class OrderFacts:
    """``paid``: the shop has noted a payment, whatever became of the order later."""

    status: str = ""
    paid: bool = False

    def ended(self) -> OrderFacts:
        """The order as it was before it was taken up again: cancelled."""
        return replace(self, status="cancelled")


def order_event(state: str, facts: OrderFacts) -> str | None:
    status = facts.status
    if status == "refunded":
        return "refunded" if state in REFUNDABLE else None
    if status == "cancelled":
        return "canceled" if state in BEFORE_SHIPPING else None
    if status == "failed":
        return "payment_failed" if state == "order_received" else None
    if status not in PAID and not facts.paid:
        return None
    if state in ("order_received", "payment_failed"):
        return "payment_received"
    if status == "completed" and state in ("payment_confirmed", "packaging", "shipped"):
        return "fulfilled"
    return None


def was_taken_up_again(stages: dict[str, str], status: str, modified: str) -> bool:
    """Whether an order was cancelled (as for want of payment in time) and then went on, by the shop's own clock.

    ``stages`` holds when each status was first seen, ``modified`` is the time of the present state; both in one format.
    """
    cancelled = stages.get("cancelled")
    return status in PAID and cancelled is not None and cancelled < modified
