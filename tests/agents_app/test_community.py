from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents_app import rounds, tasks
from agents_app.models import AgentRun, Notification, Task, WorkflowInstance
from agents_app.workflow import engine
from campaigns.models import Feedback
from community.models import Member, Reward
from contacts import interactions
from contacts.models import Contact, Interaction
from higherself.integrations.models import InboundEvent
from tests.agents_app import sales
from tests.agents_app.audience import circle, course, deliver, deliver_shuffled, finish, flow, later, open_tasks, survey
from tests.factories import make_contact, make_instance

pytestmark = pytest.mark.usefixtures("seeded")
NOW = datetime(2026, 5, 20, 12, tzinfo=timezone.utc)
COMMUNITY = "WF-COMMUNITY"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def the_member() -> Member:
    return Member.objects.get()


def state() -> str:
    return flow(COMMUNITY).current_state


# -- joining --------------------------------------------------------------------------------------------------------
def test_a_new_member_becomes_a_contact_a_member_a_workflow_a_task_and_a_welcome():
    event = deliver(circle("member_joined"))
    contact, member, instance = Contact.objects.get(), the_member(), flow(COMMUNITY)
    assert (event.status, event.error) == ("processed", "")
    assert (contact.full_name, contact.email, contact.lead_source) == ("Ada Lovelace", "ada@example.com", "Circle.so")
    assert (contact.contact_type, contact.tags, contact.email_opt_in) == (
        "Community Member",
        ["Community Member"],
        False,
    )
    assert (member.member_name, member.membership_status, member.membership_level) == (
        "Ada Lovelace",
        "Active",
        "Standard",
    )
    assert (member.primary_platform, member.platform_ids, member.contact_profile) == (
        "Circle.so",
        {"circle": "7"},
        contact,
    )
    assert (member.join_date, member.engagement_score) == (NOW, 10)
    assert (instance.current_state, instance.contact, instance.source_system) == ("new_member", contact, "Circle.so")
    assert open_tasks() == ["welcome_member"]
    assert [row.template.template_id for row in Notification.objects.all()] == ["member_welcome"]
    assert [entity.entity_key for entity in contact.business_entities.all()] == ["the-connection-practice"]


def test_what_members_do_counts_once_and_lasts_ever_less(clock):
    posted = circle("post_created", post_id=31)
    deliver(circle("member_joined"), posted)
    later(clock, minutes=11)
    event = deliver(posted)
    assert (event.status, the_member().engagement_score) == ("processed", 20)
    assert sorted(Interaction.objects.values_list("kind", flat=True)) == ["joined", "post"]
    later(clock, days=60)
    rounds.community_day()
    assert (the_member().engagement_score, the_member().last_engagement_type) == (16, "post")


def test_a_login_and_a_reaction_count_once_a_day(clock):
    deliver(circle("member_logged_in"))
    later(clock, minutes=30)
    deliver(circle("member_logged_in"))
    later(clock, days=1)
    deliver(circle("member_logged_in"))
    assert Interaction.objects.filter(kind="login").count() == 2


def test_a_nudge_without_a_name_is_kept_until_circle_tells_who_it_was():
    event = deliver(circle("post_created", email="", post_id=31))
    assert (event.status, Contact.objects.count(), Interaction.objects.count()) == ("processed", 0, 1)
    assert AgentRun.objects.get().message == (
        "Circle's member 7 is not known here yet: what they did is kept and counts as soon as Circle tells who that is."
    )
    deliver(circle("member_joined"))
    assert (the_member().engagement_score, the_member().last_engagement_type) == (20, "post")


def test_who_is_known_needs_no_name_in_a_nudge():
    deliver(circle("member_joined"), circle("comment_created", email="", comment_id=5))
    assert (the_member().engagement_score, the_member().last_engagement_type) == (15, "comment")


def test_a_purchase_in_the_community_makes_the_membership_premium():
    deliver(circle("member_joined"), circle("paywall_purchase", paywall_id=3))
    assert the_member().membership_level == "Premium"


