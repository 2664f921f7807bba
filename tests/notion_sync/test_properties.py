"""Each codec: what is read from Notion, what is written to it, and that nothing is lost on the way."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from agents_app.models import Agent, Task, UseCase, Workflow
from bookings.models import Product
from contacts.models import BusinessEntity, Contact
from notion_sync.properties import (
    NOTION,
    TEXT_ITEM_UNITS,
    Checkbox,
    Date,
    DateRange,
    DateTime,
    Email,
    Files,
    Formula,
    Json,
    MultiSelect,
    Number,
    People,
    Phone,
    Property,
    Relation,
    Rollup,
    Select,
    Text,
    Title,
    TooLong,
    Url,
    WrongType,
    chunks,
    clean_text,
    option_name,
    utf16_units,
)
from tests.notion_sync.notion import answer

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))
WIDE = "🪷"  # two UTF-16 units
UTC = timezone.utc


def bound(prop: Property, attr: str) -> Property:
    """The property as a mapping holds it, where it knows the model field that it stands for."""
    prop.__set_name__(object, attr)
    return prop


def through_notion(prop: Property, row: Any) -> Any:
    """The canonical value after the row's value was written to Notion and read back."""
    return prop.read(answer(prop, prop.write(prop.get(row))))


# -- text ----------------------------------------------------------------------------------------------------------


@given(st.text(), st.integers(min_value=2, max_value=30))
@example(WIDE * 20, 3)
def test_chunks_join_to_the_text_fit_the_limit_and_split_no_character(text: str, size: int):
    parts = chunks(text, size)
    assert "".join(parts) == text
    assert [part for part in parts if not part or utf16_units(part) > size] == []
    assert [part for part in parts if part.encode("utf-16-le").decode("utf-16-le") != part] == []


@given(st.text(alphabet=["a", "é", WIDE], min_size=1, max_size=30), st.integers(min_value=1, max_value=300))
def test_long_texts_become_as_few_items_as_notion_allows(part: str, times: int):
    items = Text("Notes").to_wire(part * times)
    sizes = [utf16_units(item["text"]["content"]) for item in items]
    assert max(sizes) <= TEXT_ITEM_UNITS
    assert [size for size in sizes[:-1] if size < TEXT_ITEM_UNITS - 1] == []


def test_an_empty_text_is_written_as_no_items():
    assert Text("Notes").write("") == {"rich_text": []}


def test_two_hundred_thousand_units_fit_and_one_more_does_not():
    assert len(Text("Notes").to_wire("a" * 200_000)) == 100
    with pytest.raises(TooLong, match="“Notes” has 200001 characters; Notion takes 200000"):
        Text("Notes").to_wire("a" * 200_001)


@given(ANY_TEXT)
@example("e\u0301 \x00 \ud83e")
def test_clean_text_can_be_encoded_and_is_clean_already_the_second_time(text: str):
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert cleaned.count("\x00") == 0


def test_rich_text_is_read_as_its_plain_text_whatever_its_formatting():
    items = [
        {"type": "text", "text": {"content": "Call "}, "plain_text": "Call ", "annotations": {"bold": True}},
        {"type": "mention", "mention": {"type": "user"}, "plain_text": "@Ada"},
        {"type": "equation", "equation": {"expression": "x"}, "plain_text": " x"},
    ]
    assert Text("Notes").read({"type": "rich_text", "rich_text": items}) == "Call @Ada x"


def test_a_text_longer_than_the_field_is_refused_with_both_lengths():
    title = bound(Title("Full Name"), "full_name")
    with pytest.raises(ValidationError, match="“Full Name” has 501 characters; 500 fit here"):
        title.set(Contact(), "x" * 501)


def test_a_property_of_another_type_is_refused_by_name():
    with pytest.raises(WrongType, match="“Status” is of type status in Notion, not select"):
        Select("Status").read({"type": "status", "status": {"name": "Done"}})


# -- JSON ----------------------------------------------------------------------------------------------------------

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


