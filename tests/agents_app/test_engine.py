from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from agents_app.models import Approval, Notification, Task, Workflow, WorkflowInstance, WorkflowTransition
from agents_app.services import catalog, messages
from agents_app.workflow import clock, engine
from agents_app.workflow.definitions import SOURCES
from agents_app.workflow.engine import IllegalTransition
from agents_app.workflow.machine import as_rows
from contacts.models import BusinessEntity
from higherself.core.errors import Conflict, Permanent
from tests.factories import make_contact, make_task, make_workflow

pytestmark = pytest.mark.usefixtures("seeded")


def workflow(workflow_id: str) -> Workflow:
    return Workflow.objects.get(workflow_id=workflow_id)


def start(workflow_id: str = "WF-RETREAT-BOOKING", **options) -> WorkflowInstance:
    options = {"name": "Retreat Booking: Jane Smith", "actor": "Grace", **options}
    return engine.start(workflow(workflow_id), **options)


def test_starting_the_same_source_record_twice_gives_the_same_instance():
    options = {"source_system": "Amelia", "source_record_id": "booking-7"}
    first, second = start(**options), start(**options)
    assert first.pk == second.pk
    assert WorkflowTransition.objects.count() == 1


def test_an_instance_without_a_source_record_is_always_new():
    assert start().pk != start().pk


def test_advancing_moves_logs_and_makes_what_follows():
    instance = start(contact=make_contact(email="jane@example.org"))
    taken = engine.advance(instance, "payment_received", actor="Grace", note="By card")
    assert (taken.to, instance.current_state, instance.status) == ("payment_confirmed", "payment_confirmed", "Active")
    assert [task.task_key.split(":")[1] for task in Task.objects.all()] == ["review_booking"]
    assert [row.template.template_id for row in Notification.objects.all()] == ["payment_received"]
    line = instance.history.order_by("pk").last()
    assert (line.actor, line.from_state, line.to_state, line.note) == (
        "Grace",
        "new_booking",
        "payment_confirmed",
        "By card",
    )
    instance.refresh_from_db()
    assert instance.current_state == "payment_confirmed"


def test_an_illegal_event_is_refused_and_changes_nothing():
    instance = start()
    with pytest.raises(IllegalTransition) as refusal:
        engine.advance(instance, "feedback_received", actor="Grace")
    assert refusal.value.allowed == [
        "booking_processed",
        "approved",
        "payment_received",
        "nothing_to_pay",
        "canceled",
        "rejected",
    ]
    instance.refresh_from_db()
    assert (instance.current_state, instance.history.count()) == ("new_booking", 1)


def test_the_end_sets_status_and_date_and_nothing_moves_after_it():
    instance = start("WF-LEAD-CAPTURE")
    engine.advance(instance, "invalid", actor="Grace")
    assert (instance.status, instance.end_date == instance.last_transition_date) == ("Completed", True)
    for event in ("scored", "invalid", "client_won"):
        with pytest.raises(IllegalTransition, match="nothing, it has ended"):
            engine.advance(instance, event, actor="Grace")


def test_a_cancelled_booking_cancels_its_open_tasks_and_asks_for_the_refund():
    instance = start(key_data={"paid": True})
    done = make_task(related_workflow_instance=instance, status="Done", completed_date=timezone.now())
    engine.advance(instance, "canceled", actor="Grace")
    assert instance.status == "Cancelled"
    found = {task.task_key.split(":")[1] if task.task_key else "": task.status for task in Task.objects.all()}
    assert found == {"review_booking": "Cancelled", "": "Done"}
    assert [row.action for row in Approval.objects.all()] == ["booking.refund"]
    assert Task.objects.get(pk=done.pk).status == "Done"


def test_a_task_is_dated_around_the_start_of_the_retreat():
    entity = BusinessEntity.objects.get(entity_key="the-7-space")
    begins = timezone.now().replace(microsecond=0) + timedelta(days=30)
    instance = start(business_entity=entity, key_data={"retreat_start": begins.isoformat()})
    engine.advance(instance, "payment_received", actor="Grace")
    engine.advance(instance, "confirmation_sent", actor="Grace")
    task = Task.objects.get(task_key=f"{instance.instance_id}:retreat_preparation:1")
    assert task.due_date.astimezone(entity.zone).replace(tzinfo=None) == (
        begins.astimezone(entity.zone).replace(tzinfo=None) - timedelta(days=7)
    )


