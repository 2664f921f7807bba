"""Events per second through the other flows: community, newsletter, content, feedback; and tasks that move workflows.

The deliveries of a flow are in the inbox before the workers start, so that nothing but the work is measured: from when
the first is begun to when the last one is committed. The audience's analysis is measured by `segments`.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from agents_app.models import ContentItem, Task, WorkflowInstance
from agents_app.services import catalog
from agents_app.tasks import settle_done_tasks
from agents_app.workflow import engine
from bench.audience import FLOWS
from bench.options import Options
from bench.results import Result
from bench.sales import Sale
from bench.scenarios.leads import took
from bench.stage import Stage, wait_until
from campaigns.models import Feedback
from community.models import Member
from contacts.models import Contact
from higherself.integrations import inbox
from higherself.integrations.delivery import Delivery
from higherself.integrations.models import InboundEvent
from higherself.integrations.registry import PROVIDERS

# People of each flow, and workers.
PEOPLE, WORKERS = 300, 2
PER_SECOND = {"sqlite": 30, "postgresql": 50}
_SLOWEST_PER_SECOND = 2.0


def measure(stage: Stage, options: Options, result: Result) -> None:
    stage.prepare()
    people, wanted = options.rows(PEOPLE), PER_SECOND[connection.vendor]
    for name in FLOWS:
        result.figures[name] = _drain(stage, name, people)
        result.at_least(f"{name}, events/s with 2 workers", result.figures[name]["per_second"], wanted)
    result.figures["tasks done"] = _tasks(people)
    result.at_least("tasks done/s, one process", result.figures["tasks done"]["per_second"], wanted)
    lacking = sum(figures["incomplete"] for figures in result.figures.values())
    result.at_most("people who lack a row", lacking, 0)


def _drain(stage: Stage, name: str, people: int) -> dict[str, Any]:
    deliveries, each = FLOWS[name]
    count = people * each
    before = set(InboundEvent.objects.values_list("pk", flat=True))
    with ThreadPoolExecutor(16) as threads:
        for _ in threads.map(_store, deliveries(people)):
            pass
    mine = InboundEvent.objects.exclude(pk__in=before)
    done = mine.filter(next_attempt_at__isnull=True)
    workers = stage.workers(WORKERS)
    wait_until(lambda: done.count() >= count, f"{count} of {name} are done", workers, 30 + count / _SLOWEST_PER_SECOND)
    stage.stop(workers)
    seconds = took(mine)
    return {
        "events": count,
        "seconds": round(seconds, 2),
        "per_second": round(count / seconds, 1),
        "incomplete": people - _whole(name),
    }


def _store(sale: Sale) -> None:
    inbox.store(PROVIDERS[sale.slug], Delivery(body=sale.body, content_type="application/json", query=sale.query))


def _whole(name: str) -> int:
    """How many people of a flow have all that it makes."""
    if name == "community":
        stays = WorkflowInstance.objects.filter(workflow__workflow_id="WF-COMMUNITY", related_tasks__isnull=False)
        return min(stays.count(), Member.objects.filter(engagement_score__gt=0).count())
    if name == "newsletter":
        return Contact.objects.filter(email__startswith="reader-", email_opt_in=True).count()
    if name == "content":
        return ContentItem.objects.filter(source_text__endswith="And then we sang.").count()
    return Feedback.objects.filter(contact__isnull=False).count()


def _tasks(count: int) -> dict[str, Any]:
    """Tasks that people have set Done, many at once, as an edit in Notion or a bulk action leaves them."""
    workflow = catalog.current().workflow("WF-LEAD-CAPTURE")
    for number in range(count):
        lead = engine.start(workflow, name=f"Lead {number}", actor="Bench", key_data={"quality": "High"})
        engine.advance(lead, "scored", actor="LeadCaptureAgent")
    Task.objects.filter(task_key__contains=":follow_up_email:").update(status="Done")
    began = time.perf_counter()
    while settle_done_tasks():
        pass
    seconds = time.perf_counter() - began
    moved = WorkflowInstance.objects.filter(workflow=workflow, current_state="contacted").count()
    return {
        "tasks": count,
        "seconds": round(seconds, 2),
        "per_second": round(count / seconds, 1),
        "incomplete": count - moved,
    }
