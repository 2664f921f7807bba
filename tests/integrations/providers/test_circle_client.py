"""Calls to Circle.so: members, its monthly budget, its history."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from higherself.core.errors import Permanent
from higherself.integrations import followups, gate, outbox
from higherself.integrations.delivery import Delivery
from higherself.integrations.events import EventKind
from higherself.integrations.models import OutboundCall, ProviderGate
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.calls import events_of, history, kept, run, told
from tests.integrations.support import json_delivery
from tests.standins.server import StandIns

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PROVIDERS["circle"].client_class, "per_second", 0.0)


def test_a_member_who_is_there_is_not_invited_again(standins: StandIns):
    standins["circle"].join("ada@example.org", "Ada")
    outcome = run("circle", "member.invite", {"email": "Ada@example.org", "tags": ["Newcomer"]})
    assert outcome.result == {"member_id": "77", "created": False}
    assert [request.method for request in standins["circle"].requests] == ["GET"]


def test_a_read_member_comes_back_as_an_event_with_what_a_nudge_leaves_out(standins: StandIns):
    service = standins["circle"]
    service.join(
        "ada@example.org",
        "Ada Lovelace",
        first_name="Ada",
        last_name="Lovelace",
        last_seen_at="2026-11-22T10:00:00.000Z",
        accepted_invitation="2024-09-03 16:20:19 UTC",
        posts_count=3,
        comments_count=5,
        activity_score={"activity_score": "23.0"},
        gamification_stats={"total_points": 40, "current_level_name": "Level 2"},
        flattened_profile_fields={"bio": "Engines", "city": None},
    )
    service.tagged.append(("ada@example.org", 7))
    (event,) = events_of("circle", run("circle", "member.read", {"member_id": "77"}))
    assert (event.kind, event.source_id, event.key) == (EventKind.MEMBER_READ, "77", "member:77")
    assert {name: value for name, value in event.data.items() if value not in ("", None, [], {})} == {
        "member_id": "77",
        "community_id": "1",
        "email": "ada@example.org",
        "name": "Ada Lovelace",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "active": True,
        "joined_at": "2026-11-20T10:00:00Z",
        "last_seen_at": "2026-11-22T10:00:00Z",
        "accepted_at": "2024-09-03T16:20:19Z",
        "tags": ["Retreat 2026"],
        "posts": 3,
        "comments": 5,
        "score": "23.0",
        "points": 40,
        "level": "Level 2",
        "fields": {"bio": "Engines"},
    }


def test_somebody_who_is_gone_is_not_found_which_is_no_failure(standins: StandIns):
    outcome = run("circle", "member.read", {"member_id": "5"})
    assert (outcome.result, outcome.fetched) == ({"found": False}, ())


def test_a_tag_that_nobody_has_made_is_left_to_a_person(standins: StandIns):
    standins["circle"].join("ada@example.org")
    with pytest.raises(Permanent, match="no member tag called 'Sailors'"):
        run("circle", "member.tag", {"email": "ada@example.org", "tag": "Sailors"})


def test_the_word_before_the_token_is_a_setting(standins: StandIns, settings: Any):
    settings.PROVIDERS = {**settings.PROVIDERS, "circle": {**settings.PROVIDERS["circle"], "token_scheme": "Bearer"}}
    client = PROVIDERS["circle"].client()
    with client:
        assert client.credentials() == {"Authorization": "Bearer circle-standin-0123456789"}


def test_requests_are_counted_and_the_last_tenth_of_a_month_is_kept_from_the_history(standins: StandIns, settings: Any):
    settings.PROVIDERS = {**settings.PROVIDERS, "circle": {**settings.PROVIDERS["circle"], "monthly_requests": "20"}}
    standins["circle"].join("ada@example.org")
    run("circle", "member.read", {"member_id": "77"})
    assert gate.used_this_month("circle") == 1
    ProviderGate.objects.update(requests=18)
    with pytest.raises(gate.NotNow, match="18 of the 20 requests"):
        history("circle")
    run("circle", "member.read", {"member_id": "77"})
    run("circle", "member.read", {"member_id": "77"})
    with pytest.raises(gate.NotNow, match="20 requests that circle allows a month are used up"):
        run("circle", "member.read", {"member_id": "77"})
    ProviderGate.objects.update(month="2020-01")
    assert gate.used_this_month("circle") == 0


def _history(service: Any) -> None:
    service.join("ada@example.org", "Ada")
    service.join("old@example.org", "Old", created_at="2026-01-01T00:00:00Z")
    service.posts.append(
        {"id": 2, "name": "Hello", "user_email": "ada@example.org", "published_at": "2026-11-21T08:00:00Z"}
    )
    service.posts.append({"id": 1, "name": "Older", "published_at": "2026-10-01T08:00:00Z"})
    user = {"name": "Ada", "email": "ada@example.org"}
    service.comments.append({"id": 9, "created_at": "2026-11-22T08:00:00Z", "user": user, "post": {"id": 2}})


def test_the_history_holds_members_posts_and_comments_and_is_told_once(standins: StandIns):
    _history(standins["circle"])
    found, cursor = history("circle")
    events = told("circle", found)
    assert [(event.kind, event.source_id, event.data["email"]) for event in events] == [
        (EventKind.MEMBER_READ, "77", "ada@example.org"),
        (EventKind.MEMBER_ACTIVITY, "2", "ada@example.org"),
        (EventKind.MEMBER_ACTIVITY, "9", "ada@example.org"),
    ]
    assert [event.data.get("activity", "") for event in events] == ["", "post", "comment"]
    assert events[1].occurred_at.isoformat() == "2026-11-21T08:00:00+00:00"
    assert (kept("circle", found), kept("circle", found)) == ([True] * 3, [False] * 3)
    standins["circle"].requests.clear()
    again, later = history("circle", cursor)
    assert (again, later["comments_at"]) == ([], cursor["comments_at"])
    assert len(standins["circle"].requests) == 2, "comments are read at every second run"


def test_a_post_that_a_nudge_has_told_is_recognised(standins: StandIns):
    _history(standins["circle"])
    nudge = {"type": "post_published", "data": {"community_member_id": 77, "post_id": 2}}
    assert kept("circle", [json_delivery(nudge)]) == [True]
    assert kept("circle", history("circle")[0]) == [True, False, True]


def test_a_nudge_has_the_member_read_once_it_is_quiet_and_only_once(
    standins: StandIns, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("higherself.core.jobs.wake_in", lambda _name, _seconds: None)
    from higherself.integrations import followups

    provider = PROVIDERS["circle"]
    for field in ("bio", "city"):
        data = {"community_member_id": 77, "profile_field_key": field}
        body = {"type": "community_member_profile_field_updated", "data": data}
        moment = timezone.now().replace(second=1)
        (event,) = provider.parse(json_delivery(body, received_at=moment))
        assert followups.wants(provider, event)
        followups.follow(provider, event)
    call = OutboundCall.objects.get()
    assert (call.operation, call.payload) == ("member.read", {"member_id": "77"})
    assert call.next_attempt_at - call.created_at == timedelta(seconds=15)


def test_without_credentials_nothing_is_read_and_nobody_claims_so(settings: Any):
    settings.PROVIDERS = {"circle": {"webhook_secret": "x"}}
    provider = PROVIDERS["circle"]
    (event,) = provider.parse(json_delivery({"type": "member_joined", "data": {"community_member_id": 77}}))
    assert (outbox.is_configured("circle"), followups.wants(provider, event)) == (False, False)


def test_a_sender_cannot_pass_off_a_body_as_what_we_read_ourselves():
    body = {"type": "member", "member": {"id": 77, "email": "mallory@example.org"}}
    (event,) = PROVIDERS["circle"].parse(json_delivery(body))
    assert event.kind != EventKind.MEMBER_READ
    pulled = Delivery(json.dumps(body).encode(), content_type="application/json", pulled="member.read")
    assert PROVIDERS["circle"].parse(pulled)[0].kind == EventKind.MEMBER_READ


def test_the_console_and_the_health_page_show_how_much_of_the_month_is_used(standins: StandIns, settings: Any):
    from django.contrib import admin

    from higherself.core import health

    standins["circle"].join("ada@example.org")
    run("circle", "member.read", {"member_id": "77"})
    row = ProviderGate.objects.get(provider="circle")
    assert admin.site._registry[ProviderGate].used(row) == "1 of 5,000"
    told = health.report()[1]["providers"].facts["providers"]["circle"]
    assert (told["requests_this_month"], told["monthly_limit"]) == (1, 5000)