def test_a_state_entered_again_repeats_only_the_tasks_that_say_so():
    instance = start("WF-CONT-CYCLE", key_data={"media_required": True})
    for event in ("idea_selected", "plan_finalized", "draft_completed", "review_passed", "changes_requested"):
        engine.advance(instance, event, actor="Grace")
    engine.advance(instance, "revision_completed", actor="Grace")
    keys = sorted(task.task_key.removeprefix(instance.instance_id + ":") for task in Task.objects.all())
    assert keys == [
        *("choose_idea:1", "draft_content:1", "plan_content:1", "produce_media:1"),
        *("review_content:1", "review_content:2", "revise_content:1"),
    ]


def test_hold_failure_and_retry_leave_the_state_alone():
    instance = start()
    engine.change_status(instance, "hold", actor="Grace", note="Waiting for the venue")
    assert (instance.current_state, instance.status) == ("new_booking", "On Hold")
    engine.advance(instance, "payment_received", actor="Amelia")
    assert (instance.current_state, instance.status) == ("payment_confirmed", "On Hold")
    engine.change_status(instance, "resume", actor="Grace")
    engine.change_status(instance, "fail", actor="BookingAgent", note="Amelia did not answer")
    assert (instance.current_state, instance.status) == ("payment_confirmed", "Error")
    assert instance.error_message == "Amelia did not answer"
    assert Task.objects.filter(task_key=f"{instance.instance_id}:failed_step:1", category="Technical").count() == 1
    engine.change_status(instance, "retry", actor="Grace")
    assert (instance.status, instance.error_message) == ("Active", "")
    with pytest.raises(IllegalTransition, match="its status is Active"):
        engine.change_status(instance, "retry", actor="Grace")


def test_a_state_chosen_by_a_person_is_reached_only_by_a_legal_event():
    instance = start()
    engine.move_to(instance, "payment_confirmed", actor="Notion: Grace")
    assert instance.history.order_by("pk").last().event == "payment_received"
    with pytest.raises(IllegalTransition):
        engine.move_to(instance, "completed", actor="Notion: Grace")


def test_a_status_chosen_by_a_person_is_reached_only_in_a_legal_way():
    instance = start()
    for status in ("On Hold", "Active", "Cancelled"):
        engine.move_to_status(instance, status, actor="Notion: Grace")
    assert [line.event for line in instance.history.order_by("pk")] == ["new_booking", "hold", "resume", "canceled"]
    with pytest.raises(IllegalTransition):
        engine.move_to_status(instance, "Active", actor="Notion: Grace")


def test_what_a_person_may_fire_is_listed_apart():
    instance = start()
    assert [item.event for item in engine.allowed(instance, manual_only=True)] == [
        "booking_processed",
        "payment_received",
        "nothing_to_pay",
        "canceled",
    ]
    assert engine.allowed_status_actions(instance) == ["hold"]


def test_two_who_move_the_same_instance_cannot_both_succeed():
    instance = start()
    mine = engine.Run(WorkflowInstance.objects.get(pk=instance.pk), actor="One")
    theirs = engine.Run(WorkflowInstance.objects.get(pk=instance.pk), actor="Two")
    mine.fire("approved")
    theirs.fire("canceled")
    mine.save()
    with pytest.raises(Conflict, match="is no longer in “new_booking”"):
        theirs.save()
    instance.refresh_from_db()
    assert (instance.current_state, instance.history.count()) == ("payment_pending", 2)


def test_the_tail_keeps_the_last_lines_within_its_limit():
    instance = start()
    for number in range(60):
        engine.note(instance, f"Note {number} " + "x" * 100, actor="Grace")
    lines = instance.history_tail.splitlines()
    assert len(instance.history_tail) <= 1900
    assert instance.history.count() == 61
    assert lines[-1].endswith("Note 59 " + "x" * 100)


