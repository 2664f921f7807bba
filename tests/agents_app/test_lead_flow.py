from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from agents_app import dispatch, tasks
from agents_app.models import (
    Agent,
    AgentRun,
    CommunicationPattern,
    Notification,
    Task,
    WorkflowInstance,
    WorkflowTransition,
)
from agents_app.services import catalog
from agents_app.workflow import engine
from contacts import erased
from contacts.models import BusinessEntity, Contact
from higherself.integrations import inbox
from higherself.integrations.models import InboundEvent
from tests.agents_app.deliveries import TYPEFORM, WEBSITE, deliver, lead, store, typeform
from tests.factories import make_contact, make_transformation

pytestmark = pytest.mark.usefixtures("seeded")

NOW = datetime(2026, 3, 4, 3, 0, tzinfo=timezone.utc)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def the_instance() -> WorkflowInstance:
    return WorkflowInstance.objects.get()


def test_a_lead_becomes_a_contact_an_instance_tasks_and_messages(clock):
    event = deliver(lead())
    contact, instance = Contact.objects.get(), the_instance()

    assert (event.status, event.error) == ("processed", "")
    assert (contact.full_name, contact.email, contact.phone) == ("Ada Lovelace", "ada@example.com", "+441632960961")
    assert (contact.status, contact.contact_type, contact.lead_source) == ("Active Lead", "Lead", "Typeform")
    assert (contact.interests, contact.lead_score, contact.quality_level) == (
        ["Retreat", "Consultation"],
        9,
        "Excellent",
    )
    assert [entity.entity_key for entity in contact.business_entities.all()] == ["the-connection-practice"]
    assert contact.notes == "[2026-03-04, Typeform] I would like to book a retreat soon."
    assert (instance.instance_name, instance.current_state, instance.status) == (
        "Lead: Ada Lovelace",
        "qualified",
        "Active",
    )
    assert (instance.source_system, instance.source_record_id, instance.priority) == ("Typeform", "t1", "High")
    assert (instance.contact, instance.assigned_agent.agent_id) == (contact, "LeadCaptureAgent")
    assert instance.key_data == {
        "quality": "Excellent",
        "score": 9,
        "source": "Typeform",
        "interests": ["Retreat", "Consultation"],
        "form": "Retreat interest",
        "transformation": "TRANSFORM-TYPEFORM-LEAD",
        "message": "I would like to book a retreat soon.",
    }


def test_its_history_tells_who_did_what_and_why(clock):
    event = deliver(lead())
    lines = WorkflowTransition.objects.order_by("pk")
    assert [(line.event, line.from_state, line.to_state, line.actor) for line in lines] == [
        ("lead_captured", "", "new_lead", "LeadCaptureAgent"),
        ("scored", "new_lead", "qualified", "LeadCaptureAgent"),
    ]
    assert {line.inbound_event for line in lines} == {event.pk}
    assert the_instance().history_tail.splitlines() == [
        "2026-03-04 03:00 · LeadCaptureAgent · ·→new_lead · From “Retreat interest”",
        "2026-03-04 03:00 · LeadCaptureAgent · new_lead→qualified · Excellent, 9 points: has a valid email address "
        "(+2), wants to book, hire or buy (+3), gave a telephone number (+2), is in a hurry (+2)",
    ]


def test_its_tasks_are_dated_in_the_time_zone_of_the_business(clock):
    BusinessEntity.objects.update(default_assignee=[{"id": "u1", "name": "Grace"}])
    deliver(lead())
    instance = the_instance()
    new_york = ZoneInfo("America/New_York")
    found = {
        task.task_key.split(":")[1]: (
            task.task_name,
            task.priority,
            task.assignee_text,
            task.due_date.astimezone(new_york).strftime("%m-%d %H:%M"),
        )
        for task in Task.objects.all()
    }
    # It is still the evening of 3 March in New York.
    assert found == {
        "follow_up_email": ("Send personalised follow-up email: Ada Lovelace", "High", "lead owner", "03-03 23:59"),
        "follow_up_check": ("Follow-up check: Ada Lovelace", "Low", "lead owner", "03-06 18:00"),
        "schedule_consultation": ("Schedule consultation call: Ada Lovelace", "High", "bookings", "03-05 18:00"),
        "retreat_package": (
            "Provide retreat information package: Ada Lovelace",
            "Medium",
            "community",
            "03-04 18:00",
        ),
        "vip_nurture": ("Add to VIP nurture sequence: Ada Lovelace", "Medium", "marketing", "03-03 23:59"),
    }
    task = Task.objects.get(task_key=f"{instance.instance_id}:follow_up_email:1")
    assert (task.related_workflow_instance, task.related_contact) == (instance, instance.contact)
    assert (task.assigned_to, task.source, task.created_by) == (
        [{"id": "u1", "name": "Grace"}],
        "Workflow",
        "TaskManagementAgent",
    )


