"""Flow 3: a WooCommerce order, above all for art, from the order to the collector's feedback."""

from __future__ import annotations

from typing import Any

_REFUNDABLE = [
    *("order_received", "payment_failed", "payment_confirmed", "packaging"),
    *("shipped", "delivered", "follow_up", "returned"),
]
_PAID = ["payment_confirmed", "packaging", "shipped", "delivered"]

DEFINITION: dict[str, Any] = {
    "id": "WF-ART-SALE",
    "name": "Art Sale & Fulfillment",
    "version": "1.2.0",
    "description": "Follows an order through payment, packing, shipping, delivery, and returns.",
    "initial": "order_received",
    "states": {
        "order_received": {
            "label": "Order received",
            "notify": [
                {"template": "order_confirmation", "to": "contact"},
                {"template": "sale_alert", "to": "team"},
            ],
        },
        "payment_failed": {"label": "Payment failed"},
        "payment_confirmed": {
            "label": "Payment confirmed",
            "tasks": [
                {
                    "key": "package_artwork",
                    "name": "Prepare and package artwork",
                    "role": "gallery",
                    "priority": "High",
                    "due": {"days": 2},
                    "completes": "packing_started",
                    "lapses": True,
                },
                {
                    "key": "certificate",
                    "name": "Certificate of authenticity and provenance",
                    "role": "gallery",
                    "due": {"days": 2},
                    "when": "is_art",
                    "category": "Admin",
                },
            ],
            "notify": [{"template": "payment_received", "to": "contact"}],
        },
        "packaging": {
            "label": "Packaging",
            "tasks": [
                {
                    "key": "ship",
                    "name": "Ship and record tracking",
                    "role": "gallery",
                    "priority": "High",
                    "due": {"days": 3},
                    "completes": "item_shipped",
                    "needs": ["certificate"],
                    "lapses": True,
                }
            ],
        },
        "shipped": {
            "label": "Shipped",
            "tasks": [
                {
                    "key": "confirm_delivery",
                    "name": "Confirm delivery",
                    "role": "gallery",
                    "due": {"days": 7},
                    "completes": "delivery_confirmed",
                    "lapses": True,
                }
            ],
            "notify": [{"template": "shipping_update", "to": "contact"}],
        },
        "delivered": {
            "label": "Delivered",
            "tasks": [
                {
                    "key": "thank_you_note",
                    "name": "Thank-you note to the collector",
                    "role": "gallery",
                    "priority": "Low",
                    "due": {"days": 3},
                    "completes": "follow_up_sent",
                    "tags": ["Client-facing", "Follow-up"],
                }
            ],
        },
        "follow_up": {"label": "Follow-up", "notify": [{"template": "survey_request", "to": "contact"}]},
        "returned": {
            "label": "Returned",
            "tasks": [
                {
                    "key": "handle_return",
                    "name": "Handle return and refund",
                    "role": "gallery",
                    "priority": "High",
                    "due": {"days": 1},
                    "category": "Customer Service",
                }
            ],
        },
        "completed": {"label": "Completed", "status": "Completed"},
        "refunded": {"label": "Refunded", "status": "Cancelled"},
        "canceled": {
            "label": "Cancelled",
            "status": "Cancelled",
            "tasks": [
                {
                    "key": "process_refund",
                    "name": "Process refund",
                    "role": "gallery",
                    "priority": "High",
                    "due": {"days": 1},
                    "when": "is_paid",
                    "approval": "order.refund",
                    "category": "Financial",
                    "tags": ["Financial"],
                }
            ],
            "notify": [{"template": "order_cancelled", "to": "team"}],
        },
    },
    "transitions": [
        {"event": "order_received", "from": [], "to": "order_received"},
        {
            "event": "payment_received",
            "from": ["order_received", "payment_failed"],
            "to": "payment_confirmed",
            "manual": True,
            "facts": {"paid": True},
        },
        {"event": "payment_failed", "from": ["order_received"], "to": "payment_failed"},
        {"event": "packing_started", "from": ["payment_confirmed"], "to": "packaging", "manual": True},
        {"event": "item_shipped", "from": ["packaging"], "to": "shipped", "manual": True},
        # The shop's "completed" means that nothing is left to do there: whoever set it has sent the goods.
        {
            "event": "fulfilled",
            "from": ["payment_confirmed", "packaging", "shipped"],
            "to": "delivered",
            "label": "Completed in the shop",
        },
        {"event": "delivery_confirmed", "from": ["shipped"], "to": "delivered", "manual": True},
        # The note of thanks may be sent later; the order does not wait for it.
        {
            "event": "follow_up_sent",
            "from": ["delivered"],
            "to": "follow_up",
            "manual": True,
            "timer": {"hours": 168},
        },
        {"event": "feedback_received", "from": ["delivered", "follow_up"], "to": "completed", "manual": True},
        {"event": "feedback_window_passed", "from": ["follow_up"], "to": "completed", "timer": {"hours": 720}},
        {"event": "return_requested", "from": ["shipped", "delivered"], "to": "returned", "manual": True},
        {
            "event": "return_approved",
            "from": ["returned"],
            "to": "refunded",
            "manual": True,
            "approval": "order.refund",
        },
        {
            "event": "refund_granted",
            "from": _PAID,
            "to": "refunded",
            "label": "Refund",
            "manual": True,
            "approval": "order.refund",
        },
        # The shop reports that the money has gone back: a fact, which nobody can allow or refuse any more.
        {
            "event": "refunded",
            "from": _REFUNDABLE,
            "to": "refunded",
            "label": "The shop has refunded it",
            "permission": "agents_app.decide_approval",
        },
        {
            "event": "canceled",
            "from": ["order_received", "payment_failed", "payment_confirmed", "packaging"],
            "to": "canceled",
            "label": "Cancel",
            "manual": True,
        },
    ],
}
