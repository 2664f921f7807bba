"""The assistant: typed answers, by a model or by rules, and nothing sent without a second person."""

from __future__ import annotations

import json
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from agents_app.assist import desk, model
from agents_app.assist.kinds import KINDS, FeedbackSentiment, LeadSummary, ReplyDraft
from agents_app.models import Approval, AssistAnswer, Notification, Workflow, WorkflowInstance
from agents_app.services import approvals
from agents_app.workflow import engine
from contacts.models import BusinessEntity
from higherself.core import personal
from higherself.core.errors import Permanent, Retryable
from tests.factories import make_contact, make_feedback

pytestmark = pytest.mark.usefixtures("seeded")
needs_package = pytest.mark.skipif(find_spec("pydantic_ai") is None, reason="pydantic-ai needs Python 3.11")


def lead(**options: Any) -> WorkflowInstance:
    contact = make_contact(first_name="Ada", email="ada@example.org", **options)
    facts = {"quality": "High", "source": "Website", "interests": ["Retreat"], "message": "Is there a place in June?"}
    workflow = Workflow.objects.get(workflow_id="WF-LEAD-CAPTURE")
    entity = BusinessEntity.objects.get(entity_key="the-7-space")
    return engine.start(
        workflow, name="Lead: Ada", actor="Grace", contact=contact, key_data=facts, business_entity=entity
    )


def ask(kind: str, subject: Any, **options: Any) -> AssistAnswer:
    row = desk.ask(kind, subject, requested_by="Grace", **options)
    desk.work_off()
    row.refresh_from_db()
    return row


def test_without_a_model_the_rules_answer_and_nothing_is_asked_outside(monkeypatch: Any):
    monkeypatch.setattr(model, "ask", lambda *_args: pytest.fail("a model was asked"))
    instance = lead()
    row = ask("lead.summary", instance)
    assert (row.status, row.model, row.cost, row.error) == ("answered", "rules", None, "")
    assert LeadSummary.model_validate(row.output) == LeadSummary(
        summary="Ada wrote from Website. Interested in Retreat. “Is there a place in June?”",
        next_step="Call or write today.",
        urgency="high",
    )
    line = instance.history.order_by("pk").last()
    assert (line.event, line.actor, line.data) == ("lead.summary", "Assistant (rules)", {"assist": row.assist_id})


def test_only_the_facts_that_are_needed_are_told():
    row = ask("reply.draft", lead(phone="+441632960961"))
    assert json.loads(row.prompt) == {
        "name": "Ada",
        "business": "The 7 Space",
        "source": "Website",
        "interests": ["Retreat"],
        "message": "Is there a place in June?",
    }


def test_a_reply_is_sent_only_when_a_second_person_allows_it():
    row = ask("reply.draft", lead())
    approval = Approval.objects.get()
    assert (Notification.objects.filter(key__startswith="reply.send").count(), approval.action) == (0, "reply.send")
    assert row.output["body"].strip() in approval.reason

    approvals.approve(approval, User.objects.create_superuser("olga", password="a-long-password"))

    sent = Notification.objects.get(key=f"reply.send:{row.assist_id}")
    assert (sent.recipient, sent.subject, sent.status) == ("ada@example.org", "Your message to The 7 Space", "queued")


def test_who_asked_for_the_draft_does_not_approve_it():
    grace = User.objects.create_superuser("grace", password="a-long-password")
    ask("reply.draft", lead(), requester=grace)
    with pytest.raises(Permanent, match="somebody else"):
        approvals.approve(Approval.objects.get(), grace)


def test_nobody_who_asked_to_be_left_alone_is_written_to():
    instance = lead(status="Do Not Contact")
    ask("reply.draft", instance)
    done = approvals.approve(Approval.objects.get(), User.objects.create_superuser("olga", password="a-long-password"))
    assert "asked not to be contacted" in done.outcome
    assert Notification.objects.filter(key__startswith="reply.send").count() == 0


@pytest.mark.parametrize(
    ("content", "rating", "expected"),
    [
        ("I loved it, thank you", None, "Positive"),
        ("The room was cold and the host was rude", None, "Negative"),
        ("Wonderful food, but the room was cold", None, "Mixed"),
        ("It took place on Monday", None, "Neutral"),
        ("", 5, "Positive"),
        ("", 2, "Negative"),
    ],
)
def test_the_rules_judge_feedback(content: str, rating: int | None, expected: str):
    feedback = make_feedback(feedback_content=content, rating=rating, rating_scale=5)
    ask("feedback.sentiment", feedback)
    feedback.refresh_from_db()
    assert feedback.sentiment == expected


def test_a_persons_judgement_stands():
    feedback = make_feedback(feedback_content="I loved it", sentiment="Neutral")
    ask("feedback.sentiment", feedback)
    feedback.refresh_from_db()
    assert feedback.sentiment == "Neutral"


