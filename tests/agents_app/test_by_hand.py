"""What people do to records, in Notion and in the console, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from agents_app import edited, rounds, tasks
from agents_app.models import Agent, AgentRun, Notification, Task, UseCase, Workflow, WorkflowInstance
from agents_app.services import catalog, counts
from agents_app.workflow import engine
from campaigns.models import Campaign, Feedback
from community.models import Member, Reward
from contacts.models import Contact
from higherself.core.signals import record_pulled
from notion_sync.models import NotionPage
from notion_sync.sandbox import Sandbox
from tests.factories import (
    make_agent_run,
    make_business_entity,
    make_campaign,
    make_contact,
    make_feedback,
    make_instance,
    make_member,
    make_product,
    make_reward,
    make_task,
)

pytestmark = pytest.mark.usefixtures("seeded")

BY = "Notion (Grace)"


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=timezone.utc), tick=False) as traveller:
        yield traveller


def edit(row: Any, **values: Any) -> Any:
    """A person's edit in Notion, as the pull stores and announces it, worked on."""
    changed = {name: (getattr(row, name), value) for name, value in values.items()}
    type(row).objects.filter(pk=row.pk).update(**values)
    record_pulled.send(sender=type(row), pk=row.pk, changed=changed, actor=BY, made_at=None)
    tasks.heed_edits()
    row.refresh_from_db()
    return row


def entered(row: Any, *, days_ago: int = 0) -> Any:
    """A page that a person has made in Notion."""
    made_at = datetime.now(timezone.utc) - timedelta(days=days_ago)
    record_pulled.send(sender=type(row), pk=row.pk, changed={}, actor=BY, made_at=made_at)
    tasks.heed_edits()
    row.refresh_from_db()
    return row


def open_tasks() -> list[str]:
    """The names of the tasks without the person or thing that they are about."""
    rows = Task.objects.filter(status__in=["To Do", "In Progress"]).order_by("pk").values_list("task_name", flat=True)
    return [name.partition(":")[0] for name in rows]


def states(workflow_id: str) -> list[str]:
    rows = WorkflowInstance.objects.filter(workflow__workflow_id=workflow_id).order_by("pk")
    return list(rows.values_list("current_state", flat=True))


# -- how edits reach the agents -------------------------------------------------------------------------------------
def test_an_edit_waits_while_its_agent_is_switched_off_and_is_worked_on_after():
    agent = Agent.objects.get(agent_id="LeadCaptureAgent")
    agent.status = "Inactive"
    agent.save()
    entered(make_contact(status="Active Lead"))
    assert (states("WF-LEAD-CAPTURE"), AgentRun.objects.filter(outcome="").count()) == ([], 1)
    agent.status = "Deployed"
    agent.save()
    catalog.stale()
    assert tasks.heed_edits() == 1
    assert states("WF-LEAD-CAPTURE") == ["nurturing"]
    assert tasks.heed_edits() == 0


def test_an_edit_that_an_agent_stumbles_over_is_kept_as_a_failed_run_and_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
):
    def stumble(*_args: Any, **_options: Any) -> None:
        raise RuntimeError("no such luck")

    with monkeypatch.context() as broken:
        broken.setattr("agents_app.sales.by_hand.chores.once", stumble)
        broken.setattr(edited.logger, "exception", lambda *_args: None)
        edit(make_product(status="Active"), status="Coming Soon")
    entered(make_contact())
    runs = AgentRun.objects.filter(event_kind="record.edited").order_by("pk")
    assert [(run.agent_id, run.outcome) for run in runs] == [("BookingAgent", "failed"), ("LeadCaptureAgent", "done")]
    assert runs[0].message == "RuntimeError: no such luck"
    assert [sorted(item) for item in runs[0].created] == [["id", "label", "model"]]


def test_what_a_person_changes_in_the_console_follows_too(client: Client, staff: Callable[..., Client]):
    member = make_member(membership_status="Inactive")
    console = staff("Owner")
    form = console.get(reverse("admin:community_member_change", args=[member.pk])).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value is not None and name not in ("campaigns",)}
    data |= {"membership_status": "Active", "join_date_0": "2026-01-01", "join_date_1": "10:00"}
    data |= dict.fromkeys(("last_active_date_0", "last_active_date_1"), "")
    data |= {name: ", ".join(data[name]) for name in data if isinstance(data[name], list)}
    data["platform_ids"] = "{}"
    answer = console.post(reverse("admin:community_member_change", args=[member.pk]), data)
    assert answer.status_code == 302, answer.context["errors"]
    tasks.heed_edits()
    assert open_tasks() == ["Welcome back"]


