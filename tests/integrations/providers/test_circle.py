"""Reading Circle's nudges."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from higherself.integrations.base import Ignore
from higherself.integrations.events import EventKind
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.support import RECEIVED, one, read, told
from tests.integrations.support import json_delivery, payload

CIRCLE = PROVIDERS["circle"]
K = EventKind


def test_the_nudge_that_was_observed_names_member_and_field():
    event = one("circle", payload("circle/community_member_profile_field_updated.json"))
    assert (event.kind, event.source, event.source_id) == (K.MEMBER_CHANGED, "Circle.so", "77250")
    assert (event.occurred_at, event.key) == (RECEIVED, "member:77250")
    assert told(event) == {
        "change": "community_member_profile_field_updated",
        "activity": "profile_updated",
        "community_id": "465308",
        "member_id": "77250",
        "ids": {
            "community_id": "465308",
            "community_member_id": "77250",
            "profile_field_id": "5222975",
            "community_member_profile_field_id": "130882535",
        },
        "field": "bio",
        "value": "Desenvolvedor e formador",
    }


def test_a_purchase_in_its_envelope_is_known_by_the_paywall():
    event = one("circle", payload("circle/paywall_purchase.json"))
    assert (event.kind, event.source_id, event.data["ids"]["paywall_price_id"]) == (K.MEMBER_PURCHASED, "2", "4")


@pytest.mark.parametrize(
    ("name", "kind", "activity"),
    [
        ("community_member.created", K.MEMBER_JOINED, ""),
        ("Member joined", K.MEMBER_JOINED, ""),
        ("community_member.destroyed", K.MEMBER_LEFT, ""),
        ("community_member.updated", K.MEMBER_CHANGED, ""),
        ("member_tag.added", K.MEMBER_CHANGED, "tagged"),
        ("post.published", K.MEMBER_ACTIVITY, "post"),
        ("comment.created", K.MEMBER_ACTIVITY, "comment"),
        ("event_attendee.attended", K.MEMBER_ACTIVITY, "event_attended"),
        ("event_attendee.created", K.MEMBER_ACTIVITY, "event_rsvp"),
        ("event_published", K.COMMUNITY_EVENT_CHANGED, ""),
        ("paywall.purchased", K.MEMBER_PURCHASED, ""),
    ],
)
def test_the_words_of_the_type_place_it(name: str, kind: EventKind, activity: str):
    event = one("circle", {"type": name, "data": {"community_member_id": 7}})
    assert (event.kind, event.data["activity"], event.key) == (kind, activity, "member:7")


@pytest.mark.parametrize(
    ("ids", "kind", "thing"),
    [
        ({"community_member_id": 7, "post_id": 8}, K.MEMBER_ACTIVITY, "8"),
        ({"community_member_id": 7, "member_tag_id": 3}, K.MEMBER_CHANGED, "7"),
        ({"event_id": 9}, K.COMMUNITY_EVENT_CHANGED, "9"),
        ({"community_member_id": 7}, K.MEMBER_CHANGED, "7"),
    ],
)
def test_where_the_type_says_nothing_the_ids_do(ids: dict[str, int], kind: EventKind, thing: str):
    for body in ({"type": "x", "data": ids}, {"body": {"data": ids}}, ids):
        event = one("circle", body)
        assert (event.kind, event.source_id) == (kind, thing)


@pytest.mark.parametrize("body", [{}, {"type": "x"}, {"type": "x", "data": {"community_id": 1}}, {"body": {}}])
def test_what_names_nothing_is_ignored_with_the_reason(body: dict[str, Any]):
    with pytest.raises(Ignore, match="names no member, post, event or purchase"):
        read("circle", body)


def test_a_repeat_is_the_same_body_within_ten_minutes():
    def key(minutes: int, **data: Any) -> str:
        return CIRCLE.delivery_key(json_delivery({"data": data}, received_at=RECEIVED + timedelta(minutes=minutes)))

    assert key(0, a=1) == key(9, a=1)
    assert len({key(0, a=1), key(10, a=1), key(0, a=2)}) == 3
