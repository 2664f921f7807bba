"""What holds of an order, from all that was told of it: the same in whatever order and however often it was told."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone

from agents_app.agents.base import Context
from agents_app.sales import course
from bookings.models import Order
from higherself.integrations.material import OrderMaterial

# Two states of one second: the one that is further along is the later one. Those of plug-ins stand in the middle.
_LATER = {"pending": 0, "on-hold": 1, "failed": 2, "processing": 4, "completed": 5, "cancelled": 6, "refunded": 7}
_PLUGIN = 3
_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def stamp(moment: datetime) -> str:
    """A time as a text of one length, so that texts compare like times."""
    return moment.astimezone(timezone.utc).strftime(_FORMAT)


def moment_of(text: str) -> datetime:
    return datetime.strptime(text, _FORMAT).replace(tzinfo=timezone.utc)


def version_of(told: OrderMaterial, at: datetime) -> str:
    """Orders the states of an order: by the shop's time, then by how far they are, then by any fixed rule."""
    same = told.model_copy(update={"change": "", "problems": []})
    digest = hashlib.sha256(same.model_dump_json().encode()).hexdigest()[:16]
    return f"{stamp(at)}|{_LATER.get(told.status, _PLUGIN)}|{digest}"


def time_in(version: str) -> str:
    return version.partition("|")[0]


def note_stage(order: Order, status: str, at: datetime) -> bool:
    """When the order was first in this status, by the shop's clock; returns whether that is news."""
    earliest = min(order.stages.get(status, stamp(at)), stamp(at))
    if order.stages.get(status) == earliest:
        return False
    order.stages = {**order.stages, status: earliest}
    return True


def note_presence(order: Order, what: str, context: Context) -> bool:
    """Deletions and restorations by the deliveries that told of them; returns whether this one is news.

    An order that was restored as often as it was deleted is there.
    """
    known = {name: dict(order.presence.get(name, {})) for name in ("deleted", "restored")}
    key = context.event_id or stamp(context.occurred_at)
    if key in known[what]:
        return False
    known[what][key] = stamp(context.occurred_at)
    order.presence = known
    order.deleted = len(known["deleted"]) > len(known["restored"])
    return True


def status_of(order: Order) -> str:
    """The order's status; one that was deleted on its way counts as cancelled."""
    if order.deleted and order.status not in ("completed", *course.ENDED):
        return "cancelled"
    return order.status


def is_paid(order: Order) -> bool:
    """Whether the shop has noted a payment, whatever became of the order later."""
    return order.paid_at is not None or any(name in order.stages for name in course.PAID)


def was_taken_up_again(order: Order) -> bool:
    return course.was_taken_up_again(order.stages, order.status, time_in(order.version))
