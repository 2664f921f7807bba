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
from agents_app.models import Agent, AgentRun, Approval, ContentItem, Task, WorkflowInstance
from agents_app.services import approvals, catalog
from agents_app.workflow import engine
from campaigns.models import Campaign
from higherself.core.signals import record_pulled
from tests.agents_app.audience import deliver, deliver_shuffled, finish, flow, open_tasks, recording, rounds_go
from tests.factories import make_instance

pytestmark = pytest.mark.usefixtures("seeded")
NOW = datetime(2026, 5, 22, 12, tzinfo=timezone.utc)
CONTENT = "WF-CONT-CYCLE"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def boss() -> User:
    user = User.objects.create_user("grace", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="decide_approval"))
    return user


def state() -> str:
    return flow(CONTENT).current_state


def test_a_transcript_becomes_a_draft_that_somebody_works_on():
    deliver(recording("Breathe in. Breathe out.", summary="About breathing.", word_count=240, duration=120))
    instance, item = flow(CONTENT), ContentItem.objects.get()
    assert (instance.instance_name, instance.source_system, instance.source_record_id) == (
        "Content: Morning walk",
        "Plaud",
        "file_1",
    )
    assert (instance.current_state, open_tasks()) == ("creation", ["draft_content"])
    assert item.draft == "# Morning walk\n\nAbout breathing.\n\nBreathe in. Breathe out."
    assert instance.key_data["draft"] == item.draft
    assert instance.history.get(event="transcript_ready").note == "The transcript is here: 240 words, 2 minutes"


def test_a_recording_without_its_text_waits_for_it():
    deliver(recording())
    assert (state(), open_tasks()) == ("ideation", ["choose_idea"])
    deliver(recording("Breathe in."))
    assert (state(), ContentItem.objects.get().source_text) == ("creation", "Breathe in.")
    # Nobody has to decide any more whether it is taken up.
    assert open_tasks() == ["draft_content"]


def test_a_new_transcript_replaces_only_what_nobody_has_worked_on():
    deliver(recording("First."), recording("Second.", stamp="2026-05-21T16:00:00Z"))
    item = ContentItem.objects.get()
    assert item.draft == "# Morning walk\n\nSecond."
    item.draft = "My own words."
    item.save()
    deliver(recording("Third.", stamp="2026-05-21T17:00:00Z"))
    item.refresh_from_db()
    assert (item.draft, item.source_text) == ("My own words.", "Third.")


def test_a_failed_recording_is_a_task_unless_the_text_is_here():
    deliver(recording(event="failed", error="noise"))
    assert [row.task_name for row in Task.objects.all()] == ["Transcribe anew: Morning walk"]
    deliver(recording("Breathe in."), recording(event="failed", error="noise", stamp="2026-05-21T18:00:00Z"))
    assert (state(), Task.objects.filter(task_key__contains="failed").count()) == ("creation", 1)


RECORDINGS = [
    recording(),
    recording("First."),
    recording("Second.", stamp="2026-05-21T16:00:00Z"),
    recording("Third.", stamp="2026-05-21T17:00:00Z"),
]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_whatever_order_and_however_often_the_newest_text_stands(seed):
    with transaction.atomic():
        assert deliver_shuffled(RECORDINGS, seed) == []
        item = ContentItem.objects.get()
        assert (state(), item.draft, item.source_text) == ("creation", "# Morning walk\n\nThird.", "Third.")
        transaction.set_rollback(True)


def to_approval() -> None:
    deliver(recording("Breathe in."))
    finish("draft_content")
    finish("review_content")


