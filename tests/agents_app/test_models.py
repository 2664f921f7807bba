"""Agents, workflows, tasks, templates and what they log."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
import time_machine
from django.db import IntegrityError, transaction

from agents_app.models import Agent, NotificationTemplate, Task, WorkflowInstance
from tests.factories import (
    MAKERS,
    make_agent,
    make_agent_run,
    make_campaign,
    make_feedback,
    make_instance,
    make_notification,
    make_pattern,
    make_task,
    make_template,
    make_transition,
    make_workflow,
)

UTC = timezone.utc
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("make", [pytest.param(make, id=key) for key, make in MAKERS.items()])
def test_every_new_record_waits_for_notion(make):
    row = make()
    assert type(row).objects.filter(pk=row.pk, local_change_at__isnull=False).get() == row


# -- agents --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_agent_works_while_it_is_deployed_and_not_archived():
    agent = make_agent()
    assert agent.is_deployed is True
    agent.archive()
    assert agent.is_deployed is False
    assert Agent(status="Inactive").is_deployed is False


@pytest.mark.django_db
def test_agents_show_what_they_send_and_receive():
    source, target = make_agent(), make_agent()
    pattern = make_pattern(source_agent=source, target_agent=target, active_workflows_using=[make_workflow()])
    assert list(source.sends.all()) == list(target.receives.all()) == [pattern]
    assert pattern.usage_count == 1


# -- workflows -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_workflow_has_each_version_once():
    make_workflow(workflow_id="WF-ONE", version="1.0.0")
    make_workflow(workflow_id="WF-ONE", version="1.1.0")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_workflow(workflow_id="WF-ONE", version="1.1.0")


@pytest.mark.django_db
def test_one_source_record_runs_once_in_one_workflow():
    workflow = make_workflow()
    source = {"source_system": "Amelia", "source_record_id": "7"}
    make_instance(workflow=workflow, **source)
    make_instance(**source)
    make_instance(workflow=workflow, source_system="Amelia")
    make_instance(workflow=workflow, source_system="Amelia")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_instance(workflow=workflow, **source)
    assert workflow.instances.count() == 3


@pytest.mark.parametrize(
    ("days", "status", "sla"),
    [(7, "Active", "Within SLA"), (8, "Active", "Overdue"), (7, "Completed", "Met"), (8, "Completed", "Overdue")],
)
def test_an_instance_is_late_after_seven_days(days: int, status: str, sla: str):
    instance = WorkflowInstance(status=status, start_date=NOON - timedelta(days=days), end_date=NOON)
    assert (instance.duration_days, instance.sla_status) == (days, sla)


@time_machine.travel(NOON, tick=False)
def test_a_running_instance_is_as_old_as_it_is_now():
    assert WorkflowInstance(start_date=NOON - timedelta(days=3, hours=5)).duration_days == 3
    assert WorkflowInstance(start_date=None).duration_days is None


@pytest.mark.django_db
def test_what_lies_below_shows_the_instances_above_it():
    campaign, feedback = make_campaign(), make_feedback()
    instance = make_instance(campaign=campaign, feedback=[feedback])
    assert list(campaign.workflow_instances.all()) == [instance]
    assert list(feedback.related_workflow_instances.all()) == [instance]


@pytest.mark.django_db
def test_the_history_is_in_the_order_in_which_it_happened():
    instance = make_instance()
    late = make_transition(instance=instance, at=NOON, event="paid", from_state="begun", to_state="paid")
    early = make_transition(instance=instance, at=NOON - timedelta(hours=1))
    assert list(instance.history.all()) == [early, late]
    assert [str(line) for line in instance.history.all()] == ["started: · → begun", "paid: begun → paid"]


# -- tasks ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_one_occasion_has_one_task():
    make_task(task_key="INST-1:follow_up:1")
    make_task()
    make_task()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_task(task_key="INST-1:follow_up:1")


@time_machine.travel(NOON, tick=False)
@pytest.mark.parametrize(
    ("hours", "days", "overdue"), [(49, 2, False), (1, 0, False), (-1, 0, True), (-25, -1, True), (-49, -2, True)]
)
def test_days_until_due_are_whole_and_negative_when_late(hours: int, days: int, overdue: bool):
    task = Task(due_date=NOON + timedelta(hours=hours))
    assert (task.days_until_due, task.is_overdue) == (days, overdue)


@time_machine.travel(NOON, tick=False)
def test_a_task_without_a_date_or_that_is_done_is_never_late():
    assert (Task().days_until_due, Task().is_overdue) == (None, False)
    assert Task(due_date=NOON - timedelta(days=1), status="Done").is_overdue is False


def test_the_completion_time_is_in_whole_hours():
    created = datetime(2026, 5, 1, tzinfo=UTC)
    assert Task(created_date=created, completed_date=created + timedelta(hours=5, minutes=59)).completion_time == 5
    assert Task(created_date=created).completion_time is None


@pytest.mark.django_db
def test_a_task_knows_what_it_waits_for_and_what_waits_for_it():
    first, second, child = make_task(), make_task(), make_task()
    second.dependencies.add(first)
    child.parent = second
    child.save()
    assert list(first.blocks.all()) == [second]
    assert list(first.dependencies.all()) == []
    assert list(second.subtasks.all()) == [child]


@pytest.mark.django_db
def test_a_task_is_an_action_item_of_its_feedback():
    feedback = make_feedback()
    task = make_task(related_feedback=feedback)
    assert list(feedback.action_items.all()) == [task]


# -- messages ------------------------------------------------------------------------------------------------------


def test_the_marketing_tag_makes_a_template_marketing():
    assert NotificationTemplate(tags=["Marketing", "Welcome"]).is_marketing is True
    assert NotificationTemplate(tags=["Transactional"]).is_marketing is False


@pytest.mark.django_db
def test_one_occasion_sends_one_message():
    make_notification(key="booking-7")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_notification(key="booking-7")


@pytest.mark.django_db
def test_a_message_outlives_its_template():
    template = make_template()
    notification = make_notification(template=template)
    template.delete()
    notification.refresh_from_db()
    assert (notification.template, notification.status) == (None, "queued")


@pytest.mark.django_db
def test_a_run_names_its_agent_event_and_outcome():
    assert str(make_agent_run()) == "LeadCaptureAgent: lead.submitted (done)"
