"""Tasks that are done, edits in Notion, the sender, the figures, the seeds."""

from __future__ import annotations

import smtplib
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from agents_app import tasks
from agents_app.agents.registry import AGENTS
from agents_app.models import (
    Agent,
    AgentRun,
    ApiIntegration,
    CommunicationPattern,
    DataTransformation,
    Notification,
    NotificationTemplate,
    Task,
    UseCase,
    Workflow,
    WorkflowInstance,
)
from agents_app.seeds.planting import plant
from agents_app.services import catalog, counts, reminders, sender
from contacts.models import BusinessEntity
from higherself.core.signals import record_pulled
from tests.agents_app.deliveries import deliver, lead
from tests.factories import make_agent_run, make_notification, make_task

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.fixture
def instance() -> WorkflowInstance:
    deliver(lead())
    return WorkflowInstance.objects.get()


def task_of(instance: WorkflowInstance, key: str) -> Task:
    return Task.objects.get(task_key=f"{instance.instance_id}:{key}:1")


def set_done(task: Task) -> None:
    task.status = "Done"
    task.save()


def test_the_task_that_was_done_moves_the_workflow_on(instance):
    task = task_of(instance, "follow_up_email")
    set_done(task)
    instance.refresh_from_db()
    task.refresh_from_db()
    assert instance.current_state == "contacted"
    assert task.completed_date is not None
    line = instance.history.order_by("pk").last()
    assert (line.event, line.actor, line.note, line.data) == (
        "contact_made",
        "TaskManagementAgent",
        "Task done: Send personalised follow-up email: Ada Lovelace",
        {"task": task.task_id},
    )


def test_saving_a_done_task_again_moves_nothing(instance):
    task = task_of(instance, "follow_up_email")
    set_done(task)
    lines = instance.history.count()
    task.notes = "They were glad."
    task.save()
    assert instance.history.count() == lines


def test_saving_only_the_status_works_too(instance):
    task = task_of(instance, "follow_up_email")
    task.status = "Done"
    task.save(update_fields=["status"])
    instance.refresh_from_db()
    assert instance.current_state == "contacted"


def test_a_task_that_names_no_event_is_a_line_in_the_history(instance):
    set_done(task_of(instance, "vip_nurture"))
    instance.refresh_from_db()
    assert (instance.current_state, instance.history.order_by("pk").last().event) == ("qualified", "task_done")


def test_a_done_task_never_fails_to_save_when_its_event_is_illegal(instance):
    from agents_app.workflow import engine

    task = task_of(instance, "follow_up_email")
    engine.advance(instance, "contact_made", actor="Grace")
    set_done(task)
    task.refresh_from_db()
    assert task.status == "Done"
    line = instance.history.order_by("pk").last()
    assert (line.event, line.to_state) == ("task_done", "contacted")
    assert "“contact_made” is not possible in state “contacted”" in line.note


def test_a_reopened_task_has_no_completion_date_and_counts_again(instance):
    task = task_of(instance, "vip_nurture")
    set_done(task)
    task.status = "In Progress"
    task.save()
    task.refresh_from_db()
    assert task.completed_date is None
    set_done(task)
    assert instance.history.filter(event="task_done").count() == 2


def test_a_task_done_in_notion_moves_the_workflow_on(instance):
    task = task_of(instance, "follow_up_email")
    # The engine of the sync may write without `save`.
    Task.objects.filter(pk=task.pk).update(status="Done")
    changed = {"status": ("To Do", "Done")}
    record_pulled.send(sender=Task, pk=task.pk, changed=changed, actor="Notion: Grace")
    record_pulled.send(sender=Task, pk=task.pk, changed=changed, actor="Notion: Grace")
    instance.refresh_from_db()
    assert (instance.current_state, instance.history.filter(event="contact_made").count()) == ("contacted", 1)


def test_tasks_done_in_bulk_are_found_by_the_sweep(instance):
    Task.objects.filter(pk=task_of(instance, "follow_up_email").pk).update(status="Done")
    assert tasks.sweep() == 1
    instance.refresh_from_db()
    assert instance.current_state == "contacted"
    assert tasks.sweep() == 0


def test_a_done_task_waits_while_the_agent_is_off(instance):
    agent = Agent.objects.get(agent_id="TaskManagementAgent")
    agent.status = "Inactive"
    agent.save()
    set_done(task_of(instance, "follow_up_email"))
    assert tasks.sweep() == 0
    agent.status = "Deployed"
    agent.save()
    assert tasks.sweep() == 1
    instance.refresh_from_db()
    assert instance.current_state == "contacted"


def pulled(task: Task, made_at: datetime | None = None, **values: Any) -> None:
    """What an edit in Notion does: the row is written as it stands there, then everybody is told."""
    changed = {name: (getattr(task, name), value) for name, value in values.items()}
    Task._base_manager.filter(pk=task.pk).update(**values)
    record_pulled.send(sender=Task, pk=task.pk, changed=changed, actor="Notion (Ada)", made_at=made_at)
    task.refresh_from_db()