def test_content_is_published_only_with_a_second_persons_word(boss, clock):
    to_approval()
    assert state() == "approval"
    asked = Approval.objects.get()
    assert (asked.action, asked.status, asked.requested_by) == ("content.publish", "pending", "ContentLifecycleAgent")
    ContentItem.objects.update(platforms=["wordpress", "beehiiv"])
    approvals.approve(asked, boss, "")
    rounds_go()
    assert (state(), open_tasks()) == ("publishing", ["publish_check", "publish_content"])
    item = ContentItem.objects.get()
    item.published_urls = {"wordpress": "https://site.example/walk"}
    item.save()
    finish("publish_content")
    assert state() == "monitoring"
    campaign = Campaign.objects.get()
    assert (campaign.campaign_name, campaign.status, campaign.description) == (
        "Promote: Morning walk",
        "Draft",
        "https://site.example/walk",
    )
    assert flow(CONTENT).key_data["published"] == {"wordpress": "https://site.example/walk"}
    finish("performance_review")
    assert (state(), flow(CONTENT).status) == ("archiving", "Completed")


def test_content_without_mail_among_its_platforms_makes_no_campaign(boss):
    to_approval()
    approvals.approve(Approval.objects.get(), boss, "")
    rounds_go()
    finish("publish_content")
    assert (state(), Campaign.objects.count()) == ("monitoring", 0)


def test_what_is_handed_to_an_agent_that_is_off_waits_and_is_no_failure(boss):
    to_approval()
    ContentItem.objects.update(platforms=["beehiiv"])
    approvals.approve(Approval.objects.get(), boss, "")
    rounds_go()
    marketing = Agent.objects.get(agent_id="MarketingCampaignAgent")
    for status, found in (("Inactive", ("distribution", 0)), ("Deployed", ("monitoring", 1))):
        marketing.status = status
        marketing.save()
        # The clock stands still, so the time of the change tells nobody of it.
        catalog.forget()
        if status == "Inactive":
            finish("publish_content")
        rounds_go()
        assert (state(), Campaign.objects.count()) == found
    assert not AgentRun.objects.filter(outcome="failed").exists()


def test_a_refusal_sends_it_back_and_it_is_asked_anew(boss):
    to_approval()
    approvals.refuse(Approval.objects.get(), boss, "Too long")
    rounds_go()
    assert (state(), open_tasks()) == ("revision", ["revise_content"])
    assert flow(CONTENT).history.get(event="changes_requested").note == "Publication refused: Too long"
    finish("revise_content")
    finish("review_content")
    assert [row.status for row in Approval.objects.order_by("pk")] == ["refused", "pending"]


def test_with_a_date_of_its_own_it_is_published_then(boss, clock):
    deliver(recording("Breathe in."))
    ContentItem.objects.update(publish_at=NOW + timedelta(days=3))
    finish("draft_content")
    finish("review_content")
    approvals.approve(Approval.objects.get(), boss, "")
    rounds_go()
    assert state() == "scheduling"
    clock.move_to(NOW + timedelta(days=3, minutes=1))
    tasks.sweep()
    assert state() == "publishing"


def test_content_is_asked_for_in_notion_by_a_new_page():
    row = catalog.current().workflow(CONTENT)
    wanted: dict[str, Any] = {"title": "On silence", "platforms": ["linkedin"], "content_type": "blog_post"}
    instance = make_instance(workflow=row, current_state="", instance_name="On silence", key_data=wanted)
    record_pulled.send(sender=WorkflowInstance, pk=instance.pk, changed={}, actor="Notion (Grace)")
    rounds_go()
    item = ContentItem.objects.get()
    assert (state(), item.title, item.platforms, item.content_type) == (
        "ideation",
        "On silence",
        ["linkedin"],
        "blog_post",
    )
    for key in ("choose_idea", "plan_content"):
        finish(key)
    assert (state(), open_tasks()) == ("creation", ["draft_content"])


def test_what_is_published_can_be_used_again():
    deliver(recording("Breathe in."))
    WorkflowInstance.objects.update(current_state="monitoring")
    instance = flow(CONTENT)
    engine.advance(instance, "repurposing_opportunity", actor="Grace")
    finish("repurpose_content")
    assert state() == "creation"


def test_a_round_with_nothing_to_do_leaves_no_trace():
    deliver(recording("Breathe in."))
    rounds_go()
    before = flow(CONTENT).updated_at, flow(CONTENT).history.count()
    assert rounds.tend_content() == 0
    assert (flow(CONTENT).updated_at, flow(CONTENT).history.count()) == before
