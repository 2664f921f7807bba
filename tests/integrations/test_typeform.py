"""Reading Typeform's deliveries."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from higherself.integrations.base import Ignore
from higherself.integrations.delivery import Delivery, Unreadable
from higherself.integrations.events import Event, EventKind
from higherself.integrations.registry import PROVIDERS
from tests.integrations.support import json_delivery, payload, raw

TYPEFORM = PROVIDERS["typeform"]
RECEIVED = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)


def read(body: Any, **options: Any) -> Event:
    (event,) = TYPEFORM.parse(json_delivery(body, received_at=RECEIVED, **options))
    return event


def changed(**response: Any) -> dict[str, Any]:
    data = payload("typeform/form_response.json")
    data["form_response"] |= response
    return data


def test_the_published_example_is_a_submitted_lead():
    event = read(raw("typeform/form_response.signed.raw"))
    assert event.kind == EventKind.LEAD_SUBMITTED
    assert (event.source, event.source_id) == ("Typeform", "a3a12ec67a1365927098a606107fac15")
    assert event.occurred_at == datetime(2018, 1, 18, 18, 17, 2, tzinfo=timezone.utc)
    assert event.key == "lT4Z3j:a3a12ec67a1365927098a606107fac15"
    data = event.data
    assert (data["form_id"], data["form_title"]) == ("lT4Z3j", "Webhooks example")
    assert data["hidden"] == {"user_id": "abc123456"}
    assert data["variables"] == {"score": 4, "name": "typeform"}
    assert data["submitted_at"] == "2018-01-18T18:17:02+00:00"
    assert len(data["answers"]) == 13
    assert data["answers"][1] == {
        "ref": "readable_ref_email",
        "id": "SMEUb7VJz92Q",
        "title": "If you're OK with our city management following up if they have further questions, "
        "please give us your email address.",
        "type": "email",
        "value": "laura@example.com",
    }


def test_every_kind_of_answer_becomes_a_plain_value():
    event = read(payload("typeform/all_answer_types.json"))
    assert {answer["ref"]: answer["value"] for answer in event.data["answers"]} == {
        "about_you": "I paint.",
        "email": "ada@example.com",
        "site": "https://ada.example.com",
        "portrait": "https://api.typeform.com/responses/files/1",
        "day": "2027-03-01",
        "guests": 2,
        "terms": True,
        "retreat": "Sierra Nevada",
        "interests": ["Yoga", "Art", "Silence"],
        "phone": "+441632960961",
        "deposit": {"amount": "120.00", "last4": "4242", "name": "Ada", "success": True},
        "rules": ["No shoes", "No phones"],
        "other_retreat": "The one by the sea",
        "greeting": "https://example.com/v/1",
    }
    assert event.data["hidden"] == {"utm_source": "newsletter", "score": 3, "campaign": None}
    assert event.data["response_url"] == "https://example.typeform.com/r/5f0d2c9b"


def test_a_partial_submission_is_another_kind_with_a_key_of_its_own():
    delivery = json_delivery(payload("typeform/form_response_partial.json"))
    (event,) = TYPEFORM.parse(delivery)
    token = "a3a12ec67a1365927098a606107fac15"
    assert event.kind == EventKind.LEAD_PARTIAL
    assert TYPEFORM.delivery_key(delivery) == f"lT4Z3j:{token}:form_response_partial:2018-01-18T18:12:02Z"
    complete = json_delivery(payload("typeform/form_response.json"))
    assert TYPEFORM.delivery_key(complete) == f"lT4Z3j:{token}"
    assert TYPEFORM.ordering_key(delivery) == TYPEFORM.ordering_key(complete) == event.key


def test_the_event_id_does_not_make_another_delivery():
    one, other = payload("typeform/form_response.json"), payload("typeform/form_response.json")
    other["event_id"] = "another"
    assert TYPEFORM.delivery_key(json_delivery(one)) == TYPEFORM.delivery_key(json_delivery(other))


def test_without_ids_the_bytes_are_the_key():
    delivery = json_delivery({"event_type": "form_response", "form_response": {"form_id": "x"}})
    assert TYPEFORM.delivery_key(delivery).startswith("sha256:")
    assert TYPEFORM.ordering_key(delivery) == ""


def test_what_the_address_says_counts_more_than_the_respondents_link():
    event = read(changed(hidden={"business_entity": "theirs", "a": "1"}), query="business_entity=ours")
    assert event.data["hidden"] == {"business_entity": "ours", "a": "1"}


@pytest.mark.parametrize(
    ("submitted", "landed", "moment"),
    [
        ("0001-01-01T00:00:00Z", "2018-01-18T18:07:02Z", datetime(2018, 1, 18, 18, 7, 2, tzinfo=timezone.utc)),
        ("", "", RECEIVED),
        (None, None, RECEIVED),
        ("yesterday", 7, RECEIVED),
        ("2018-01-18T18:17:02", "", datetime(2018, 1, 18, 18, 17, 2, tzinfo=timezone.utc)),
        ("2018-01-18T18:17:02.500+02:00", "", datetime(2018, 1, 18, 16, 17, 2, 500_000, tzinfo=timezone.utc)),
    ],
)
def test_the_time_is_the_best_that_is_known(submitted: Any, landed: Any, moment: datetime):
    assert read(changed(submitted_at=submitted, landed_at=landed)).occurred_at == moment


@pytest.mark.parametrize(
    "missing", ["definition", "answers", "hidden", "variables", "calculated", "landed_at", "token"]
)
def test_a_missing_part_is_no_obstacle(missing: str):
    for value in (None, "absent"):
        data = changed()
        if value is None:
            data["form_response"][missing] = None
        else:
            del data["form_response"][missing]
        event = read(data)
        assert (event.kind, event.source) == (EventKind.LEAD_SUBMITTED, "Typeform")
        assert len(event.data["answers"]) == (0 if missing == "answers" else 13)
        assert event.source_id == ("LtWXD3crgy" if missing == "token" else "a3a12ec67a1365927098a606107fac15")


def test_answers_keep_their_ref_where_the_definition_is_missing():
    event = read(changed(definition=None))
    assert [answer["ref"] for answer in event.data["answers"]] == [""] * 12 + ["readable_ref_calendly"]
    assert event.data["answers"][0]["type"] == "long_text"


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ({"type": "signature", "signature": {"url": "https://x.test/s"}}, {"url": "https://x.test/s"}),
        ({"type": "hologram", "hologram": 7}, 7),
        ({"type": "hologram"}, None),
        ({}, None),
        ({"type": "choice", "choice": {}}, {}),
        ({"type": "choices", "choices": {"labels": None, "ids": []}}, []),
        ({"type": "choices", "choices": None}, None),
    ],
)
def test_an_unknown_or_empty_answer_is_kept_as_it_is(answer: dict[str, Any], value: Any):
    event = read(changed(answers=[answer]))
    assert [found["value"] for found in event.data["answers"]] == [value]


@pytest.mark.parametrize("kind", ["form_deleted", "", None, 7, ["form_response"]])
def test_an_unknown_event_type_is_ignored_with_the_reason(kind: Any):
    with pytest.raises(Ignore, match="is not one that is acted upon"):
        TYPEFORM.parse(json_delivery({"event_type": kind, "form_response": {}}))


@pytest.mark.parametrize("body", [[], None, 1, "x"])
def test_what_is_no_object_is_unreadable(body: Any):
    with pytest.raises(Unreadable, match="A JSON object was expected"):
        TYPEFORM.parse(json_delivery(body))


@pytest.mark.parametrize("response", [None, [], "x"])
def test_an_unknown_shape_is_unreadable_and_says_where_without_the_values(response: Any):
    with pytest.raises(Unreadable) as caught:
        TYPEFORM.parse(json_delivery({"event_type": "form_response", "form_response": response, "email": "ada@x.test"}))
    assert str(caught.value).startswith("Typeform's form_response has an unknown shape: form_response: ")
    assert "ada@x.test" not in str(caught.value)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
PARTS = ("form_id", "token", "submitted_at", "landed_at", "hidden", "variables", "definition", "answers", "calculated")


@given(st.dictionaries(st.sampled_from(PARTS), JSON_VALUES), JSON_VALUES)
def test_no_signed_shape_breaks_the_reader(response: dict[str, Any], event_id: Any):
    delivery = json_delivery({"event_id": event_id, "event_type": "form_response", "form_response": response})
    assert TYPEFORM.delivery_key(delivery) != ""
    assert isinstance(TYPEFORM.ordering_key(delivery), str)
    try:
        found = [event.kind for event in TYPEFORM.parse(delivery)]
    except Unreadable as error:
        found = str(error)[:47]
    assert found in ([EventKind.LEAD_SUBMITTED], "Typeform's form_response has an unknown shape: ")


def test_a_body_that_is_no_json_has_a_key_and_no_type():
    delivery = Delivery(b"\xff", content_type="text/plain")
    assert TYPEFORM.delivery_key(delivery).startswith("sha256:")
    assert (TYPEFORM.event_type(delivery), TYPEFORM.ordering_key(delivery)) == ("", "")


@pytest.mark.parametrize("depth", [60, 300, 900])
def test_an_answer_that_is_nested_too_deeply_is_unreadable(depth: int):
    body = changed(answers=[{"type": "text", "text": "deep", "field": {"id": "a"}}])
    deep = json.dumps(body).replace('"deep"', "[" * depth + "]" * depth)
    with pytest.raises(Unreadable, match="nested too deeply to be read"):
        PROVIDERS["typeform"].parse(json_delivery(deep.encode()))