def test_what_is_bought_in_the_shop_is_no_membership():
    bought = sales.order("processing", billing={**sales.ORDER["billing"], "email": "ada@example.com"})
    deliver(circle("member_joined"))
    sales.deliver(bought)
    deliver(circle("post_created", post_id=1))
    assert (the_member().membership_level, Interaction.objects.filter(kind="purchase").count()) == ("Standard", 1)


@pytest.mark.parametrize("member_first", [True, False])
def test_a_member_who_buys_is_a_client_whichever_is_told_first(member_first):
    bought = sales.order("processing", billing={**sales.ORDER["billing"], "email": "ada@example.com"})
    if member_first:
        deliver(circle("member_joined"))
    sales.deliver(bought)
    deliver(circle("member_joined"))
    assert (Contact.objects.get().contact_type, Contact.objects.get().tags) == ("Client", ["Community Member"])


def test_a_type_that_people_gave_stays():
    make_contact(email="ada@example.com", contact_type="Partner")
    deliver(circle("member_joined"))
    assert Contact.objects.get().contact_type == "Partner"


def test_a_level_that_staff_gave_stays():
    deliver(circle("member_joined"))
    Member.objects.update(membership_level="VIP", membership_status="Suspended")
    deliver(circle("paywall_purchase", paywall_id=3))
    assert (the_member().membership_level, the_member().membership_status) == ("VIP", "Suspended")


def test_an_announced_event_is_one_task():
    first = circle("event_created", member=None, email="", event_id=44)
    deliver(first, circle("event_updated", member=None, email="", event_id=44))
    assert [(row.task_name, row.task_key) for row in Task.objects.all()] == [
        ("Promote community event 44", "circle-event:44")
    ]


# -- the stay -------------------------------------------------------------------------------------------------------
def test_a_member_goes_from_the_welcome_to_champion_and_back(clock):
    deliver(circle("member_joined"))
    finish("welcome_member")
    assert state() == "welcomed"
    later(clock, hours=1)
    deliver(circle("post_created", post_id=1))
    assert (state(), open_tasks()) == ("onboarding", ["onboarding_check_in"])
    finish("onboarding_check_in")
    assert state() == "active"
    later(clock, hours=1)
    deliver(*[circle("event_attended", event_attendee_id=number) for number in range(5)])
    assert (state(), open_tasks()) == ("champion", ["recognition"])
    later(clock, days=25)
    deliver(circle("member_logged_in"))
    for _ in range(8):
        later(clock, days=25)
        deliver(circle("member_logged_in"))
        tasks.sweep()
        rounds.community_day()
    assert (state(), the_member().engagement_score < 60) == ("active", True)


def test_silence_for_30_days_is_a_risk_and_for_90_the_end(clock):
    deliver(circle("member_joined"))
    finish("welcome_member")
    later(clock, days=30)
    tasks.sweep()
    assert state() == "welcomed"
    later(clock, days=1)
    tasks.sweep()
    assert (state(), open_tasks()) == ("at_risk", ["re_engagement"])
    later(clock, days=58)
    tasks.sweep()
    assert (state(), the_member().membership_status) == ("at_risk", "Active")
    later(clock, days=2)
    tasks.sweep()
    instance = flow(COMMUNITY)
    assert (instance.current_state, instance.status, the_member().membership_status) == (
        "lapsed",
        "Completed",
        "Inactive",
    )


def test_a_sign_of_life_ends_the_risk_and_two_weeks_later_all_is_well(clock):
    deliver(circle("member_joined"))
    finish("welcome_member")
    later(clock, days=31)
    tasks.sweep()
    later(clock, hours=1)
    deliver(circle("comment_created", comment_id=5))
    assert state() == "re_engaged"
    later(clock, days=14)
    tasks.sweep()
    assert state() == "active"


def test_old_news_is_no_sign_of_life(clock):
    deliver(circle("member_joined"))
    finish("welcome_member")
    later(clock, days=31)
    tasks.sweep()
    # A back-fill tells of something from before the silence.
    contact = Contact.objects.get()
    interactions.record(contact, "post", source="Circle.so", key="circle:post:7:old", at=NOW + timedelta(hours=1))
    deliver(circle("member_tagged", member_tag_id=3))
    assert (state(), the_member().engagement_score) == ("at_risk", 18)


