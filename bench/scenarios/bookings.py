"""Bookings and orders per second through the whole of flows 2 and 3: contact, product, row, stock, instance, tasks.

The deliveries are in the inbox before the workers start, so that nothing but the work is measured: from when the first
is begun to when the last one is committed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from agents_app.models import Notification, WorkflowInstance
from agents_app.tasks import drain_inbox
from bench.options import Options
from bench.results import Result
from bench.sales import PRINT, STOCK, Sale, catalogue, sales
from bench.scenarios.leads import took
from bench.stage import Stage, wait_until
from bookings.models import Product
from contacts.models import Contact
from higherself.integrations import inbox
from higherself.integrations.delivery import Delivery
from higherself.integrations.models import InboundEvent
from higherself.integrations.registry import PROVIDERS

CUSTOMERS, WORKERS, EACH = 300, 2, 3
PER_SECOND = {"sqlite": 30, "postgresql": 50}
_SLOWEST_PER_SECOND = 2.0


def measure(stage: Stage, options: Options, result: Result) -> None:
    stage.prepare()
    customers = options.rows(CUSTOMERS)
    _store(catalogue())
    drain_inbox()
    with ThreadPoolExecutor(16) as threads:
        # A booking comes before its payment, as the same appointment's deliveries are worked on in their order.
        for _ in threads.map(_store, sales(customers)):
            pass
    count = customers * EACH
    mine = InboundEvent.objects.exclude(event_type="product.updated")
    done = mine.filter(status=InboundEvent.Status.PROCESSED)
    workers = stage.workers(WORKERS)
    wait_until(lambda: done.count() >= count, f"{count} events are done", workers, 30 + count / _SLOWEST_PER_SECOND)
    stage.stop(workers)
    seconds = took(mine)
    result.figures = {
        "events": count,
        "seconds": round(seconds, 2),
        "per_second": round(count / seconds, 1),
        "incomplete": incomplete(customers),
    }
    result.at_least("events/s with 2 workers", result.figures["per_second"], PER_SECOND[connection.vendor])
    result.at_most("sales that lack a row", result.figures["incomplete"], 0)


def _store(sale: Sale) -> None:
    headers = {"X-WC-Webhook-Topic": sale.topic} if sale.topic else {}
    delivery = Delivery(body=sale.body, content_type="application/json", headers=headers, query=sale.query)
    inbox.store(PROVIDERS[sale.slug], delivery)


def incomplete(customers: int) -> int:
    """How many customers lack their contact, either instance in its state, or their messages; and the stock."""
    rows = WorkflowInstance.objects.all()
    sold = STOCK - (Product.objects.get(external_id=str(PRINT)).inventory_count or 0)
    present = [
        Contact.objects.filter(email__startswith="sale-", status="Active Client").count(),
        rows.filter(source_system="Amelia", current_state="booking_confirmed").count(),
        rows.filter(source_system="WooCommerce", current_state="payment_confirmed").count(),
        Notification.objects.filter(template__template_id="booking_confirmation").count(),
        sold,
    ]
    return customers - min(present) + max(sold - customers, 0)
