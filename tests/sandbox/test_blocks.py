"""Page bodies, search, users and comments."""

from __future__ import annotations

import pytest
from notion_client.helpers import collect_paginated_api

from tests.sandbox.conftest import make_row, make_source, text


def paragraph(content: str) -> dict:
    return {"paragraph": {"rich_text": text(content)}}


def contents(client, block_id) -> list[str]:
    blocks = collect_paginated_api(client.blocks.children.list, block_id=block_id, page_size=2)
    return [block[block["type"]]["rich_text"][0]["plain_text"] for block in blocks]


def test_children_come_in_order_page_by_page(client, row):
    client.blocks.children.append(row["id"], children=[paragraph(str(i)) for i in range(5)])
    assert contents(client, row["id"]) == ["0", "1", "2", "3", "4"]


def test_children_are_put_at_the_start_the_end_or_after_a_block(client, row):
    first, _ = client.blocks.children.append(row["id"], children=[paragraph("a"), paragraph("c")])["results"]
    after = {"type": "after_block", "after_block": {"id": first["id"]}}
    client.blocks.children.append(row["id"], children=[paragraph("b")], position=after)
    client.blocks.children.append(row["id"], children=[paragraph("0")], position={"type": "start"})
    client.blocks.children.append(row["id"], children=[paragraph("z")], position={"type": "end"})
    assert contents(client, row["id"]) == ["0", "a", "b", "c", "z"]


def test_the_older_version_says_after_instead(sdk_for, client, api, row):
    first, _ = client.blocks.children.append(row["id"], children=[paragraph("a"), paragraph("c")])["results"]
    sdk_for("2025-09-03").blocks.children.append(row["id"], children=[paragraph("b")], after=first["id"])
    assert contents(client, row["id"]) == ["a", "b", "c"]
    body = {"children": [paragraph("x")], "after": first["id"]}
    assert api.error("PATCH", f"blocks/{row['id']}/children", body)[0] == 400


def test_a_page_is_made_with_its_body(client, source):
    page = client.pages.create(
        parent={"data_source_id": source},
        properties={},
        children=[
            {"heading_1": {"rich_text": text("Title")}},
            {"type": "to_do", "to_do": {"rich_text": text("Do"), "checked": True}},
            {"code": {"rich_text": text("x = 1"), "language": "python"}},
            {"divider": {}},
            {"bulleted_list_item": {"rich_text": text("Item"), "children": [paragraph("Nested")]}},
        ],
    )
    blocks = client.blocks.children.list(page["id"])["results"]
    assert [block["type"] for block in blocks] == ["heading_1", "to_do", "code", "divider", "bulleted_list_item"]
    assert blocks[1]["to_do"]["checked"] is True
    assert blocks[2]["code"]["language"] == "python"
    assert blocks[4]["has_children"] is True
    assert contents(client, blocks[4]["id"]) == ["Nested"]


def test_a_page_is_made_from_markdown(client, source):
    page = client.pages.create(
        parent={"data_source_id": source}, properties={}, markdown="# One\n\nText\n- a\n1. b\n> c\n"
    )
    blocks = client.blocks.children.list(page["id"])["results"]
    assert [block["type"] for block in blocks] == [
        "heading_1",
        "paragraph",
        "bulleted_list_item",
        "numbered_list_item",
        "quote",
    ]


def test_a_block_is_changed_trashed_and_restored(client, api, row):
    block = client.blocks.children.append(row["id"], children=[paragraph("a")])["results"][0]["id"]
    shown = client.blocks.update(block, paragraph={"rich_text": text("b")})
    assert (shown["paragraph"]["rich_text"][0]["plain_text"], shown["paragraph"]["color"]) == ("b", "default")
    client.blocks.delete(block)
    assert client.blocks.children.list(row["id"])["results"] == []
    assert client.blocks.retrieve(block)["in_trash"] is True
    assert api.error("DELETE", f"blocks/{block}")[0] == 400
    assert api.error("PATCH", f"blocks/{block}", paragraph("c"))[0] == 400
    assert api("PATCH", f"blocks/{block}", {"in_trash": False}).json()["in_trash"] is False
    assert contents(client, row["id"]) == ["b"]


def test_erasing_a_page_empties_its_body(client, row):
    client.blocks.children.append(row["id"], children=[paragraph("a")])
    client.request(path=f"pages/{row['id']}", method="PATCH", body={"erase_content": True})
    assert client.blocks.children.list(row["id"])["results"] == []


def test_databases_and_pages_are_blocks_of_their_page(client, sb, row):
    child = client.pages.create(parent={"page_id": sb.root_page_id}, properties={"title": text("Sub")})
    blocks = client.blocks.children.list(sb.root_page_id)["results"]
    assert [(block["id"], block["type"]) for block in blocks] == [
        (row["parent"]["database_id"], "child_database"),
        (child["id"], "child_page"),
    ]
    assert client.blocks.delete(row["parent"]["database_id"])["type"] == "child_database"