def test_what_an_agent_changes_is_no_edit_by_a_person():
    contact = make_contact(status="Active Lead")
    contact.status = "Qualified Lead"
    contact.save()
    assert AgentRun.objects.filter(event_kind="record.edited").count() == 0


def test_a_page_that_was_there_long_before_is_no_news():
    entered(make_contact(), days_ago=3)
    assert (states("WF-LEAD-CAPTURE"), AgentRun.objects.count()) == ([], 0)


def test_an_edit_in_notion_goes_the_whole_way(notion: Sandbox, sync: Callable[..., Any]):
    contact = make_contact(email="ada@example.org", status="Active Lead")
    sync()
    page = NotionPage.objects.get(database_id="contacts_profiles", object_id=contact.pk).page_id
    notion.person.update(page, {"Status": "Active Client"})
    sync()
    tasks.heed_edits()
    sync()
    assert open_tasks() == ["Invite the new client to the community"]
    assert [notion.values(page["id"])["Membership Status"] for page in notion.pages("Community Hub")] == ["Pending"]


# -- contacts -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "state"),
    [({}, "nurturing"), ({"status": "Qualified Lead"}, "qualified"), ({"quality_level": "High"}, "qualified")],
)
def test_a_lead_that_somebody_enters_is_looked_after(values: dict[str, Any], state: str):
    contact = entered(make_contact(**{"status": "Active Lead", **values}))
    assert states("WF-LEAD-CAPTURE") == [state]
    assert "Send personalised follow-up email" in open_tasks()
    # Nobody thanks them for a message that they have not sent; the team is told.
    assert list(Notification.objects.values_list("template__template_id", flat=True)) == ["new_lead"]
    entered(contact)
    assert len(states("WF-LEAD-CAPTURE")) == 1


@pytest.mark.parametrize("values", [{"contact_type": "Partner"}, {"status": "Do Not Contact"}])
def test_who_is_entered_and_no_lead_is_left_alone(values: dict[str, Any]):
    entered(make_contact(**values))
    assert states("WF-LEAD-CAPTURE") == []


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Qualified Lead", "qualified"),
        ("Active Client", "converted"),
        ("Do Not Contact", "closed_lost"),
        ("Inactive", "nurturing"),
    ],
)
def test_a_status_that_somebody_sets_moves_the_open_lead(status: str, state: str):
    edit(entered(make_contact()), status=status)
    assert states("WF-LEAD-CAPTURE") == [state]


def test_a_qualified_contact_without_an_open_lead_gets_a_follow_up():
    edit(make_contact(), status="Qualified Lead")
    assert open_tasks() == ["Sales follow-up"]
    edit(entered(make_contact()), status="Qualified Lead")
    assert open_tasks().count("Sales follow-up") == 1


def test_whom_somebody_makes_a_client_is_asked_into_the_community():
    contact = edit(make_contact(), status="Active Client")
    member = Member.objects.get(contact_profile=contact)
    assert (member.membership_status, states("WF-COMMUNITY")) == ("Pending", ["new_member"])
    assert open_tasks() == ["Invite the new client to the community"]
    assert Notification.objects.count() == 0
    Task.objects.update(status="Done")
    for task in Task.objects.all():
        task.save()
    assert states("WF-COMMUNITY") == ["welcomed"]


def test_a_member_is_not_asked_again():
    contact = make_contact()
    make_member(contact_profile=contact, member_email=contact.email)
    edit(contact, status="Active Client")
    assert (Member.objects.count(), open_tasks()) == (1, [])


def test_an_inactive_contact_is_no_active_member():
    contact = make_contact()
    member = entered(make_member(contact_profile=contact, member_email=contact.email))
    edit(contact, status="Inactive")
    member.refresh_from_db()
    assert (member.membership_status, states("WF-COMMUNITY")) == ("Inactive", ["left"])


def test_a_new_address_is_the_members_too_unless_another_member_has_it():
    contact = make_contact(email="old@example.org")
    member = make_member(contact_profile=contact, member_email="old@example.org")
    edit(contact, email="new@example.org")
    member.refresh_from_db()
    assert member.member_email == "new@example.org"
    make_member(member_email="taken@example.org")
    edit(contact, email="taken@example.org")
    member.refresh_from_db()
    assert member.member_email == "new@example.org"


