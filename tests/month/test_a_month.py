"""A month in the life of the business, played through the real endpoints with a moved clock."""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from agents_app.seeds.planting import plant
from agents_app.services import catalog
from higherself.core import jobs
from notion_sync.client import NotionApi
from notion_sync.engine.lease import hold
from notion_sync.engine.run import Job, reconcile
from notion_sync.models import SyncConflict
from notion_sync.sandbox import Sandbox
from tests.month import notion as in_notion
from tests.month.script import month
from tests.month.stage import FIRST, SECRETS, MortalStage, Stage
from tests.month.table import Table, differences, end_state

DAYS = 37

EXPECTED: Table = {
    "contacts": {
        "Client · Active Client · Amelia": 26,
        # Four members bought after they had joined: two paid.
        "Client · Active Client · Circle.so": 2,
        "Client · Active Client · Typeform": 9,
        "Client · Active Client · WooCommerce": 11,
        "Client · Active Lead · Amelia": 4,
        "Client · Active Lead · Circle.so": 2,
        "Client · Active Lead · Typeform": 1,
        "Client · Active Lead · WooCommerce": 5,
        "Community Member · Active Lead · Circle.so": 30,
        # Ten readers whom nobody knew before: one was brought by another, one has left.
        "Lead · Active Lead · Beehiiv Newsletter": 8,
        "Lead · Active Lead · Beehiiv Referral": 1,
        "Lead · Active Lead · TutorLM": 10,
        "Lead · Active Lead · Typeform": 20,
        "Lead · Unsubscribed · Beehiiv Newsletter": 1,
    },
    "instances": {
        "WF-ART-SALE · canceled · Cancelled": 10,
        "WF-ART-SALE · follow_up · Active": 10,
        "WF-ART-SALE · order_received · Active": 10,
        "WF-ART-SALE · payment_confirmed · Active": 10,
        "WF-ART-SALE · refunded · Cancelled": 20,
        # One at the very beginning, and one each day: the evening's work falls on the next day in UTC.
        "WF-AUDIENCE · completed · Completed": 37,  # every day but the first
        # Ten of each story of a member (see `audience`).
        "WF-COMMUNITY · active · Active": 10,
        "WF-COMMUNITY · at_risk · Active": 10,
        "WF-COMMUNITY · champion · Active": 10,
        "WF-COMMUNITY · left · Cancelled": 10,
        # The third recording has no text, and is a task.
        "WF-CONT-CYCLE · archiving · Completed": 2,
        "WF-LEAD-CAPTURE · closed_lost · Completed": 7,
        "WF-LEAD-CAPTURE · converted · Completed": 10,
        "WF-LEAD-CAPTURE · nurturing · Active": 13,
        "WF-MKTG-CAMP · completed · Completed": 2,
        "WF-RETREAT-BOOKING · booking_confirmed · Active": 12,
        "WF-RETREAT-BOOKING · canceled · Cancelled": 20,
        "WF-RETREAT-BOOKING · completed · Completed": 8,
    },
    "bookings": {
        "approved · not needed": 4,
        "approved · open": 4,
        "approved · paid": 16,
        "canceled · open": 4,
        "canceled · paid": 4,
        "no-show · paid": 4,
        "rejected · open": 4,
    },
    "orders": {"cancelled": 10, "completed": 10, "on-hold": 10, "processing": 10, "refunded": 20},
    "products": {"12 · Inactive": 1, "22 · Active": 1, "93 · Active": 1},
    "campaigns": {"Advent letter, mended · Completed · post_1": 1, "Retreat letter · Completed · post_2": 1},
    "content": {
        "Evening walk · archiving · The day is done.": 1,
        "Morning walk · archiving · Breathe in. Breathe out.": 1,
    },
    # Whoever left is inactive. What members bought in the shop makes no membership of theirs premium.
    "members": {"Active · Standard": 30, "Inactive · Standard": 10},
    "did": {
        "booking · Amelia": 40,
        "comment · Circle.so": 40,
        "course_completed · TutorLM": 10,
        "course_enrolled · TutorLM": 20,
        "event_attended · Circle.so": 20,
        # Thirty leads, three of them twice.
        "form_submitted · Typeform": 33,
        "joined · Circle.so": 40,
        "left · Circle.so": 10,
        "lesson_completed · TutorLM": 20,
        "login · Circle.so": 40,
        # Four of each who writes, one of each who leaves.
        "post · Circle.so": 50,
        "profile_updated · Circle.so": 10,
        # The orders that were paid.
        "purchase · WooCommerce": 40,
        "reaction · Circle.so": 40,
        # Twenty readers, and once more who was brought by whom.
        "subscribed · Beehiiv": 21,
        "survey_answered · Userfeedback": 4,
    },
    "rewards": {
        # Three badges for each of the ten who carry the community: 25, 50 and 100.
        "Issued · Active · Achievement Badge": 30,
        "Issued · Active · Referral Bonus": 1,
        "Program · Active · Achievement Badge": 3,
        "Program · Active · Referral Bonus": 1,
    },
    # The last analysis is made in the night to the 7th of January: no booking is younger than 30 days by then.
    "segments": {
        "Community": 30,
        "active_clients": 48,
        "art_collectors": 60,
        "community_active": 20,
        "community_at_risk": 10,
        "course_students": 20,
        "leads": 81,
        # Twenty, without two who never confirmed and three who have left.
        "newsletter_subscribers": 15,
        "retreat_alumni": 8,
    },
    "feedback": {"2.0 · Negative · True": 1, "5.0 · Positive · –": 3},
    "said to Beehiiv": {
        # Daily from the evening after it was sent until three days after its end: 17 for one letter, 13 for the other.
        "post.stats · unconfigured": 30,
        # Six are reached by the planned letter: readers who are clients and have not left by the 10th. Of segments are
        # told: 18 who confirmed, two of them again after their retreat, and seven whose booking is no longer recent.
        "subscription.upsert · unconfigured": 33,
    },
    "approvals": {
        "booking.refund · approved": 8,
        "campaign.activate · approved": 1,
        "content.publish · approved": 2,
        "content.publish · refused": 1,
    },
    "tasks": {
        # The two gatherings.
        "901 · To Do": 1,
        "902 · To Do": 1,
        "approve_audience · Done": 1,
        "approve_content · Done": 1,
        "cancel_there · To Do": 4,
        "chase_payment · Cancelled": 4,
        # The text came before anybody had decided.
        "choose_idea · Cancelled": 1,
        "confirmed_follow_through · Cancelled": 8,
        "confirmed_follow_through · To Do": 20,
        "describe · To Do": 1,
        "draft_content · Done": 2,
        # The recording that could not be transcribed.
        "file_3 · To Do": 1,
        "follow_up_check · To Do": 30,
        "follow_up_email · To Do": 30,
        "launch_check · Done": 1,
        # Who leaves is checked in on no more.
        "onboarding_check_in · Cancelled": 10,
        "onboarding_check_in · To Do": 20,
        "package_artwork · Cancelled": 30,
        "package_artwork · To Do": 10,
        "performance_review · Done": 2,
        # One letter was sent before anybody had planned it.
        "plan_campaign · Cancelled": 1,
        "plan_campaign · Done": 1,
        "post_retreat_call · Cancelled": 4,
        "post_retreat_call · To Do": 8,
        "pre_retreat_information · Cancelled": 4,
        "pre_retreat_information · To Do": 8,
        "process_refund · To Do": 8,
        "publish_check · Done": 2,
        "publish_content · Done": 2,
        "re_engagement · To Do": 10,
        "recognition · To Do": 10,
        "retreat_preparation · Cancelled": 8,
        "retreat_preparation · To Do": 20,
        # The one who was not content.
        "review · To Do": 1,
        "review_booking · Cancelled": 20,
        "review_booking · To Do": 20,
        # Two drafts, one of them a second time after it had been refused.
        "review_content · Done": 3,
        "review_results · Done": 2,
        "review_segment · To Do": 1,
        "revise_content · Done": 1,
        # Beehiiv itself has told that it was sent.
        "send_post · Cancelled": 1,
        "stalled · To Do": 20,
        "thank_you_note · Cancelled": 10,
        "thank_you_note · To Do": 10,
        "vip_nurture · To Do": 10,
        "welcome_member · Done": 40,
        "write_content · Done": 1,
    },
    "messages": {
        "approval_requested · sent": 12,
        "booking_cancelled · sent": 20,
        "booking_confirmation · sent": 28,
        "booking_reminder · sent": 12,
        "feedback_alert · sent": 1,
        "lead_acknowledgement · sent": 30,
        "member_welcome · sent": 40,
        "new_lead · sent": 30,
        "order_cancelled · sent": 10,
        "order_confirmation · sent": 60,
        "payment_received · sent": 64,
        "sale_alert · sent": 60,
        "survey_request · sent": 18,
        "task_digest · sent": 36,
        # Of the audience's tasks 35 are late: 20 check-ins, 10 recognitions, two gatherings, and one each about the
        # feedback, the lost recording and the new segments.
        "task_escalation · sent": 222,
        "task_overdue · sent": 238,
    },
    # Of what nobody plays, the rows that an installation begins with.
    "databases": {
        "API Integrations Catalog": 12,
        # 60 orders, 40 bookings, 40 members, 38 analyses, 30 leads, two campaigns, two recordings.
        "Active Workflow Instances": 211,
        "Agent Communication Patterns": 9,
        "Agent Registry": 7,
        "Business Entities Registry": 2,
        "Community Hub": 40,
        # 60 who book or buy, 20 leads who do neither, 30 members, 10 students, 10 readers.
        "Contacts & Profiles": 130,
        "Data Transformations Registry": 13,
        "Feedback & Surveys": 4,
        "Marketing Campaigns": 2,
        # The sum of "tasks" above.
        "Master Tasks": 404,
        "Notifications Templates": 22,
        "Products & Services": 3,
        # 31 that were earned, four programmes.
        "Rewards & Bounties": 35,
        "Use Cases Library": 8,
        "Workflows Library": 8,
    },
    "trouble": {"quarantined events": 0, "failed runs": 0},
}


