"""Queries: filters, sorts, pages, cursors, the cap and the lag of the index."""

from __future__ import annotations

import pytest
from notion_client.helpers import collect_paginated_api

from notion_sync.sandbox import Sandbox
from tests.sandbox.conftest import make_row, make_source, sdk, text


def titles(answer) -> list[str]:
    return [page["properties"]["Name"]["title"][0]["plain_text"] for page in answer["results"]]


UNDONE = {"property": "Done", "checkbox": {"equals": False}}


@pytest.fixture
def filled(sb, client, source):
    return fill(sb, client, source)


@pytest.fixture(scope="module")
def unchanging():
    """(client, source) with the four rows, for all the tests that only read."""
    with Sandbox() as sandbox:
        client = sdk(sandbox)
        yield client, fill(sandbox, client, make_source(client, sandbox.root_page_id, "Things"))
        client.close()


def fill(sb, client, source):
    """Four rows made one hour apart: empty, one, two, three."""
    sb.clock.set("2026-11-20T10:00:30Z")
    person = sb.person.user_id
    values = [
        {},
        {
            "Text": {"rich_text": text("Hello World")}, "Number": {"number": 1}, "Choice": {"select": {"name": "Red"}},
            "Tags": {"multi_select": [{"name": "A"}]}, "When": {"date": {"start": "2026-11-19"}},
            "Mail": {"email": "Ann@Example.com"}, "Owner": {"people": [{"id": person}]},
        },
        {
            "Text": {"rich_text": text("hello")}, "Number": {"number": 2.5}, "Choice": {"select": {"name": "Blue"}},
            "Tags": {"multi_select": [{"name": "A"}, {"name": "B"}]}, "Done": {"checkbox": True},
            "When": {"date": {"start": "2026-11-20T10:30:00Z"}}, "State": {"status": {"name": "Done"}},
        },
        {"Text": {"rich_text": text("bye")}, "Number": {"number": -1}, "When": {"date": {"start": "2026-12-24"}}},
    ]  # fmt: skip
    for name, row in zip(("empty", "one", "two", "three"), values, strict=True):
        make_row(client, source, name, **row)
        sb.clock.advance(3600)
    return source


def found(client, source, condition, **more) -> set[str]:
    return set(titles(client.data_sources.query(source, filter=condition, **more)))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"property": "Name", "title": {"equals": "one"}}, {"one"}),
        ({"property": "Name", "rich_text": {"equals": "one"}}, {"one"}),
        ({"property": "Name", "title": {"equals": "ONE"}}, set()),
        ({"property": "Text", "rich_text": {"contains": "HELLO"}}, {"one", "two"}),
        ({"property": "Text", "rich_text": {"does_not_contain": "hello"}}, {"empty", "three"}),
        ({"property": "Text", "rich_text": {"starts_with": "by"}}, {"three"}),
        ({"property": "Text", "rich_text": {"ends_with": "world"}}, {"one"}),
        ({"property": "Text", "rich_text": {"is_empty": True}}, {"empty"}),
        ({"property": "Text", "rich_text": {"does_not_equal": "bye"}}, {"empty", "one", "two"}),
        ({"property": "Mail", "email": {"equals": "Ann@Example.com"}}, {"one"}),
        ({"property": "Mail", "rich_text": {"is_not_empty": True}}, {"one"}),
        ({"property": "Number", "number": {"equals": 2.5}}, {"two"}),
        ({"property": "Number", "number": {"does_not_equal": 1}}, {"empty", "two", "three"}),
        ({"property": "Number", "number": {"greater_than": 0}}, {"one", "two"}),
        ({"property": "Number", "number": {"less_than_or_equal_to": 1}}, {"one", "three"}),
        ({"property": "Number", "number": {"is_empty": True}}, {"empty"}),
        ({"property": "Serial", "unique_id": {"greater_than_or_equal_to": 3}}, {"two", "three"}),
        ({"property": "Done", "checkbox": {"equals": True}}, {"two"}),
        ({"property": "Done", "checkbox": {"does_not_equal": True}}, {"empty", "one", "three"}),
        ({"property": "Choice", "select": {"equals": "Red"}}, {"one"}),
        ({"property": "Choice", "select": {"equals": ["Red", "Blue"]}}, {"one", "two"}),
        ({"property": "Choice", "select": {"does_not_equal": "Red"}}, {"empty", "two", "three"}),
        ({"property": "Choice", "select": {"is_empty": True}}, {"empty", "three"}),
        ({"property": "State", "status": {"equals": "Done"}}, {"two"}),
        ({"property": "Tags", "multi_select": {"contains": "B"}}, {"two"}),
        ({"property": "Tags", "multi_select": {"does_not_contain": "B"}}, {"empty", "one", "three"}),
        ({"property": "Tags", "multi_select": {"is_not_empty": True}}, {"one", "two"}),
        ({"property": "When", "date": {"equals": "2026-11-20"}}, {"two"}),
        ({"property": "When", "date": {"before": "2026-11-20"}}, {"one"}),
        ({"property": "When", "date": {"after": "2026-11-20"}}, {"three"}),
        ({"property": "When", "date": {"on_or_before": "2026-11-20"}}, {"one", "two"}),
        ({"property": "When", "date": {"on_or_after": "2026-11-20T10:30:59Z"}}, {"two", "three"}),
        ({"property": "When", "date": {"before": "2026-11-20T10:30:15Z"}}, {"one"}),
        ({"property": "When", "date": {"past_week": {}}}, {"one", "two"}),
        ({"property": "When", "date": {"next_year": {}}}, {"two", "three"}),
        ({"property": "When", "date": {"is_empty": True}}, {"empty"}),
        ({"timestamp": "created_time", "created_time": {"after": "2026-11-20T11:00:00Z"}}, {"two", "three"}),
        ({"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2026-11-20T13:00:59.000Z"}}, {"three"}),
        ({"property": "Created", "created_time": {"equals": "2026-11-20T10:00:15Z"}}, {"empty"}),
        ({"property": "Edited", "date": {"before": "2026-11-20T11:00:00Z"}}, {"empty"}),
        (
            {"and": [{"property": "Number", "number": {"greater_than": 0}}, UNDONE]},
            {"one"},
        ),
        (
            {
                "or": [
                    {"property": "Name", "title": {"equals": "three"}},
                    {"and": [{"property": "Number", "number": {"equals": 1}}, UNDONE]},
                ]
            },
            {"one", "three"},
        ),
        ({"and": []}, {"empty", "one", "two", "three"}),
    ],
)  # fmt: skip
def test_a_filter_finds_its_rows(unchanging, condition, expected):
    assert found(*unchanging, condition) == expected


