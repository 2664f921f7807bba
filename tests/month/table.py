"""The end of a month as one table: what there is of everything, without ids and without the hour."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import QuerySet

from agents_app.models import AgentRun, Approval, ContentItem, Notification, Task, WorkflowInstance
from bookings.models import Booking, Order, Product
from campaigns.models import Campaign, Feedback, SegmentMembership
from community.models import Member, Reward
from contacts.models import Contact, Interaction
from higherself.integrations.models import InboundEvent, OutboundCall
from notion_sync.mappings import MAPPINGS

Table = dict[str, dict[str, int]]


def end_state() -> Table:
    return {
        "contacts": _count(Contact.objects.live(), "contact_type", "status", "lead_source"),
        "instances": _count(WorkflowInstance.objects.live(), "workflow__workflow_id", "current_state", "status"),
        "bookings": _count(Booking.objects.all(), "status", "payment_status"),
        "orders": _count(Order.objects.all(), "status"),
        "products": _count(Product.objects.live(), "external_id", "status"),
        "campaigns": _count(Campaign.objects.live(), "campaign_name", "status", "external_id"),
        "content": _count(ContentItem.objects.all(), "title", "instance__current_state", "source_text"),
        "members": _count(Member.objects.live(), "membership_status", "membership_level"),
        "did": _count(Interaction.objects.exclude(contact=None), "kind", "source"),
        "rewards": _count(Reward.objects.live(), "record_kind", "status", "reward_type"),
        "segments": _count(SegmentMembership.objects.filter(left_at=None), "segment__name"),
        "feedback": _count(Feedback.objects.live(), "rating", "sentiment", "response_required"),
        "said to Beehiiv": _count(OutboundCall.objects.filter(provider="beehiiv"), "operation", "status"),
        "approvals": _count(Approval.objects.all(), "action", "status"),
        "tasks": _tasks(),
        "messages": _count(Notification.objects.all(), "template__template_id", "status"),
        "databases": {mapping.title: mapping.model.objects.live().count() for mapping in MAPPINGS.values()},
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
