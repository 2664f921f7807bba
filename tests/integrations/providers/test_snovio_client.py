"""Calls to Snov.io: its short-lived tokens, prospects, campaigns' history, webhooks."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from higherself.core.errors import Permanent
from higherself.core.http import Unauthorised
from higherself.integrations import registering
from higherself.integrations.events import EventKind
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.calls import events_of, history, kept, run, told
from tests.integrations.support import json_delivery
from tests.standins.server import StandIns

pytestmark = pytest.mark.django_db
ADA = {"list_id": "42", "email": "ada@example.org", "first_name": "Ada"}
SINCE = datetime(2025, 12, 1, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PROVIDERS["snovio"].client_class, "per_second", 0.0)


def test_one_token_serves_many_calls_and_a_new_one_is_fetched_when_it_ends(standins: StandIns):
    service = standins["snovio"]
    run("snovio", "prospect.add", ADA)
    run("snovio", "prospect.add", ADA)
    assert len(service.tokens) == 1
    service.tokens[0] = "ended"
    assert run("snovio", "prospect.add", ADA).result == {"id": "p1001==", "added": False}
    assert (service.tokens[0], len(service.tokens)) == ("ended", 2)


def test_a_new_token_that_is_refused_too_is_an_error_and_no_loop(standins: StandIns):
    service = standins["snovio"]
    run("snovio", "prospect.add", ADA)
    service.fail(401, times=9, path="add-prospect")
    before = len(service.requests)
    with pytest.raises(Unauthorised):
        run("snovio", "prospect.add", ADA)
    assert len(service.requests) - before == 3


@pytest.mark.parametrize("status", [400, 401, 403])
def test_wrong_credentials_are_named_whatever_status_says_so(standins: StandIns, status: int):
    body = {"error": "invalid_client", "error_description": "Client authentication failed"}
    standins["snovio"].fail(status, body=body, path="access_token")
    with pytest.raises(Unauthorised, match="SNOVIO_CLIENT_ID or SNOVIO_CLIENT_SECRET"):
        run("snovio", "prospect.add", ADA)


def test_a_refusal_within_an_answer_of_200_is_a_refusal(standins: StandIns):
    standins["snovio"].fail(200, body={"success": False, "errors": ["List not found"]}, path="add-prospect")
    with pytest.raises(Permanent, match=r"Snov\.io did not take the prospect: List not found\."):
        run("snovio", "prospect.add", ADA)


def test_a_profile_comes_back_as_an_event_with_the_state_in_the_campaign(standins: StandIns):
    standins["snovio"].prospects["ada@example.org"] = {
        "id": "p1==",
        "name": "Ada Lovelace",
        "firstName": "Ada",
        "lastName": "Lovelace",
        "country": "United Kingdom",
        "social": [{"link": "https://www.linkedin.com/in/ada/", "type": "linkedIn"}],
        "currentJobs": [{"companyName": "Engines", "position": "Countess", "site": "https://engines.example"}],
        "lists": [{"id": 1, "name": "Leads"}],
        "campaigns": [{"id": 9, "campaign": "Autumn"}],
    }
    outcome = run("snovio", "prospect.enrich", {"email": "ada@example.org", "campaign_id": "9"})
    (event,) = events_of("snovio", outcome)
    assert (event.kind, event.source_id, event.key) == (EventKind.PROSPECT_READ, "p1==", "prospect:ada@example.org")
    assert {name: value for name, value in event.data.items() if value not in ("", [], {})} == {
        "prospect_id": "p1==",
        "email": "ada@example.org",
        "name": "Ada Lovelace",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "position": "Countess",
        "company": "Engines",
        "company_site": "https://engines.example",
        "country": "United Kingdom",
        "linkedin": "https://www.linkedin.com/in/ada/",
        "lists": ["Leads"],
        "campaigns": ["Autumn"],
        "statuses": {"9": "active"},
    }


def _campaign(service: Any) -> None:
    service.campaigns.append({"id": 9, "campaign": "Autumn"})
    service.activity["9"] = [
        {"event_time": "2025-12-15 10:58:52", "event_type": "sent", "recipient_email": "ada@example.org"},
        {"event_time": "2025-12-15 11:58:58", "event_type": "open", "recipient_email": "ada@example.org"},
        {"event_time": "2025-12-16 11:58:58", "event_type": "reply", "recipient_email": "ada@example.org"},
        {"event_time": "2025-11-01 11:58:58", "event_type": "open", "recipient_email": "ada@example.org"},
    ]
    service.replies["9"] = [
        {
            "campaignId": 9,
            "campaign": "Autumn",
            "prospectEmail": "Ada@example.org",
            "replyType": kind,
            "receivedAt": f"2025-12-16 10:09:{number}0",
            "replies": [{"subject": "Re:", "message": f"Yes {number}", "receivedAt": "2025-12-16 10:09:42"}],
        }
        for number, kind in enumerate(("email", "linkedinMessage", "linkedinInMail"))
    ]


def test_the_history_of_campaigns_is_read_with_what_people_answered(standins: StandIns):
    _campaign(standins["snovio"])
    found, cursor = history("snovio", since=SINCE)
    events = told("snovio", found)
    assert [(event.kind, event.data["change"], event.data["message"]) for event in events] == [
        (EventKind.PROSPECT_ACTIVITY, "campaign_email.sent", ""),
        (EventKind.PROSPECT_ACTIVITY, "campaign_email.opened", ""),
        (EventKind.PROSPECT_REPLIED, "campaign_reply.received", "Yes 0"),
        (EventKind.PROSPECT_REPLIED, "campaign_li_reply.received", "Yes 1"),
        (EventKind.PROSPECT_REPLIED, "campaign_li_reply.received", "Yes 2"),
    ]
    # Both LinkedIn answers came within one minute: one row of the conversation.
    assert kept("snovio", found) == [True, True, True, True, False]
    assert list(cursor) == ["until"]


def test_what_a_ping_told_is_recognised_in_the_history(standins: StandIns):
    _campaign(standins["snovio"])
    ping = {"campaignId": 9, "prospectEmail": "ada@example.org", "receivedAt": "2025-12-16T10:09:59Z"}
    assert kept("snovio", [json_delivery(ping, query="event=campaign_reply.received")]) == [True]
    assert kept("snovio", history("snovio", since=SINCE)[0]) == [True, True, False, True, False]


def test_webhooks_are_made_once_for_each_event_and_switched_on_again(standins: StandIns, settings: Any):
    secret = {"webhook_secret": "snovio-hook-secret"}
    settings.PROVIDERS = {**settings.PROVIDERS, "snovio": {**settings.PROVIDERS["snovio"], **secret}}
    service = standins["snovio"]
    first = registering.register("snovio", "https://hub.example.com")
    assert {hook.change for hook in first} == {"created"}
    address = "https://hub.example.com/webhooks/snovio/snovio-hook-secret?event=prospect.unsubscribed"
    assert [hook["end_point"] for hook in service.hooks if hook["event_action"] == "unsubscribed"] == [address]
    service.hooks[3]["status"] = "deactivated"
    assert sorted(hook.change for hook in registering.keep("snovio")) == ["unchanged"] * 8 + ["updated"]
    assert ({hook["status"] for hook in service.hooks}, len(service.hooks)) == ({"active"}, 9)
