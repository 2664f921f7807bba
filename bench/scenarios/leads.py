"""Leads per second through the whole of flow 1: read, contact, score, instance, history, tasks, messages.

The deliveries are in the inbox before the workers start, so that nothing but the work is measured: from when the first
lead is begun to when the last one is committed.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Max, Min

from agents_app.models import AgentRun, Notification, Task, WorkflowInstance, WorkflowTransition
from bench.environment import TYPEFORM_SECRET
from bench.leads import Lead, leads
from bench.options import Options
from bench.results import Result
from bench.stage import Stage, wait_until
from contacts.models import Contact
from higherself.integrations import inbox
from higherself.integrations.delivery import Delivery
from higherself.integrations.models import InboundEvent
from higherself.integrations.registry import PROVIDERS
from notion_sync.models import NotionPage

LEADS, WORKERS = 1000, 2
# What Notion allows the smallest plan, and the product's default; setting up is not measured and is not held back.
PACE = 180
PER_SECOND = {"sqlite": 60, "postgresql": 100}
_SLOWEST_PER_SECOND = 2.0


def measure(stage: Stage, options: Options, result: Result) -> None:
    stage.prepare()
    count = options.rows(LEADS)
    alone = _drain(stage, "alone", count)
    stage.sandbox()
    stage.manage("setup_notion", "--verbosity", "0")
    stage.manage("sync_notion", "--quiet", "--database", "agent_registry")
    stage.control("rate_limit", {"per_minute": PACE})
    os.environ["NOTION_REQUESTS_PER_MINUTE"] = str(PACE)
    pushing = _drain(stage, "pushing", count)
    result.figures = {"without Notion": alone, "while pushing to Notion": pushing}
    wanted = PER_SECOND[connection.vendor]
    result.at_least("leads/s with 2 workers", alone["per_second"], wanted)
    result.at_least("leads/s while pushing to Notion", pushing["per_second"], wanted)
    result.at_most("leads that lack a row", alone["incomplete"] + pushing["incomplete"], 0)


def _drain(stage: Stage, prefix: str, count: int) -> dict[str, Any]:
    store(prefix, count)
    workers = stage.workers(WORKERS)
    mine = InboundEvent.objects.filter(delivery_key__contains=f"token-{prefix}-")
    done = mine.filter(status=InboundEvent.Status.PROCESSED)
    wait_until(lambda: done.count() >= count, f"{count} leads are done", workers, 30 + count / _SLOWEST_PER_SECOND)
    pages = NotionPage.objects.filter(page_id__isnull=False).count()
    stage.stop(workers)
    seconds = took(mine)
    return {
        "per_second": round(count / seconds, 1),
        "leads": count,
        "seconds": round(seconds, 2),
        "incomplete": incomplete(prefix, count),
        "pages_in_notion_by_then": pages,
    }


def store(prefix: str, count: int) -> None:
    """Puts the deliveries into the inbox as the web process does, many at once."""
    with ThreadPoolExecutor(16) as threads:
        for _ in threads.map(_store, leads(count, TYPEFORM_SECRET, prefix)):
            pass


def _store(lead: Lead) -> None:
    headers = {"Typeform-Signature": lead.signature}
    delivery = Delivery(body=lead.body, headers=headers, content_type="application/json")
    inbox.store(PROVIDERS["typeform"], delivery)


def took(events: Any) -> float:
    """Seconds from the beginning of the first event's work to the end of the last one's."""
    ids = [str(pk) for pk in events.values_list("pk", flat=True)]
    began: datetime = AgentRun.objects.filter(inbound_event__in=ids).aggregate(first=Min("started_at"))["first"]
    ended: datetime = events.aggregate(last=Max("processed_at"))["last"]
    return (ended - began).total_seconds()


def incomplete(prefix: str, count: int) -> int:
    """How many leads lack their contact, instance, history, tasks or message."""
    contacts = Contact.objects.filter(email__startswith=f"lead-{prefix}-")
    instances = WorkflowInstance.objects.filter(contact__in=contacts)
    present = [
        contacts.count(),
        instances.count(),
        WorkflowTransition.objects.filter(instance__in=instances).values("instance").distinct().count(),
        Task.objects.filter(related_workflow_instance__in=instances)
        .values("related_workflow_instance")
        .distinct()
        .count(),
        Notification.objects.filter(instance__in=instances).values("instance").distinct().count(),
    ]
    return count - min(present) + max(instances.count() - count, 0)
