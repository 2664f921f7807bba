"""Workflows, tasks and messages in the console."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from agents_app.admin import picture
from agents_app.models import Agent, Notification, Task, Workflow, WorkflowInstance
from agents_app.services import catalog
from agents_app.workflow import engine
from agents_app.workflow.definitions import SOURCES
from agents_app.workflow.machine import parse
from tests.factories import make_contact, make_notification, make_task, make_template, make_workflow
from tests.seeds import planted

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> Client:
    planted()
    catalog.forget()
    client.force_login(User.objects.create_superuser("owner", password="a-long-password"))
    return client


def _instance(workflow: str = "WF-RETREAT-BOOKING", **given: Any) -> WorkflowInstance:
    return engine.start(Workflow.objects.get(workflow_id=workflow), name="Retreat", actor="BookingAgent", **given)


def _do(client: Client, row: Any, name: str, **data: str) -> str:
    opts = row._meta
    answer = client.post(reverse(f"admin:{opts.app_label}_{opts.model_name}_do", args=[row.pk, name]), data)
    assert answer.status_code == 302
    return str(list(get_messages(answer.wsgi_request))[-1])


def _page(client: Client, row: Any) -> str:
    opts = row._meta
    answer = client.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("workflow", sorted(SOURCES))
def test_the_buttons_are_exactly_the_legal_transitions(owner: Client, workflow: str):
    instance = _instance(workflow)

    buttons = re.findall(r'name="event" value="([a-z_0-9]+)"', _page(owner, instance))

    assert sorted(buttons) == sorted(item.event for item in engine.allowed(instance))


def test_an_instance_is_moved_by_a_button_and_the_history_names_who(owner: Client):
    instance = _instance()

    said = _do(owner, instance, "advance", event="booking_processed", note="by phone")

    instance.refresh_from_db()
    line = instance.history.order_by("-pk")[0]
    assert said == "“Retreat” is now in “Payment pending”."
    assert instance.current_state == "payment_pending"
    assert (line.actor, line.note) == ("owner", "by phone")


def test_an_illegal_move_changes_nothing_and_says_what_is_possible(owner: Client):
    instance = _instance()

    said = _do(owner, instance, "advance", event="service_completed")

    instance.refresh_from_db()
    assert said.startswith("“service_completed” is not possible in state “new_booking”")
    assert (instance.current_state, instance.history.count()) == ("new_booking", 1)


def test_an_instance_is_held_and_taken_up_again(owner: Client):
    instance = _instance()

    _do(owner, instance, "hold", note="waiting for the passport")
    instance.refresh_from_db()
    assert instance.status == "On Hold"
    _do(owner, instance, "resume_work")
    instance.refresh_from_db()
    assert (instance.status, instance.current_state) == ("Active", "new_booking")
    assert "is not possible" in _do(owner, instance, "retry")


def test_the_state_of_an_instance_cannot_be_typed_in(owner: Client):
    instance = _instance()
    url = reverse("admin:agents_app_workflowinstance_change", args=[instance.pk])
    data = {"instance_name": "Renamed", "priority": "High", "current_state": "completed", "status": "Completed"}

    answer = owner.post(url, data | {"validation_status": "", "tags": "", "source_system": "Manual"})

    instance.refresh_from_db()
    assert answer.status_code == 302
    assert (instance.instance_name, instance.priority) == ("Renamed", "High")
    assert (instance.current_state, instance.status) == ("new_booking", "Active")


def test_an_instance_made_by_hand_begins_with_its_tasks_and_history(owner: Client):
    contact = make_contact(full_name="Maya")
    workflow = Workflow.objects.get(workflow_id="WF-RETREAT-BOOKING")
    data = {
        "instance_name": "By phone",
        "workflow": workflow.pk,
        "contact": contact.pk,
        "priority": "Medium",
        "source_system": "Manual",
        "validation_status": "",
        "tags": "",
    }

    answer = owner.post(reverse("admin:agents_app_workflowinstance_add"), data)

    instance = WorkflowInstance.objects.get()
    assert answer.status_code == 302
    assert (instance.current_state, instance.client_lead_name) == ("new_booking", "Maya")
    assert [line.actor for line in instance.history.all()] == ["owner"]
    assert instance.related_tasks.count() > 0


def test_an_instance_of_a_broken_workflow_is_refused_with_the_reason(owner: Client):
    broken = make_workflow(states=[], transitions=[])
    data = {"instance_name": "x", "workflow": broken.pk, "priority": "Low", "source_system": "Manual"}

    page = owner.post(reverse("admin:agents_app_workflowinstance_add"), data)

    assert "This workflow cannot run" in page.content.decode()
    assert WorkflowInstance.objects.count() == 0


def test_an_instance_without_a_workflow_says_what_to_do(owner: Client):
    instance = WorkflowInstance.objects.create(instance_name="lost")

    assert "has no workflow: choose one for it first" in _page(owner, instance)


def test_an_edit_that_cannot_run_is_refused(owner: Client):
    workflow = Workflow.objects.get(workflow_id="WF-LEAD-CAPTURE")
    before = workflow.states
    form = owner.get(reverse("admin:agents_app_workflow_change", args=[workflow.pk])).context["adminform"].form
    data = {name: value for name in form.fields if (value := form[name].value()) not in (None, "", [])}
    data |= {"states": "[]", "created_date_0": "2026-01-01", "created_date_1": "00:00:00"}

    page = owner.post(reverse("admin:agents_app_workflow_change", args=[workflow.pk]), data)

    workflow.refresh_from_db()
    assert page.status_code == 200
    assert "cannot be used" in page.content.decode()
    assert workflow.states == before


def test_a_task_is_begun_done_and_opened_again(owner: Client):
    task = make_task()

    _do(owner, task, "in_progress")
    task.refresh_from_db()
    assert task.status == "In Progress"
    _do(owner, task, "done")
    task.refresh_from_db()
    assert (task.status, task.completed_date is None) == ("Done", False)
    _do(owner, task, "reopen")
    task.refresh_from_db()
    assert (task.status, task.completed_date) == ("To Do", None)


def test_tasks_done_in_bulk_move_their_workflows_on(owner: Client):
    instance = _instance("WF-LEAD-CAPTURE", key_data={"quality": "High"})
    engine.advance(instance, "scored", actor="LeadCaptureAgent", data={"quality": "High"})
    task = Task.objects.get(related_workflow_instance=instance, task_key__contains="follow_up_email")

    owner.post(reverse("admin:agents_app_task_changelist"), {"action": "done", "_selected_action": [task.pk]})

    instance.refresh_from_db()
    assert instance.current_state == "contacted"


def test_a_button_comes_back_to_the_page_it_stands_on_and_nowhere_else(owner: Client):
    task = make_task()
    url = reverse("admin:agents_app_task_do", args=[task.pk, "done"])

    assert owner.post(url, {"next": "/admin/contacts/contact/"})["Location"] == "/admin/contacts/contact/"
    away = owner.post(url, {"next": "https://evil.example/"})["Location"]
    assert away == reverse("admin:agents_app_task_change", args=[task.pk])


def test_an_agent_is_switched_off_and_on(owner: Client):
    agent = Agent.objects.get(agent_id="LeadCaptureAgent")

    _do(owner, agent, "switch_off")
    agent.refresh_from_db()
    assert agent.status == "Inactive"
    _do(owner, agent, "switch_on")
    agent.refresh_from_db()
    assert agent.status == "Deployed"


def test_only_a_message_that_failed_is_sent_again(owner: Client):
    failed = make_notification(status="failed", error="refused", attempts=6, next_attempt_at=None)
    sent = make_notification(status="sent", next_attempt_at=None)

    owner.post(
        reverse("admin:agents_app_notification_changelist"),
        {"action": "send_again", "_selected_action": [failed.pk, sent.pk]},
    )

    assert dict(Notification.objects.values_list("pk", "status")) == {failed.pk: "queued", sent.pk: "sent"}


def test_viewers_see_no_buttons(client: Client, owner: Client):
    instance = _instance()
    user = User.objects.create_user("viewer", password="a-long-password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    viewer = Client()
    viewer.force_login(user)

    page = _page(viewer, instance)

    assert re.findall(r'formaction="', page) == []
    assert (
        viewer.post(
            reverse("admin:agents_app_workflowinstance_do", args=[instance.pk, "advance"]),
            {"event": "booking_processed"},
        ).status_code
        == 403
    )


def test_an_option_that_people_made_up_in_notion_survives_an_edit_here(owner: Client):
    template = make_template(channel="Carrier Pigeon")

    page = _page(owner, template)

    assert '<option value="Carrier Pigeon" selected' in page


@pytest.mark.parametrize("workflow", sorted(SOURCES))
def test_every_workflow_is_drawn_with_all_its_states_and_no_box_on_another(workflow: str):
    definition = parse(SOURCES[workflow])

    places = picture.places(definition)
    drawing = picture.svg(definition, definition.initial)

    assert set(places) == set(definition.states)
    assert len({(box.x, box.y) for box in places.values()}) == len(places)
    assert drawing.count("<rect") == len(definition.states)
    assert drawing.count('class="now') == 1
