"""Tasks: who does them, what they wait for, and what stands still for too long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents_app.models import Notification, Task, Workflow, WorkflowInstance
from agents_app.services import catalog, reminders
from agents_app.workflow import engine, machine
from agents_app.workflow.definitions import SOURCES
from contacts.models import BusinessEntity
from higherself.core.signals import record_pulled
from notion_sync.models import NotionPage
from notion_sync.sandbox import Sandbox
from tests.factories import make_task

pytestmark = pytest.mark.usefixtures("seeded")

GRACE = {"id": "u-grace", "name": "Grace Hopper"}


def order(**options: Any) -> WorkflowInstance:
    workflow = Workflow.objects.filter(workflow_id="WF-ART-SALE").latest("pk")
    entity = BusinessEntity.objects.get(entity_key="the-7-space")
    options = {"name": "Order 7", "actor": "Grace", "business_entity": entity, "key_data": {"art": True}, **options}
    instance = engine.start(workflow, **options)
    engine.advance(instance, "payment_received", actor="Grace")
    return instance


def the(key: str) -> Task:
    return Task.objects.get(task_key__contains=f":{key}:")


@pytest.mark.parametrize(
    ("lines", "people", "text"),
    [
        ("", [{"id": "u-def", "name": "Default"}], "gallery"),
        ("bookings: Somebody", [{"id": "u-def", "name": "Default"}], "gallery"),
        ("Gallery : Ann Other\nbookings: Grace Hopper", [], "gallery: Ann Other"),
        ("gallery: grace hopper", [GRACE], "gallery"),
        ("gallery: u-grace", [GRACE], "gallery"),
    ],
)
def test_a_role_is_done_by_whom_the_business_names(lines: str, people: list[Any], text: str):
    BusinessEntity.objects.filter(entity_key="the-connection-practice").update(default_assignee=[GRACE])
    BusinessEntity.objects.filter(entity_key="the-7-space").update(
        default_assignee=[{"id": "u-def", "name": "Default"}], role_assignees=lines
    )
    catalog.stale()
    order()
    task = the("package_artwork")
    assert (task.assigned_to, task.assignee_text) == (people, text)


def test_a_task_waits_for_those_that_it_needs():
    instance = order()
    engine.advance(instance, "packing_started", actor="Grace")
    assert list(the("ship").dependencies.all()) == [the("certificate")]


def test_a_task_that_was_never_made_holds_up_nothing():
    instance = order(key_data={"art": False})
    engine.advance(instance, "packing_started", actor="Grace")
    assert the("ship").dependencies.count() == 0


def test_a_definition_that_needs_an_unknown_task_is_refused():
    source = {**SOURCES["WF-TASK-MGMT"]}
    states = {name: dict(state) for name, state in source["states"].items()}
    first = next(iter(states.values()))
    first["tasks"] = [{"key": "a", "name": "A", "needs": ["b"]}]
    with pytest.raises(machine.BrokenDefinition, match="needs b, which is no other task"):
        machine.parse({**source, "states": states})


def begun_in_notion(task: Task) -> None:
    before = task.status
    Task.objects.filter(pk=task.pk).update(status="In Progress")
    record_pulled.send(sender=Task, pk=task.pk, changed={"status": (before, "In Progress")}, actor="Notion (Grace)")
    task.refresh_from_db()


def test_a_task_that_is_begun_too_early_in_notion_is_put_back_with_the_reason():
    first, second = make_task(task_name="First"), make_task(task_name="Second")
    second.dependencies.add(first)
    begun_in_notion(second)
    assert (second.status, second.local_change_at is not None) == ("To Do", True)
    assert second.notes.endswith(
        "the status set by Notion (Grace) was put back. "
        f"“Second” cannot begin yet: first First ({first.task_id}) has to be done."
    )
    first.status = "Done"
    first.save()
    begun_in_notion(second)
    assert second.status == "In Progress"


def test_the_reason_is_seen_in_notion(notion: Sandbox, sync: Callable[..., Any]):
    first, second = make_task(task_name="First"), make_task(task_name="Second")
    second.dependencies.add(first)
    sync()
    page = NotionPage.objects.get(database_id="master_tasks", object_id=second.pk).page_id
    notion.person.update(page, {"Status": "In Progress"})
    sync()
    sync()
    values = notion.values(page)
    assert (values["Status"], "cannot begin yet" in values["Notes"]) == ("To Do", True)


def test_the_console_refuses_as_well(client: Client):
    first, second = make_task(task_name="First"), make_task(task_name="Second")
    second.dependencies.add(first)
    client.force_login(User.objects.create_superuser("owner", password="a-long-password"))
    answer = client.post(reverse("admin:agents_app_task_do", args=[second.pk, "in_progress"]))
    assert "cannot begin yet" in str(list(get_messages(answer.wsgi_request))[-1])
    second.refresh_from_db()
    assert second.status == "To Do"


def test_who_waited_is_told_once_when_the_last_of_them_is_done():
    one, two, waiting = make_task(), make_task(), make_task(task_name="Hang the picture")
    waiting.dependencies.set([one, two])
    for task in (one, two, two):
        task.status = "Done"
        task.save()
    rows = Notification.objects.filter(template__template_id="task_ready")
    assert [(row.task, row.subject) for row in rows] == [(waiting, "You can begin: Hang the picture")]


def test_what_stands_still_gets_one_review_for_each_stay():
    instance = order()
    later = timezone.now() + timedelta(days=8)
    WorkflowInstance.objects.filter(pk=instance.pk).update(next_timer_at=None)
    assert [reminders.review_stalled(later), reminders.review_stalled(later)] == [1, 0]
    assert the("stalled").related_workflow_instance == instance
    assert reminders.review_stalled(timezone.now() + timedelta(days=6)) == 0


def test_what_the_clock_will_look_at_is_not_called_stalled():
    instance = order()
    WorkflowInstance.objects.filter(pk=instance.pk).update(next_timer_at=timezone.now() + timedelta(days=30))
    assert reminders.review_stalled(timezone.now() + timedelta(days=8)) == 0


def test_three_days_late_is_said_on_slack_too_where_it_is_connected(settings: Any):
    task = make_task(task_name="Call", due_date=timezone.now() - timedelta(days=4))
    reminders.escalate()
    slack = Notification.objects.filter(template__template_id="task_escalation_slack")
    assert slack.count() == 0
    Notification.objects.all().delete()
    settings.SLACK_WEBHOOK_URL = "https://hooks.slack.com/services/x"
    reminders.escalate()
    reminders.escalate()
    assert [(row.task, row.channel, row.status) for row in slack] == [(task, "Slack", "queued")]
    assert len(mail.outbox) == 0