def test_who_sets_a_task_done_together_with_its_date_moves_the_workflow_and_keeps_the_date(instance):
    task, yesterday = task_of(instance, "follow_up_email"), timezone.now() - timedelta(days=1)
    pulled(task, status="Done", completed_date=yesterday)
    instance.refresh_from_db()
    assert (instance.current_state, task.completed_date) == ("contacted", yesterday)
    assert tasks.sweep() == 0


def test_the_date_that_a_person_gives_an_open_task_stays(instance):
    task, yesterday = task_of(instance, "follow_up_email"), timezone.now() - timedelta(days=1)
    pulled(task, completed_date=yesterday)
    task.notes = "Nearly there."
    task.save()
    task.refresh_from_db()
    assert (task.completed_date, task.done_told) == (yesterday, False)


def test_a_task_that_was_done_before_the_server_knew_of_it_moves_nothing(instance):
    yesterday = timezone.now() - timedelta(days=1)
    task = make_task(related_workflow_instance=instance, task_key=task_of(instance, "follow_up_email").task_key + "*")
    pulled(task, made_at=yesterday, status="Done", completed_date=yesterday)
    assert (task.done_told, tasks.sweep()) == (True, 0)


def test_a_task_of_no_workflow_is_simply_done():
    task = make_task()
    set_done(task)
    assert (task.completed_date is not None, AgentRun.objects.count()) == (True, 0)


def test_a_broken_edit_of_a_workflow_in_notion_is_put_back(caplog):
    row = Workflow.objects.get(workflow_id="WF-LEAD-CAPTURE")
    good = row.transitions
    Workflow.objects.filter(pk=row.pk).update(transitions=[])
    record_pulled.send(sender=Workflow, pk=row.pk, changed={"transitions": (good, [])}, actor="Notion: Grace")
    row.refresh_from_db()
    assert (row.transitions, row.local_change_at is not None) == (good, True)
    assert "was put back, it cannot run" in caplog.text


def test_a_good_edit_of_a_map_in_notion_stands():
    row = DataTransformation.objects.get(transformation_id="TRANSFORM-TYPEFORM-LEAD")
    new = {"fields": {"email": [{"ref": "mail"}]}}
    DataTransformation.objects.filter(pk=row.pk).update(transformation_logic=new)
    changed = {"transformation_logic": (row.transformation_logic, new)}
    record_pulled.send(sender=DataTransformation, pk=row.pk, changed=changed, actor="Notion: Grace")
    row.refresh_from_db()
    assert row.transformation_logic == new


# -- the sender -----------------------------------------------------------------------------------------------------
def test_queued_messages_are_sent_once(instance):
    BusinessEntity.objects.update(sender_email="hello@connection.example")
    catalog.forget()
    assert tasks.send_notifications() == 2
    assert tasks.send_notifications() == 0
    assert sorted((message.to, message.from_email) for message in mail.outbox) == [
        (["ada@example.com"], '"The Connection Practice" <hello@connection.example>'),
        (["team@example.org"], '"The Connection Practice" <hello@connection.example>'),
    ]
    assert [(row.status, row.attempts, row.sent_at is not None) for row in Notification.objects.all()] == [
        ("sent", 1, True),
        ("sent", 1, True),
    ]


def test_a_message_id_is_the_same_in_every_attempt():
    make_notification(key="k")
    ids = []
    for _ in range(2):
        Notification.objects.update(status="queued", next_attempt_at=timezone.now())
        sender.send_due()
        ids.append(mail.outbox[-1].extra_headers["Message-ID"])
    assert ids[0] == ids[1]


def test_a_mail_server_that_is_away_is_tried_again_later():
    row = make_notification()
    with mock.patch("django.core.mail.EmailMessage.send", side_effect=smtplib.SMTPServerDisconnected("gone")):
        tasks.send_notifications()
    row.refresh_from_db()
    assert (row.status, row.attempts, row.error) == ("queued", 1, "SMTPServerDisconnected: gone")
    assert row.next_attempt_at > timezone.now() + timedelta(seconds=20)


def test_after_the_last_attempt_a_message_has_failed():
    row = make_notification(attempts=sender.MAX_ATTEMPTS - 1)
    with mock.patch("django.core.mail.EmailMessage.send", side_effect=OSError("no route")):
        tasks.send_notifications()
    row.refresh_from_db()
    assert (row.status, row.error) == ("failed", "Not sent after 6 attempts: no route")


def test_a_recipient_who_is_refused_is_not_asked_for_again():
    row = make_notification()
    refusal = smtplib.SMTPRecipientsRefused({"team@example.org": (550, b"unknown")})
    with mock.patch("django.core.mail.EmailMessage.send", side_effect=refusal):
        tasks.send_notifications()
    row.refresh_from_db()
    assert (row.status, row.attempts) == ("failed", 1)