def test_filters_take_property_ids_option_ids_and_users(sb, client, filled):
    schema = client.data_sources.retrieve(filled)["properties"]
    red = schema["Choice"]["select"]["options"][0]["id"]
    assert found(client, filled, {"property": schema["Choice"]["id"], "select": {"equals": red}}) == {"one"}
    assert found(client, filled, {"property": "Owner", "people": {"contains": sb.person.user_id}}) == {"one"}
    bot = {"property": "Creator", "created_by": {"contains": sb.bot_id}}
    assert found(client, filled, bot) == {"empty", "one", "two", "three"}


def test_a_relation_filter_takes_a_page_id(client, sb, source, row):
    link = {"relation": {"data_source_id": source, "single_property": {}}}
    other = make_source(client, sb.root_page_id, "Other", {"Name": {"title": {}}, "To": link})
    make_row(client, other, "linked", To={"relation": [{"id": row["id"]}]})
    make_row(client, other, "alone")
    assert found(client, other, {"property": "To", "relation": {"contains": row["id"]}}) == {"linked"}
    assert found(client, other, {"property": "To", "relation": {"is_empty": True}}) == {"alone"}


def test_formulas_and_rollups_can_be_filtered(client, source):
    make_row(client, source, "x", Number={"number": 4})
    client.data_sources.update(source, properties={"F": {"formula": {"expression": 'prop("Number") * 2'}}})
    assert found(client, source, {"property": "F", "formula": {"number": {"equals": 8}}}) == {"x"}
    self_link = {"relation": {"data_source_id": source, "single_property": {}}}
    rollup = {"relation_property_name": "Self", "rollup_property_name": "Name", "function": "count"}
    client.data_sources.update(source, properties={"Self": self_link, "R": {"rollup": rollup}})
    assert found(client, source, {"property": "R", "rollup": {"number": {"equals": 0}}}) == {"x"}


