"""Reading Beehiiv's deliveries."""

from __future__ import annotations

from typing import Any

import pytest

from higherself.integrations.base import Ignore
from higherself.integrations.delivery import Unreadable
from higherself.integrations.events import EventKind
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.support import RECEIVED, material, one, read, told, utc
from tests.integrations.support import json_delivery, payload

BEEHIIV = PROVIDERS["beehiiv"]
SUBSCRIPTION = "sub_00000000-0000-0000-0000-000000000000"
SENT = utc(2022, 10, 26, 16, 1, 16)


def envelope(event_type: str, data: Any, **more: Any) -> dict[str, Any]:
    return {"uid": "evt_1", "event_type": event_type, "event_timestamp": 1666800076, "data": data} | more


def test_a_confirmed_subscriber_is_read_with_where_they_came_from():
    event = one("beehiiv", payload("beehiiv/subscription.confirmed.json"))
    assert (event.kind, event.source, event.source_id) == (EventKind.SUBSCRIBER_CONFIRMED, "Beehiiv", SUBSCRIPTION)
    assert (event.occurred_at, event.key) == (SENT, SUBSCRIPTION)
    assert told(event) == {
        "subscription_id": SUBSCRIPTION,
        "email": "example@example.com",
        "change": "confirmed",
        "status": "active",
        "tier": "premium",
        "premium_tiers": ["Premium", "Pro"],
        "utm_source": "Twitter",
        "utm_medium": "organic",
        "utm_campaign": "Q1 Campaign",
        "utm_channel": "website",
        "referring_site": "https://www.blog.com",
        "referral_code": "ABC123",
        "subscribed_at": "2022-10-26T16:01:16Z",
    }


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [("created", EventKind.SUBSCRIBER_CREATED, "validating"), ("deleted", EventKind.SUBSCRIBER_DELETED, "active")],
)
def test_a_subscriber_comes_and_goes(name: str, kind: EventKind, status: str):
    event = one("beehiiv", payload(f"beehiiv/subscription.{name}.json"))
    assert (event.kind, event.data["status"], event.data["problems"]) == (kind, status, [])


def test_a_sent_post_is_read():
    event = one("beehiiv", payload("beehiiv/post.sent.json"))
    post = "post_00000000-0000-0000-0000-000000000000"
    assert (event.kind, event.source_id, event.key) == (EventKind.POST_SENT, post, post)
    assert told(event) == {
        "post_id": post,
        "title": "New Post Title",
        "subtitle": "New post subtitle",
        "subject_line": "Check this out",
        "preview_text": "More news on the horizon",
        "status": "confirmed",
        "audience": "free",
        "authors": ["Clark Kent"],
        "tags": ["news"],
        "url": "https://example.com/more_news",
        "published_at": "2022-10-26T16:01:16Z",
        "created_at": "2022-10-26T16:01:16Z",
    }


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("subscription.upgraded", "upgraded"),
        ("subscription.paused", "paused"),
        ("subscription.tier.created", "tier.created"),
    ],
)
def test_other_changes_of_a_subscriber_keep_their_name(name: str, change: str):
    event = one("beehiiv", envelope(name, {"id": "sub_1", "email": " a@b.test ", "status": "active"}))
    assert (event.kind, event.data["change"], event.data["email"]) == (EventKind.SUBSCRIBER_CHANGED, change, "a@b.test")


def test_leaving_one_list_is_a_change_and_names_the_list():
    data = {"id": "nls_1", "list_name": "Art", "subscription_id": "sub_1", "email": "a@b.test", "status": "inactive"}
    event = one(
        "beehiiv", envelope("newsletter_list_subscription.unsubscribed", data | {"unsubscribed_at": 1666800076})
    )
    found = material(event)
    assert (event.kind, event.source_id, event.key) == (EventKind.SUBSCRIBER_CHANGED, "sub_1", "sub_1")
    assert (found.list_id, found.list_name, found.unsubscribed_at) == ("nls_1", "Art", SENT)


@pytest.mark.parametrize(
    "fields", [{"First Name": "Ada"}, [{"name": "First Name", "value": "Ada"}, {"value": 1}, "noise"]]
)
def test_custom_fields_are_read_from_both_shapes(fields: Any):
    event = one("beehiiv", envelope("subscription.created", {"id": "sub_1", "custom_fields": fields}))
    assert event.data["custom_fields"] == {"First Name": "Ada"}
    assert event.data["problems"] == ["Subscription.email: not given", "Subscription.status: not given"]


def test_an_answered_survey_is_read_as_far_as_it_can_be_recognised():
    answers = [{"question_id": "q1", "question_prompt": "Why?", "answer": "Art"}]
    data = {"id": "resp_1", "survey_id": "s1", "subscriber": {"email": "a@b.test"}, "answers": answers}
    event = one("beehiiv", envelope("survey.response_submitted", data))
    assert (event.kind, event.source_id) == (EventKind.SURVEY_ANSWERED, "resp_1")
    found = material(event)
    assert (found.survey_id, found.person.email) == ("s1", "a@b.test")
    assert [(answer.question, answer.value) for answer in found.answers] == [("Why?", "Art")]
    with pytest.raises(Unreadable, match="names no survey"):
        read("beehiiv", envelope("survey.response_submitted", {}))


def test_an_automations_step_names_its_subscriber_unless_it_is_a_trial():
    body = {"automation_id": "aut_1", "subscriber_email": "a@b.test", "subscriber_id": "sub_1", "test": False}
    event = one("beehiiv", body)
    assert (event.kind, event.data["change"], event.occurred_at) == (
        EventKind.SUBSCRIBER_CHANGED,
        "automation_step",
        RECEIVED,
    )
    with pytest.raises(Ignore, match="made-up subscriber"):
        read("beehiiv", body | {"test": True})


def test_unknown_types_are_ignored_and_nameless_things_unreadable():
    with pytest.raises(Ignore, match=r"event type 'podcasts.published' is not one that is acted upon"):
        read("beehiiv", envelope("podcasts.published", {"id": 1}))
    for name in ("subscription.created", "post.sent"):
        with pytest.raises(Unreadable):
            read("beehiiv", envelope(name, {}))


def test_the_uid_is_the_key_of_one_type():
    one_, two = (json_delivery(envelope(name, {"id": "x"})) for name in ("post.sent", "post.updated"))
    again = json_delivery(envelope("post.sent", {"id": "x"}, more=1))
    assert BEEHIIV.delivery_key(one_) == BEEHIIV.delivery_key(again) == "post.sent:evt_1"
    assert BEEHIIV.delivery_key(two) == "post.updated:evt_1"
    assert BEEHIIV.delivery_key(json_delivery({}, headers={"svix-id": "msg_1"})) == "svix:msg_1"