@pytest.mark.parametrize(
    "children",
    [
        [paragraph("x")] * 101,
        [{"hologram": {}}],
        [{"paragraph": {"text": "x"}}],
        [{"paragraph": {}}],
        [{"paragraph": {"rich_text": []}, "archived": False}],
        [{"toggle": {"rich_text": [], "children": [{"toggle": {"rich_text": [], "children": [paragraph("deep")]}}]}}],
        "text",
    ],
)
def test_a_body_beyond_the_rules_is_refused(api, row, children):
    body = {"children": children}
    assert api.error("PATCH", f"blocks/{row['id']}/children", body)[:2] == (400, "validation_error")


# -- search ------------------------------------------------------------------------------------------


def test_search_finds_pages_and_data_sources_by_title(sb, client, source):
    sb.clock.set("2026-11-23T10:00:00Z")
    client.data_sources.update(source, title=text("Green things"))
    sb.clock.advance(120)
    page = make_row(client, source, "A green page")
    found = client.search(query="GREEN")["results"]
    assert [(item["object"], item["id"]) for item in found] == [("page", page["id"]), ("data_source", source)]
    only = client.search(query="green", filter={"property": "object", "value": "data_source"})["results"]
    assert [item["id"] for item in only] == [source]
    up = client.search(query="green", sort={"timestamp": "last_edited_time", "direction": "ascending"})["results"]
    assert [item["object"] for item in up] == ["data_source", "page"]


def test_a_fresh_workspace_has_a_root_page_to_find(sb, client):
    found = client.search()["results"]
    assert [item["id"] for item in found] == [sb.root_page_id]


def test_search_is_paged_and_leaves_the_trash_out_unless_asked(client, api, source):
    rows = [make_row(client, source, f"same {i}") for i in range(5)]
    client.pages.update(rows[0]["id"], in_trash=True)
    found = collect_paginated_api(client.search, query="same", page_size=3)
    assert {item["id"] for item in found} == {row["id"] for row in rows[1:]}
    body = {"query": "same", "filter": {"property": "object", "value": "page", "in_trash": True}}
    assert [item["id"] for item in api("POST", "search", body).json()["results"]] == [rows[0]["id"]]


@pytest.mark.parametrize(
    "body",
    [
        {"query": 5},
        {"filter": {"property": "object", "value": "database"}},
        {"filter": {"property": "name", "value": "page"}},
        {"sort": {"timestamp": "created_time", "direction": "ascending"}},
        {"page_size": 101},
        {"start_cursor": "unknown"},
    ],
)
def test_a_search_beyond_the_rules_is_refused(api, body):
    assert api.error("POST", "search", body)[:2] == (400, "validation_error")


# -- users and comments ------------------------------------------------------------------------------


def test_an_unknown_user_is_not_found(api):
    status, code, message = api.error("GET", "users/00000000-0000-0000-0000-000000000000")
    assert (status, code) == (404, "object_not_found")
    assert message.startswith("Could not find user with ID: 00000000-0000-0000-0000-000000000000. ")


def test_users_are_paged(client):
    users = collect_paginated_api(client.users.list, page_size=2)
    assert [user["type"] for user in users] == ["person", "person", "bot"]


def test_comments_are_answered_changed_and_deleted_by_their_author_only(sb, client, api, row):
    first = client.comments.create(parent={"page_id": row["id"]}, rich_text=text("one"))
    answer = client.comments.create(discussion_id=first["discussion_id"], rich_text=text("two"))
    assert answer["discussion_id"] == first["discussion_id"]
    changed = api("PATCH", f"comments/{first['id']}", {"rich_text": text("uno")}).json()
    assert changed["rich_text"][0]["plain_text"] == "uno"
    other = sb.person.comment(row["id"], "mine")
    assert api.error("DELETE", f"comments/{other['id']}")[:2] == (403, "restricted_resource")
    assert api("DELETE", f"comments/{first['id']}").status_code == 200
    assert api.error("GET", f"comments/{first['id']}")[:2] == (404, "object_not_found")
    assert len(client.comments.list(block_id=row["id"])["results"]) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"rich_text": [{"text": {"content": "x"}}]},
        {"parent": {"page_id": "PAGE"}, "rich_text": []},
        {"parent": {"page_id": "PAGE"}},
    ],
)
def test_a_comment_needs_a_place_and_a_text(api, row, body):
    if "parent" in body:
        body = {**body, "parent": {"page_id": row["id"]}}
    assert api.error("POST", "comments", body)[:2] == (400, "validation_error")


def test_a_data_source_has_no_templates(client, source):
    answer = client.data_sources.list_templates(source)
    assert {key: answer[key] for key in ("templates", "has_more", "next_cursor")} == {
        "templates": [],
        "has_more": False,
        "next_cursor": None,
    }


def test_a_child_database_lists_its_rows_by_query_only(client, sb):
    source = make_source(client, sb.root_page_id, "Inner")
    database_id = client.data_sources.retrieve(source)["parent"]["database_id"]
    assert client.blocks.children.list(database_id)["results"] == []