# -- members --------------------------------------------------------------------------------------------------------
def test_a_member_that_somebody_enters_is_welcomed_and_becomes_a_contact():
    member = entered(make_member(member_name="Ada Lovelace", member_email="ada@example.org"))
    assert member.contact_profile == Contact.objects.get(email="ada@example.org")
    assert (member.contact_profile.contact_type, states("WF-COMMUNITY")) == ("Community Member", ["new_member"])
    assert open_tasks() == ["Welcome new member"]


@pytest.mark.parametrize("status", ["Inactive", "Expired"])
@pytest.mark.parametrize(("kind", "after"), [("Community Member", "Inactive"), ("Client", "Active Lead")])
def test_whose_membership_ends_has_left_and_a_client_stays_one(status: str, kind: str, after: str):
    contact = make_contact(contact_type=kind, status="Active Lead")
    member = entered(make_member(contact_profile=contact, member_email=contact.email))
    edit(member, membership_status=status)
    contact.refresh_from_db()
    assert (states("WF-COMMUNITY"), contact.status, open_tasks()) == (["left"], after, [])
    edit(member, membership_status="Active")
    contact.refresh_from_db()
    assert (contact.status, open_tasks()) == ("Active Lead", ["Welcome back"])


# -- products -------------------------------------------------------------------------------------------------------
def test_what_is_coming_soon_is_prepared_before_it_starts(clock: Any):
    start = datetime.now(timezone.utc) + timedelta(days=60)
    edit(make_product(status="Inactive", starts_at=start), status="Coming Soon")
    assert open_tasks() == [
        "Write text and take pictures for",
        "Plan the announcement of",
        "Set up the page to book or buy",
    ]
    assert [(start - row.due_date).days for row in Task.objects.order_by("pk")] == [21, 14, 7]


def test_what_is_discontinued_tells_what_is_under_way_with_it():
    product, workflow = make_product(status="Active"), Workflow.objects.get(workflow_id="WF-ART-SALE")
    under_way = make_instance(workflow=workflow, current_state="packaging", products=[product])
    make_instance(workflow=workflow, current_state="completed", status="Completed", products=[product])
    edit(product, status="Discontinued")
    task = Task.objects.get()
    assert task.description.splitlines()[1:] == [f"{under_way.instance_id} {under_way} (packaging)"]
    assert [line.note for line in under_way.history.all()] == [f"“{product}” was discontinued by {BY}"]


def test_a_count_by_hand_sets_the_status_and_asks_for_more():
    product = edit(make_product(type="Physical Product", status="Active", inventory_count=9), inventory_count=3)
    assert (product.status, open_tasks()) == ("Active", ["Restock"])
    edit(product, inventory_count=0)
    assert (product.status, open_tasks()) == ("Out of Stock", ["Restock"])
    edit(product, inventory_count=12)
    assert (product.status, open_tasks()) == ("Active", [])


# -- feedback -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("values", [{"rating": 3, "rating_scale": 5}, {"sentiment": "Negative"}])
def test_bad_feedback_that_somebody_enters_gets_a_task_and_a_word_to_the_team(values: dict[str, Any]):
    row = entered(make_feedback(**values))
    assert (row.response_required, open_tasks()) == (True, ["Look into feedback"])
    assert list(Notification.objects.values_list("template__template_id", flat=True)) == ["feedback_alert"]
    edit(row, rating=1)
    assert open_tasks() == ["Look into feedback"]


def test_good_feedback_asks_for_nothing():
    entered(make_feedback(rating=5, rating_scale=5))
    assert open_tasks() == []


def test_an_answer_to_feedback_is_dated_and_its_task_is_done(clock: Any):
    row = edit(entered(make_feedback(sentiment="Negative")), response="We are sorry.")
    assert (row.status, row.response_date, open_tasks()) == ("Responded", datetime.now(timezone.utc).date(), [])
    edit(row, response="We are very sorry.")
    assert Feedback.objects.get().status == "Responded"


# -- rewards --------------------------------------------------------------------------------------------------------
def test_a_limited_time_needs_an_end():
    program = edit(make_reward(record_kind="Program", status="Active"), status="Limited Time")
    assert open_tasks() == ["Say until when"]
    edit(program, end_date=datetime.now(timezone.utc).date())
    assert open_tasks() == []


