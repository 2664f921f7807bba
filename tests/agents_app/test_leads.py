from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents_app import text
from agents_app.leads import fieldmap, scoring
from agents_app.leads.fieldmap import DEFAULT_MAP, BrokenMap, NoAddress
from agents_app.leads.schema import Lead, LeadSubmission, normalise_email, normalise_phone, split_name


def submission(*answers: tuple[str, str, Any], **rest: Any) -> LeadSubmission:
    """Answers as (title, type, value)."""
    listed = [{"title": title, "type": kind, "value": value} for title, kind, value in answers]
    return LeadSubmission.model_validate({"form_id": "f1", "answers": listed, **rest})


def read(data: LeadSubmission, source: str = "Typeform") -> Lead:
    return fieldmap.read(data, DEFAULT_MAP, source=source)


def test_email_and_phone_are_found_by_the_kind_of_answer():
    lead = read(
        submission(
            ("Where may we write?", "email", " Ada@Example.COM "),
            ("And call?", "phone_number", "+44 1632 960961"),
        )
    )
    assert (lead.email, lead.phone) == ("ada@example.com", "+441632960961")


def test_names_messages_and_interests_are_found_by_title_and_kind():
    lead = read(
        submission(
            ("Your email", "email", "ada@example.com"),
            ("What is your first name?", "text", "Ada"),
            ("And your last name?", "text", "Lovelace"),
            ("How can we help?", "text", "A retreat, please"),
            ("Anything you dislike?", "text", "Rain"),
            ("What draws you?", "choices", {"labels": ["Retreat", "Yoga"], "other": "Silence"}),
            ("Where?", "choice", {"label": "By the sea"}),
        )
    )
    assert (lead.first_name, lead.last_name, lead.message) == ("Ada", "Lovelace", "A retreat, please")
    assert lead.interests == ("Retreat", "Yoga", "Silence", "By the sea")
    assert lead.additional == {"Anything you dislike?": "Rain"}


def test_a_flat_form_is_read_by_its_field_names():
    data = LeadSubmission.model_validate(
        {
            "fields": {
                "email": "ada@example.com",
                "name": "Ada King Lovelace",
                "message": "Hello",
                "interests": ["Art", "Retreat"],
                "business_entity": "the-7-space",
                "colour": "green",
            },
            "consent": {"marketing": True, "text": "I agree"},
        }
    )
    lead = read(data, source="Website")
    assert (lead.first_name, lead.last_name, lead.lead_source) == ("Ada", "King Lovelace", "Website")
    assert (lead.interests, lead.business_entity, lead.email_opt_in) == (("Art", "Retreat"), "the-7-space", True)
    assert lead.additional == {"colour": "green"}


@pytest.mark.parametrize("consent", [None, False, {}, {"marketing": False}, {"marketing": "true"}])
def test_only_an_explicit_yes_is_consent(consent: Any):
    assert read(submission(("E", "email", "a@example.com"), consent=consent)).email_opt_in is False


def test_a_newsletter_tick_is_consent_and_a_legal_one_is_not():
    ticked = [("E", "email", "a@example.com"), ("Do you want our newsletter?", "boolean", True)]
    legal = [("E", "email", "a@example.com"), ("I accept the terms", "boolean", True)]
    assert [read(submission(*answers)).email_opt_in for answers in (ticked, legal)] == [True, False]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([("Name", "text", "Ada")], "it has no email address"),
        ([("E", "email", "ada at example")], "its email address 'ada at example' is not valid: "),
        ([("E", "email", "ada@" + "x" * 64 + ".example")], "its email address 'ada@xxx"),
    ],
)
def test_without_a_usable_address_there_is_no_lead(answers: list[tuple[str, str, Any]], reason: str):
    with pytest.raises(NoAddress) as caught:
        read(submission(*answers))
    assert str(caught.value)[: len(reason)] == reason


def test_an_address_that_notion_cannot_hold_is_refused():
    long = "a" * 60 + "@" + ".".join(["b" * 45] * 3) + ".example"
    with pytest.raises(ValueError, match="more than 200 characters"):
        normalise_email(long)


def test_a_map_written_by_people_wins_over_guesses():
    logic = {
        "fields": {
            "email": [{"ref": "mail"}],
            "first_name": [{"title": "wer bist du", "convert": "first_word"}],
            "interests": [{"hidden": "course", "convert": "list"}],
            "phone": [{"type": "phone"}],
        },
        "constants": {"lead_source": "Event", "tags": "fair, autumn"},
        "phone_region": "US",
    }
    data = LeadSubmission.model_validate(
        {
            "answers": [
                {"ref": "MAIL", "title": "?", "type": "text", "value": "a@example.com"},
                {"title": "Wer bist du?", "type": "text", "value": "Ada Lovelace"},
                {"title": "Phone", "type": "phone_number", "value": "415 555 2671"},
            ],
            "hidden": {"course": "Art, Yoga"},
        }
    )
    lead = fieldmap.read(data, fieldmap.parse(json.dumps(logic)), source="Typeform")
    assert (lead.first_name, lead.interests, lead.lead_source) == ("Ada", ("Art", "Yoga"), "Event")
    assert (lead.tags, lead.phone) == (("fair", "autumn"), "+14155552671")


