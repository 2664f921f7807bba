"""Changes of a data source's properties."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from tests.sandbox.conftest import EVERY_TYPE, make_row, make_source, text


def patch(client, source, **properties):
    return client.data_sources.update(source, properties=properties)["properties"]


def refused(api, source, properties) -> str:
    status, code, message = api.error("PATCH", f"data_sources/{source}", {"properties": properties})
    assert (status, code) == (400, "validation_error")
    return message


def names(client, source):
    return set(client.data_sources.retrieve(source)["properties"])


# -- creating ----------------------------------------------------------------------------------------


def test_a_database_without_properties_gets_a_title_called_name(client, sb):
    database = client.databases.create(parent={"page_id": sb.root_page_id})
    shown = client.data_sources.retrieve(database["data_sources"][0]["id"])["properties"]
    assert shown == {"Name": {"id": "title", "name": "Name", "description": None, "type": "title", "title": {}}}


@pytest.mark.parametrize("properties", [{"N": {"number": {}}}, {"A": {"title": {}}, "B": {"title": {}}}])
def test_a_data_source_has_exactly_one_title(api, sb, properties):
    body = {"parent": {"page_id": sb.root_page_id}, "initial_data_source": {"properties": properties}}
    assert api.error("POST", "databases", body)[:2] == (400, "validation_error")


def test_a_second_data_source_joins_a_database(client, source, row):
    database_id = row["parent"]["database_id"]
    second = client.data_sources.create(
        parent={"type": "database_id", "database_id": database_id},
        properties={"Name": {"title": {}}},
        title=text("Second"),
    )
    assert client.databases.retrieve(database_id)["data_sources"] == [
        {"id": source, "name": "Things"},
        {"id": second["id"], "name": "Second"},
    ]


def test_a_database_as_parent_of_a_page_works_only_while_it_has_one_data_source(client, api, source, row):
    database_id = row["parent"]["database_id"]
    body = {"parent": {"database_id": database_id}, "properties": {}}
    assert api("POST", "pages", body).json()["parent"]["data_source_id"] == source
    client.data_sources.create(parent={"database_id": database_id}, properties={"Name": {"title": {}}})
    assert api.error("POST", "pages", body)[:2] == (400, "validation_error")


def test_a_database_is_renamed_described_and_given_an_icon(client, row):
    shown = client.databases.update(
        row["parent"]["database_id"],
        title=text("New"),
        description=text("About"),
        icon={"type": "emoji", "emoji": "🔥"},
        is_inline=True,
    )
    assert (shown["title"][0]["plain_text"], shown["description"][0]["plain_text"]) == ("New", "About")
    assert (shown["icon"], shown["is_inline"]) == ({"type": "emoji", "emoji": "🔥"}, True)


def test_a_data_source_is_renamed(client, source):
    shown = client.data_sources.update(source, title=text("Other"))
    assert shown["title"][0]["plain_text"] == "Other"


# -- add, rename, remove -----------------------------------------------------------------------------


def test_a_new_name_with_a_type_adds_a_property(client, source, row):
    added = patch(client, source, Cost={"type": "number", "number": {"format": "dollar"}})["Cost"]
    assert added == {
        "id": added["id"],
        "name": "Cost",
        "description": None,
        "type": "number",
        "number": {"format": "dollar"},
    }
    assert client.pages.retrieve(row["id"])["properties"]["Cost"] == {
        "id": added["id"],
        "type": "number",
        "number": None,
    }


def test_a_rename_keeps_the_id_and_the_values(client, source, row):
    client.pages.update(row["id"], properties={"Number": {"number": 5}})
    before = row["properties"]["Number"]["id"]
    renamed = patch(client, source, Number={"name": "Amount"})
    assert renamed["Amount"]["id"] == before
    assert "Number" not in renamed
    shown = client.pages.retrieve(row["id"])["properties"]
    assert shown["Amount"] == {"id": before, "type": "number", "number": 5}
    assert "Number" not in shown


def test_a_property_is_renamed_by_id_encoded_or_not(client, source, row):
    encoded = row["properties"]["Text"]["id"]
    assert "One" in patch(client, source, **{encoded: {"name": "One"}})
    assert "Two" in patch(client, source, **{unquote(encoded): {"name": "Two"}})


def test_the_title_can_be_renamed(client, source, row):
    assert patch(client, source, Name={"name": "Label"})["Label"]["id"] == "title"
    assert client.pages.retrieve(row["id"])["properties"]["Label"]["title"][0]["plain_text"] == "Row"


def test_a_rename_onto_an_existing_name_is_refused(api, source):
    assert refused(api, source, {"Number": {"name": "Text"}}) == (
        'Cannot rename "Number" to "Text" because property with new name already exists.'
    )


def test_null_removes_and_adding_again_gives_a_new_id(client, source, row):
    client.pages.update(row["id"], properties={"Number": {"number": 5}})
    assert "Number" not in patch(client, source, Number=None)
    again = patch(client, source, Number={"number": {}})["Number"]
    assert again["id"] != row["properties"]["Number"]["id"]
    assert client.pages.retrieve(row["id"])["properties"]["Number"]["number"] is None


def test_the_title_cannot_be_removed_added_or_retyped(api, source):
    for properties in ({"Name": None}, {"More": {"title": {}}}, {"Name": {"number": {}}}, {"Text": {"title": {}}}):
        refused(api, source, properties)


@pytest.mark.parametrize(
    "properties",
    [
        {"Nope": None},
        {"Nope": {"name": "Else"}},
        {"New": {"number": {"format": "bananas"}}},
        {"New": {"number": {}, "select": {}}},
        {"New": {"type": "number"}},
        {"New": {"type": "number", "select": {}}},
        {"New": {"type": "hologram", "hologram": {}}},
        {"New": {"number": {"decimals": 2}}},
        {"New": {"rich_text": {"x": 1}}},
        {"New": {"unique_id": {"prefix": "no spaces"}}},
        {"": {"number": {}}},
    ],
)
def test_a_change_beyond_the_rules_is_refused_and_changes_nothing(client, api, source, properties):
    refused(api, source, {"Extra": {"checkbox": {}}, **properties})
    assert names(client, source) == set(EVERY_TYPE)


# -- options -----------------------------------------------------------------------------------------


def options_of(client, source, name="Choice"):
    shown = client.data_sources.retrieve(source)["properties"][name]
    return shown[shown["type"]]["options"]


def test_an_option_list_replaces_and_known_names_keep_id_and_colour(client, source, row):
    red, _blue = options_of(client, source)
    patch(
        client,
        source,
        Choice={"select": {"options": [{"name": "Green", "color": "green"}, {"name": "red", "color": "pink"}]}},
    )
    green, same = options_of(client, source)
    assert (green["name"], green["color"]) == ("Green", "green")
    assert same == red


def test_a_dropped_option_takes_its_values_along(client, source, row):
    client.pages.update(
        row["id"],
        properties={"Choice": {"select": {"name": "Blue"}}, "Tags": {"multi_select": [{"name": "A"}, {"name": "B"}]}},
    )
    patch(
        client,
        source,
        Choice={"select": {"options": [{"name": "Red"}]}},
        Tags={"multi_select": {"options": [{"name": "B"}]}},
    )
    shown = client.pages.retrieve(row["id"])["properties"]
    assert shown["Choice"]["select"] is None
    assert [option["name"] for option in shown["Tags"]["multi_select"]] == ["B"]


def test_an_option_cannot_be_renamed_by_its_id(client, source):
    red = options_of(client, source)[0]
    patch(client, source, Choice={"select": {"options": [{"id": red["id"], "name": "Crimson"}]}})
    assert options_of(client, source) == [red]


@pytest.mark.parametrize(
    "options",
    [
        [{"name": "a,b"}],
        [{"name": "Same"}, {"name": "same"}],
        [{"name": ""}],
        [{"color": "red"}],
        [{"name": "x", "color": "plaid"}],
        [{"id": "unknown"}],
        [{"name": f"o{i}"} for i in range(101)],
    ],
)
def test_an_option_list_beyond_the_rules_is_refused(api, source, options):
    refused(api, source, {"Choice": {"select": {"options": options}}})


def test_status_options_go_into_their_groups(client, source):
    wanted = [{"name": "Not started"}, {"name": "Review", "group": "In progress"}, {"name": "New"}]
    shown = patch(client, source, State={"status": {"options": wanted}})["State"]["status"]
    by_id = {option["id"]: option["name"] for option in shown["options"]}
    assert {g["name"]: [by_id[i] for i in g["option_ids"]] for g in shown["groups"]} == {
        "To-do": ["Not started", "New"],
        "In progress": ["Review"],
        "Complete": [],
    }


def test_a_person_can_rename_an_option_and_its_id_stays(sb, client, source, row):
    client.pages.update(row["id"], properties={"Choice": {"select": {"name": "Red"}}})
    before = options_of(client, source)[0]["id"]
    sb.person.rename_option("Things", "Choice", "Red", "Crimson")
    assert client.pages.retrieve(row["id"])["properties"]["Choice"]["select"] == {
        "id": before,
        "name": "Crimson",
        "color": "red",
    }


# -- re-typing ---------------------------------------------------------------------------------------


def test_text_becomes_number_where_it_is_one(client, source, row):
    other = make_row(client, source, Text={"rich_text": text("many")})
    client.pages.update(row["id"], properties={"Text": {"rich_text": text("12.5")}})
    changed = patch(client, source, Text={"number": {}})["Text"]
    assert (changed["type"], changed["id"]) == ("number", row["properties"]["Text"]["id"])
    assert client.pages.retrieve(row["id"])["properties"]["Text"]["number"] == 12.5
    assert client.pages.retrieve(other["id"])["properties"]["Text"]["number"] is None


@pytest.mark.parametrize(
    ("name", "value", "kind", "read"),
    [
        ("Number", {"number": 5}, "rich_text", "5"),
        ("Choice", {"select": {"name": "Red"}}, "rich_text", "Red"),
        ("Tags", {"multi_select": [{"name": "A"}, {"name": "B"}]}, "rich_text", "A, B"),
        ("Text", {"rich_text": text("Yes")}, "checkbox", True),
        ("Text", {"rich_text": text("Blue")}, "select", "Blue"),
        ("Text", {"rich_text": text("x, y")}, "multi_select", ["x", "y"]),
        ("Choice", {"select": {"name": "Red"}}, "multi_select", ["Red"]),
        ("Mail", {"email": "a@example.com"}, "url", "a@example.com"),
        ("Text", {"rich_text": text("soon")}, "date", None),
    ],
)
def test_a_value_is_carried_into_the_new_type(sb, client, source, row, name, value, kind, read):
    client.pages.update(row["id"], properties={name: value})
    patch(client, source, **{name: {kind: {}}})
    assert sb.values(row["id"])[name] == read


def test_a_number_format_keeps_id_and_values(client, source, row):
    client.pages.update(row["id"], properties={"Number": {"number": 5}})
    changed = patch(client, source, Number={"number": {"format": "euro"}})["Number"]
    assert (changed["id"], changed["number"]) == (row["properties"]["Number"]["id"], {"format": "euro"})
    assert client.pages.retrieve(row["id"])["properties"]["Number"]["number"] == 5


def test_a_schema_change_leaves_the_rows_last_edited_time(sb, client, source):
    sb.clock.set("2026-11-23T10:00:00Z")
    page = make_row(client, source, Choice={"select": {"name": "Blue"}})
    sb.clock.advance(600)
    patch(client, source, Choice={"select": {"options": []}}, Number={"name": "Amount"})
    assert client.pages.retrieve(page["id"])["last_edited_time"] == "2026-11-23T10:00:00.000Z"


def test_serial_numbers_given_later_follow_the_order_of_creation(client, sb):
    source = make_source(client, sb.root_page_id, "Plain", {"Name": {"title": {}}})
    pages = [make_row(client, source, str(i)) for i in range(3)]
    patch(client, source, Serial={"unique_id": {}})
    shown = [client.pages.retrieve(page["id"])["properties"]["Serial"]["unique_id"] for page in pages]
    assert shown == [{"prefix": None, "number": number} for number in (1, 2, 3)]


# -- formulas and rollups ----------------------------------------------------------------------------


def formula(client, source, row, expression):
    patch(client, source, F={"formula": {"expression": expression}})
    return client.pages.retrieve(row["id"])["properties"]["F"]["formula"]


def test_a_simple_formula_is_computed(client, source, row):
    client.pages.update(row["id"], properties={"Number": {"number": 4}})
    assert formula(client, source, row, '(prop("Number") + 1) * 2 - 10 / 4') == {"type": "number", "number": 7.5}
    assert formula(client, source, row, 'prop("Name") + " x" + prop("Number")') == {
        "type": "string",
        "string": "Row x4",
    }
    assert formula(client, source, row, "true") == {"type": "boolean", "boolean": True}


def test_a_formula_beyond_the_evaluator_is_an_empty_string_value(client, source, row):
    assert formula(client, source, row, 'dateAdd(prop("When"), 1, "days")') == {"type": "string", "string": None}
    assert formula(client, source, row, "1 / 0") == {"type": "string", "string": None}


def test_a_formula_follows_a_renamed_property(client, source, row):
    patch(client, source, F={"formula": {"expression": 'prop("Number") + 1'}})
    assert patch(client, source, Number={"name": "Amount"})["F"]["formula"] == {"expression": 'prop("Amount") + 1'}


@pytest.mark.parametrize("expression", ["", 'prop("Nope")', "(1 + 2", "1 + 2)", 'prop("F")', '"open', None])
def test_a_broken_formula_is_refused(api, source, expression):
    refused(api, source, {"F": {"formula": {"expression": expression}}})


def test_a_property_that_a_formula_needs_cannot_be_removed(client, api, source):
    patch(client, source, F={"formula": {"expression": 'prop("Number") + 1'}})
    refused(api, source, {"Number": None})


@pytest.fixture
def related(client, sb, source):
    """(data source, page): a second source whose page is related to three rows of the first."""
    rows = [
        make_row(
            client,
            source,
            f"r{i}",
            Number={"number": i},
            Done={"checkbox": i > 0},
            When={"date": {"start": f"2026-01-0{i + 1}"}},
        )
        for i in range(3)
    ]
    other = make_source(
        client,
        sb.root_page_id,
        "Sums",
        {"Name": {"title": {}}, "Rows": {"relation": {"data_source_id": source, "single_property": {}}}},
    )
    page = make_row(client, other, Rows={"relation": [{"id": row["id"]} for row in rows]})
    return other, page


@pytest.mark.parametrize(
    ("prop", "function", "value"),
    [
        ("Name", "count", {"type": "number", "number": 3}),
        ("Text", "count_values", {"type": "number", "number": 0}),
        ("Text", "percent_empty", {"type": "number", "number": 1}),
        ("Number", "sum", {"type": "number", "number": 3}),
        ("Number", "average", {"type": "number", "number": 1}),
        ("Number", "max", {"type": "number", "number": 2}),
        ("Number", "range", {"type": "number", "number": 2}),
        ("Done", "checked", {"type": "number", "number": 2}),
        ("When", "latest_date", {"type": "date", "date": {"start": "2026-01-03", "end": None, "time_zone": None}}),
        (
            "Number",
            "show_original",
            {"type": "array", "array": [{"type": "number", "number": number} for number in (0, 1, 2)]},
        ),
        ("Number", "median", {"type": "unsupported", "unsupported": {}}),
    ],
)
def test_a_rollup_is_computed(client, related, prop, function, value):
    source, page = related
    settings = {"relation_property_name": "Rows", "rollup_property_name": prop, "function": function}
    shown = patch(client, source, R={"rollup": settings})["R"]["rollup"]
    assert set(shown) == {*settings, "relation_property_id", "rollup_property_id"}
    assert client.pages.retrieve(page["id"])["properties"]["R"]["rollup"] == {**value, "function": function}


def test_a_rollup_follows_its_rows(client, related):
    source, page = related
    patch(
        client,
        source,
        R={"rollup": {"relation_property_name": "Rows", "rollup_property_name": "Number", "function": "sum"}},
    )
    assert client.pages.retrieve(page["id"])["properties"]["R"]["rollup"]["number"] == 3
    target = page["properties"]["Rows"]["relation"][0]["id"]
    client.pages.update(target, properties={"Number": {"number": 40}})
    assert client.pages.retrieve(page["id"])["properties"]["R"]["rollup"]["number"] == 43


@pytest.mark.parametrize(
    "settings",
    [
        {"relation_property_name": "Nope", "rollup_property_name": "Number", "function": "sum"},
        {"relation_property_name": "Name", "rollup_property_name": "Number", "function": "sum"},
        {"relation_property_name": "Rows", "rollup_property_name": "Nope", "function": "sum"},
        {"relation_property_name": "Rows", "rollup_property_name": "Number", "function": "guess"},
        {"function": "sum"},
    ],
)
def test_a_rollup_of_what_is_not_there_is_refused(api, related, settings):
    refused(api, related[0], {"R": {"rollup": settings}})
