"""The answers have exactly the keys that the real API's answers have."""

from __future__ import annotations

import re

import pytest

from notion_sync.sandbox import render
from tests.sandbox.conftest import Api, make_row, text

PAGE = {
    "object", "id", "created_time", "last_edited_time", "created_by", "last_edited_by", "cover", "icon", "parent",
    "in_trash", "is_archived", "is_locked", "properties", "url", "public_url",
}  # fmt: skip
DATABASE = {
    "object", "id", "title", "description", "parent", "is_inline", "in_trash", "is_locked", "created_time",
    "last_edited_time", "data_sources", "icon", "cover", "url", "public_url",
}  # fmt: skip
SOURCE = {
    "object", "id", "cover", "icon", "created_time", "created_by", "last_edited_by", "last_edited_time", "title",
    "description", "is_inline", "properties", "parent", "database_parent", "url", "public_url", "in_trash",
}  # fmt: skip
BLOCK = {
    "object", "id", "parent", "created_time", "last_edited_time", "created_by", "last_edited_by", "has_children",
    "in_trash", "type",
}  # fmt: skip
LIST = {"object", "results", "next_cursor", "has_more", "type", "request_id"}


def test_a_page_has_the_keys_of_the_real_one(client, row):
    assert set(row) == PAGE | {"request_id"}
    assert set(client.pages.retrieve(row["id"])) == PAGE | {"request_id"}


def test_a_page_in_a_list_has_no_request_id(client, source, row):
    answer = client.data_sources.query(source)
    assert set(answer) == LIST | {"page_or_data_source"}
    assert set(answer["results"][0]) == PAGE
    assert answer["page_or_data_source"] == {}


def test_database_and_data_source_have_the_keys_of_the_real_ones(client, source):
    shown = client.data_sources.retrieve(source)
    assert set(shown) == SOURCE | {"request_id"}
    database = client.databases.retrieve(shown["parent"]["database_id"])
    assert set(database) == DATABASE | {"request_id"}
    assert database["data_sources"] == [{"id": source, "name": "Things"}]


def test_the_older_version_adds_archived_to_every_object(sb, client, source, row, sdk_for):
    old = sdk_for("2025-09-03")
    assert set(old.pages.retrieve(row["id"])) == PAGE | {"request_id", "archived"}
    assert set(old.data_sources.retrieve(source)) == SOURCE | {"request_id", "archived"}
    assert set(old.data_sources.query(source)["results"][0]) == PAGE | {"archived"}
    database_id = row["parent"]["database_id"]
    assert set(old.databases.retrieve(database_id)) == DATABASE | {"request_id", "archived"}
    assert old.blocks.delete(row["id"])["archived"] is True


def test_rich_text_is_shown_in_full(row):
    assert row["properties"]["Name"] == {
        "id": "title",
        "type": "title",
        "title": [
            {
                "type": "text",
                "text": {"content": "Row", "link": None},
                "annotations": {
                    "bold": False,
                    "italic": False,
                    "strikethrough": False,
                    "underline": False,
                    "code": False,
                    "color": "default",
                },
                "plain_text": "Row",
                "href": None,
            }
        ],
    }


def test_every_empty_value_has_its_shape(client, source, sb):
    page = client.pages.create(parent={"data_source_id": source}, properties={})
    values = {name: shown[shown["type"]] for name, shown in page["properties"].items()}
    bot = {k: v for k, v in client.users.me().items() if k != "request_id"} | {"bot": {}}
    state = client.data_sources.retrieve(source)["properties"]["State"]["status"]["options"][0]
    assert values == {
        "Name": [],
        "Text": [],
        "Number": None,
        "Choice": None,
        "Tags": [],
        "State": {key: state[key] for key in ("id", "name", "color")},
        "Done": False,
        "When": None,
        "Owner": [],
        "Link": None,
        "Mail": None,
        "Phone": None,
        "Files": [],
        "Serial": {"prefix": "ROW", "number": 1},
        "Created": page["created_time"],
        "Creator": bot,
        "Edited": page["last_edited_time"],
        "Editor": bot,
    }


def test_properties_come_by_decoded_id_with_the_title_last(row):
    from urllib.parse import unquote

    ids = [unquote(shown["id"]) for shown in row["properties"].values()]
    assert ids == [*sorted(i for i in ids if i != "title"), "title"]