@pytest.mark.parametrize(
    "condition",
    [
        {"property": "Nope", "number": {"equals": 1}},
        {"property": "Number", "select": {"equals": "x"}},
        {"property": "Number", "number": {"contains": 1}},
        {"property": "Number", "number": {"equals": "1"}},
        {"property": "Number", "number": {}},
        {"property": "Number", "number": {"equals": 1, "less_than": 2}},
        {"property": "Number"},
        {"number": {"equals": 1}},
        {"property": "Choice", "select": {"equals": "Nope"}},
        {"property": "Done", "checkbox": {"equals": "yes"}},
        {"property": "Text", "rich_text": {"is_empty": False}},
        {"property": "When", "date": {"before": "soon"}},
        {"property": "When", "date": {"past_week": True}},
        {"timestamp": "created_time", "last_edited_time": {"before": "2026-01-01"}},
        {"timestamp": "deleted_time", "deleted_time": {"before": "2026-01-01"}},
        {"and": [{"or": [{"and": [{"property": "Number", "number": {"equals": 1}}]}]}]},
        {"and": [], "or": []},
        [],
    ],
)
def test_a_filter_beyond_the_rules_is_refused(api, source, condition):
    assert api.error("POST", f"data_sources/{source}/query", {"filter": condition})[:2] == (400, "validation_error")


@pytest.mark.parametrize(
    ("sorts", "expected"),
    [
        (None, ["three", "two", "one", "empty"]),
        ([{"timestamp": "created_time", "direction": "ascending"}], ["empty", "one", "two", "three"]),
        ([{"property": "Number", "direction": "ascending"}], ["three", "one", "two", "empty"]),
        ([{"property": "Number", "direction": "descending"}], ["two", "one", "three", "empty"]),
        ([{"property": "Name", "direction": "ascending"}], ["empty", "one", "three", "two"]),
        ([{"property": "Choice", "direction": "ascending"}], ["one", "two", "three", "empty"]),
        (
            [{"property": "Done", "direction": "descending"}, {"property": "Name", "direction": "ascending"}],
            ["two", "empty", "one", "three"],
        ),
        ([{"property": "Edited", "direction": "descending"}], ["three", "two", "one", "empty"]),
    ],
)
def test_rows_are_sorted(unchanging, sorts, expected):
    client, filled = unchanging
    more = {"sorts": sorts} if sorts else {}
    assert titles(client.data_sources.query(filled, **more)) == expected


@pytest.mark.parametrize(
    "sort",
    [
        {"property": "Nope", "direction": "ascending"},
        {"property": "Name"},
        {"property": "Name", "direction": "up"},
        {"direction": "ascending"},
        {"property": "Name", "timestamp": "created_time", "direction": "ascending"},
        {"timestamp": "Name", "direction": "ascending"},
    ],
)
def test_a_sort_beyond_the_rules_is_refused(api, source, sort):
    assert api.error("POST", f"data_sources/{source}/query", {"sorts": [sort]})[:2] == (400, "validation_error")


@pytest.mark.parametrize("size", [0, 101, "10", -1, 1.5, True])
def test_a_page_size_is_1_to_100(api, source, size):
    assert api.error("POST", f"data_sources/{source}/query", {"page_size": size})[:2] == (400, "validation_error")


def test_only_the_wanted_properties_are_shown(client, api, filled):
    from urllib.parse import unquote

    number = unquote(client.data_sources.retrieve(filled)["properties"]["Number"]["id"])
    answer = client.data_sources.query(filled, filter_properties=["title", number])
    assert {tuple(page["properties"]) for page in answer["results"]} == {("Number", "Name")}
    page_id = answer["results"][0]["id"]
    assert list(api("GET", f"pages/{page_id}?filter_properties=Text").json()["properties"]) == ["Text"]


def test_an_unknown_wanted_property_is_refused(api, source):
    path = f"data_sources/{source}/query?filter_properties=%253FB%253AW"
    assert api.error("POST", path, {})[:2] == (400, "validation_error")


# -- pages and cursors -------------------------------------------------------------------------------


@pytest.fixture
def many(sb, client):
    source = make_source(client, sb.root_page_id, "Many", {"Name": {"title": {}}})
    for number in range(25):
        sb.person.create(source, {"Name": f"{number:02d}"})
    return source


BY_NAME = [{"property": "Name", "direction": "ascending"}]


def test_all_rows_come_page_by_page(client, many):
    rows = collect_paginated_api(client.data_sources.query, data_source_id=many, page_size=10, sorts=BY_NAME)
    assert titles({"results": rows}) == [f"{number:02d}" for number in range(25)]


def test_a_cursor_is_opaque_and_the_last_page_has_none(client, many):
    first = client.data_sources.query(many, page_size=20, sorts=BY_NAME)
    assert (first["has_more"], len(first["results"])) == (True, 20)
    last = client.data_sources.query(many, page_size=20, sorts=BY_NAME, start_cursor=first["next_cursor"])
    assert (last["has_more"], last["next_cursor"], len(last["results"])) == (False, None, 5)