def test_who_leaves_is_gone_and_who_comes_back_begins_anew(clock):
    deliver(circle("member_joined"), circle("member_removed"))
    instance = flow(COMMUNITY)
    assert (instance.current_state, instance.status, the_member().membership_status) == (
        "left",
        "Cancelled",
        "Inactive",
    )
    assert open_tasks() == []
    later(clock, days=3)
    deliver(circle("member_joined", member=8))
    stays = WorkflowInstance.objects.filter(workflow__workflow_id=COMMUNITY).order_by("pk")
    assert [row.current_state for row in stays] == ["left", "new_member"]
    assert (the_member().membership_status, the_member().platform_ids) == ("Active", {"circle": "8"})


def test_staff_who_remove_a_member_make_them_inactive():
    deliver(circle("member_joined"))
    with transaction.atomic():
        engine.advance(flow(COMMUNITY), "member_removed", actor="Grace")
    assert the_member().membership_status == "Inactive"


# -- rewards --------------------------------------------------------------------------------------------------------
def test_thresholds_are_rewarded_once_with_a_badge_and_a_row(clock):
    deliver(circle("member_joined"), circle("post_created", post_id=1), circle("comment_created", comment_id=1))
    deliver(circle("comment_created", comment_id=2))
    issued = Reward.objects.filter(record_kind="Issued")
    assert [(row.reward_name, row.recipient.email, row.status) for row in issued] == [
        ("Regular Contributor: Ada Lovelace", "ada@example.com", "Active")
    ]
    assert (the_member().badges, issued.get().program.redemption_count) == (["Regular Contributor"], 1)
    assert list(issued.get().members.all()) == [the_member()]


def test_a_programme_that_people_switched_off_gives_nothing():
    Reward.objects.filter(record_kind="Program").update(status="Inactive")
    deliver(circle("member_joined"), *[circle("post_created", post_id=number) for number in range(3)])
    assert Reward.objects.filter(record_kind="Issued").count() == 0


def test_a_programme_that_is_used_up_or_over_is_closed():
    program = Reward.objects.get(reward_name="Mentor")
    program.maximum_redemptions, program.redemption_count = 1, 1
    program.save()
    Reward.objects.filter(reward_name="Refer a Friend").update(end_date=NOW.date() - timedelta(days=1))
    rounds.community_day()
    expired = Reward.objects.filter(status="Expired").order_by("reward_name")
    assert [row.reward_name for row in expired] == ["Mentor", "Refer a Friend"]


# -- courses --------------------------------------------------------------------------------------------------------
def test_a_student_becomes_a_contact_with_what_they_learned():
    deliver(course("course_enrolled"), course("lesson_completed", lesson=4), course("course_completed"))
    contact = Contact.objects.get()
    assert (contact.lead_source, contact.interests, contact.experience_attended) == (
        "TutorLM",
        ["Listening"],
        ["Listening"],
    )
    assert (contact.engagement_score, Member.objects.count()) == (33, 0)


def test_a_student_without_an_address_is_recognised_later():
    deliver(course("lesson_completed", email="", lesson=4))
    assert Contact.objects.count() == 0
    deliver(course("course_enrolled"))
    assert Contact.objects.get().engagement_score == 13


def test_a_course_counts_for_a_member_too():
    deliver(circle("member_joined"), course("course_completed"))
    assert the_member().engagement_score == 30


# -- feedback -------------------------------------------------------------------------------------------------------
def test_an_answer_is_a_row_of_feedback_whatever_is_told_of_it_again():
    deliver(survey(1, 5, text="The retreat and the food were wonderful."))
    deliver(survey(1, 5, text="The retreat and the food were wonderful."))
    row = Feedback.objects.get()
    assert (row.feedback_title, row.source, row.external_reference_id) == (
        "After the retreat: Ada Lovelace",
        "Userfeedback",
        "12:1",
    )
    assert (row.rating, row.rating_scale, row.sentiment, row.response_required) == (5.0, 5.0, "Positive", False)
    assert (row.tags, row.feedback_type) == (["Facilities", "Experience"], "Survey Response")
    assert (row.contact.lead_source, Task.objects.count()) == ("Userfeedback", 0)


