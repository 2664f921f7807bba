from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import time_machine
from django.core.exceptions import EmptyResultSet
from django.db import DataError

from agents_app import rounds
from agents_app.agents.base import Context
from agents_app.agents.registry import AGENTS
from agents_app.models import AgentRun, Approval, DataTransformation, Task, WorkflowInstance
from agents_app.services import catalog
from campaigns import evaluation
from campaigns.models import Segment
from contacts import interactions
from contacts.models import BusinessEntity, ConsentChange, Contact
from higherself.core.signals import record_pulled
from higherself.integrations.events import EventKind
from higherself.integrations.models import OutboundCall
from tests.agents_app.audience import flow, later
from tests.agents_app.deliveries import deliver, lead
from tests.factories import make_contact, make_transformation

pytestmark = pytest.mark.usefixtures("seeded")
NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
AUDIENCE = "WF-AUDIENCE"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def first_days(clock: Any, seeded: None) -> Contact:
    """Somebody from long ago, put aside since: it is not the first day."""
    return make_contact(created_at=NOW - timedelta(days=90), archived_at=NOW - timedelta(days=80))


def runs() -> list[str]:
    rows = WorkflowInstance.objects.filter(workflow__workflow_id=AUDIENCE).order_by("pk")
    return [row.current_state for row in rows]


def test_on_the_first_day_there_is_nothing_to_analyse(clock: Any, first_days: Contact):
    first_days.delete()
    make_contact(status="Active Client")
    assert (rounds.analyse_audience(), runs()) == (0, [])
    later(clock, hours=12)
    assert rounds.analyse_audience() > 0


# -- the daily run --------------------------------------------------------------------------------------------------
def test_a_run_goes_through_all_its_steps_once_a_day(clock):
    make_contact(status="Active Client", email_opt_in=True)
    make_contact(status="Active Lead")
    assert rounds.analyse_audience() > 0
    instance = flow(AUDIENCE)
    assert (instance.current_state, instance.status) == ("completed", "Completed")
    assert [line.event for line in instance.history.order_by("pk")] == [
        *("run_scheduled", "run_started", "collected", "evaluated", "written", "synced")
    ]
    names = Contact.objects.live().order_by("pk").values_list("marketing_segments", flat=True)
    assert list(names) == [["active_clients"], ["leads"]]
    assert rounds.analyse_audience() == 0
    later(clock, days=1)
    rounds.analyse_audience()
    assert runs() == ["completed", "completed"]


def test_a_segment_that_is_new_gets_a_look_and_known_ones_do_not(clock):
    rounds.analyse_audience()
    assert [row.task_name for row in Task.objects.all()] == ["Review new segment"]
    later(clock, days=1)
    rounds.analyse_audience()
    assert Task.objects.count() == 1


def test_only_who_agreed_to_mail_is_carried_to_beehiiv(clock):
    yes = make_contact(status="Active Client", email_opt_in=True)
    make_contact(status="Active Client")
    rounds.analyse_audience()
    call = OutboundCall.objects.get()
    assert (call.provider, call.operation, call.payload) == (
        "beehiiv",
        "subscription.upsert",
        {"email": yes.email, "custom_fields": {"Segments": "active_clients"}},
    )
    later(clock, days=1)
    Contact.objects.update(status="Do Not Contact")
    Contact.objects.filter(pk=yes.pk).update(status="Inactive")
    rounds.analyse_audience()
    assert OutboundCall.objects.latest("pk").payload["custom_fields"] == {"Segments": "none"}
    assert flow_note() == "Beehiiv is not configured: its calls wait"


def flow_note() -> str:
    latest = WorkflowInstance.objects.filter(workflow__workflow_id=AUDIENCE).order_by("-pk").first()
    return latest.history.get(event="synced").note


def test_a_broken_segment_keeps_its_members_and_holds_up_no_other(clock):
    make_contact(status="Active Client")
    rounds.analyse_audience()
    Segment.objects.filter(name="active_clients").update(criteria={"rules": [{"field": "shoe", "operator": "exists"}]})
    later(clock, days=1)
    rounds.analyse_audience()
    segment = Segment.objects.get(name="active_clients")
    assert (segment.error, segment.member_count) == ("rules.0: no field is called “shoe”", 1)
    assert runs() == ["completed", "completed_with_errors"]
    assert [row.task_name for row in Task.objects.order_by("pk")][-1] == "Look into failed segment sync"
    assert Contact.objects.live().get().marketing_segments == ["active_clients"]