def test_a_message_that_another_worker_sends_is_left_alone():
    row = make_notification()
    Notification.objects.filter(pk=row.pk).update(attempts=1)
    assert sender._claim(row) is False


def test_a_name_cannot_add_headers_to_a_message():
    make_notification(subject="Hello\nBcc: all@example.org")
    tasks.send_notifications()
    assert mail.outbox == []
    assert Notification.objects.get().status == "failed"


# -- reminders ------------------------------------------------------------------------------------------------------
def test_what_is_late_gets_a_higher_priority_once_and_is_reported_once():
    now = timezone.now()
    task = make_task(due_date=now - timedelta(hours=25), priority="Medium", assignee_text="bookings")
    make_task(due_date=now - timedelta(hours=23))
    make_task(due_date=now - timedelta(days=9), status="Done", completed_date=now)
    assert (reminders.escalate(now), reminders.escalate(now)) == (1, 0)
    task.refresh_from_db()
    assert task.priority == "High"
    assert reminders.escalate(now + timedelta(days=2)) == 2
    task.refresh_from_db()
    assert task.priority == "High"
    assert sorted(Notification.objects.filter(task=task).values_list("template__template_id", flat=True)) == [
        "task_escalation",
        "task_overdue",
    ]


def test_one_message_a_day_lists_what_is_due_and_late():
    now = timezone.now()
    entity = BusinessEntity.objects.get(entity_key="the-7-space")
    make_task(task_name="Call Jane", due_date=now - timedelta(hours=1), assigned_to=[{"id": "1", "name": "Grace"}])
    make_task(task_name="Pack", due_date=now + timedelta(hours=20), related_business_entity=entity)
    make_task(task_name="Later", due_date=now + timedelta(hours=30))
    assert (reminders.daily_digest(now), reminders.daily_digest(now)) == (2, 2)
    row = Notification.objects.get()
    assert (row.subject, row.recipient) == ("2 tasks are due or late", "team@example.org")
    first, second = row.body.splitlines()[:2]
    assert (first.startswith("- LATE, "), " · Grace · Call Jane (TASK-" in first) == (True, True)
    local = (now + timedelta(hours=20)).astimezone(entity.zone)
    assert second.startswith(f"- {local:%Y-%m-%d %H:%M %Z} · Medium · nobody · Pack (TASK-")


def test_nothing_due_is_no_message():
    assert (tasks.task_digest(), Notification.objects.count()) == (0, 0)


# -- figures --------------------------------------------------------------------------------------------------------
def test_figures_are_measured_and_written_only_when_they_change(instance):
    tasks.send_notifications()
    for outcome in ("failed", "done", "done"):
        make_agent_run(outcome=outcome)
    counts.refresh()
    agent = Agent.objects.get(agent_id="LeadCaptureAgent")
    workflow = Workflow.objects.get(workflow_id="WF-LEAD-CAPTURE")
    template = NotificationTemplate.objects.get(template_id="new_lead")
    assert (agent.execution_count, agent.success_rate, agent.health_status) == (4, 0.75, "Degraded")
    assert (workflow.total_instances_count, workflow.active_instances_count, workflow.success_rate) == (1, 1, None)
    assert (template.send_count, template.last_sent is not None) == (1, True)
    assert counts.refresh() == 0


# -- seeds ----------------------------------------------------------------------------------------------------------
SEEDED = {
    BusinessEntity: 2,
    Agent: 7,
    ApiIntegration: 12,
    Workflow: 8,
    UseCase: 8,
    DataTransformation: 13,
    NotificationTemplate: 22,
    CommunicationPattern: 9,
}


def test_a_new_installation_has_its_rows_and_they_are_linked():
    assert {model: model.objects.count() for model in SEEDED} == SEEDED
    deployed = Agent.objects.filter(status="Deployed").order_by("agent_id").values_list("agent_id", flat=True)
    assert list(deployed) == sorted(AGENTS)
    assert [row.related_workflows.count() for row in UseCase.objects.all()] == [1] * 8
    pattern = CommunicationPattern.objects.get(pattern_name="Lead Capture to Task Creation")
    assert (pattern.source_agent.agent_id, pattern.target_agent.agent_id) == ("LeadCaptureAgent", "TaskManagementAgent")


def test_seeding_again_creates_nothing_and_leaves_edits_alone():
    BusinessEntity.objects.filter(entity_key="the-7-space").update(name="Seventh Space")
    agent = Agent.objects.get(agent_id="BookingAgent")
    agent.archive()
    assert set(plant().values()) == {0}
    assert BusinessEntity.objects.get(entity_key="the-7-space").name == "Seventh Space"
    agent.refresh_from_db()
    assert agent.is_archived is True


def test_the_command_says_what_it_made(capsys):
    UseCase.objects.all().delete()
    call_command("seed")
    call_command("seed")
    assert capsys.readouterr().out.splitlines() == ["8 use cases created", "Nothing was missing."]
