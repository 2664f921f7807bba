"""The pure parts under inputs that nobody thought of."""

from __future__ import annotations

import itertools
import uuid
from datetime import date, datetime, timedelta, timezone
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_sync.sandbox import checks, dates, formulas, ids, richtext
from notion_sync.sandbox.errors import ApiError
from notion_sync.sandbox.relations import Relations

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)
colors = st.sampled_from(["default", "red", "blue_background"])
runs = st.builds(
    lambda content, bold, color: {"text": {"content": content}, "annotations": {"bold": bold, "color": color}},
    texts,
    st.booleans(),
    colors,
)


@given(st.text(max_size=200))
def test_the_length_of_a_text_is_its_length_in_utf16(text):
    assert checks.utf16_length(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


@given(st.lists(runs, max_size=20))
def test_rich_text_keeps_every_character_and_writing_it_back_changes_nothing(items):
    shown = richtext.show(richtext.parse(items, "body"))
    assert "".join(run["plain_text"] for run in shown) == "".join(item["text"]["content"] for item in items)
    try:
        again = richtext.show(richtext.parse(shown, "body"))
    except ApiError:
        assert any(checks.utf16_length(run["plain_text"]) > richtext.MAX_CONTENT for run in shown)
    else:
        assert again == shown


@given(st.lists(runs, max_size=20))
def test_no_two_neighbouring_runs_look_the_same(items):
    shown = richtext.show(richtext.parse(items, "body"))
    for one, other in itertools.pairwise(shown):
        assert one["annotations"] != other["annotations"]


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.times(), offsets)
def test_a_date_time_reads_back_as_the_same_minute(day, time, offset):
    moment = datetime.combine(day, time, offset)
    stored = dates.parse({"start": moment.isoformat()}, "body")["start"]
    assert dates.instant(stored) == moment.replace(second=0, microsecond=0)
    assert datetime.fromisoformat(stored).utcoffset() == moment.utcoffset()
    assert dates.parse({"start": stored}, "body")["start"] == stored


@given(st.dates())
def test_a_date_alone_reads_back_as_written(day):
    assert dates.parse({"start": day.isoformat()}, "body") == {"start": day.isoformat(), "end": None}


@given(st.text(max_size=30))
def test_a_text_that_is_no_date_is_refused(text):
    try:
        datetime.fromisoformat(text)
    except ValueError:
        with pytest.raises(ApiError):
            dates.parse({"start": text}, "body")


@given(st.uuids(version=4))
def test_an_id_is_read_in_every_spelling(value):
    for spelling in (str(value), value.hex, str(value).upper()):
        assert ids.parse_uuid(spelling, "path.id") == str(value)


@given(st.one_of(st.text(max_size=40), st.integers(), st.none(), st.uuids().map(lambda u: str(u)[:-1])))
def test_what_is_no_id_is_refused(value):
    try:
        uuid.UUID(value)
    except (ValueError, TypeError, AttributeError):
        with pytest.raises(ApiError):
            ids.parse_uuid(value, "path.id")


def test_property_ids_survive_their_encoding_and_do_not_repeat():
    taken: set[str] = set()
    for _ in range(2000):
        taken.add(ids.new_property_id(taken))
    assert len(taken) == 2000
    assert {unquote(ids.encode_property_id(found)) for found in taken} == taken


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(1, 1000))
def test_formulas_keep_the_rules_of_arithmetic(a, b, c):
    shown = formulas.evaluate(f'prop("a") + {abs(b)} * (2 - prop("c")) / 4', {"a": a, "c": c})
    assert shown["number"] == pytest.approx(a + abs(b) * (2 - c) / 4)


@given(st.text(max_size=40))
def test_no_expression_makes_the_evaluator_stumble(expression):
    assert formulas.evaluate(expression, {})["type"] in ("string", "number", "boolean")


pages = st.sampled_from("abcde")
writes = st.lists(st.tuples(st.sampled_from(["a", "b"]), pages, st.lists(pages, max_size=5)), max_size=30)


@given(writes)
def test_both_ends_of_a_relation_always_agree(steps):
    relations = Relations()
    relations.add_relation("r")
    for side, page, targets in steps:
        relations.replace("r", side, page, targets)
        assert relations.targets("r", side, page) == list(dict.fromkeys(targets))
        forward = {(a, b) for a in "abcde" for b in relations.targets("r", "a", a)}
        backward = {(a, b) for b in "abcde" for a in relations.targets("r", "b", b)}
        assert forward == backward


@given(writes)
def test_the_saved_changes_rebuild_the_relation(steps):
    relations = Relations()
    relations.add_relation("r")
    for side, page, targets in steps:
        relations.replace("r", side, page, targets)
    saved: dict[tuple[str, str], None] = {}
    for change in relations.changes:
        saved.pop((change.a, change.b), None)
        if change.present:
            saved[change.a, change.b] = None
    again = Relations()
    again.add_relation("r")
    for a, b in saved:
        again.load("r", a, b)
    for page in "abcde":
        assert set(again.targets("r", "a", page)) == set(relations.targets("r", "a", page))