@pytest.mark.parametrize("error", [DataError("integer out of range"), EmptyResultSet()])
def test_a_segment_that_the_database_refuses_holds_up_no_other(
    clock: Any, error: Exception, monkeypatch: pytest.MonkeyPatch
):
    evaluate = evaluation.evaluate

    def refuse(segment: Segment, now: datetime) -> evaluation.Difference:
        if segment.name == "leads":
            raise error
        return evaluate(segment, now)

    make_contact(status="Active Client")
    monkeypatch.setattr("agents_app.audience.runs.evaluation.evaluate", refuse)
    rounds.analyse_audience()
    assert (runs(), Segment.objects.get(name="leads").error) == (
        ["completed_with_errors"],
        str(error) or "EmptyResultSet",
    )
    assert Segment.objects.get(name="active_clients").member_count == 1


def test_a_call_that_needs_a_person_is_an_error_of_the_run(clock):
    make_contact(status="Active Client", email_opt_in=True)
    rounds.analyse_audience()
    instance = flow(AUDIENCE)
    WorkflowInstance.objects.filter(pk=instance.pk).update(current_state="syncing", status="Active")
    OutboundCall.objects.update(status="waiting")
    assert (rounds.analyse_audience(), flow(AUDIENCE).current_state) == (0, "syncing")
    OutboundCall.objects.update(status="quarantined")
    rounds.analyse_audience()
    assert flow(AUDIENCE).current_state == "completed_with_errors"


def test_a_run_that_waits_too_long_for_beehiiv_ends_all_the_same(clock):
    make_contact(status="Active Client", email_opt_in=True)
    rounds.analyse_audience()
    WorkflowInstance.objects.update(current_state="syncing", status="Active")
    OutboundCall.objects.update(status="waiting")
    later(clock, hours=7)
    rounds.analyse_audience()
    assert flow(AUDIENCE).current_state == "completed_with_errors"


def test_many_changed_contacts_are_worth_a_run_of_their_own_but_not_at_once(clock):
    rounds.analyse_audience()
    later(clock, minutes=30)
    for _ in range(25):
        make_contact()
    assert rounds.analyse_audience() == 0
    later(clock, minutes=31)
    assert rounds.analyse_audience() > 0
    assert flow_why() == "25 contacts have changed"


def flow_why() -> str:
    latest = WorkflowInstance.objects.filter(workflow__workflow_id=AUDIENCE).order_by("-pk").first()
    return latest.key_data["why"]


def test_what_the_run_itself_has_changed_is_no_reason_for_another(clock):
    for _ in range(30):
        make_contact()
    rounds.analyse_audience()
    later(clock, hours=2)
    assert rounds.analyse_audience() == 0


def test_somebody_may_ask_for_a_run_now():
    rounds.analyse_audience()
    assert rounds.analyse_now("grace") is True
    assert (flow_why(), rounds.analyse_now("grace")) == ("asked for by grace", True)


def test_time_lowers_scores_with_the_run(clock):
    contact = make_contact(engagement_score=10)
    interactions.record(contact, "post", source="Circle.so", key="x", at=NOW)
    later(clock, days=60)
    rounds.analyse_audience()
    contact.refresh_from_db()
    assert contact.engagement_score == 8


def test_the_analysis_is_kept_with_each_business():
    entity = BusinessEntity.objects.get(entity_key="the-7-space")
    make_contact(status="Active Client", business_entities=[entity])
    rounds.analyse_audience()
    entity.refresh_from_db()
    assert entity.customer_analysis == {
        "last_analysis_date": NOW.isoformat(),
        "segments": {"active_clients": 1},
    }


def test_a_run_given_up_by_a_person_makes_room_for_the_next(clock):
    from agents_app.workflow import engine

    make_contact(status="Active Client", email_opt_in=True)
    rounds.analyse_audience()
    WorkflowInstance.objects.update(current_state="syncing", status="Active")
    OutboundCall.objects.update(status="waiting")
    engine.advance(flow(AUDIENCE), "run_failed", actor="Grace")
    later(clock, days=1)
    rounds.analyse_audience()
    assert runs() == ["failed", "completed"]


# -- what HubSpot says ----------------------------------------------------------------------------------------------
def hubspot(kind: EventKind, at: datetime = NOW, **data: Any) -> str:
    agent = AGENTS["AudienceSegmentationAgent"]
    told = {"record_type": "contact", "record_id": "51", "change": "propertyChange", "change_id": "1", **data}
    context = Context(kind=kind, actor=agent.agent_id, source="HubSpot", source_id="51", occurred_at=at)
    return agent.handle(agent.consumes[kind].model_validate(told), context).result.value