# What Notion's pages say beside the parts of the table that they tell, too.
IN_NOTION: Table = {
    "states in Notion": {
        "API Integrations Catalog · Active": 2,
        # What nobody has connected.
        "API Integrations Catalog · Under Test": 10,
        "Agent Communication Patterns · Active": 9,
        "Agent Registry · Deployed": 7,
        "Business Entities Registry · Pending": 2,
        "Data Transformations Registry · Active": 8,
        # What is handed on to other services where staff want it.
        "Data Transformations Registry · In Development": 5,
        "Notifications Templates · Active": 22,
        "Use Cases Library · Implemented": 8,
        "Workflows Library · Active": 8,
    },
    "links in Notion": {
        # Every booking, order, member and lead has its person; every booking and order what it is about.
        "Active Workflow Instances · Contact": 170,
        "Active Workflow Instances · Product/Service": 100,
        "Active Workflow Instances · Related Tasks": 165,
        "Community Hub · Contact Profile": 40,
        # All but 27 that are about campaigns, content, gatherings, a product, a segment and a lost recording.
        "Master Tasks · Related Contact": 377,
        "Master Tasks · Related Workflow Instance": 399,
        "Rewards & Bounties · Recipient": 31,
        "Feedback & Surveys · Action Items": 1,
    },
}