def test_bad_feedback_gets_a_person_and_a_word_to_the_team():
    deliver(survey(1, 2, text="The room was cold."))
    row, task = Feedback.objects.get(), Task.objects.get()
    assert (row.sentiment, row.response_required) == ("Negative", True)
    assert (task.task_name, task.priority, task.related_feedback) == ("Look into feedback: Ada Lovelace", "High", row)
    assert Notification.objects.get().subject == "Feedback that needs an answer: After the retreat: Ada Lovelace"


def test_feedback_without_an_address_is_kept_without_a_contact():
    deliver(survey(1, 3, email=""))
    assert (Feedback.objects.get().contact, Contact.objects.count()) == (None, 0)


def test_an_answer_ends_the_booking_that_waited_for_it():
    from agents_app.services import catalog

    contact = make_contact(email="ada@example.com")
    booking = catalog.current().workflow("WF-RETREAT-BOOKING")
    instance = make_instance(workflow=booking, contact=contact, current_state="feedback_collection")
    deliver(survey(1, 4))
    instance.refresh_from_db()
    assert (instance.current_state, list(instance.feedback.all())) == ("completed", [Feedback.objects.get()])


# -- any order ------------------------------------------------------------------------------------------------------
LIFE = [
    circle("member_joined"),
    circle("post_created", post_id=1),
    circle("comment_created", email="", comment_id=2),
    circle("reaction_created"),
    circle("event_attended", event_attendee_id=3, event_id=4),
    circle("member_tagged", member_tag_id=5),
    circle("paywall_purchase", paywall_id=6),
    course("course_enrolled"),
    course("lesson_completed", email="", lesson=4),
    course("course_completed"),
    survey(1, 2, text="Cold rooms."),
    survey(2, 5),
]


def outcome() -> dict[str, Any]:
    contact, member = Contact.objects.get(), the_member()
    return {
        "contact": (contact.email, contact.full_name, contact.contact_type, contact.status, contact.lead_source),
        "lists": (sorted(contact.tags), sorted(contact.interests), sorted(contact.experience_attended)),
        "scores": (contact.engagement_score, member.engagement_score, contact.last_interaction),
        "member": (member.membership_level, member.membership_status, sorted(member.badges), member.platform_ids),
        "seen": (member.join_date, member.last_active_date, member.events_attended),
        "stays": [row.current_state for row in WorkflowInstance.objects.filter(workflow__workflow_id=COMMUNITY)],
        "tasks": sorted(open_tasks_without_ids()),
        "feedback": sorted(Feedback.objects.values_list("external_reference_id", "rating", "sentiment")),
        "rewards": sorted(Reward.objects.filter(record_kind="Issued").values_list("reward_name", flat=True)),
        "interactions": sorted(Interaction.objects.values_list("key", flat=True)),
        "messages": sorted(Notification.objects.values_list("template__template_id", flat=True)),
    }


def open_tasks_without_ids() -> list[str]:
    return [row.task_name for row in Task.objects.filter(status="To Do")]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_whatever_order_and_however_often_the_end_is_the_same(seed):
    with transaction.atomic():
        assert deliver_shuffled(LIFE, seed) == []
        found = outcome()
        transaction.set_rollback(True)
    with transaction.atomic():
        deliver(*LIFE)
        expected = outcome()
        transaction.set_rollback(True)
    assert found == expected
    assert InboundEvent.objects.count() == 0


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_who_has_left_is_gone_whatever_arrives_last(seed):
    with transaction.atomic():
        deliver_shuffled([*LIFE[:4], circle("member_removed")], seed)
        stay = flow(COMMUNITY)
        assert (stay.current_state, the_member().membership_status, open_tasks()) == ("left", "Inactive", [])
        transaction.set_rollback(True)