@given(st.dictionaries(st.text(), JSON_VALUES))
def test_json_comes_back_as_it_went_apart_from_characters_that_no_database_takes(value: dict[str, Any]):
    prop = bound(Json("External IDs"), "external_ids")
    row, again = Contact(external_ids=value), Contact()
    canonical = through_notion(prop, row)
    prop.set(again, canonical)
    assert prop.same(prop.get(row), canonical)
    assert json.loads(prop.get(again) or "{}") == again.external_ids
    assert clean_text(json.dumps(again.external_ids, ensure_ascii=False)) == json.dumps(
        again.external_ids, ensure_ascii=False
    )


def test_json_is_the_same_however_a_person_lays_it_out():
    assert Json("States").same('{"b": 1, "a": [2]}', '{\n  "a": [ 2 ],\n  "b": 1\n}')
    assert not Json("States").same('{"a": 1}', '{"a": 2}')
    assert not Json("States").same('{"a": 1}', "a: 1")


def test_no_json_text_means_the_empty_value_that_the_mapping_names():
    row = Workflow(states=["new"])
    bound(Json("States", empty=list), "states").set(row, "  ")
    assert row.states == []


@pytest.mark.parametrize("text", ["not json", '{"a": NaN}', "[1e999]", "[-Infinity]", "[" * 100_000])
def test_text_that_is_no_json_is_refused_by_the_property_name(text: str):
    with pytest.raises(ValidationError, match="“External IDs” is not valid JSON"):
        bound(Json("External IDs"), "external_ids").set(Contact(), text)


def test_json_loses_the_characters_that_postgresql_does_not_take():
    row = Contact()
    bound(Json("External IDs"), "external_ids").set(row, r'{"a\u0000": ["\u0000b", "\ud83e"]}')
    assert row.external_ids == {"a": ["b", "�"]}


# -- numbers -------------------------------------------------------------------------------------------------------


@given(st.decimals(min_value=-9_999_999_999, max_value=9_999_999_999, places=2))
def test_an_amount_comes_back_to_the_cent(amount: Decimal):
    prop, again = bound(Number("Price", format="dollar"), "price"), Product()
    prop.set(again, through_notion(prop, Product(price=amount)))
    assert again.price == amount


@given(st.integers(min_value=-(2**31), max_value=2**31 - 1))
def test_a_whole_number_comes_back_whole(number: int):
    prop, again = bound(Number("Inventory Count"), "inventory_count"), Product()
    prop.set(again, through_notion(prop, Product(inventory_count=number)))
    assert (again.inventory_count, type(again.inventory_count)) == (number, int)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_fraction_comes_back_exactly(number: float):
    prop, again = bound(Number("Success Rate", format="percent"), "success_rate"), Agent()
    prop.set(again, through_notion(prop, Agent(success_rate=number)))
    assert again.success_rate == number


def test_an_empty_number_is_null_where_the_field_may_be_and_the_default_where_not():
    product, contact = Product(price=Decimal(5)), Contact(engagement_score=50)
    bound(Number("Price"), "price").set(product, None)
    bound(Number("Engagement Score"), "engagement_score").set(contact, None)
    assert (product.price, contact.engagement_score) == (None, 0)


@pytest.mark.parametrize(
    ("model", "attr", "value"),
    [
        (Product, "price", 1e300),
        (Product, "price", 1e11),
        (Contact, "engagement_score", 101),
        (Product, "capacity", -1),
    ],
)
def test_a_number_that_the_field_cannot_hold_is_refused(model: Any, attr: str, value: float):
    with pytest.raises(ValidationError):
        bound(Number("Number"), attr).set(model(), value)


@given(st.booleans())
def test_a_checkbox_comes_back(checked: bool):
    prop, again = bound(Checkbox("Featured"), "featured"), Product()
    prop.set(again, through_notion(prop, Product(featured=checked)))
    assert again.featured is checked


# -- options -------------------------------------------------------------------------------------------------------


@given(ANY_TEXT)
@example("a" * 99 + " b")
@example("Berlin, Germany")
def test_an_option_name_has_no_comma_fits_notion_and_is_stable(name: str):
    option = option_name(name)
    assert option.count(",") == 0
    assert len(option) <= 100
    assert option_name(option) == option


@given(ANY_TEXT)
def test_a_select_comes_back(name: str):
    prop, again = bound(Select("Country"), "country"), Contact()
    row = Contact(country=name)
    prop.set(again, through_notion(prop, row))
    assert again.country == prop.get(row) == option_name(name)