def test_a_cursor_is_good_for_its_own_query_only(client, api, source, many):
    cursor = client.data_sources.query(many, page_size=10, sorts=BY_NAME)["next_cursor"]
    bodies = [
        (many, {"start_cursor": cursor}),
        (many, {"start_cursor": cursor, "sorts": BY_NAME, "filter": {"property": "Name", "title": {"equals": "x"}}}),
        (source, {"start_cursor": cursor, "sorts": BY_NAME}),
        (many, {"start_cursor": "s:made:up", "sorts": BY_NAME}),
        (many, {"start_cursor": cursor + "0", "sorts": BY_NAME}),
    ]  # fmt: skip
    for target, body in bodies:
        status, code, message = api.error("POST", f"data_sources/{target}/query", body)
        assert (status, code) == (400, "validation_error")
        assert message.startswith("The start_cursor provided is invalid: ")


def test_a_cursor_expires(sb, client, api, many):
    sb.clock.freeze()
    cursor = client.data_sources.query(many, page_size=10)["next_cursor"]
    sb.clock.advance(sb.settings.cursor_seconds + 1)
    assert api.error("POST", f"data_sources/{many}/query", {"start_cursor": cursor})[0] == 400
    cursor = client.data_sources.query(many, page_size=10)["next_cursor"]
    sb.expire_cursors()
    assert api.error("POST", f"data_sources/{many}/query", {"start_cursor": cursor})[0] == 400


def test_a_row_trashed_between_two_pages_is_left_out_without_ending_the_list(sb, client, many):
    first = client.data_sources.query(many, page_size=10, sorts=BY_NAME)
    gone = next(page for page in sb.pages(many) if sb.values(page["id"])["Name"] == "12")
    sb.person.trash(gone["id"])
    second = client.data_sources.query(many, page_size=10, sorts=BY_NAME, start_cursor=first["next_cursor"])
    assert (len(second["results"]), second["has_more"]) == (9, True)


def test_beyond_the_cap_the_list_ends_and_every_page_says_so(sb, client, many):
    sb.settings.query_cap = 15
    first = client.data_sources.query(many, page_size=10)
    last = client.data_sources.query(many, page_size=10, start_cursor=first["next_cursor"])
    status = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
    assert (first["request_status"], last["request_status"]) == (status, status)
    assert (len(last["results"]), last["has_more"]) == (5, False)


def test_a_complete_result_has_no_request_status(sb, client, many):
    sb.settings.query_cap = 25
    assert "request_status" not in client.data_sources.query(many)


def test_rows_in_the_trash_and_archived_rows_are_left_out(sb, client, api, filled):
    by_name = {sb.values(page["id"])["Name"]: page["id"] for page in sb.pages(filled)}
    sb.person.trash(by_name["one"])
    sb.person.archive(by_name["two"])
    assert set(titles(client.data_sources.query(filled))) == {"empty", "three"}
    archived = api("POST", f"data_sources/{filled}/query", {"is_archived": True}).json()
    assert titles(archived) == ["two"]


def test_rows_that_are_data_sources_are_asked_for_apart(client, filled):
    assert client.data_sources.query(filled, result_type="data_source")["results"] == []


def test_the_index_lags_behind_but_a_page_is_there_at_once(sb, client, source, row):
    sb.clock.freeze()
    sb.settings.index_lag = 5
    fresh = make_row(client, source, "Fresh")
    client.pages.update(row["id"], properties={"Name": {"title": text("Changed")}})
    assert client.pages.retrieve(fresh["id"])["id"] == fresh["id"]
    assert client.pages.retrieve(row["id"])["properties"]["Name"]["title"][0]["plain_text"] == "Changed"
    assert titles(client.data_sources.query(source)) == ["Row"]
    assert client.search(query="Fresh")["results"] == []
    sb.clock.advance(6)
    assert set(titles(client.data_sources.query(source))) == {"Fresh", "Changed"}
    assert len(client.search(query="Fresh")["results"]) == 1


def test_a_trashed_database_cannot_be_queried(client, api, source, row):
    client.databases.update(row["parent"]["database_id"], in_trash=True)
    assert api.error("POST", f"data_sources/{source}/query", {})[:2] == (404, "object_not_found")
    assert client.data_sources.retrieve(source)["in_trash"] is True
