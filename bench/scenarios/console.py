"""The console over a full database: every kind of page, asked for over HTTP by one person."""

from __future__ import annotations

import http.client
import time
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from agents_app.models import AgentRun, Notification, Task, Workflow, WorkflowInstance, WorkflowTransition
from bench.copies import copies, first, refresh_statistics
from bench.options import Options
from bench.results import Result, spread
from bench.stage import LOOPBACK, Stage
from contacts.models import BusinessEntity, Contact
from higherself.core.access import second_factor
from higherself.integrations.models import InboundEvent

CONTACTS, EVENTS, TASKS = 100_000, 200_000, 100_000
P95_MS = 300
# Enough for one slow answer, when a web process fills its memory, not to be the 95th in a hundred.
REQUESTS = 20
MONTH = 30 * 86400
BODY = (
    b'{"event_type": "form_response", "form_response": {"answers": [' + b'{"text": "so many words"}, ' * 40 + b"{}]}}"
)


def measure(stage: Stage, options: Options, result: Result) -> None:
    stage.prepare()
    stage.manage("collectstatic", "--noinput", "--verbosity", "0")
    began = time.perf_counter()
    _fill(options)
    result.figures["seconds to fill"] = round(time.perf_counter() - began, 1)
    cookie = _log_in()
    port = stage.web()
    worst = 0.0
    wrong = 0
    for name, path in _pages(options).items():
        taken = [_ask(port, path, cookie) for _ in range(REQUESTS)]
        answers = sorted({status for status, _ms in taken} - {200})
        wrong += bool(answers)
        milliseconds = spread([ms for _status, ms in taken])
        result.figures[name] = {
            "first": round(taken[0][1], 1),
            **{key: milliseconds[key] for key in ("p50", "p95", "max")},
            **({"answers": answers} if answers else {}),
        }
        worst = max(worst, milliseconds["p95"])
    result.at_most("slowest page, p95 ms", worst, P95_MS)
    result.at_most("pages that were not answered with 200", wrong, 0)


def _fill(options: Options) -> None:
    entities = list(BusinessEntity.objects.order_by("pk").values_list("pk", flat=True))
    of_two = f"CASE WHEN n.i %% 2 = 0 THEN {entities[0]} ELSE {entities[-1]} END"
    nothing = "NULL"
    contact = first(Contact, full_name="Person 0", email="person0@example.org")
    copies(
        contact,
        options.rows(CONTACTS),
        full_name="'Person ' || n.i",
        email="'person' || n.i || '@example.org'",
        phone="'+1 555 ' || n.i",
        contact_id="'CTCT-B' || n.i",
        created_at=_over_a_month(options.rows(CONTACTS)),
        status="CASE n.i %% 3 WHEN 0 THEN 'Active Client' ELSE 'Active Lead' END",
        local_change_at=nothing,
    )
    _work(options, contact, of_two)
    _events(options)
    refresh_statistics()


def _work(options: Options, contact: Contact, of_two: str) -> None:
    number = options.rows(TASKS) // 2
    workflow = Workflow.objects.get(workflow_id="WF-LEAD-CAPTURE")
    instance = first(
        WorkflowInstance, instance_name="Lead 0", workflow=workflow, contact=contact, current_state="new_lead"
    )
    states = list(Workflow.objects.get(pk=workflow.pk).states)
    names = [item["name"] for item in states]
    of_each = " ".join(f"WHEN {index} THEN '{name}'" for index, name in enumerate(names))
    copies(
        instance,
        number,
        instance_name="'Lead: Person ' || n.i",
        instance_id="'WFI-B' || n.i",
        contact_id=f"{contact.pk} + n.i",
        business_entity_id=of_two,
        current_state=f"CASE n.i %% {len(names)} {of_each} END",
        start_date=_over_a_month(number),
        updated_at=_over_a_month(number),
        last_transition_date=_over_a_month(number),
        local_change_at="NULL",
    )
    task = first(Task, task_name="Task 0", related_contact=contact, related_workflow_instance=instance)
    copies(
        task,
        options.rows(TASKS),
        task_name="'Call person ' || n.i",
        task_id="'TASK-B' || n.i",
        related_contact_id=f"{contact.pk} + n.i",
        related_business_entity_id=of_two,
        status="CASE n.i %% 10 WHEN 0 THEN 'To Do' WHEN 1 THEN 'In Progress' WHEN 2 THEN 'Cancelled' ELSE 'Done' END",
        due_date=f"{{ago:n.i * 60 - {MONTH} / 2}}",
        completed_date=f"CASE WHEN n.i %% 10 > 2 THEN {_over_a_month(options.rows(TASKS))} END",
        local_change_at="NULL",
    )
    line = first(WorkflowTransition, instance=instance, actor="Bench", event="started", to_state="new_lead")
    copies(line, number, instance_id=f"{instance.pk} + n.i", at=_over_a_month(number))
    message = first(Notification, key="bench-0", channel="Email", contact=contact, status="sent")
    copies(
        message,
        number,
        key="'bench-' || n.i",
        contact_id=f"{contact.pk} + n.i",
        created_at=_over_a_month(number),
    )