@pytest.fixture
def planted(settings: Any) -> Callable[[], None]:
    """Gives every service its secret; what it returns plants the seeds."""
    settings.PROVIDERS = {
        **settings.PROVIDERS,
        **{name: {**settings.PROVIDERS[name], "webhook_secret": secret} for name, secret in SECRETS.items()},
    }
    settings.PROVIDERS["amelia"]["time_zone"] = "America/New_York"

    def begin() -> None:
        plant()
        catalog.forget()

    return begin


def test_the_month_is_as_busy_as_it_is_meant_to_be():
    found = Counter(item.provider for item in month())
    assert found["circle"] + found["tutorlm"] == 303
    bookings = {item.body["appointment"]["id"] for item in month() if item.provider == "amelia"}
    orders = {item.body["id"] for item in month() if item.provider == "woocommerce"}
    assert (len(bookings), len(orders), sum(EXPECTED["tasks"].values())) == (40, 60, 404)


def test_a_month_ends_as_the_table_says_here_and_in_notion(
    planted: Callable[[], None], notion: Sandbox, sync: Callable[..., Any]
):
    with time_machine.travel(FIRST, tick=False) as clock:
        planted()
        stage = Stage(clock)
        stage.play(month(), DAYS)
        stage.team.decide_about_everything()
        assert differences(end_state(), EXPECTED) == {}
        sync()
        assert differences(notion_state(notion), EXPECTED_IN_NOTION) == {}
    assert not SyncConflict.objects.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="processes are told apart by /proc")
@pytest.mark.django_db(transaction=True)
def test_everything_twice_in_any_order_over_http_with_processes_killed_ends_the_same(
    planted: Callable[[], None], notion: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """Each day's deliveries; `MONTH_SEED` chooses another order and other deaths. Every wake-up gets lost."""
    chance = random.Random(int(os.environ.get("MONTH_SEED", "1")))
    for name in ("wake", "wake_later"):
        monkeypatch.setattr(jobs._Waker, name, lambda *_args: None)
    monkeypatch.setattr("notion_sync.engine.push.SETTLING", timedelta(0))
    with time_machine.travel(FIRST, tick=False) as clock:
        planted()
        stage = MortalStage(clock, chance, _synchronise)
        try:
            stage.play(month(), DAYS, twice=chance)
            stage.team.decide_about_everything()
            stage.do(_synchronise)
        finally:
            stage.web.close()
        assert differences(end_state(), EXPECTED) == {}
        assert differences(notion_state(notion), EXPECTED_IN_NOTION) == {}
    assert not SyncConflict.objects.exists()
    # So that nobody mistakes a month without deaths for this one.
    assert stage.mortal.killed > DAYS


def _synchronise() -> None:
    """Both ways, as `manage.py sync_notion` does."""
    with NotionApi(sleep=lambda _seconds: None, patience=30) as api, hold() as held:
        assert held is not None, "somebody who is dead keeps the synchronisation"
        reconcile(api, Job(impatient=True), held, "test")


def notion_state(notion: Sandbox) -> Table:
    return in_notion.end_state(notion, EXPECTED["databases"])


EXPECTED_IN_NOTION: Table = {
    **{part: EXPECTED[part] for part in (*in_notion.PARTS, "databases")},
    **IN_NOTION,
}