def test_property_ids_are_four_characters_url_encoded(client, source):
    from urllib.parse import quote, unquote

    for name, shown in client.data_sources.retrieve(source)["properties"].items():
        assert set(shown) == {"id", "name", "description", "type", shown["type"]}
        decoded = unquote(shown["id"])
        assert decoded == "title" if name == "Name" else len(decoded) == 4
        assert quote(decoded, safe="-_.!~*'()") == shown["id"]


def test_the_settings_of_each_type_are_shown_as_the_api_shows_them(client, source):
    shown = client.data_sources.retrieve(source)["properties"]
    assert shown["Number"]["number"] == {"format": "number"}
    assert shown["Serial"]["unique_id"] == {"prefix": "ROW"}
    assert shown["Text"]["rich_text"] == {}
    red, blue = shown["Choice"]["select"]["options"]
    assert red == {"id": red["id"], "name": "Red", "color": "red", "description": None}
    assert blue == {"id": blue["id"], "name": "Blue", "color": "default", "description": None}
    status = shown["State"]["status"]
    assert [option["name"] for option in status["options"]] == ["Not started", "In progress", "Done"]
    assert [set(group) for group in status["groups"]] == [{"id", "name", "color", "option_ids"}] * 3
    assert [group["option_ids"] for group in status["groups"]] == [[option["id"]] for option in status["options"]]


def test_parents_name_the_data_source_and_its_database(client, sb, source, row):
    database_id = client.data_sources.retrieve(source)["parent"]["database_id"]
    assert row["parent"] == {"type": "data_source_id", "data_source_id": source, "database_id": database_id}
    child = client.pages.create(parent={"page_id": sb.root_page_id}, properties={"title": text("Sub")})
    assert child["parent"] == {"type": "page_id", "page_id": sb.root_page_id}
    assert client.pages.retrieve(sb.root_page_id)["parent"] == {"type": "workspace", "workspace": True}
    assert child["url"] == f"https://app.notion.com/p/Sub-{child['id'].replace('-', '')}"


def test_a_block_answer_has_the_keys_of_the_real_one(client, row):
    listed = client.blocks.children.append(row["id"], children=[{"paragraph": {"rich_text": text("Hi")}}])
    assert set(listed) == LIST | {"block"}
    assert set(listed["results"][0]) == BLOCK | {"paragraph"}
    assert set(client.blocks.retrieve(listed["results"][0]["id"])) == BLOCK | {"paragraph", "request_id"}
    assert listed["results"][0]["paragraph"].keys() == {"rich_text", "icon", "color"}
    deleted = client.blocks.delete(row["id"])
    assert set(deleted) == BLOCK | {"child_page", "request_id"}
    assert deleted["child_page"] == {"title": "Row"}
    assert (deleted["in_trash"], deleted["has_children"]) == (True, True)


def test_users_have_the_keys_of_the_real_ones(client, sb):
    me = client.users.me()
    assert set(me) == {"object", "id", "name", "avatar_url", "type", "bot", "request_id"}
    assert set(me["bot"]) == {"owner", "workspace_name", "workspace_id", "workspace_limits"}
    assert me["id"] == sb.bot_id
    listed = client.users.list()
    assert set(listed) == LIST | {"user"}
    person = next(user for user in listed["results"] if user["type"] == "person")
    assert set(person) == {"object", "id", "name", "avatar_url", "type", "person"}
    assert set(person["person"]) == {"email", "email_verified"}
    assert client.users.retrieve(person["id"])["name"] == person["name"]


def test_a_property_item_list_has_the_keys_of_the_real_one(client, row):
    item = client.pages.properties.retrieve(row["id"], "title")
    assert set(item) == LIST | {"property_item"}
    assert set(item["results"][0]) == {"object", "type", "id", "title"}
    assert item["results"][0]["title"]["plain_text"] == "Row"
    assert item["property_item"] == {"id": "title", "next_url": None, "type": "title", "title": {}}


def test_a_single_property_item_is_an_object(client, row):
    number = row["properties"]["Number"]["id"]
    shown = client.pages.properties.retrieve(row["id"], number)
    assert set(shown) == {"object", "type", "id", "number", "request_id"}
    assert (shown["id"], shown["number"]) == (number, None)


