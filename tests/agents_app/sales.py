"""What Amelia and WooCommerce send about bookings and orders, shortened to what is read, and put through the inbox."""

from __future__ import annotations

import copy
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from agents_app import tasks
from agents_app.models import Task, WorkflowInstance
from higherself.integrations import inbox
from higherself.integrations.delivery import Delivery
from higherself.integrations.models import InboundEvent
from higherself.integrations.registry import PROVIDERS
from tests.agents_app.deliveries import PAYLOADS

ORDER = json.loads((PAYLOADS / "woocommerce" / "order.created.json").read_text())
ADA = {"id": 2, "firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "phone": "+441632960961"}
# The site's wall clock; the tests let it be New York's.
START, END = "2026-12-30 14:00:00", "2026-12-30 15:00:00"
Sent = tuple[str, dict[str, Any], str]


def booking(
    change: str = "bookingAdded",
    *,
    id: int = 3,
    status: str = "approved",
    paid: str | None = None,
    start: str = START,
    end: str = END,
    before: tuple[str, str] | None = None,
    customer: dict[str, Any] | None = None,
    price: int = 450,
    service: int = 12,
    **more: Any,
) -> Sent:
    """A delivery about an appointment with one booking. ``paid`` is the status of its one payment."""
    payments = {"0": {"id": 900 + id, "amount": price, "gateway": "stripe", "status": paid}} if paid else {}
    entry = {
        "id": id,
        "customerId": 2,
        "customer": ADA if customer is None else customer,
        "status": status,
        "price": price,
        "persons": 1,
        "appointmentId": 100 + id,
        "payments": payments,
        **more,
    }
    appointment: dict[str, Any] = {
        "id": 100 + id,
        "status": status if status in ("approved", "pending") else "approved",
        "serviceId": service,
        "service": {"id": service, "name": "Autumn retreat"},
        "bookingStart": start,
        "bookingEnd": end,
        "type": "appointment",
        "bookings": {"0": entry},
    }
    if before:
        appointment |= {
            "isRescheduled": True,
            "initialAppointmentDateTime": {"bookingStart": before[0], "bookingEnd": before[1]},
        }
    body = {"appointment": appointment, "bookings": {} if change == "bookingTimeUpdated" else {"0": entry}}
    return "amelia", body, f"action={change}"


def order(
    status: str = "processing",
    *,
    id: int = 727,
    modified: str = "2026-11-20T10:00:00",
    paid: bool | None = None,
    **more,
) -> Sent:
    """A delivery about an order of two lines: two of product 93, one of product 22."""
    body = copy.deepcopy(ORDER)
    was_paid = status in ("processing", "completed", "refunded") if paid is None else paid
    body |= {
        "id": id,
        "number": str(id),
        "status": status,
        "date_modified_gmt": modified,
        "date_paid_gmt": "2026-11-20T09:30:00" if was_paid else None,
        **more,
    }
    return "woocommerce", body, "order.updated"


def product(id: int = 93, *, stock: int | None = 10, modified: str = "2026-11-20T08:00:00", **more: Any) -> Sent:
    body = {
        "id": id,
        "name": f"Product {id}",
        "type": "simple",
        "status": "publish",
        "price": "3.00",
        "manage_stock": stock is not None,
        "stock_quantity": stock,
        "date_modified_gmt": modified,
        "categories": [],
        **more,
    }
    return "woocommerce", body, "product.updated"


def store(sent: Sent, at: datetime | None = None) -> UUID:
    slug, body, topic = sent
    extra: dict[str, Any] = {"received_at": at} if at else {}
    if slug == "woocommerce":
        extra["headers"] = {"X-WC-Webhook-Topic": topic, "X-WC-Webhook-ID": "1", "X-WC-Webhook-Delivery-ID": topic}
    else:
        extra["query"] = topic
    delivery = Delivery(body=json.dumps(body).encode(), content_type="application/json", **extra)
    return inbox.store(PROVIDERS[slug], delivery).event_id


def deliver(*sent: Sent) -> InboundEvent:
    """Stores the deliveries one after the other, each worked on before the next comes; returns the last event."""
    for one in sent:
        event_id = store(one)
        tasks.drain_inbox()
    return InboundEvent.objects.get(pk=event_id)


def instance_of(record: str) -> WorkflowInstance:
    return WorkflowInstance.objects.get(source_record_id=record)


def path_of(instance: WorkflowInstance) -> list[str]:
    """The states that it went through."""
    lines = instance.history.order_by("pk")
    return [line.to_state for line in lines if line.from_state != line.to_state]


def tasks_of(instance: WorkflowInstance) -> dict[str, str]:
    """The status of each task by the name of its template."""
    rows = Task.objects.filter(related_workflow_instance=instance).order_by("pk")
    return {row.task_key.split(":")[1]: row.status for row in rows}


def messages_of(instance: WorkflowInstance) -> list[str]:
    return [row.template.template_id for row in instance.notifications.order_by("pk") if row.template]