@given(st.lists(ANY_TEXT, max_size=20))
@example(["b", "a", " a ", "", "x, y"])
def test_a_multi_select_comes_back_as_a_set_of_names(names: list[str]):
    prop, again = bound(MultiSelect("Tags"), "tags"), Contact()
    row = Contact(tags=names)
    prop.set(again, through_notion(prop, row))
    assert again.tags == prop.get(row) == sorted({option_name(name) for name in names} - {""})


def test_an_empty_select_is_written_as_null_because_notion_refuses_an_empty_name():
    assert Select("Status").write("") == {"select": None}


def test_more_than_a_hundred_options_are_refused():
    with pytest.raises(TooLong, match="“Tags” has 101 options; Notion takes 100"):
        MultiSelect("Tags").to_wire([str(number) for number in range(101)])


def test_the_options_to_create_are_those_of_the_model_field_unless_the_mapping_gives_others():
    assert bound(Select("Integration Status"), "integration_status").options(BusinessEntity) == [
        "Active",
        "Inactive",
        "Pending",
        "Error",
    ]
    assert Select("Integration Status", options=("On", "Off")).options(BusinessEntity) == ["On", "Off"]


# -- short texts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("prop", "limit"), [(Url("Website"), 2000), (Email("Email"), 200), (Phone("Phone"), 200)])
def test_short_texts_are_null_when_empty_and_refused_over_the_limit(prop: Property, limit: int):
    assert prop.write("") == {prop.type: None}
    assert prop.write("x" * limit) == {prop.type: "x" * limit}
    with pytest.raises(TooLong, match=f"has {limit + 1} characters; Notion takes {limit}"):
        prop.write("x" * (limit + 1))


def test_an_address_is_the_same_in_any_case():
    prop = bound(Email("Email"), "email")
    row = Contact()
    prop.set(row, prop.read({"type": "email", "email": " Jane.Doe@Example.ORG "}))
    assert row.email == prop.get(row) == "jane.doe@example.org"


# -- dates ---------------------------------------------------------------------------------------------------------

MOMENTS = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001 - the zone is drawn apart
    max_value=datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=st.sampled_from([UTC]) | st.timezones(),
)


@given(MOMENTS)
@example(datetime(202, 5, 9, 12, 30, tzinfo=UTC))
def test_an_instant_comes_back_to_the_minute(moment: datetime):
    prop, again = bound(DateTime("Due Date"), "due_date"), Task()
    prop.set(again, through_notion(prop, Task(due_date=moment)))
    assert again.due_date == moment.astimezone(UTC).replace(second=0, microsecond=0)


@given(st.dates())
def test_a_day_comes_back(day: date):
    prop, again = bound(Date("Created Date"), "created_date"), UseCase()
    prop.set(again, through_notion(prop, UseCase(created_date=day)))
    assert again.created_date == day


@given(MOMENTS, st.none() | st.timedeltas(min_value=timedelta(), max_value=timedelta(days=300)))
def test_a_range_comes_back_with_its_end(start: datetime, length: timedelta | None):
    prop, again = bound(DateRange("Start / End", end="ends_at"), "starts_at"), Product()
    end = None if length is None else start.astimezone(UTC) + length
    row = Product(starts_at=start, ends_at=end)
    prop.set(again, through_notion(prop, row))
    assert prop.get(again) == prop.get(row)
    assert again.starts_at == start.astimezone(UTC).replace(second=0, microsecond=0)
    assert again.ends_at == (end.replace(second=0, microsecond=0) if end else None)


