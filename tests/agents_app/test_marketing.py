from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents_app import rounds, tasks
from agents_app.models import Agent, AgentRun, Approval, Task, WorkflowInstance
from agents_app.services import approvals, catalog
from agents_app.workflow import engine
from campaigns.evaluation import evaluate
from campaigns.models import Campaign, Segment
from community.models import Reward
from contacts.models import ConsentChange, Contact, Interaction
from higherself.core.signals import record_pulled
from higherself.integrations.models import InboundEvent, OutboundCall
from tests.agents_app.audience import (
    circle,
    deliver,
    deliver_shuffled,
    finish,
    flow,
    later,
    open_tasks,
    outreach,
    post,
    rounds_go,
    subscription,
)
from tests.factories import make_campaign, make_contact

pytestmark = pytest.mark.usefixtures("seeded")
NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
STAMP = int(NOW.timestamp())
CAMPAIGN = "WF-MKTG-CAMP"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def boss() -> User:
    user = User.objects.create_user("grace", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="decide_approval"))
    return user


def the_contact() -> Contact:
    return Contact.objects.get()


# -- subscribers ----------------------------------------------------------------------------------------------------
def test_a_subscriber_becomes_a_contact_and_may_be_written_to_once_confirmed():
    deliver(subscription("created", status="validating", utm_campaign="CAMP-1"))
    contact = the_contact()
    assert (contact.lead_source, contact.tags, contact.accepts_email_marketing) == (
        "Beehiiv Newsletter",
        ["newsletter_subscriber"],
        False,
    )
    assert contact.beehiiv_subscription_id == "sub_ada@example.com"
    deliver(subscription("confirmed"))
    contact.refresh_from_db()
    assert (contact.accepts_email_marketing, contact.consent_source) == (
        True,
        "Beehiiv: subscription sub_ada@example.com",
    )
    # Newsletter subscribers are contacts, and no leads that somebody has to call.
    assert WorkflowInstance.objects.count() == 0


def test_an_unsubscription_ends_the_consent_and_no_other_service_renews_it():
    deliver(subscription("created"), subscription("deleted", at=STAMP))
    contact = the_contact()
    assert (contact.email_opt_in, contact.status) == (False, "Unsubscribed")
    deliver(circle("member_joined"), outreach("campaign_reply", "received", text="Yes please"))
    contact.refresh_from_db()
    assert (contact.email_opt_in, contact.status) == (False, "Unsubscribed")
    deliver(subscription("confirmed", at=STAMP + 60))
    contact.refresh_from_db()
    assert (contact.email_opt_in, contact.status) == (True, "Active Lead")


def test_leaving_one_list_is_not_leaving_the_newsletter():
    deliver(subscription("created"))
    body = {"subscription_id": "sub_ada@example.com", "email": "ada@example.com", "list_name": "Art", "id": "list_1"}
    event = {"event_type": "newsletter_list_subscription.unsubscribed", "uid": "u1", "data": body}
    deliver(("beehiiv", {**event, "event_timestamp": STAMP}))
    assert the_contact().accepts_email_marketing is True


@pytest.mark.parametrize("first", ["referrer", "referred"])
def test_who_brings_a_subscriber_is_rewarded_whoever_is_heard_of_first(first):
    referrer = subscription("created", email="bob@example.com", referral_code="BOB1")
    referred = subscription("created", referring_site="https://letters.example/subscribe?ref=BOB1")
    deliver(*([referrer, referred] if first == "referrer" else [referred, referrer]))
    issued = Reward.objects.get(record_kind="Issued")
    assert (issued.recipient.email, issued.reward_type, issued.points_value) == (
        "bob@example.com",
        "Referral Bonus",
        50,
    )
    ada = Contact.objects.get(email="ada@example.com")
    assert (ada.lead_source, sorted(ada.tags)) == ("Beehiiv Referral", ["newsletter_subscriber", "referred"])


@pytest.mark.parametrize("first", ["subscription", "no"])
def test_a_no_that_was_said_elsewhere_is_carried_to_beehiiv(first):
    told = [subscription("created"), outreach("prospect", "unsubscribed")]
    for item in told if first == "subscription" else reversed(told):
        deliver(item)
    assert the_contact().status == "Unsubscribed"
    call = OutboundCall.objects.get(provider="beehiiv")
    assert (call.operation, call.payload, call.status) == (
        "subscription.upsert",
        {"email": "ada@example.com", "unsubscribe": True},
        "unconfigured",
    )