def test_team_and_lead_are_written_to():
    deliver(lead())
    found = {row.template.template_id: row for row in Notification.objects.all()}
    assert {name: (row.recipient, row.status) for name, row in found.items()} == {
        "new_lead": ("team@example.org", "queued"),
        "lead_acknowledgement": ("ada@example.com", "queued"),
    }
    assert found["new_lead"].subject == "New lead: Ada Lovelace"
    assert found["lead_acknowledgement"].subject == "Thank you for writing to The Connection Practice"
    assert found["new_lead"].body.splitlines()[0] == "Ada Lovelace <ada@example.com> wrote from Typeform."


def test_the_event_names_what_it_created():
    event = deliver(lead())
    assert [(row["model"], row["label"]) for row in event.created] == [
        ("contacts.contact", "Ada Lovelace"),
        ("agents_app.workflowinstance", "Lead: Ada Lovelace"),
        ("agents_app.task", "Send personalised follow-up email: Ada Lovelace"),
        ("agents_app.task", "Follow-up check: Ada Lovelace"),
        ("agents_app.task", "Schedule consultation call: Ada Lovelace"),
        ("agents_app.task", "Provide retreat information package: Ada Lovelace"),
        ("agents_app.task", "Add to VIP nurture sequence: Ada Lovelace"),
    ]
    assert [row["id"] for row in event.created[:2]] == [Contact.objects.get().pk, the_instance().pk]
    run = AgentRun.objects.get()
    assert (run.agent_id, run.event_kind, run.outcome) == ("LeadCaptureAgent", "lead.submitted", "done")
    assert (run.inbound_event, run.created) == (event.pk, event.created)


def test_typeforms_own_example_is_a_lead():
    event = deliver(TYPEFORM)
    contact, instance = Contact.objects.get(), the_instance()
    assert (event.status, contact.email, contact.first_name) == ("processed", "laura@example.com", "Laura")
    assert contact.interests == ["London", "Sydney"]
    assert contact.email_opt_in is False
    assert instance.key_data["message"].startswith("It's cold right now!")
    assert instance.key_data["answers"]["When did you move to the place where you live?"] == "2005-10-15"


def test_the_websites_form_is_a_lead_with_consent():
    event = deliver(WEBSITE, "website")
    contact, instance = Contact.objects.get(), the_instance()
    assert (event.status, instance.source_system, contact.lead_source) == ("processed", "Website", "Website")
    assert (contact.full_name, contact.email_opt_in) == ("Ada Lovelace", True)
    assert contact.consent_source == "Website: contact"
    assert contact.consent_at == datetime(2026, 11, 23, 10, 15, 30, tzinfo=timezone.utc)


def test_without_an_address_the_event_needs_a_person_and_nothing_is_created():
    event = deliver(typeform(("Your name", "short_text", "Ada")))
    assert (event.status, event.attempts) == ("quarantined", 1)
    assert event.error == (
        "This submission of “Retreat interest” needs a person: it has no email address. Nothing was created. If the "
        "form does ask for an address, say where in its Data Transformation and replay the event."
    )
    assert [model.objects.count() for model in (Contact, WorkflowInstance, Task, Notification)] == [0] * 4
    assert [(run.outcome, run.inbound_event) for run in AgentRun.objects.all()] == [("ignored", event.pk)]


def test_a_corrected_map_and_a_replay_bring_the_lead():
    event = deliver(typeform(("Wohin sollen wir schreiben?", "short_text", "ada@example.com")))
    make_transformation(
        source_system="Typeform",
        form_source_key="f1",
        transformation_logic={"fields": {"email": [{"title": "wohin"}]}},
    )
    inbox.replay(InboundEvent.objects.filter(pk=event.pk), "a person")
    tasks.drain_inbox()
    event.refresh_from_db()
    assert (event.status, Contact.objects.get().email) == ("processed", "ada@example.com")