def test_an_instance_stays_on_the_version_that_it_began_with():
    old = start("WF-LEAD-CAPTURE")
    source = SOURCES["WF-LEAD-CAPTURE"]
    newer = make_workflow(
        workflow_id="WF-LEAD-CAPTURE",
        version="1.10.0",
        initial_state="new_lead",
        states=[{"name": "new_lead", "label": "New"}, {"name": "gone", "label": "Gone", "status": "Completed"}],
        transitions=[{"event": "leave", "from": ["new_lead"], "to": "gone"}],
    )
    assert catalog.current().workflow("WF-LEAD-CAPTURE") == newer
    assert [item.event for item in engine.allowed(old)] == ["invalid"]
    fresh = engine.start(newer, name="New", actor="Grace")
    assert [item.event for item in engine.allowed(fresh)] == ["leave"]
    assert source["version"] == old.workflow.version


def test_a_broken_edit_leaves_the_last_good_version_running():
    instance = start("WF-LEAD-CAPTURE")
    Workflow.objects.filter(pk=instance.workflow_id).update(states=[{"name": "new_lead", "label": ""}])
    catalog.stale()
    assert engine.advance(instance, "invalid", actor="Grace").to == "unqualified"


def test_a_workflow_that_never_worked_says_what_is_wrong_with_it():
    broken = make_workflow(workflow_id="WF-MINE", states=[{"name": "a", "label": "A"}], initial_state="a")
    with pytest.raises(Permanent, match=r"WF-MINE 1\.0\.0 cannot run: .*no state ends the workflow"):
        engine.start(broken, name="Mine", actor="Grace")


def test_the_clock_closes_a_lead_that_never_answers():
    instance = start("WF-LEAD-CAPTURE")
    engine.advance(instance, "scored", actor="LeadCaptureAgent", data={"quality": "Low"})
    now = timezone.now()
    assert clock.fire_due(now + timedelta(days=29)) == 0
    assert clock.fire_due(now + timedelta(days=31)) == 1
    instance.refresh_from_db()
    assert (instance.current_state, instance.history.order_by("pk").last().actor) == ("closed_lost", "Clock")


def test_the_clock_looks_at_the_dates_of_the_retreat_and_not_at_what_is_on_hold():
    begins = timezone.now() + timedelta(days=20)
    instance = start(key_data={"retreat_start": begins.isoformat()})
    engine.advance(instance, "payment_received", actor="Grace")
    engine.advance(instance, "confirmation_sent", actor="Grace")
    assert clock.fire_due() == 0
    engine.change_status(instance, "hold", actor="Grace")
    assert clock.fire_due(begins - timedelta(days=6)) == 0
    engine.change_status(instance, "resume", actor="Grace")
    # One transition and, as the booking was confirmed before then, the reminder of seven days.
    assert clock.fire_due(begins - timedelta(days=6)) == 2
    instance.refresh_from_db()
    assert instance.current_state == "preparation"


def test_a_template_with_a_placeholder_that_nobody_knows_fails_visibly():
    catalog.current().templates["payment_received"].__class__.objects.filter(template_id="payment_received").update(
        subject_template="For {{ clientname }}"
    )
    catalog.forget()
    instance = start(contact=make_contact())
    engine.advance(instance, "payment_received", actor="Grace")
    row = Notification.objects.get()
    assert (row.status, row.error.partition(";")[0]) == ("failed", "Not sent: the template uses clientname")


@pytest.mark.parametrize("workflow_id", SOURCES)
def test_every_seeded_message_can_be_written_for_every_workflow(workflow_id: str):
    instance = start(workflow_id, contact=make_contact())
    values = messages.values_for(instance, None, {})
    for template in catalog.current().templates.values():
        if template.template_id not in messages.OCCASIONS:
            messages.render(template.subject_template + template.content_template, values)
    named = {
        notice["template"] for state in SOURCES[workflow_id]["states"].values() for notice in state.get("notify", [])
    }
    assert named - set(catalog.current().templates) == set()


def test_rows_of_states_say_the_same_as_the_definition():
    row = workflow("WF-LEAD-CAPTURE")
    assert row.states == as_rows(SOURCES["WF-LEAD-CAPTURE"])
    assert catalog.definition(row).states.keys() == SOURCES["WF-LEAD-CAPTURE"]["states"].keys()