@pytest.mark.parametrize(
    ("logic", "message"),
    [
        ("{", "the transformation logic is not JSON"),
        ("{}", "fields: Field required"),
        ('{"fields": {}}', "map: Value error, the map says nothing about “email”"),
        ('{"fields": {"email": [{"ref": "x", "field": "y"}]}}', "fields.email.0: Value error, a source names either"),
        ('{"fields": {"email": [{"python": "import os"}]}}', "fields.email.0.python: Extra inputs are not permitted"),
        ('{"fields": {"email": [{"ref": "x", "convert": "eval"}]}}', "fields.email.0.convert: Input should be"),
    ],
)
def test_a_broken_map_says_what_is_wrong(logic: str, message: str):
    with pytest.raises(BrokenMap) as caught:
        fieldmap.parse(logic)
    assert str(caught.value)[: len(message)] == message


def test_ten_thousand_answers_are_read_and_none_is_lost():
    answers = [(f"Question {number}", "text", f"Answer {number}") for number in range(10_000)]
    lead = read(submission(("E", "email", "a@example.com"), *answers))
    assert len(lead.additional) == 10_000


def test_questions_with_one_title_keep_all_their_answers():
    lead = read(submission(("E", "email", "a@example.com"), ("Why?", "text", "one"), ("Why?", "text", "two")))
    assert lead.additional == {"Why?": "one", "Why? (2)": "two"}


@pytest.mark.parametrize(
    ("written", "region", "stored"),
    [
        ("+1 (415) 555-2671", None, "+14155552671"),
        ("415 555 2671", "US", "+14155552671"),
        ("415 555 2671", None, "415 555 2671"),
        ("call me maybe", "US", "call me maybe"),
        ("+1 2", None, "+1 2"),
        ("", None, ""),
    ],
)
def test_a_phone_number_becomes_international_where_it_can_be_read(written: str, region: str | None, stored: str):
    assert normalise_phone(written, region) == stored


def test_a_name_is_split_at_its_first_space():
    assert [split_name(name) for name in ("Ada King  Lovelace", "Ada", "")] == [
        ("Ada", "King Lovelace"),
        ("Ada", ""),
        ("", ""),
    ]


@pytest.mark.parametrize("name", ["👩🏽‍🚀 Zoë", "محمد علي", "Nul\x00Byte", "Half\ud83dPair", "Line\r\nBreak"])
def test_names_of_all_scripts_are_kept_and_unstorable_characters_are_not(name: str):
    lead = read(submission(("E", "email", "a@example.com"), ("First name", "text", name)))
    expected = {"Nul\x00Byte": "NulByte", "Half\ud83dPair": "HalfPair", "Line\r\nBreak": "Line Break"}.get(name, name)
    assert lead.first_name == expected
    lead.first_name.encode()


@given(st.text(), st.integers(60, 300))
def test_shortened_text_keeps_its_limit_and_counts_what_is_missing(value: str, limit: int):
    shortened = text.shorten(value, limit, "e1")
    assert len(shortened) <= limit
    if len(value) <= limit:
        assert shortened == value
    else:
        kept, _, remark = shortened.rpartition("… (")
        assert value.startswith(kept)
        assert remark == f"{len(value) - len(kept)} more characters in event e1)"


@given(st.text())
def test_clean_text_can_be_stored_everywhere(value: str):
    cleaned = text.clean(value)
    assert "\x00" not in cleaned
    cleaned.encode("utf-8")


@given(st.lists(st.text(max_size=150), max_size=130))
def test_option_names_suit_a_multi_select(values: list[str]):
    names = text.option_names(values)
    assert len(names) <= 100
    assert [name for name in names if "," in name or len(name) > 100 or not name] == []
    assert len({name.casefold() for name in names}) == len(names)


def test_a_union_keeps_the_spelling_that_is_there():
    assert text.union(["VIP", "New"], ["vip", "Art"]) == ["VIP", "New", "Art"]


@pytest.mark.parametrize(
    ("fields", "points", "level"),
    [
        ({}, 2, "Low"),
        ({"message": "Hello"}, 3, "Low"),
        ({"message": "I am interested"}, 4, "Medium"),
        ({"message": "Which retreats do you have?"}, 5, "Medium"),
        ({"message": "Which retreats do you have?", "phone": "+1"}, 7, "High"),
        ({"message": "Urgent: a workshop on art for our company, budget 500", "phone": "1"}, 12, "Excellent"),
        ({"message": "an article"}, 3, "Low"),
        ({"company": "Engines Ltd"}, 3, "Low"),
    ],
)
def test_a_lead_is_scored_by_the_table(fields: dict[str, Any], points: int, level: str):
    found = scoring.score(Lead(email="a@example.com", **fields))
    assert (found.points, found.level) == (points, level)


@given(st.text(), st.text(max_size=20), st.booleans())
def test_every_score_has_a_level_and_stays_in_range(message: str, company: str, phone: bool):
    found = scoring.score(Lead(email="a@example.com", message=message, company=company, phone="1" * phone))
    assert 2 <= found.points <= 12
    assert found.level == scoring.level(found.points)
    assert found.level in [item.level for item in scoring.DEFAULT.levels]


def test_a_score_says_why():
    found = scoring.score(Lead(email="a@example.com", message="Please send details soon"))
    assert found.reasons == (
        "has a valid email address (+2)",
        "asks for more (+2)",
        "is in a hurry (+2)",
    )