def _events(options: Options) -> None:
    values = {"status": "processed", "attempts": 1, "next_attempt_at": None, "content_type": "application/json"}
    event = first(InboundEvent, provider="typeform", delivery_key="bench-0", body=BODY, **values)
    number = options.rows(EVENTS)
    copies(
        event,
        number,
        id="{uuid}",
        delivery_key="'bench-' || n.i",
        provider="CASE n.i %% 4 WHEN 0 THEN 'woocommerce' WHEN 1 THEN 'amelia' ELSE 'typeform' END",
        status="CASE n.i %% 1000 WHEN 0 THEN 'quarantined' ELSE 'processed' END",
        received_at=_over_a_month(number),
    )
    run = first(AgentRun, agent_id="LeadCaptureAgent", event_kind="lead.submitted", outcome="done")
    copies(run, options.rows(TASKS), started_at=_over_a_month(number))


def _over_a_month(number: int) -> str:
    """A time of the last month, the same distance apart for each of so many rows."""
    return f"{{ago:n.i * {MONTH / number:.6f}}}"


def _pages(options: Options) -> dict[str, str]:
    contact, instance = Contact.objects.order_by("pk")[100], WorkflowInstance.objects.order_by("pk")[100]
    task, event = Task.objects.order_by("pk")[100], InboundEvent.objects.order_by("received_at")[100]
    contacts, tasks = reverse("admin:contacts_contact_changelist"), reverse("admin:agents_app_task_changelist")
    inbox, search = reverse("admin:integrations_inboundevent_changelist"), reverse("admin:search")
    instances = reverse("admin:agents_app_workflowinstance_changelist")
    return {
        "home": reverse("admin:index"),
        "contacts": contacts,
        "contacts, a later page": f"{contacts}?p={min(150, options.rows(CONTACTS) // 50)}",
        "contacts, search by name": f"{contacts}?q=person+4711",
        "contacts, search without a hit": f"{contacts}?q=nobody+of+this+name",
        "contacts, filtered": f"{contacts}?status=Active+Client",
        "contact": reverse("admin:contacts_contact_change", args=[contact.pk]),
        "instances": instances,
        "instances, search": f"{instances}?q=person+4711",
        "instance": reverse("admin:agents_app_workflowinstance_change", args=[instance.pk]),
        "workflow board": reverse("admin:board_instances"),
        "tasks": tasks,
        "tasks, overdue": f"{tasks}?due=overdue",
        "tasks, search": f"{tasks}?q=person+4711",
        "task": reverse("admin:agents_app_task_change", args=[task.pk]),
        "task board": reverse("admin:board_tasks"),
        "inbox": inbox,
        "inbox, one provider": f"{inbox}?provider=amelia",
        "inbox, a silent provider": f"{inbox}?provider=circle",
        "inbox, needs a person": f"{inbox}?trouble=yes",
        "event": reverse("admin:integrations_inboundevent_change", args=[event.pk]),
        "integrations": reverse("admin:integrations"),
        "sync": reverse("admin:sync_overview"),
        "messages": reverse("admin:agents_app_notification_changelist"),
        "transitions": reverse("admin:agents_app_workflowtransition_changelist"),
        "runs of agents": reverse("admin:agents_app_agentrun_changelist"),
        "search box": f"{search}?s=person+4711&extended=1",
        "search box without a hit": f"{search}?s=nobody+of+this+name&extended=1",
    }


def _log_in() -> str:
    """The cookie of a person who is logged in, with the second factor behind them."""
    client = Client()
    client.force_login(User.objects.create_superuser("bench", "bench@example.org", "a-long-password"))
    session = client.session
    session[second_factor.KEY] = second_factor.PASSED
    session.save()
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


def _ask(port: int, path: str, cookie: str) -> tuple[int, float]:
    """The status and the milliseconds until the last byte."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
    began = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": cookie, "Host": "localhost", "Accept-Encoding": "identity"})
    answer: Any = connection.getresponse()
    answer.read()
    taken = (time.perf_counter() - began) * 1000
    connection.close()
    return answer.status, taken