@needs_package
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_model_answers_in_the_shape_of_the_kind(kind: str, settings: Any):
    settings.AI_MODEL = "test"
    subject = make_feedback(feedback_content="x") if kind.startswith("feedback") else lead()
    row = ask(kind, subject)
    assert (row.status, row.model, row.error) == ("answered", "test", "")
    KINDS[kind].output.model_validate(row.output)
    assert (row.input_tokens > 0, row.output_tokens > 0) == (True, True)


@needs_package
@pytest.mark.parametrize("name", ["nonsense", "openai:gpt-5-mini", "no-such-provider:x"])
def test_a_model_that_cannot_be_used_leaves_the_answer_to_the_rules_and_says_so(
    name: str, settings: Any, monkeypatch: Any
):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings.AI_MODEL, settings.AI_API_KEY = name, ""
    row = ask("lead.summary", lead())
    assert (row.status, row.model) == ("answered", "rules")
    assert "The rules answered, because the model could not: AI_MODEL=" in row.error


def test_a_model_that_is_busy_is_asked_again_and_at_last_the_rules_answer(settings: Any, monkeypatch: Any):
    settings.AI_MODEL = "openai:any"

    def busy(*_args: Any) -> Any:
        raise Retryable("openai:any answered 429.")

    monkeypatch.setattr(model, "ask", busy)
    row = ask("lead.summary", lead())
    assert (row.status, row.attempts, row.error) == ("waiting", 1, "openai:any answered 429.")
    assert desk.work_off() == 0
    for _ in desk.BACK_OFF:
        AssistAnswer.objects.update(next_attempt_at=row.created_at)
        desk.work_off()
    row.refresh_from_db()
    assert (row.status, row.model, row.attempts) == ("answered", "rules", 4)
    assert row.error.startswith("The rules answered after 4 attempts")


def test_words_tokens_and_price_are_kept(settings: Any, monkeypatch: Any):
    settings.AI_MODEL = "openai:any"
    draft = ReplyDraft(subject="In June", body="Yes, there is.")
    monkeypatch.setattr(model, "ask", lambda *_args: model.Said(draft, "gpt-any", 120, 30, Decimal("0.00042")))
    row = ask("reply.draft", lead())
    assert (row.model, row.input_tokens, row.output_tokens, row.cost) == ("gpt-any", 120, 30, Decimal("0.000420"))
    assert row.output == {"subject": "In June", "body": "Yes, there is."}


def test_it_is_asked_for_in_the_console(client: Client):
    client.force_login(User.objects.create_superuser("owner", password="a-long-password"))
    instance, feedback = lead(), make_feedback(feedback_content="I loved it")
    for row, name in ((instance, "ask_lead_summary"), (feedback, "ask_feedback_sentiment")):
        opts = row._meta
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_do", args=[row.pk, name])
        answer = client.post(url)
        assert "the rules, because no model is set" in str(list(get_messages(answer.wsgi_request))[-1])
    assert desk.work_off() == 2
    page = client.get(reverse("admin:agents_app_workflowinstance_change", args=[instance.pk])).content.decode()
    answers = {row.kind: row for row in AssistAnswer.objects.all()}
    assert reverse("admin:agents_app_assistanswer_change", args=[answers["lead.summary"].pk]) in page
    assert FeedbackSentiment.model_validate(answers["feedback.sentiment"].output).sentiment == "Positive"


def test_who_is_erased_is_erased_from_the_answers_too():
    instance = lead()
    drafted = ask("reply.draft", instance)
    approval = Approval.objects.get()
    waiting = desk.ask("lead.summary", instance, requested_by="Grace")
    contact = instance.contact
    person = personal.Person(contact._meta.label_lower, (contact.pk,), (contact.email,), ("Ada",))

    done = personal.erase(person).counts

    for row in (drafted, waiting):
        row.refresh_from_db()
    assert done["answers_of_the_assistant"] == 2
    assert (drafted.prompt, drafted.output, drafted.subject_label) == ("", {}, "")
    assert (waiting.prompt, waiting.status, waiting.error) == ("", "failed", "The person was erased.")
    late = approvals.approve(approval, User.objects.create_superuser("olga", password="a-long-password"))
    assert late.outcome == "Approved, but not done: The draft has been erased."


def test_what_the_model_wrote_while_the_person_was_erased_is_not_kept(settings: Any, monkeypatch: Any):
    settings.AI_MODEL = "openai:any"
    instance = lead()
    contact = instance.contact

    def slow(*_args: Any) -> model.Said:
        personal.erase(personal.Person(contact._meta.label_lower, (contact.pk,), (contact.email,), ("Ada",)))
        return model.Said(ReplyDraft(subject="In June, Ada", body="Yes, Ada."), "gpt-any", 1, 1, None)

    monkeypatch.setattr(model, "ask", slow)
    row = ask("reply.draft", instance)

    assert (row.status, row.prompt, row.output) == ("failed", "", {})
    assert Approval.objects.count() == 0