def test_an_opt_out_in_hubspot_is_a_no_and_taking_it_back_lifts_only_that():
    contact = make_contact(hubspot_contact_id="51", email_opt_in=True)
    later_on = NOW + timedelta(days=1)
    hubspot(EventKind.CONTACT_CHANGED, property="hs_email_optout", value="true")
    contact.refresh_from_db()
    assert (contact.email_opt_in, contact.status) == (False, "Unsubscribed")
    hubspot(EventKind.CONTACT_CHANGED, later_on, property="hs_email_optout", value="false")
    contact.refresh_from_db()
    assert (contact.email_opt_in, contact.status) == (True, "Active Lead")


def test_opting_in_in_hubspot_is_no_consent_where_nobody_said_no():
    contact = make_contact(hubspot_contact_id="51")
    hubspot(EventKind.CONTACT_CHANGED, property="hs_email_optout", value="false")
    contact.refresh_from_db()
    assert (contact.email_opt_in, ConsentChange.objects.count()) == (False, 0)


def test_hubspot_fills_blanks_and_overwrites_nothing():
    contact = make_contact(hubspot_contact_id="51", city="Paris")
    results = [
        hubspot(EventKind.CONTACT_CHANGED, property=name, value=value)
        for name, value in (("city", "London"), ("company", "Engines"))
    ]
    contact.refresh_from_db()
    assert (results, contact.city, contact.company) == (["nothing", "done"], "Paris", "Engines")


def test_who_wants_to_be_forgotten_is_written_to_no_more_and_an_owner_is_asked():
    contact = make_contact(hubspot_contact_id="51", email_opt_in=True)
    assert [hubspot(EventKind.CONTACT_FORGOTTEN) for _ in range(2)] == ["done", "duplicate"]
    contact.refresh_from_db()
    approval = Approval.objects.get()
    assert contact.accepts_email_marketing is False
    assert (approval.action, approval.subject_id, approval.requested_by) == ("person.erase", contact.pk, "HubSpot")


def test_somebody_elses_contact_is_none_of_ours():
    assert hubspot(EventKind.CONTACT_CHANGED, property="city", value="London") == "nothing"


# -- the table of scores --------------------------------------------------------------------------------------------
def edit_scoring(logic: Any) -> None:
    row = DataTransformation.objects.get(transformation_id="TRANSFORM-LEAD-SCORING")
    before = row.transformation_logic
    DataTransformation.objects.filter(pk=row.pk).update(transformation_logic=logic)
    changed = {"transformation_logic": (before, logic)}
    record_pulled.send(sender=DataTransformation, pk=row.pk, changed=changed, actor="Notion (Grace)")
    catalog.forget()


def test_staff_change_in_notion_what_a_lead_is_worth():
    rule = {"about": "hope", "points": 7, "reason": "dreams of retreats", "when": {"words": ["retreat"]}}
    edit_scoring({"rules": [rule], "levels": [{"from": 7, "level": "Excellent"}, {"from": 0, "level": "Low"}]})
    deliver(lead())
    contact = Contact.objects.live().get()
    assert (contact.lead_score, contact.quality_level) == (7, "Excellent")
    note = flow("WF-LEAD-CAPTURE").history.get(event="scored").note
    assert note == "Excellent, 7 points: dreams of retreats (+7)"


@pytest.mark.parametrize(
    ("logic", "reason"),
    [
        ({"rules": []}, "rules: a table has 1 to 100 rules; levels: Field required"),
        (
            {
                "rules": [{"about": "x", "points": 99, "reason": "y", "when": {}}],
                "levels": [{"from": 3, "level": "High"}],
            },
            "rules.0.points: Input should be less than or equal to 12; "
            "rules.0.when: a condition names a field (“has”) or words (“words”); "
            "levels: levels go from the highest to one from 0, each lower than the one before",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_put_back_with_the_reason(logic, reason):
    edit_scoring(logic)
    row = DataTransformation.objects.get(transformation_id="TRANSFORM-LEAD-SCORING")
    assert row.edit_result.partition("it cannot run: ")[2] == reason
    deliver(lead())
    assert Contact.objects.live().get().lead_score == 9


# -- surveys by form ------------------------------------------------------------------------------------------------
def test_a_form_that_is_a_survey_becomes_feedback_and_no_lead():
    from campaigns.models import Feedback

    logic = {"fields": {}, "purpose": "survey"}
    make_transformation(source_system="Typeform", form_source_key="f1", transformation_logic=logic, status="Active")
    event = deliver(lead())
    assert (event.status, WorkflowInstance.objects.count()) == ("processed", 0)
    feedback = Feedback.objects.get()
    assert (feedback.source, feedback.contact.email, feedback.survey_form) == (
        "Typeform",
        "ada@example.com",
        "Retreat interest",
    )
    assert set(AgentRun.objects.values_list("agent_id", "event_kind")) == {
        ("LeadCaptureAgent", "lead.submitted"),
        ("CommunityEngagementAgent", "survey.received"),
    }
