"""Reading Snov.io's pings, whose shape nobody has published."""

from __future__ import annotations

from typing import Any

import pytest

from higherself.integrations.base import Ignore
from higherself.integrations.delivery import Unreadable
from higherself.integrations.events import EventKind
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.support import RECEIVED, one, read, told, utc
from tests.integrations.support import json_delivery, payload

SNOVIO = PROVIDERS["snovio"]
K = EventKind


def test_a_reply_is_read_as_far_as_it_can_be_recognised():
    event = one("snovio", payload("snovio/campaign_reply.received.json"))
    assert (event.kind, event.source, event.source_id) == (K.PROSPECT_REPLIED, "Snov.io", "ada@example.com")
    assert (event.occurred_at, event.key) == (RECEIVED, "prospect:ada@example.com")
    assert told(event) == {
        "change": "campaign_reply.received",
        "email": "ada@example.com",
        "campaign": "Autumn retreats",
        "subject": "Re: An invitation",
        "message": "Tell me more, please.",
    }


def test_a_reply_in_the_words_of_snovios_api_is_read():
    reply = {
        "campaignId": 38573,
        "campaign": "All replies campaign",
        "prospectId": "aed6",
        "prospectName": "Ada",
        "prospectEmail": " ada@example.com",
        "replyType": "email",
        "receivedAt": "2026-04-29 10:09:42",
        "replies": [{"subject": "Re: All", "message": "This is reply to email"}],
    }
    event = one("snovio", reply)
    assert (event.kind, event.source_id, event.occurred_at) == (K.PROSPECT_REPLIED, "aed6", utc(2026, 4, 29, 10, 9, 42))
    assert told(event) == {
        "email": "ada@example.com",
        "name": "Ada",
        "prospect_id": "aed6",
        "campaign_id": "38573",
        "campaign": "All replies campaign",
        "reply_type": "email",
        "subject": "Re: All",
        "message": "This is reply to email",
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("campaign_reply.first_received", K.PROSPECT_REPLIED),
        ("campaign_li_reply.received", K.PROSPECT_REPLIED),
        ("campaign_reply.autoreply_received", K.PROSPECT_ACTIVITY),
        ("campaign_email.opened", K.PROSPECT_ACTIVITY),
        ("campaign_email.bounced", K.PROSPECT_BOUNCED),
        ("campaign_li.connection_request_accepted", K.PROSPECT_ACTIVITY),
        ("prospect.unsubscribed", K.PROSPECT_UNSUBSCRIBED),
        ("prospect.campaign_finished", K.PROSPECT_FINISHED),
    ],
)
def test_the_event_is_named_by_the_address_or_the_body(name: str, kind: EventKind):
    thing, action = name.split(".")
    body = {"email": "a@b.test"}
    found = [
        one("snovio", body, query=f"event={name}"),
        one("snovio", body, query=f"event_object={thing}&event_action={action}"),
        one("snovio", body | {"event_object": thing, "event_action": action}),
        one("snovio", body | {"event": name}),
    ]
    assert [(event.kind, event.data["change"]) for event in found] == [(kind, name)] * 4


def test_a_list_is_one_event_for_each():
    assert [event.source_id for event in read("snovio", [{"email": "a@b.test"}, {"email": "c@d.test"}])] == [
        "a@b.test",
        "c@d.test",
    ]


def test_what_no_prospect_did_is_ignored():
    with pytest.raises(Ignore, match=r"'email_verification.verified' is not one that is acted upon"):
        read("snovio", {"email": "a@b.test"}, query="event=email_verification.verified")


@pytest.mark.parametrize("body", [{}, [], [1], {"email": "no address"}, {"event": "campaign_reply.received"}])
def test_a_ping_that_names_nobody_is_unreadable(body: Any):
    with pytest.raises(Unreadable):
        read("snovio", body)


def test_a_repeat_is_the_same_event_and_body():
    def key(query: str = "event=prospect.unsubscribed", **body: Any) -> str:
        return SNOVIO.delivery_key(json_delivery(body, query=query))

    assert key(email="a@b.test") == key(email="a@b.test")
    assert len({key(email="a@b.test"), key(email="c@d.test"), key("event=prospect.finished", email="a@b.test")}) == 3