def test_a_tick_in_notion_is_an_answer_of_staff():
    contact = make_contact(email_opt_in=True)
    Contact.objects.filter(pk=contact.pk).update(email_opt_in=False)
    changed = {"email_opt_in": (True, False)}
    record_pulled.send(sender=Contact, pk=contact.pk, changed=changed, actor="Notion (Grace)")
    rows = ConsentChange.objects.order_by("pk").values_list("source", "granted", "by_person")
    assert list(rows) == [("known before", True, False), ("Notion (Grace)", False, True)]
    contact.refresh_from_db()
    assert (contact.email_opt_in, contact.status) == (False, "Unsubscribed")


# -- outreach -------------------------------------------------------------------------------------------------------
def test_a_reply_is_a_lead_and_what_came_before_it_counts():
    deliver(outreach("campaign_email", "opened"))
    assert Contact.objects.count() == 0
    deliver(outreach("campaign_reply", "received", body="I would like to book a retreat soon."))
    contact, instance = the_contact(), flow("WF-LEAD-CAPTURE")
    assert (contact.lead_source, instance.current_state, instance.source_system) == ("Snov.io", "qualified", "Snov.io")
    assert sorted(contact.interactions.values_list("kind", flat=True)) == [
        "email_opened",
        "email_replied",
        "form_submitted",
    ]
    runs = AgentRun.objects.order_by("pk").values_list("agent_id", "event_kind", "outcome")
    assert ("LeadCaptureAgent", "lead.found", "done") in set(runs)


def test_a_bounce_is_a_task_once():
    make_contact(email="ada@example.com", full_name="Ada")
    deliver(outreach("campaign_email", "bounced"), outreach("campaign_email", "bounced", id=2))
    assert [row.task_name for row in Task.objects.all()] == ["Correct the e-mail address of Ada"]


def test_strangers_are_made_no_contacts_by_our_writing_to_them():
    event = deliver(outreach("campaign_email", "sent"))
    assert (event.status, Contact.objects.count(), Interaction.objects.count()) == ("processed", 0, 1)


# -- posts and campaigns --------------------------------------------------------------------------------------------
def test_a_post_that_was_written_in_beehiiv_is_a_running_campaign():
    deliver(post("sent", at=STAMP))
    campaign, instance = Campaign.objects.get(), flow(CAMPAIGN)
    assert (campaign.campaign_name, campaign.status, campaign.external_id) == ("Spring letter", "Active", "post_1")
    assert (campaign.external_url, campaign.channels) == ("https://letters.example/spring", ["Email - Beehiiv"])
    assert (instance.current_state, instance.campaign) == ("monitoring", campaign)


def test_a_post_that_has_been_sent_leaves_nobody_to_plan_or_send_it():
    deliver(post("scheduled", at=STAMP - 500))
    assert open_tasks() == ["plan_campaign"]
    deliver(post("sent", at=STAMP))
    assert list(Task.objects.values_list("status", flat=True)) == ["Cancelled"]


def test_late_news_of_a_post_moves_nothing_back():
    deliver(post("sent", at=STAMP), post("scheduled", at=STAMP - 500, title="Old title"))
    assert (Campaign.objects.get().campaign_name, flow(CAMPAIGN).current_state) == ("Spring letter", "monitoring")


POSTS = [
    post("scheduled", at=STAMP - 900, title="Draft"),
    post("updated", at=STAMP - 500, title="Better"),
    post("sent", at=STAMP - 100, title="Spring letter"),
    post("updated", at=STAMP - 50, title="Spring letter, mended"),
    subscription("created", at=STAMP - 800, status="validating"),
    subscription("confirmed", at=STAMP - 700),
    subscription("deleted", at=STAMP - 600),
    subscription("confirmed", at=STAMP - 400),
    outreach("campaign_email", "opened"),
    outreach("campaign_reply", "received", body="Tell me more about the retreat."),
]


def outcome() -> dict[str, Any]:
    campaign, contact = Campaign.objects.get(), the_contact()
    return {
        "campaign": (campaign.campaign_name, campaign.status, campaign.start_date, campaign.external_url),
        "flows": sorted(WorkflowInstance.objects.values_list("workflow__workflow_id", "current_state", "status")),
        "contact": (
            contact.status,
            contact.email_opt_in,
            contact.consent_at,
            contact.lead_source,
            sorted(contact.tags),
        ),
        "scores": (contact.engagement_score, contact.lead_score),
        "interactions": sorted(Interaction.objects.values_list("key", flat=True)),
        "consent": sorted(ConsentChange.objects.values_list("key", "granted")),
        "tasks": sorted(Task.objects.values_list("task_name", flat=True)),
    }


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_whatever_order_and_however_often_the_end_is_the_same(seed):
    found = []
    for run in (lambda: deliver_shuffled(POSTS, seed), lambda: deliver(*POSTS)):
        with transaction.atomic():
            run()
            found.append(outcome())
            transaction.set_rollback(True)
    assert found[0] == found[1]
    assert InboundEvent.objects.count() == 0


