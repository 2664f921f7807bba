"""What every agent of the registry owes. A new agent without a payload here, or with unknown options, fails."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone
from pydantic import BaseModel

from agents_app.agents.base import MADE, AnyKind, BaseAgent, Context, Outcome, WorkKind
from agents_app.agents.registry import AGENTS, LEFT_ALONE, takers
from agents_app.choices import Api, Capability
from agents_app.services import catalog
from contacts import interactions
from higherself.core.health import OK
from higherself.core.models import Record
from higherself.integrations import events
from higherself.integrations.events import EventKind
from tests.factories import (
    make_business_entity,
    make_campaign,
    make_contact,
    make_feedback,
    make_instance,
    make_member,
    make_product,
    make_task,
)
from tests.seeds import planted

SPEC_NAMES = [
    "LeadCaptureAgent",
    "BookingAgent",
    "TaskManagementAgent",
    "MarketingCampaignAgent",
    "CommunityEngagementAgent",
    "ContentLifecycleAgent",
    "AudienceSegmentationAgent",
]
every_agent = pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
CONSUMED = [(agent, kind) for agent in AGENTS.values() for kind in agent.consumes]
every_kind = pytest.mark.parametrize(("agent", "kind"), CONSUMED, ids=[f"{a.agent_id}-{k.value}" for a, k in CONSUMED])


def _lead(**more: Any) -> dict[str, Any]:
    answers = [{"title": "Email", "type": "email", "value": "ada@example.com"}]
    return {"form_id": "f1", "form_title": "Contact", "answers": answers, **more}


def _instance_in_lead_workflow() -> Any:
    row = catalog.current().workflow("WF-LEAD-CAPTURE")
    return make_instance(workflow=row, current_state="qualified", client_lead_email="ada@example.com")


def _done_task() -> dict[str, Any]:
    instance = _instance_in_lead_workflow()
    key = f"{instance.instance_id}:follow_up_email:1"
    return {"task_pk": make_task(related_workflow_instance=instance, task_key=key).pk}


def _booking(**more: Any) -> dict[str, Any]:
    customer = {"id": "2", "email": "ada@example.com", "name": "Ada Lovelace"}
    return {"booking_id": "3", "service_id": "12", "service_name": "Retreat", "customer": customer, **more}


def _package() -> dict[str, Any]:
    return {"package_id": "4", "purchase_id": "5", "name": "Five mornings", "customer": {"email": "ada@example.com"}}


def _order(**more: Any) -> dict[str, Any]:
    line = {"id": "1", "product_id": "93", "name": "Print", "quantity": 1}
    return {"order_id": "727", "status": "pending", "customer": {"email": "ada@example.com"}, "lines": [line], **more}


def _sold_to(**order: Any) -> None:
    """An order of customer 26 that is known already."""
    kind = EventKind.ORDER_CREATED
    told = _order(customer={"id": "26", "email": "ada@example.com"}, **order)
    context = Context(kind=kind, actor="BookingAgent", source="WooCommerce", source_id="727")
    AGENTS["BookingAgent"].handle(AGENTS["BookingAgent"].consumes[kind].model_validate(told), context)


def _gone(id: str) -> dict[str, Any]:
    _sold_to()
    return {"id": id}


def _action() -> dict[str, Any]:
    _sold_to()
    return {"action": "woocommerce_payment_complete", "argument": 727}


PERSON = {"email": "ada@example.com", "name": "Ada Lovelace"}
MEMBER = {"member_id": "7", **PERSON}


def _prospect(**more: Any) -> dict[str, Any]:
    return {"prospect_id": "9", **PERSON, **more}


def _known_contact(**fields: Any) -> None:
    make_contact(email="ada@example.com", **fields)


def _opened() -> dict[str, Any]:
    _known_contact()
    return _prospect(change="campaign_email.opened")


def _bounced() -> dict[str, Any]:
    _known_contact()
    return _prospect(change="campaign_email.bounced")


def _finished() -> dict[str, Any]:
    _known_contact()
    interactions.record(None, "email_sent", source="Snov.io", key="x", at=timezone.now(), identity="snovio:9")
    return _prospect(change="campaign_email.first_sent")


def _profile() -> dict[str, Any]:
    _known_contact(company="")
    return _prospect(company="Analytical Engines")


def _measured() -> dict[str, Any]:
    make_campaign(external_id="post_1")
    return {"post_id": "post_1", "recipients": 100, "unique_opens": 40}


def _in_hubspot(**more: Any) -> dict[str, Any]:
    _known_contact(hubspot_contact_id="51", city="")
    return {"record_type": "contact", "record_id": "51", "change": "propertyChange", "change_id": "1", **more}


def _member_who_cools_down() -> dict[str, Any]:
    contact = make_contact()
    make_member(contact_profile=contact, member_email=contact.email, engagement_score=90)
    interactions.record(contact, "post", source="Circle.so", key="p", at=timezone.now())
    return {}


def _campaign_due() -> dict[str, Any]:
    return {"campaign_pk": make_campaign(campaign_type="Email").pk}


def _content_due() -> dict[str, Any]:
    row = catalog.current().workflow("WF-CONT-CYCLE")
    return {"instance_pk": make_instance(workflow=row, current_state="").pk}


# One payload for each kind that some agent takes; made late, because some need rows.
PAYLOADS: dict[AnyKind, Any] = {
    EventKind.LEAD_SUBMITTED: _lead,
    WorkKind.STATE_ENTERED: lambda: {"instance_pk": _instance_in_lead_workflow().pk},
    WorkKind.TASK_DONE: _done_task,
    EventKind.BOOKING_CREATED: _booking,
    EventKind.BOOKING_STATUS_CHANGED: lambda: _booking(status="approved"),
    EventKind.BOOKING_RESCHEDULED: lambda: _booking(starts_at="2027-01-02T10:00:00Z"),
    EventKind.BOOKING_CANCELED: lambda: _booking(status="canceled"),
    EventKind.PAYMENT_UPDATED: lambda: _booking(payments=[{"id": "1", "status": "paid", "amount": "20"}]),
    EventKind.PACKAGE_PURCHASED: _package,
    EventKind.PACKAGE_CANCELED: _package,
    EventKind.ORDER_CREATED: _order,
    EventKind.ORDER_UPDATED: lambda: _order(status="processing"),
    EventKind.ORDER_DELETED: lambda: _gone("727"),
    EventKind.CUSTOMER_CHANGED: lambda: {"customer": {"id": "26", "email": "ada@example.com"}},
    EventKind.CUSTOMER_DELETED: lambda: _gone("26"),
    EventKind.PRODUCT_CHANGED: lambda: {"product_id": "93", "name": "Print"},
    EventKind.PRODUCT_DELETED: lambda: _gone("93"),
    EventKind.SHOP_ACTION: _action,
    WorkKind.LEAD_FOUND: _lead,
    EventKind.SUBSCRIBER_CREATED: lambda: {"subscription_id": "sub_1", "email": "ada@example.com"},
    EventKind.SUBSCRIBER_CONFIRMED: lambda: {"subscription_id": "sub_1", "email": "ada@example.com"},
    EventKind.SUBSCRIBER_CHANGED: lambda: {"subscription_id": "sub_1", "email": "ada@example.com", "change": "paused"},
    EventKind.SUBSCRIBER_DELETED: lambda: {"subscription_id": "sub_1", "email": "ada@example.com"},
    EventKind.POST_SCHEDULED: lambda: {"post_id": "post_1", "title": "Spring"},
    EventKind.POST_SENT: lambda: {"post_id": "post_1", "title": "Spring"},
    EventKind.POST_UPDATED: lambda: {"post_id": "post_1", "title": "Spring"},
    EventKind.POST_MEASURED: _measured,
    EventKind.PROSPECT_REPLIED: lambda: _prospect(message="I would like to book."),
    EventKind.PROSPECT_ACTIVITY: _opened,
    EventKind.PROSPECT_BOUNCED: _bounced,
    EventKind.PROSPECT_UNSUBSCRIBED: _prospect,
    EventKind.PROSPECT_FINISHED: _finished,
    EventKind.PROSPECT_READ: _profile,
    WorkKind.CAMPAIGN_DUE: _campaign_due,
    WorkKind.CONTENT_PUBLISHED: lambda: {"title": "Spring", "reference": "INST-1"},
    EventKind.MEMBER_JOINED: lambda: MEMBER,
    EventKind.MEMBER_CHANGED: lambda: MEMBER,
    EventKind.MEMBER_LEFT: lambda: MEMBER,
    EventKind.MEMBER_ACTIVITY: lambda: {**MEMBER, "activity": "post", "ids": {"post_id": "3"}},
    EventKind.MEMBER_PURCHASED: lambda: {**MEMBER, "ids": {"paywall_id": "5"}},
    EventKind.MEMBER_READ: lambda: {**MEMBER, "tags": ["Painters"]},
    EventKind.COMMUNITY_EVENT_CHANGED: lambda: {"ids": {"event_id": "4"}},
    **dict.fromkeys(
        (
            *(EventKind.COURSE_ENROLLED, EventKind.COURSE_COMPLETED, EventKind.COURSE_LEFT),
            *(EventKind.LESSON_COMPLETED, EventKind.QUIZ_FINISHED),
        ),
        lambda: {"student": PERSON, "course_id": "2", "course_title": "Listening", "lesson_id": "3", "quiz_id": "4"},
    ),
    EventKind.SURVEY_ANSWERED: lambda: {"survey_id": "1", "response_id": "2", "rating": 2, "person": PERSON},
    WorkKind.SURVEY_RECEIVED: lambda: {"survey_id": "1", "response_id": "2", "rating": 5, "person": PERSON},
    WorkKind.COMMUNITY_DAY: _member_who_cools_down,
    EventKind.TRANSCRIPT_COMPLETED: lambda: {"file_id": "f1", "title": "Walk", "transcript": "Breathe in."},
    EventKind.TRANSCRIPT_FAILED: lambda: {"file_id": "f1", "title": "Walk", "error": "noise"},
    WorkKind.CONTENT_DUE: _content_due,
    EventKind.CONTACT_CHANGED: lambda: _in_hubspot(property="city", value="London"),
    EventKind.CONTACT_MERGED: lambda: _in_hubspot(change="merge", record_id="52", merged_ids=["51"]),
    EventKind.CONTACT_DELETED: lambda: _in_hubspot(change="deletion"),
    EventKind.CONTACT_FORGOTTEN: lambda: _in_hubspot(change="privacyDeletion"),
    WorkKind.AUDIENCE_DUE: lambda: {"asked_by": "grace"},
}


def _edited(row: Any, **changed: Any) -> dict[str, Any]:
    for name, value in changed.items():
        setattr(row, name, value)
    row.save()
    pairs = {name: ("", value) for name, value in changed.items()}
    return {"model": row._meta.label_lower, "pk": row.pk, "changed": pairs, "by": "Grace", "occasion": "1"}


# One payload for each agent that people's edits are handed to.
EDITS: dict[str, Any] = {
    "LeadCaptureAgent": lambda: _edited(make_contact(), status="Qualified Lead"),
    "BookingAgent": lambda: _edited(make_product(), status="Coming Soon"),
    "TaskManagementAgent": lambda: _edited(make_business_entity(), integration_status="Error"),
    "CommunityEngagementAgent": lambda: _edited(make_feedback(), sentiment="Negative"),
}


def _payload(agent: BaseAgent, kind: AnyKind) -> Any:
    return EDITS.get(agent.agent_id) if kind == WorkKind.RECORD_EDITED else PAYLOADS.get(kind)


# Where the events come from; other kinds from Typeform.
SOURCES = {
    **dict.fromkeys(
        (
            *(EventKind.BOOKING_CREATED, EventKind.BOOKING_STATUS_CHANGED, EventKind.BOOKING_RESCHEDULED),
            *(EventKind.BOOKING_CANCELED, EventKind.PAYMENT_UPDATED),
            *(EventKind.PACKAGE_PURCHASED, EventKind.PACKAGE_CANCELED),
        ),
        "Amelia",
    ),
    **dict.fromkeys(
        (
            *(EventKind.ORDER_CREATED, EventKind.ORDER_UPDATED, EventKind.ORDER_DELETED),
            *(EventKind.CUSTOMER_CHANGED, EventKind.CUSTOMER_DELETED),
            *(EventKind.PRODUCT_CHANGED, EventKind.PRODUCT_DELETED, EventKind.SHOP_ACTION),
        ),
        "WooCommerce",
    ),
    **dict.fromkeys((kind for kind in EventKind if kind.value.split(".")[0] in ("subscriber", "post")), "Beehiiv"),
    **dict.fromkeys((kind for kind in EventKind if kind.value.startswith("prospect.")), "Snov.io"),
    **dict.fromkeys((kind for kind in EventKind if kind.value.startswith(("member.", "community_"))), "Circle.so"),
}


def test_every_kind_of_event_is_taken_or_left_alone_for_a_reason_or_heard_by_the_synchronisation():
    nobody = {kind for kind in EventKind if not takers(kind) and kind not in LEFT_ALONE and not events._listeners[kind]}
    assert nobody == set()
    assert [kind for kind in LEFT_ALONE if takers(kind)] == []


def test_the_seven_agents_are_registered_under_their_names():
    assert list(AGENTS) == SPEC_NAMES


@every_agent
def test_an_agent_says_who_it_is(agent: BaseAgent):
    assert agent.agent_id == type(agent).__name__
    assert [agent.name == "", agent.description == "", agent.version.count(".")] == [False, False, 2]


@every_agent
def test_an_agent_names_only_known_capabilities_and_apis(agent: BaseAgent):
    assert agent.capabilities != ()
    assert set(agent.capabilities) - set(Capability.values) == set()
    assert set(agent.apis) - set(Api.values) == set()
    assert "NOTION_API" in agent.apis


@every_agent
def test_an_agent_reads_each_kind_through_a_model(agent: BaseAgent):
    assert [kind for kind, model in agent.consumes.items() if not issubclass(model, BaseModel)] == []


@every_agent
def test_an_agent_takes_something_and_says_what(agent: BaseAgent):
    assert agent.consumes
    health = agent.health()
    assert health.status == OK
    assert health.facts["takes"] == [kind.value for kind in agent.consumes]


@every_agent
def test_an_agent_is_handed_what_it_takes(agent: BaseAgent):
    assert all(agent in takers(kind) for kind in agent.consumes)


@every_kind
def test_a_consumed_kind_has_a_payload(agent: BaseAgent, kind: AnyKind):
    assert _payload(agent, kind) is not None


@every_agent
def test_an_agent_watches_only_fields_that_there_are(agent: BaseAgent):
    assert (WorkKind.RECORD_EDITED in agent.consumes) == bool(agent.watches)
    for label, names in agent.watches.items():
        model = apps.get_model(label)
        assert issubclass(model, Record)
        assert {name for name in names if name != MADE} <= {item.name for item in model._meta.concrete_fields}


@every_kind
@pytest.mark.django_db
def test_an_agent_answers_with_an_outcome_and_a_sentence(agent: BaseAgent, kind: AnyKind):
    catalog.forget()
    planted()
    data = agent.consumes[kind].model_validate(_payload(agent, kind)())
    source = SOURCES.get(kind, "Typeform")
    outcome = agent.handle(data, Context(kind=kind, actor=agent.agent_id, source=source, source_id="t1"))
    assert isinstance(outcome, Outcome)
    assert outcome.result.value == "done"
    assert outcome.message.endswith(".")
