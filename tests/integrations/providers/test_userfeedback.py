"""Reading UserFeedback's responses."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import urlencode

import pytest

from higherself.integrations.base import Ignore
from higherself.integrations.delivery import Delivery, Unreadable
from higherself.integrations.events import EventKind
from higherself.integrations.material import Person, SurveyAnswer
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.support import RECEIVED, material, one, read, utc
from tests.integrations.support import json_delivery, payload

USERFEEDBACK = PROVIDERS["userfeedback"]


def test_a_response_of_zoho_flows_shape_is_read():
    event = one("userfeedback", payload("userfeedback/response_added.json"))
    assert (event.kind, event.source, event.source_id) == (EventKind.SURVEY_ANSWERED, "Userfeedback", "345")
    assert (event.occurred_at, event.key) == (RECEIVED, "")
    found = material(event)
    assert (found.survey_id, found.response_id, found.problems) == ("12", "345", [])
    assert found.answers == [
        SurveyAnswer(question_id="q-1", value=5),
        SurveyAnswer(question_id="q-3", value="jane@example.com"),
    ]
    assert found.person == Person(email="jane@example.com", name="Jane Doe")
    assert (found.page_title, found.page_url, found.rating) == ("Home - Site", "https://site.example/", None)


def test_the_arguments_of_the_plugins_hook_are_read():
    found = material(one("userfeedback", payload("userfeedback/survey_response.hook_arguments.json")))
    assert [(answer.question_id, answer.value, answer.comment) for answer in found.answers] == [
        ("q-1", 5, ""),
        ("q-2", ["Option A", "Option B"], "free text"),
        ("q-3", "jane@example.com", ""),
        ("q-4", None, ""),
    ]
    assert (found.person.name, found.page_url) == ("Jane Doe", "https://site.example/")


def test_fields_mapped_by_hand_are_read_from_json_and_from_a_form():
    fields = {
        "id": "9",
        "email": " a@b.test ",
        "feedback_text": "Lovely",
        "rating": "4.5",
        "page_url": "https://x.test",
    }
    form = Delivery(urlencode(fields).encode(), content_type="application/x-www-form-urlencoded")
    for event in (one("userfeedback", fields), *USERFEEDBACK.parse(form)):
        found = material(event)
        assert (event.source_id, found.person.email, found.text, found.rating) == (
            "9",
            "a@b.test",
            "Lovely",
            Decimal("4.5"),
        )
        assert found.problems == ["Response.survey_id: not given"]


def test_only_a_time_with_an_offset_is_a_moment():
    body = {"survey_id": 1, "response_id": 2, "submitted_at": "2026-03-12 10:11:12"}
    assert one("userfeedback", body).occurred_at == RECEIVED
    assert one("userfeedback", body | {"submitted_at": "2026-03-12T10:11:12Z"}).occurred_at == utc(
        2026, 3, 12, 10, 11, 12
    )


def test_a_response_is_delivered_once_whatever_wraps_it():
    keys = {
        USERFEEDBACK.delivery_key(json_delivery(payload(f"userfeedback/{name}.json")))
        for name in ("response_added", "survey_response.hook_arguments")
    }
    assert keys == {"12:345"}
    assert USERFEEDBACK.delivery_key(json_delivery({})).startswith("sha256:")


def test_other_events_are_ignored_and_empty_ones_unreadable():
    with pytest.raises(Ignore, match="event 'survey_created' is not one that is acted upon"):
        read("userfeedback", {"event": "survey_created"})
    for body in ({}, {"survey_id": 1}, {"event": "response_added", "data": 7}):
        with pytest.raises(Unreadable, match="holds no response"):
            read("userfeedback", body)