# -- from the plan to the results -----------------------------------------------------------------------------------
@pytest.fixture
def campaign() -> Campaign:
    make_contact(email="yes@example.com", status="Active Client", email_opt_in=True)
    make_contact(email="no@example.com", status="Active Client")
    make_contact(email="gone@example.com", status="Unsubscribed", email_opt_in=True)
    make_contact(email="lead@example.com", status="Active Lead", email_opt_in=True)
    return make_campaign(
        campaign_name="Spring letter",
        campaign_type="Email",
        channels=["Email - Beehiiv"],
        target_audience=["Active Clients"],
        start_date=NOW + timedelta(days=7),
        end_date=NOW + timedelta(days=17),
    )


def set_status(campaign: Campaign, status: str) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(status=status)
    record_pulled.send(sender=Campaign, pk=campaign.pk, changed={"status": ("", status)}, actor="Notion (Grace)")
    rounds_go()
    campaign.refresh_from_db()


def test_a_campaign_runs_from_the_plan_to_the_results(campaign, boss, clock):
    rounds_go()
    assert (flow(CAMPAIGN).current_state, open_tasks()) == ("campaign_planning", ["plan_campaign"])
    set_status(campaign, "Scheduled")
    assert (flow(CAMPAIGN).current_state, campaign.status) == ("audience_segmentation", "Scheduled")
    assert [row.email for row in campaign.audience_contacts.all()] == ["yes@example.com"]
    assert flow(CAMPAIGN).key_data["audience"] == 1
    finish("approve_audience")
    finish("write_content")
    finish("approve_content")
    assert flow(CAMPAIGN).current_state == "channel_setup"
    finish("launch_check")
    # Nobody activates a campaign alone.
    assert flow(CAMPAIGN).current_state == "channel_setup"
    asked = Approval.objects.get(status="pending")
    assert (asked.action, OutboundCall.objects.count()) == ("campaign.activate", 0)
    approvals.approve(asked, boss, "Go")
    rounds_go()
    assert flow(CAMPAIGN).current_state == "campaign_activation"
    calls = OutboundCall.objects.filter(provider="beehiiv")
    assert [(call.payload["email"], call.payload["tags"]) for call in calls] == [
        ("yes@example.com", [campaign.campaign_id])
    ]
    later(clock, days=7)
    deliver(post("sent", at=int(datetime.now(timezone.utc).timestamp())))
    rounds_go()
    campaign.refresh_from_db()
    assert (flow(CAMPAIGN).current_state, campaign.status, campaign.external_id) == ("monitoring", "Active", "post_1")
    assert [call.payload for call in calls.filter(operation="post.stats")] == [{"post_id": "post_1"}]
    later(clock, days=3)
    measure(recipients=100, unique_opens=10, unique_clicks=2, opens=12, clicks=3, unsubscribes=1)
    rounds_go()
    assert "underperforming" in set(open_tasks())
    later(clock, days=8)
    rounds_go()
    campaign.refresh_from_db()
    assert (flow(CAMPAIGN).current_state, campaign.status) == ("wrap_up", "Completed")
    later(clock, hours=1)
    measure(recipients=100, unique_opens=30, unique_clicks=5, opens=40, clicks=6, unsubscribes=2)
    rounds_go()
    campaign.refresh_from_db()
    assert flow(CAMPAIGN).current_state == "analysis"
    assert campaign.results_summary == "100 recipients, 30.0% opened it, 5.0% clicked, 2 unsubscribed."
    finish("review_results")
    assert (flow(CAMPAIGN).current_state, flow(CAMPAIGN).status) == ("completed", "Completed")


def measure(**figures: int) -> None:
    """What the newsletter service answers when it is asked for the figures."""
    from agents_app.agents.base import Context
    from agents_app.agents.registry import AGENTS
    from higherself.integrations.events import EventKind
    from higherself.integrations.material import PostMaterial

    context = Context(
        kind=EventKind.POST_MEASURED, actor="MarketingCampaignAgent", source="Beehiiv", source_id="post_1"
    )
    AGENTS["MarketingCampaignAgent"].handle(PostMaterial(post_id="post_1", **figures), context)