def test_a_broken_map_is_passed_over_and_the_history_says_so():
    make_transformation(
        source_system="Typeform", form_source_key="f1", transformation_logic={"fields": {}}, transformation_name="Mine"
    )
    deliver(lead())
    note = WorkflowTransition.objects.order_by("pk").first().note
    assert note.startswith("From “Retreat interest”. The form's map is broken, another one was used: TRANSFORM-")
    assert the_instance().key_data["transformation"] == "TRANSFORM-TYPEFORM-LEAD"


def test_the_same_delivery_changes_nothing_a_second_time():
    first = deliver(lead())
    before = [model.objects.count() for model in (Contact, WorkflowInstance, Task, Notification, WorkflowTransition)]
    inbox.replay(InboundEvent.objects.filter(pk=first.pk), "a person")
    tasks.drain_inbox()
    first.refresh_from_db()
    assert (first.status, first.created) == ("processed", [])
    after = [model.objects.count() for model in (Contact, WorkflowInstance, Task, Notification, WorkflowTransition)]
    assert after == before
    assert AgentRun.objects.order_by("-pk").first().message == (
        f"This submission is {the_instance().instance_id} already."
    )


def test_a_second_form_within_a_day_is_a_line_in_the_open_instance(clock):
    deliver(typeform(("E", "email", "ada@example.com")))
    clock.shift(timedelta(hours=23))
    event = deliver(lead("Ada@Example.com", token="t2"))
    instance = the_instance()
    assert (Contact.objects.count(), event.status) == (1, "processed")
    assert AgentRun.objects.order_by("-pk").first().outcome == "duplicate"
    # The second form scores better, so the lead is qualified now.
    assert (instance.current_state, instance.key_data["quality"]) == ("qualified", "Excellent")
    assert [line.event for line in instance.history.order_by("pk")] == [
        "lead_captured",
        "scored",
        "new_submission",
        "rescored",
    ]
    assert Contact.objects.get().interests == ["Retreat", "Consultation"]
    # The two tasks that both states have were not made twice.
    assert sorted(task.task_key.split(":")[1] for task in Task.objects.all()) == [
        "follow_up_check",
        "follow_up_email",
        "vip_nurture",
    ]


def test_a_note_of_a_second_form_is_written_once_however_often_it_is_replayed():
    deliver(lead())
    second = deliver(lead(token="t2"))
    inbox.replay(InboundEvent.objects.filter(pk=second.pk), "a person")
    tasks.drain_inbox()
    assert the_instance().history.filter(event="new_submission").count() == 1


@pytest.mark.parametrize("why", ["a day later", "after the end", "from another source"])
def test_a_new_instance_begins(why, clock):
    deliver(lead())
    if why == "a day later":
        clock.shift(timedelta(hours=25))
    if why == "after the end":
        engine.advance(the_instance(), "declined", actor="Grace")
    again = {**WEBSITE, "fields": {"email": "ada@example.com"}}
    deliver(again, "website") if why == "from another source" else deliver(lead(token="t2"))
    assert (Contact.objects.count(), WorkflowInstance.objects.count()) == (1, 2)


def test_a_known_contact_is_completed_and_never_overwritten():
    contact = make_contact(
        email="ada@example.com",
        first_name="Augusta",
        last_name="",
        full_name="Lady Lovelace",
        status="Active Client",
        contact_type="Client",
        tags=["VIP"],
        interests=["retreat"],
        lead_source="Referral",
        lead_score=11,
        quality_level="Excellent",
        notes="Prefers letters.",
    )
    event = deliver(lead("ADA@example.com"))
    contact.refresh_from_db()
    assert (contact.first_name, contact.last_name, contact.full_name) == ("Augusta", "Lovelace", "Lady Lovelace")
    assert (contact.status, contact.contact_type, contact.lead_source) == ("Active Client", "Client", "Referral")
    assert (contact.tags, contact.interests) == (["VIP"], ["retreat", "Consultation"])
    assert (contact.lead_score, contact.phone) == (11, "+441632960961")
    assert contact.notes.startswith("Prefers letters.\n\n[")
    assert event.created[0]["model"] == "agents_app.workflowinstance"


def test_who_asked_not_to_be_contacted_is_not_and_stays_so():
    make_contact(email="ada@example.com", status="Do Not Contact")
    deliver(lead())
    found = Notification.objects.get(template__template_id="lead_acknowledgement")
    assert (found.status, found.error) == ("skipped", "The contact asked not to be contacted.")
    assert Contact.objects.get().status == "Do Not Contact"