def test_comments_have_the_keys_of_the_real_ones(client, row):
    made = client.comments.create(parent={"page_id": row["id"]}, rich_text=text("Look"))
    keys = {
        "object", "id", "parent", "discussion_id", "created_time", "last_edited_time", "created_by", "rich_text",
        "display_name",
    }  # fmt: skip
    assert set(made) == keys | {"request_id"}
    listed = client.comments.list(block_id=row["id"])
    assert set(listed) == LIST | {"comment"}
    assert [set(item) for item in listed["results"]] == [keys]
    assert made["display_name"] == {"type": "integration", "resolved_name": client.users.me()["name"]}


def test_the_not_found_error_is_the_real_one(api: Api, sb):
    nil = "00000000-0000-0000-0000-000000000000"
    answer = api("GET", f"pages/{nil}")
    assert answer.status_code == 404
    body = answer.json()
    assert re.fullmatch(r"[0-9a-f-]{36}", body.pop("request_id"))
    assert body == {
        "object": "error",
        "status": 404,
        "code": "object_not_found",
        "message": f"Could not find page with ID: {nil}. Make sure the relevant pages and databases are shared with "
        'your integration "Local sandbox".',
        "additional_data": {"integration_id": sb.bot_id},
    }


def test_the_uuid_error_is_the_real_one(api: Api):
    assert api.error("GET", "pages/12345678-1234-1234-1234-123456789abc") == (
        400,
        "validation_error",
        "path failed validation: path.page_id should be a valid uuid, instead was "
        '`"12345678-1234-1234-1234-123456789abc"`.',
    )


def test_an_unknown_path_is_an_invalid_request_url(api: Api):
    for method, path in (("GET", "invalid"), ("PUT", "pages"), ("POST", "databases/x/query")):
        assert api.error(method, path) == (400, "invalid_request_url", "Invalid request URL.")


def test_a_database_answers_with_milliseconds_and_pages_with_minutes(sb, client):
    sb.clock.set("2026-07-04T09:13:59.290Z")
    database = client.databases.create(parent={"page_id": sb.root_page_id})
    assert database["created_time"] == "2026-07-04T09:13:59.290+00:00"
    page = make_row(client, database["data_sources"][0]["id"])
    assert page["created_time"] == "2026-07-04T09:13:00.000Z"
    assert client.data_sources.retrieve(database["data_sources"][0]["id"])["created_time"] == "2026-07-04T09:13:00.000Z"


@pytest.mark.parametrize("title", ["plain", "with spaces & signs", ""])
def test_the_url_carries_the_title_and_the_undashed_id(client, source, title):
    page = make_row(client, source, title)
    slug = {"plain": "plain-", "with spaces & signs": "with-spaces-signs-", "": ""}[title]
    assert page["url"] == f"https://app.notion.com/p/{slug}{page['id'].replace('-', '')}"


def test_a_page_reads_the_same_whether_rendered_in_one_piece_or_value_by_value(sb, client, source):
    link = {"relation": {"data_source_id": source, "single_property": {}}}
    rollup = {"relation_property_name": "Self", "rollup_property_name": "Number", "function": "sum"}
    client.data_sources.update(
        source,
        properties={'Odd "name" \\ é': {"rich_text": {}}, "Self": link, "F": {"formula": {"expression": "1 + 1"}}},
    )
    client.data_sources.update(source, properties={"R": {"rollup": rollup}})
    rows = [make_row(client, source, f"r{i}") for i in range(27)]
    bold = [{"text": {"content": "b"}, "annotations": {"bold": True}}]
    page = sb.person.create(
        source,
        {"Name": 'A "quoted" \\ title\n😀', "Text": bold, "Number": 1.5, "Choice": "Red", "Tags": ["A", "B"],
         "Done": True, "When": "2026-01-01", "Owner": [sb.bot_id, sb.person.user_id], "Link": "https://example.com/?a=\"b\"",
         "Files": ["https://example.com"], "Self": [row["id"] for row in rows], 'Odd "name" \\ é': "x"},
    )  # fmt: skip
    client.pages.update(page["id"], icon={"type": "emoji", "emoji": "🔥"})
    for page_id in (page["id"], rows[0]["id"], sb.root_page_id):
        whole = client.pages.retrieve(page_id)
        piece_by_piece = render.page_object(sb.ws, sb.ws.pages[page_id])
        assert {key: value for key, value in whole.items() if key != "request_id"} == piece_by_piece
        assert list(whole["properties"]) == list(piece_by_piece["properties"])