def test_a_campaign_for_nobody_fails_with_the_reason_and_goes_on_once_it_is_mended(campaign):
    Campaign.objects.update(target_audience=["Former Clients"])
    set_status(campaign, "Scheduled")
    instance = flow(CAMPAIGN)
    assert (instance.status, instance.error_message) == (
        "Error",
        "No audience. Nobody of its audience has agreed to receive marketing e-mail. Then retry.",
    )
    Campaign.objects.update(target_audience=["Active Clients"])
    engine.change_status(instance, "retry", actor="Grace")
    rounds_go()
    assert (flow(CAMPAIGN).status, flow(CAMPAIGN).key_data["audience"]) == ("Active", 1)


@pytest.mark.parametrize(
    ("audience", "criteria", "reached"),
    [
        (["Leads", "Active Clients"], {}, 2),
        (["Regulars"], {}, 1),
        ([], {"segments": ["Regulars"]}, 1),
        ([], {"criteria": [{"field": "email", "operator": "contains", "value": "example.com"}]}, 2),
        (["Custom Segment"], [{"field": "status", "operator": "equals", "value": "Active Lead"}], 1),
    ],
)
def test_an_audience_is_named_by_options_segments_or_criteria(campaign, audience, criteria, reached):
    segment = Segment.objects.create(
        name="Regulars", criteria=[{"field": "status", "operator": "equals", "value": "Active Client"}]
    )
    evaluate(segment, NOW)
    Campaign.objects.update(target_audience=audience, target_criteria=criteria)
    set_status(campaign, "Scheduled")
    assert flow(CAMPAIGN).key_data["audience"] == reached


def test_a_status_that_is_not_possible_is_put_back_with_the_reason(campaign):
    rounds_go()
    set_status(campaign, "Active")
    assert (campaign.status, flow(CAMPAIGN).current_state) == ("Draft", "campaign_planning")
    assert (
        flow(CAMPAIGN)
        .history.get(event="status_refused")
        .note.startswith("Status Active is not possible in “campaign_planning” and was put back. Possible: ")
    )


def test_staff_pause_resume_end_and_cancel_by_the_status(campaign):
    deliver(post("sent", at=STAMP))
    rounds_go()
    seen = []
    for status in ("Paused", "Active", "Paused", "Cancelled"):
        set_status(campaign, status)
        seen.append((status, flow(CAMPAIGN).current_state, campaign.status))
    assert seen == [
        ("Paused", "paused", "Paused"),
        ("Active", "campaign_activation", "Scheduled"),
        ("Paused", "paused", "Paused"),
        ("Cancelled", "canceled", "Cancelled"),
    ]


def test_a_refused_activation_leaves_the_campaign_where_it_is(campaign, boss):
    set_status(campaign, "Scheduled")
    for key in ("approve_audience", "write_content", "approve_content", "launch_check"):
        finish(key)
    approvals.refuse(Approval.objects.get(status="pending"), boss, "Too soon")
    rounds_go()
    assert (flow(CAMPAIGN).current_state, OutboundCall.objects.count()) == ("channel_setup", 0)


def test_while_the_agent_is_switched_off_campaigns_wait(campaign):
    Agent.objects.filter(agent_id="MarketingCampaignAgent").update(status="Inactive")
    catalog.forget()
    rounds_go()
    assert WorkflowInstance.objects.count() == 0
    Agent.objects.filter(agent_id="MarketingCampaignAgent").update(status="Deployed")
    catalog.forget()
    assert (rounds.tend_campaigns(), rounds.tend_campaigns()) == (1, 0)


def test_a_long_audience_is_carried_in_parts(campaign, monkeypatch, boss):
    from agents_app.marketing import stages

    monkeypatch.setattr(stages, "BATCH", 2)
    for number in range(4):
        make_contact(email=f"more{number}@example.com", status="Active Client", email_opt_in=True)
    set_status(campaign, "Scheduled")
    for key in ("approve_audience", "write_content", "approve_content", "launch_check"):
        finish(key)
    approvals.approve(Approval.objects.get(status="pending"), boss, "")
    counts = []
    for _ in range(4):
        rounds.tend_campaigns()
        counts.append(OutboundCall.objects.count())
    assert counts == [2, 4, 5, 5]


def test_without_any_figures_the_campaign_ends_three_days_later_all_the_same(campaign, clock):
    deliver(post("sent", at=STAMP))
    later(clock, days=18)
    rounds_go()
    assert flow(CAMPAIGN).current_state == "wrap_up"
    later(clock, days=3)
    tasks.sweep()
    rounds_go()
    assert (flow(CAMPAIGN).current_state, Campaign.objects.get().results_summary) == (
        "analysis",
        "Nothing was measured.",
    )
