"""Flow 2: a retreat booking from Amelia, from the booking to the feedback afterwards."""

from __future__ import annotations

from typing import Any

_BEFORE_SERVICE = ["new_booking", "payment_pending", "payment_confirmed", "booking_confirmed", "preparation"]

# A day after the end, in whichever state the booking is by then: the same moment is told once.
_SURVEY = {"template": "survey_request", "to": "contact", "after": {"hours": 24, "base": "retreat_end"}}

DEFINITION: dict[str, Any] = {
    "id": "WF-RETREAT-BOOKING",
    "name": "Retreat Booking Management",
    "version": "1.2.0",
    "description": "Follows a booking through payment, confirmation, preparation, the retreat and the feedback.",
    "initial": "new_booking",
    "states": {
        "new_booking": {
            "label": "New booking",
            "tasks": [
                {
                    "key": "review_booking",
                    "name": "Review new booking and dietary needs",
                    "role": "bookings",
                    "due": {"days": 1},
                    "category": "Event Preparation",
                }
            ],
        },
        "payment_pending": {
            "label": "Payment pending",
            "tasks": [
                {
                    "key": "chase_payment",
                    "name": "Chase payment",
                    "description": "Nothing has arrived for two days. After three the booking is given up by itself.",
                    "role": "bookings",
                    "priority": "High",
                    "due": {"days": 0},
                    "after": {"hours": 48},
                    "lapses": True,
                    "category": "Financial",
                    "tags": ["Financial"],
                }
            ],
        },
        "payment_confirmed": {
            "label": "Payment confirmed",
            "notify": [{"template": "payment_received", "to": "contact"}],
        },
        "booking_confirmed": {
            "label": "Booking confirmed",
            "tasks": [
                {
                    "key": "confirmed_follow_through",
                    "name": "Booking confirmed follow-through",
                    "role": "bookings",
                    "due": {"days": 2},
                },
                {
                    "key": "retreat_preparation",
                    "name": "Retreat preparation",
                    "role": "community",
                    "priority": "High",
                    "due": {"days": -7, "base": "retreat_start"},
                    "category": "Event Preparation",
                },
                {
                    "key": "collect_balance",
                    "name": "Collect the balance",
                    "description": "Only a part has been paid so far.",
                    "role": "bookings",
                    "due": {"days": -7, "base": "retreat_start"},
                    "when": "balance_due",
                    "category": "Financial",
                    "tags": ["Financial"],
                },
            ],
            "notify": [{"template": "booking_confirmation", "to": "contact"}],
        },
        "preparation": {
            "label": "Preparation",
            "tasks": [
                {
                    "key": "pre_retreat_information",
                    "name": "Send pre-retreat information",
                    "role": "community",
                    "due": {"days": -7, "base": "retreat_start"},
                    "category": "Event Preparation",
                    "tags": ["Client-facing"],
                }
            ],
            # A booking that was made or moved within these days is not reminded of what it has just been told.
            "notify": [
                {
                    "template": "booking_reminder",
                    "to": "contact",
                    "after": {"hours": -168, "base": "retreat_start"},
                },
                {
                    "template": "booking_reminder",
                    "to": "contact",
                    "after": {"hours": -24, "base": "retreat_start"},
                },
            ],
        },
        "service_delivery": {"label": "Retreat under way"},
        "follow_up": {
            "label": "Follow-up",
            "tasks": [
                {
                    "key": "post_retreat_call",
                    "name": "Post-retreat follow-up call",
                    "role": "community",
                    "due": {"days": 2, "base": "retreat_end"},
                    "completes": "follow_up_complete",
                    "tags": ["Client-facing", "Follow-up"],
                }
            ],
            "notify": [_SURVEY],
        },
        "feedback_collection": {"label": "Collecting feedback", "notify": [_SURVEY]},
        "completed": {"label": "Completed", "status": "Completed"},
        "canceled": {
            "label": "Cancelled",
            "status": "Cancelled",
            "tasks": [
                {
                    "key": "process_refund",
                    "name": "Process refund",
                    "role": "bookings",
                    "priority": "High",
                    "due": {"days": 1},
                    "when": "is_paid",
                    "approval": "booking.refund",
                    "category": "Financial",
                    "tags": ["Financial"],
                }
            ],
            "notify": [{"template": "booking_cancelled", "to": "team"}],
        },
    },
    "transitions": [
        {"event": "new_booking", "from": [], "to": "new_booking"},
        {"event": "booking_processed", "from": ["new_booking"], "to": "payment_pending", "manual": True},
        {"event": "approved", "from": ["new_booking"], "to": "payment_pending"},
        {
            "event": "payment_received",
            "from": ["new_booking", "payment_pending"],
            "to": "payment_confirmed",
            "manual": True,
            "facts": {"paid": True},
        },
        {
            "event": "nothing_to_pay",
            "from": ["new_booking", "payment_pending"],
            "to": "booking_confirmed",
            "label": "Nothing to pay",
            "manual": True,
        },
        {"event": "payment_timeout", "from": ["payment_pending"], "to": "canceled", "timer": {"hours": 72}},
        {"event": "confirmation_sent", "from": ["payment_confirmed"], "to": "booking_confirmed", "manual": True},
        {
            "event": "approaching_service_date",
            "from": ["booking_confirmed"],
            "to": "preparation",
            "timer": {"hours": -168, "base": "retreat_start"},
        },
        {
            "event": "rescheduled",
            "from": ["preparation", "service_delivery"],
            "to": "booking_confirmed",
            "label": "Moved to a later date",
        },
        {
            "event": "service_started",
            "from": ["booking_confirmed", "preparation"],
            "to": "service_delivery",
            "manual": True,
            "timer": {"hours": 0, "base": "retreat_start"},
        },
        {
            "event": "service_completed",
            "from": ["service_delivery"],
            "to": "follow_up",
            "manual": True,
            "timer": {"hours": 0, "base": "retreat_end"},
        },
        # The call may be made later; the booking does not wait for it.
        {
            "event": "follow_up_complete",
            "from": ["follow_up"],
            "to": "feedback_collection",
            "manual": True,
            "timer": {"hours": 168, "base": "retreat_end"},
        },
        {
            "event": "feedback_received",
            "from": ["follow_up", "feedback_collection"],
            "to": "completed",
            "manual": True,
        },
        {
            "event": "feedback_window_passed",
            "from": ["feedback_collection"],
            "to": "completed",
            "timer": {"hours": 336},
        },
        {"event": "canceled", "from": _BEFORE_SERVICE, "to": "canceled", "label": "Cancel", "manual": True},
        {"event": "rejected", "from": _BEFORE_SERVICE, "to": "canceled"},
        {
            "event": "no_show",
            "from": ["booking_confirmed", "preparation", "service_delivery", "follow_up"],
            "to": "canceled",
            "label": "No-show",
            "manual": True,
        },
    ],
}
