"""What waits for a second person: who may decide, what happens then, and that nothing happens before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents_app.models import Approval, Notification, Task, Workflow, WorkflowInstance
from agents_app.services import approvals, catalog
from agents_app.workflow import clock, engine, machine
from agents_app.workflow.definitions import SOURCES
from contacts.models import Contact
from higherself.core.errors import Conflict, Permanent
from higherself.core.tokens import create
from tests.factories import make_contact, make_workflow

pytestmark = pytest.mark.usefixtures("seeded")


def person(name: str, *, may_decide: bool = True) -> User:
    user = User.objects.create_user(name, email=f"{name}@example.org", password="a-long-password", is_staff=True)
    names = ["view_approval", "change_workflowinstance", "view_workflowinstance", "view_contact", "change_contact"]
    found = Permission.objects.filter(codename__in=[*names, *(["decide_approval"] if may_decide else [])])
    user.user_permissions.set(found)
    return User.objects.get(pk=user.pk)


def campaign(**options: Any) -> WorkflowInstance:
    workflow = Workflow.objects.filter(workflow_id="WF-MKTG-CAMP").latest("pk")
    instance = engine.start(workflow, name="Spring letter", actor="Grace", **options)
    for event in ("plan_approved", "segments_defined", "content_ready", "content_approved"):
        engine.advance(instance, event, actor="Grace")
    return instance


def ask(instance: WorkflowInstance, event: str = "channels_configured", **options: Any) -> Approval:
    with pytest.raises(engine.Held):
        engine.advance(instance, event, **{"actor": "Grace", "note": "all is set up", **options})
    return Approval.objects.get(status="pending")


def test_a_campaign_is_not_activated_before_somebody_allows_it():
    instance = campaign()
    approval = ask(instance)
    instance.refresh_from_db()
    assert instance.current_state == "channel_setup"
    assert (approval.action, approval.status, approval.requested_by) == ("campaign.activate", "pending", "Grace")
    assert (approval.subject_id, approval.subject_label) == (instance.pk, "Spring letter")
    line = instance.history.order_by("pk").last()
    assert (line.event, line.from_state, line.to_state) == ("approval_requested", "channel_setup", "channel_setup")
    assert approval.approval_id in instance.history_tail


def test_once_it_is_allowed_it_goes_on_by_itself_and_the_history_names_both():
    instance = campaign()
    done = approvals.approve(ask(instance), person("olga"), "looks good")
    instance.refresh_from_db()
    assert (instance.current_state, done.status, done.decided_by) == ("campaign_activation", "approved", "olga")
    assert done.outcome == f"{instance.instance_id} is now in “campaign_activation”."
    line = instance.history.order_by("pk").last()
    assert (line.actor, line.note) == (
        "olga",
        f"{done.approval_id} requested by Grace, approved by olga: all is set up; looks good",
    )
    assert line.data == {"approval": done.approval_id, "requested_by": "Grace", "decided_by": "olga"}


def test_a_refusal_leaves_it_where_it_is_and_says_who():
    instance = campaign()
    done = approvals.refuse(ask(instance), person("olga"), "the date is wrong")
    instance.refresh_from_db()
    assert (instance.current_state, done.status, done.outcome) == ("channel_setup", "refused", "")
    line = instance.history.order_by("pk").last()
    assert (line.event, line.actor, line.note.endswith(": all is set up; the date is wrong")) == (
        "approval_refused",
        "olga",
        True,
    )


def test_asking_again_is_the_same_request_and_one_line_of_history():
    instance = campaign()
    first, lines = ask(instance), instance.history.count()
    assert ask(instance, actor="Somebody else").pk == first.pk
    assert instance.history.count() == lines


def test_a_request_after_a_refusal_is_a_new_one():
    instance = campaign()
    first = ask(instance)
    approvals.refuse(first, person("olga"))
    assert ask(instance).pk != first.pk


@pytest.mark.parametrize("requested_by", ["olga", "OLGA@example.org", "Notion (olga)"])
def test_nobody_decides_about_what_they_asked_for_themselves(requested_by: str):
    approval, olga = ask(campaign(), actor=requested_by), person("olga")
    for decide in (approvals.approve, approvals.refuse):
        with pytest.raises(Permanent, match="somebody else"):
            decide(approval, olga)
    approval.refresh_from_db()
    assert approval.status == "pending"


def test_an_account_is_recognised_by_itself_and_not_by_its_name():
    olga = person("olga")
    approval = ask(campaign(), actor="the person in charge", requester=olga)
    with pytest.raises(Permanent, match="somebody else"):
        approvals.approve(approval, olga)


def test_deciding_needs_the_permission():
    approval = ask(campaign())
    with pytest.raises(Permanent, match="decide_approval"):
        approvals.approve(approval, person("intern", may_decide=False))
    inactive = person("gone")
    inactive.is_active = False
    with pytest.raises(Permanent, match="decide_approval"):
        approvals.approve(approval, inactive)


def test_what_is_decided_is_decided():
    approval = ask(campaign())
    approvals.refuse(approval, person("olga"))
    with pytest.raises(Conflict, match="refused already"):
        approvals.approve(approval, person("paul"))


def test_a_request_ends_when_its_instance_goes_another_way():
    instance = campaign()
    approval = ask(instance)
    engine.advance(instance, "canceled", actor="Grace")
    approval.refresh_from_db()
    assert (approval.status, approval.outcome) == (
        "withdrawn",
        f"{instance.instance_id} has left “channel_setup”.",
    )


def test_an_approval_that_comes_too_late_says_so_and_moves_nothing():
    instance = campaign()
    approval = ask(instance)
    WorkflowInstance.objects.filter(pk=instance.pk).update(current_state="canceled", status="Cancelled")
    done = approvals.approve(approval, person("olga"))
    instance.refresh_from_db()
    assert (done.status, instance.current_state) == ("approved", "canceled")
    assert done.outcome.startswith("Approved, but not done: “channels_configured” is not possible")


def test_the_team_is_told_once():
    instance = campaign()
    ask(instance)
    ask(instance)
    rows = Notification.objects.filter(template__template_id="approval_requested")
    assert [(row.recipient, row.subject) for row in rows] == [
        ("team@example.org", "Waits for your approval: Activate a campaign")
    ]


def test_what_a_provider_reports_is_a_fact_and_waits_for_nobody():
    workflow = Workflow.objects.filter(workflow_id="WF-ART-SALE").latest("pk")
    instance = engine.start(workflow, name="Order 7", actor="BookingAgent")
    engine.advance(instance, "payment_received", actor="BookingAgent")
    engine.advance(instance, "refunded", actor="BookingAgent")
    assert (instance.current_state, Approval.objects.count()) == ("refunded", 0)


def test_a_refund_that_we_decide_about_waits():
    workflow = Workflow.objects.filter(workflow_id="WF-ART-SALE").latest("pk")
    instance = engine.start(workflow, name="Order 7", actor="BookingAgent")
    engine.advance(instance, "payment_received", actor="BookingAgent")
    assert ask(instance, "refund_granted").action == "order.refund"
    with pytest.raises(engine.Held):
        engine.move_to(instance, "refunded", actor="Notion (Grace)")
    assert Approval.objects.count() == 1


def test_a_refund_of_a_booking_becomes_a_task_when_it_is_allowed():
    workflow = Workflow.objects.filter(workflow_id="WF-RETREAT-BOOKING").latest("pk")
    instance = engine.start(workflow, name="Retreat", actor="BookingAgent", key_data={"paid": True})
    engine.advance(instance, "canceled", actor="BookingAgent")
    approval = Approval.objects.get()
    refunds = Task.objects.filter(task_name__startswith="Process refund")
    assert (approval.action, refunds.count()) == ("booking.refund", 0)

    done = approvals.approve(approval, person("olga"))

    task = refunds.get()
    assert (task.status, done.outcome) == ("To Do", f"Task {task.task_id}: Process refund.")
    engine.note(instance, "a late word", actor="Grace")
    task.refresh_from_db()
    assert task.status == "To Do"


def test_a_booking_that_was_not_paid_asks_for_no_refund():
    workflow = Workflow.objects.filter(workflow_id="WF-RETREAT-BOOKING").latest("pk")
    instance = engine.start(workflow, name="Retreat", actor="BookingAgent")
    engine.advance(instance, "canceled", actor="BookingAgent")
    assert Approval.objects.count() == 0


def timed() -> WorkflowInstance:
    states = [
        {"name": "waiting", "label": "Waiting"},
        {"name": "out", "label": "Out", "status": "Completed"},
        {"name": "lapsed", "label": "Lapsed", "status": "Completed"},
    ]
    moves = [
        {"event": "go_out", "from": ["waiting"], "to": "out", "timer": {"hours": 1}, "approval": "content.publish"},
        {"event": "lapse", "from": ["waiting"], "to": "lapsed", "timer": {"hours": 72}},
    ]
    workflow = make_workflow(initial_state="waiting", states=states, transitions=moves)
    catalog.stale()
    return engine.start(workflow, name="Article", actor="Grace")


def test_the_clock_asks_once_and_not_again_after_a_refusal():
    instance = timed()
    at = timezone.now() + timedelta(hours=2)
    for _ in range(3):
        clock.fire_due(at)
    approvals.refuse(Approval.objects.get(), person("olga"))
    clock.fire_due(at)
    assert (Approval.objects.count(), Approval.objects.get().requested_by) == (1, "Clock")
    # What else the clock does from that state is not held up.
    clock.fire_due(at + timedelta(days=3))
    instance.refresh_from_db()
    assert instance.current_state == "lapsed"


def test_a_broken_approval_name_is_refused_with_the_definition():
    source = {**SOURCES["WF-MKTG-CAMP"]}
    source["transitions"] = [
        *source["transitions"],
        {"event": "x", "from": ["wrap_up"], "to": "analysis", "approval": "A b"},
    ]
    with pytest.raises(machine.BrokenDefinition, match="approval"):
        machine.parse(source)


# -- over the API ---------------------------------------------------------------------------------------------------
def post(client: Client, instance: WorkflowInstance, event: str) -> Any:
    headers = {"Authorization": f"Token {create('planner', [], None)}"}
    return client.post(
        f"/workflows/{instance.instance_id}/transitions", {"event": event}, "application/json", headers=headers
    )


def test_the_api_answers_that_it_waits_and_not_that_it_is_done(client: Client):
    instance = campaign()
    answer = post(client, instance, "channels_configured")
    body, approval = answer.json(), Approval.objects.get()
    assert (answer.status_code, body["current_state"]) == (202, "channel_setup")
    assert (body["approval"]["approval_id"], body["approval"]["status"], body["approval"]["requested_by"]) == (
        approval.approval_id,
        "pending",
        "token planner",
    )
    again = post(client, instance, "channels_configured").json()
    assert again["approval"]["approval_id"] == approval.approval_id
    assert {
        item["event"]: item["approval"]
        for item in Client()
        .get(f"/workflows/{instance.instance_id}", headers={"Authorization": f"Token {create('x', [], None)}"})
        .json()["allowed_transitions"]
    } == {"channels_configured": "campaign.activate", "canceled": "", "hold": "", "post_sent": ""}


# -- in the console -------------------------------------------------------------------------------------------------
def press(client: Client, row: Any, name: str, **data: str) -> str:
    opts = row._meta
    answer = client.post(reverse(f"admin:{opts.app_label}_{opts.model_name}_do", args=[row.pk, name]), data)
    assert answer.status_code == 302, answer.status_code
    return str(list(get_messages(answer.wsgi_request))[-1])


def test_one_person_asks_in_the_console_and_another_allows(client: Client):
    instance = campaign()
    client.force_login(person("grace"))
    said = press(client, instance, "advance", event="channels_configured")
    approval = Approval.objects.get()
    assert said.startswith("“channels_configured” waits in state “channel_setup” for an approval (campaign.activate, ")
    assert "somebody else" in press(client, approval, "approve")
    other = Client()
    other.force_login(person("olga"))
    page = other.get(reverse("admin:agents_app_approval_change", args=[approval.pk])).content.decode()
    assert reverse("admin:agents_app_approval_do", args=[approval.pk, "approve"]) in page
    press(other, approval, "approve", note="go")
    instance.refresh_from_db()
    assert instance.current_state == "campaign_activation"


def test_the_buttons_are_for_those_with_the_right(client: Client):
    approval = ask(campaign())
    client.force_login(person("intern", may_decide=False))
    answer = client.post(reverse("admin:agents_app_approval_do", args=[approval.pk, "approve"]))
    page = client.get(reverse("admin:agents_app_approval_change", args=[approval.pk])).content.decode()
    assert (answer.status_code, "Deciding needs the permission" in page) == (403, True)


def test_the_queue_shows_what_waits(client: Client):
    done, waiting = ask(campaign()), None
    approvals.refuse(done, person("olga"))
    waiting = ask(campaign())
    client.force_login(person("paul"))
    changelist = client.get(reverse("admin:agents_app_approval_changelist")).context["cl"]
    assert [row.pk for row in changelist.result_list] == [waiting.pk]
    everything = client.get(reverse("admin:agents_app_approval_changelist") + "?state=all").context["cl"]
    assert [row.pk for row in everything.result_list] == [waiting.pk, done.pk]


def test_a_fact_that_names_a_permission_is_only_for_those_who_have_it(client: Client):
    workflow = Workflow.objects.filter(workflow_id="WF-ART-SALE").latest("pk")
    instance = engine.start(workflow, name="Order 7", actor="BookingAgent")
    engine.advance(instance, "payment_received", actor="BookingAgent")
    client.force_login(person("intern", may_decide=False))
    assert "needs the permission" in press(client, instance, "advance", event="refunded")
    instance.refresh_from_db()
    assert instance.current_state == "payment_confirmed"


def archive(client: Client, rows: list[Contact]) -> str:
    data = {"action": "archive", "_selected_action": [row.pk for row in rows]}
    answer = client.post(reverse("admin:contacts_contact_changelist"), data)
    return str(list(get_messages(answer.wsgi_request))[-1])


def test_putting_many_records_aside_waits_and_a_few_do_not(client: Client, settings: Any):
    settings.ARCHIVE_APPROVAL_FROM = 3
    rows = [make_contact() for _ in range(5)]
    client.force_login(person("grace"))
    archive(client, rows[:2])
    assert Contact.objects.live().count() == 3

    said = archive(client, rows[2:])

    approval = Approval.objects.get()
    assert said.startswith("Nothing was put aside yet: 3 records at once need an approval")
    assert (Contact.objects.live().count(), approval.requested_by, approval.requester.username) == (3, "grace", "grace")
    done = approvals.approve(approval, person("olga"))
    assert (Contact.objects.live().count(), done.outcome.split(";")[0]) == (0, "3 put aside")


def test_another_choice_of_records_with_the_same_ends_is_another_request(client: Client, settings: Any):
    settings.ARCHIVE_APPROVAL_FROM = 3
    one, two, three, four = (make_contact() for _ in range(4))
    client.force_login(person("grace"))
    archive(client, [one, two, four])
    archive(client, [one, three, four])

    assert [row.payload["ids"] for row in Approval.objects.order_by("pk")] == [
        [one.pk, two.pk, four.pk],
        [one.pk, three.pk, four.pk],
    ]