@pytest.mark.parametrize(("worth", "names"), [("99.99", []), ("100.00", ["Look at the redemption"])])
def test_a_reward_that_is_claimed_is_dated_and_looked_at_when_it_is_worth_much(worth: str, names: list[str]):
    row = make_reward(record_kind="Issued", status="Active", monetary_value=Decimal(worth))
    edit(row, status="Claimed")
    assert (Reward.objects.get(pk=row.pk).claimed_date is not None, open_tasks()) == (True, names)


# -- businesses, tasks, instances -----------------------------------------------------------------------------------
def test_a_new_business_is_set_up_and_one_that_fails_is_looked_into():
    row = entered(make_business_entity())
    assert open_tasks() == ["Set up the business"]
    edit(row, integration_status="Error")
    assert [name.split(" of ")[0] for name in open_tasks()] == ["Set up the business", "Look into the integrations"]
    assert [item.subject for item in Notification.objects.all()] == [f"The integrations of {row} fail"]


def test_who_cancels_a_task_without_a_word_is_asked_why():
    row = edit(make_task(), status="Cancelled")
    assert row.notes.endswith(f"cancelled by {BY}. Why? Please write the reason here.")
    assert edit(make_task(), status="Cancelled", notes="They have moved away.").notes == "They have moved away."


def test_the_team_is_told_of_what_is_put_on_hold():
    instance = engine.start(Workflow.objects.get(workflow_id="WF-TASK-MGMT"), name="Frame the print", actor="Grace")
    engine.change_status(instance, "hold", actor="Grace", note="The frame is missing.")
    told = Notification.objects.get(template__template_id="workflow_on_hold")
    assert told.subject == "On hold: Frame the print"
    assert told.body == (
        f"Frame the print ({instance.instance_id}) was put on hold by Grace in “To Do”.\n\nThe frame is missing.\n"
    )


# -- campaigns without mail -----------------------------------------------------------------------------------------
def test_a_campaign_without_mail_begins_and_ends_by_its_dates(clock: Any):
    now = datetime.now(timezone.utc)
    row = make_campaign(
        campaign_type="Event", status="Draft", start_date=now + timedelta(days=3), end_date=now + timedelta(days=5)
    )
    rounds.tend_campaigns()
    assert open_tasks() == ["Plan the campaign and say whom it is for"]
    Campaign.objects.update(status="Scheduled")
    rounds.tend_campaigns()
    assert open_tasks() == ["Plan the campaign and say whom it is for", "Launch check"]
    found = []
    for days in (2, 4, 6):
        clock.move_to(now + timedelta(days=days))
        rounds.tend_campaigns()
        row.refresh_from_db()
        found.append(row.status)
    assert found == ["Scheduled", "Active", "Completed"]
    assert open_tasks()[-1] == "Review results"
    rounds.tend_campaigns()
    assert (Task.objects.count(), WorkflowInstance.objects.count()) == (3, 0)


def test_a_campaign_without_mail_that_is_called_off_needs_nothing_any_more():
    make_campaign(campaign_type="Social Media", status="Draft")
    rounds.tend_campaigns()
    Campaign.objects.update(status="Cancelled")
    rounds.tend_campaigns()
    assert list(Task.objects.values_list("status", flat=True)) == ["Cancelled"]


# -- figures --------------------------------------------------------------------------------------------------------
def test_an_agent_that_fails_too_often_gets_a_task_a_week(clock: Any):
    for number in range(20):
        make_agent_run(agent_id="BookingAgent", outcome="failed" if number < 2 else "done")
    counts.refresh()
    counts.refresh()
    assert open_tasks() == ["Look into Booking Detection Agent"]
    clock.move_to(datetime.now(timezone.utc) + timedelta(days=7))
    make_agent_run(agent_id="BookingAgent", outcome="failed")
    counts.refresh()
    assert len(open_tasks()) == 2


def test_a_workflow_that_seldom_comes_to_a_good_end_gets_a_task_a_month():
    workflow = Workflow.objects.get(workflow_id="WF-ART-SALE")
    for number in range(20):
        make_instance(workflow=workflow, status="Cancelled" if number < 3 else "Completed")
    counts.refresh()
    counts.refresh()
    assert open_tasks() == [f"Look into {workflow}"]


def test_a_use_case_goes_live_with_its_first_workflow():
    workflow = Workflow.objects.get(workflow_id="WF-ART-SALE")
    began = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
    make_instance(workflow=workflow, start_date=began)
    counts.refresh()
    live = UseCase.objects.filter(implementation_status="Live")
    assert [(row.use_case_id, row.actual_implementation_date) for row in live] == [("UC-FLOW-3", began.date())]