def test_a_marketing_template_needs_an_opt_in():
    catalog.current().templates["lead_acknowledgement"].__class__.objects.filter(
        template_id="lead_acknowledgement"
    ).update(tags=["Marketing"])
    catalog.forget()
    deliver(lead())
    deliver(WEBSITE | {"fields": {"email": "grace@example.com"}}, "website")
    found = Notification.objects.filter(template__template_id="lead_acknowledgement").order_by("pk")
    assert [(row.recipient, row.status, row.error) for row in found] == [
        ("ada@example.com", "skipped", "The contact has not opted in to marketing email."),
        ("grace@example.com", "queued", ""),
    ]


@pytest.mark.parametrize(
    "name", ["👩🏽‍🚀 Zoë", "محمد", 'O\'Brien "Bob" <b>', "Robert'); DROP TABLE contacts_contact;--", "张伟"]
)
def test_names_of_all_kinds_arrive_as_they_were_written(name: str):
    deliver(typeform(("E", "email", "a@example.com"), ("First name", "short_text", name)))
    assert Contact.objects.get().first_name == name
    assert Task.objects.filter(task_name=f"Follow-up check: {name}").count() == 1


def test_unstorable_characters_are_left_out():
    deliver(
        typeform(
            ("E", "email", "a@example.com"),
            ("First name", "short_text", "A\x00da\ud83d"),
            ("What else?\x00", "short_text", "x\x00y"),
        )
    )
    assert Contact.objects.get().first_name == "Ada"
    assert the_instance().key_data["answers"] == {"What else?": "xy"}


def test_a_long_answer_is_cut_where_it_says_so_and_is_whole_in_the_event():
    event = deliver(typeform(("E", "email", "a@example.com"), ("Message", "long_text", "é" * 5000)))
    contact, message = Contact.objects.get(), the_instance().key_data["message"]
    kept = message.count("é")
    assert message == "é" * kept + f"… ({5000 - kept} more characters in event {event.pk})"
    assert len(message) <= 600
    assert len(contact.notes) <= 1900
    assert bytes(event.body).decode().count("\\u00e9") == 5000


def test_ten_thousand_answers_are_one_lead_whose_key_data_stays_readable():
    answers = [(f"Question {number}", "short_text", f"Answer {number}") for number in range(10_000)]
    event = deliver(typeform(("E", "email", "a@example.com"), *answers))
    listed = the_instance().key_data["answers"]
    assert event.status == "processed"
    assert listed["Question 0"] == "Answer 0"
    assert listed["…"] == f"{10_000 - (len(listed) - 1)} more answers in event {event.pk}"


def test_a_failure_at_the_very_end_leaves_nothing_half_done():
    with mock.patch.object(dispatch.inbox, "mark_processed", side_effect=RuntimeError("power cut")):
        event = deliver(lead())
    tables = (Contact, WorkflowInstance, WorkflowTransition, Task, Notification, AgentRun)
    assert [table.objects.count() for table in tables] == [0] * 6
    assert (event.status, event.attempts) == ("retrying", 1)
    assert event.error.startswith("RuntimeError: power cut")

    InboundEvent.objects.update(next_attempt_at=NOW)
    tasks.drain_inbox()
    event.refresh_from_db()
    assert (event.status, Contact.objects.count(), WorkflowInstance.objects.count()) == ("processed", 1, 1)


def test_an_agent_that_stumbles_is_recorded_with_the_reason_and_others_go_on():
    store(lead("ada@example.com"))
    second = store(lead("grace@example.com", token="t2"))
    real = dispatch.AGENTS["LeadCaptureAgent"].handle

    def stumble(data: Any, context: Any) -> Any:
        if context.source_id == "t1":
            raise ZeroDivisionError("a bug\x00")
        return real(data, context)

    with mock.patch.object(dispatch.AGENTS["LeadCaptureAgent"], "handle", stumble):
        tasks.drain_inbox()
    assert [(run.outcome, run.message) for run in AgentRun.objects.filter(outcome="failed")] == [
        ("failed", "ZeroDivisionError: a bug")
    ]
    assert InboundEvent.objects.get(pk=second).status == "processed"
    assert InboundEvent.objects.exclude(pk=second).get().status == "retrying"