def test_an_end_without_a_start_is_not_sent_because_notion_has_none():
    prop = bound(DateRange("Start / End", end="ends_at"), "starts_at")
    row = Product(ends_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert prop.write(prop.get(row)) == {"date": None}


@pytest.mark.parametrize(
    ("start", "instant"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T09:30:00.000+02:00", datetime(2026, 3, 1, 7, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:59.999Z", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
    ],
)
def test_dates_are_read_in_each_form_that_notion_uses(start: str, instant: datetime):
    prop, row = bound(DateTime("Due Date"), "due_date"), Task()
    prop.set(row, prop.read({"type": "date", "date": {"start": start, "end": None, "time_zone": None}}))
    assert row.due_date == instant


def test_a_day_stays_the_day_that_the_person_sees_whatever_the_zone():
    prop, row = bound(Date("Created Date"), "created_date"), UseCase()
    prop.set(row, prop.read({"type": "date", "date": {"start": "2026-03-01T00:30:00.000+02:00"}}))
    assert row.created_date == date(2026, 3, 1)


def test_no_date_is_no_date_on_both_sides():
    row = Task(due_date=datetime(2026, 1, 1, tzinfo=UTC))
    prop = bound(DateTime("Due Date"), "due_date")
    prop.set(row, prop.read({"type": "date", "date": None}))
    assert row.due_date is None
    assert prop.write(prop.get(row)) == {"date": None}


# -- people and files ----------------------------------------------------------------------------------------------

PEOPLE = st.lists(
    st.fixed_dictionaries({"id": st.uuids().map(str), "name": st.text()}), max_size=10, unique_by=lambda one: one["id"]
)


@given(PEOPLE)
def test_people_come_back_and_are_compared_by_id_alone(people: list[dict[str, str]]):
    prop, again = bound(People("Assigned To"), "assigned_to"), Task()
    row = Task(assigned_to=people)
    canonical = through_notion(prop, row)
    prop.set(again, canonical)
    assert prop.same(prop.get(row), canonical)
    assert [person["id"] for person in again.assigned_to] == sorted(person["id"] for person in people)


def test_different_people_are_not_the_same():
    assert not People("Owner").same([{"id": "a", "name": "Ada"}], [{"id": "b", "name": "Ada"}])


ADDRESSES = st.from_regex(r"https://[a-z]{1,9}\.org/[a-z?=&]{1,9}", fullmatch=True)
FILES = st.lists(st.fixed_dictionaries({"name": st.text(max_size=100), "url": ADDRESSES}), max_size=10)


@given(FILES)
def test_files_come_back_and_are_compared_by_address(files: list[dict[str, str]]):
    prop, again = bound(Files("Images"), "images"), Product()
    row = Product(images=files)
    canonical = through_notion(prop, row)
    prop.set(again, canonical)
    assert prop.same(prop.get(row), canonical)
    assert [item["url"] for item in again.images] == [item["url"] for item in files]


def test_a_file_that_notion_hosts_is_the_same_with_its_next_signature():
    prop = Files("Images")
    first, second = (
        prop.read({"type": "files", "files": [{"name": "a.png", "type": "file", "file": {"url": url}}]})
        for url in ("https://s3.example/a.png?sig=1", "https://s3.example/a.png?sig=2")
    )
    assert first == second == [{"name": "a.png", "url": "https://s3.example/a.png"}]


@pytest.mark.parametrize(
    ("prop", "item"),
    [(People("Owner"), {"id": "a", "name": ""}), (Files("Images"), {"name": "a", "url": "b"})],
)
def test_more_than_a_hundred_people_or_files_are_refused(prop: Property, item: dict[str, str]):
    with pytest.raises(TooLong, match=f"“{prop.name}” has 101 (people|files); Notion takes 100"):
        prop.to_wire([item] * 101)


# -- what Notion keeps itself --------------------------------------------------------------------------------------


@given(st.lists(st.uuids().map(str), max_size=10))
def test_a_relation_is_a_set_of_page_ids(ids: list[str]):
    prop = Relation("Contact", to="contacts_profiles", reverse="Tasks")
    assert prop.read(answer(prop, prop.write(sorted(set(ids))))) == sorted(set(ids))


def test_a_relation_is_one_or_many_as_its_field_is():
    many = Relation("Business Entity", to="business_entities", reverse="Contacts")
    one = Relation("Artist", to="contacts_profiles", reverse="Artworks")
    assert bound(many, "business_entities").many(Contact)
    assert not bound(one, "artist").many(Product)


def test_computed_properties_are_declared_and_never_written():
    formula = Formula("Is Physical", 'prop("Type") == "Art Piece"')
    rollup = Rollup("Open Tasks", relation="Tasks", property_name="Task Name")
    assert formula.schema() == {"formula": {"expression": 'prop("Type") == "Art Piece"'}}
    assert rollup.schema() == {
        "rollup": {"relation_property_name": "Tasks", "rollup_property_name": "Task Name", "function": "count"}
    }
    assert [(prop.writable, prop.owner) for prop in (formula, rollup)] == [(False, NOTION), (False, NOTION)]
