"""The end of a month as one table: what there is of everything, without ids and without the hour."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import QuerySet

from agents_app.models import AgentRun, Approval, Notification, Task, WorkflowInstance
from bookings.models import Booking, Order, Product
from contacts.models import Contact
from higherself.integrations.models import InboundEvent

Table = dict[str, dict[str, int]]


def end_state() -> Table:
    return {
        "contacts": _count(Contact.objects.live(), "contact_type", "status", "lead_source"),
        "instances": _count(WorkflowInstance.objects.live(), "workflow__workflow_id", "current_state", "status"),
        "bookings": _count(Booking.objects.all(), "status", "payment_status"),
        "orders": _count(Order.objects.all(), "status"),
        "products": _count(Product.objects.live(), "external_id", "status"),
        "approvals": _count(Approval.objects.all(), "action", "status"),
        "tasks": _tasks(),
        "messages": _count(Notification.objects.all(), "template__template_id", "status"),
        "trouble": {
            "quarantined events": InboundEvent.objects.filter(status="quarantined").count(),
            "failed runs": AgentRun.objects.filter(outcome="failed").count(),
        },
    }


def differences(found: Table, expected: Table) -> dict[str, tuple[int, int]]:
    """Each line that is not as expected: what was found, and what should be there."""
    names = {(part, line) for table in (found, expected) for part in table for line in table[part]}
    pairs = {
        f"{part}: {line}": (found.get(part, {}).get(line, 0), expected.get(part, {}).get(line, 0))
        for part, line in sorted(names)
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _count(rows: QuerySet[Any], *names: str) -> dict[str, int]:
    lines = Counter(" · ".join(str(value or "–") for value in line) for line in rows.order_by().values_list(*names))
    return dict(sorted(lines.items()))


def _tasks() -> dict[str, int]:
    rows = Task.objects.live().values_list("task_key", "status")
    return dict(sorted(Counter(f"{key.split(':')[1]} · {status}" for key, status in rows).items()))