def test_a_clash_over_the_same_new_contact_is_settled_at_once():
    """Another worker commits the same person between our look and our insert."""
    real = dispatch.AGENTS["LeadCaptureAgent"].handle
    calls: list[int] = []

    def late(data: Any, context: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            with mock.patch("agents_app.services.contacts.locked", return_value=None):
                make_contact(email="ada@example.com", first_name="Other")
                return real(data, context)
        make_contact(email="ada@example.com", first_name="Other")
        return real(data, context)

    with mock.patch.object(dispatch.AGENTS["LeadCaptureAgent"], "handle", late):
        event = deliver(lead())
    assert (event.status, event.attempts, len(calls)) == ("processed", 1, 2)
    assert (Contact.objects.count(), WorkflowInstance.objects.count()) == (1, 1)


def test_an_event_waits_while_its_agent_is_switched_off_and_goes_on_after():
    agent = Agent.objects.get(agent_id="LeadCaptureAgent")
    agent.status = "Inactive"
    agent.save()
    event = deliver(lead())
    assert (event.status, event.attempts, Contact.objects.count()) == ("retrying", 0, 0)
    assert event.error == (
        "Waiting: LeadCaptureAgent is not Deployed in the Agent Registry. It goes on when the status is Deployed."
    )
    agent.status = "Deployed"
    agent.save()
    InboundEvent.objects.update(next_attempt_at=NOW)
    tasks.drain_inbox()
    event.refresh_from_db()
    assert (event.status, Contact.objects.count()) == ("processed", 1)


def test_an_event_that_no_agent_takes_is_ignored_and_says_so():
    partial = lead() | {"event_type": "form_response_partial"}
    event = deliver(partial)
    assert (event.status, Contact.objects.count()) == ("ignored", 0)
    assert event.error == ("A form that is not finished is no lead yet: the whole submission is taken when it comes.")


def test_tasks_wait_for_their_agent_and_are_made_when_it_is_on_again():
    Agent.objects.filter(agent_id="TaskManagementAgent").update(status="Inactive")
    deliver(lead())
    assert (WorkflowInstance.objects.count(), Task.objects.count()) == (1, 0)
    Agent.objects.filter(agent_id="TaskManagementAgent").update(status="Deployed")
    catalog.forget()
    assert (tasks.sweep(), Task.objects.count()) == (1, 5)
    assert (tasks.sweep(), Task.objects.count()) == (0, 5)


def test_without_a_communication_pattern_no_tasks_are_made_and_the_run_says_why():
    CommunicationPattern.objects.filter(pattern_name="Lead Capture to Task Creation").update(status="Deprecated")
    deliver(lead())
    assert Task.objects.count() == 0
    run = AgentRun.objects.get(agent_id="TaskManagementAgent")
    assert (run.outcome, run.message.partition(". ")[0]) == (
        "ignored",
        "No active communication pattern lets LeadCaptureAgent tell TaskManagementAgent “workflow.state_entered”",
    )


def _queries(payload: dict[str, Any]) -> int:
    store(payload)
    [event] = inbox.claim(1, "test")
    with CaptureQueriesContext(
        connection,
    ) as captured:
        dispatch.process(event)
    assert InboundEvent.objects.get(pk=event.pk).status == "processed"
    return len(captured)


def test_a_lead_costs_the_same_few_queries_the_first_and_the_thirtieth_time(monkeypatch):
    monkeypatch.setattr(catalog, "CHECK_EVERY", 3600.0)
    catalog.current()
    erased.find("somebody@example.com")
    costs = [_queries(lead(f"ada{number}@example.com", token=f"t{number}")) for number in range(30)]
    assert costs == [14] * 30


def test_a_lead_of_a_known_contact_costs_few_queries_too(monkeypatch):
    monkeypatch.setattr(catalog, "CHECK_EVERY", 3600.0)
    make_contact(email="ada@example.com")
    catalog.current()
    erased.find("somebody@example.com")
    assert _queries(lead()) <= 18


@pytest.mark.parametrize(
    "error", [DataError("integer out of range"), OverflowError("too large"), RecursionError("deep")]
)
def test_a_value_that_never_fits_is_for_a_person_at_once(error: Exception):
    with mock.patch("agents_app.agents.lead_capture.LeadCaptureAgent.handle", side_effect=error):
        event = deliver(lead())
    assert (event.status, event.attempts, event.next_attempt_at) == ("quarantined", 1, None)
    assert event.error == f"The delivery holds a value that cannot be stored or read: {error}"


def test_a_value_that_never_fits_is_named_by_its_kind_where_the_error_has_no_words():
    with mock.patch("agents_app.agents.lead_capture.LeadCaptureAgent.handle", side_effect=OverflowError()):
        event = deliver(lead())
    assert event.status == "quarantined"
    assert event.error == "The delivery holds a value that cannot be stored or read: OverflowError"
