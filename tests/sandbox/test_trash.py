"""The trash, moves, stamps and who did it."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import make_row, make_source, text

TRASHED = (
    400,
    "validation_error",
    "Can't edit block that is archived. You must unarchive the block before editing.",
)
ANCESTOR = (
    400,
    "validation_error",
    "Can't edit page on block with an archived ancestor. You must unarchive the ancestor before editing page.",
)


def test_a_page_in_the_trash_can_be_read_and_is_in_no_query(client, source, row):
    assert client.pages.update(row["id"], in_trash=True)["in_trash"] is True
    assert client.pages.retrieve(row["id"])["in_trash"] is True
    assert client.data_sources.query(source)["results"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"in_trash": True},
        {"properties": {"Number": {"number": 1}}},
        {"icon": None},
        {},
        {"in_trash": False, "properties": {"Number": {"number": 1}}},
    ],
)
def test_a_trashed_page_refuses_every_write(client, api, row, body):
    client.pages.update(row["id"], in_trash=True)
    assert api.error("PATCH", f"pages/{row['id']}", body) == TRASHED


def test_a_trashed_page_refuses_moves_blocks_comments_and_a_second_delete(client, api, sb, row):
    client.blocks.delete(row["id"])
    page = row["id"]
    assert api.error("DELETE", f"blocks/{page}") == TRASHED
    assert api.error("POST", f"pages/{page}/move", {"parent": {"page_id": sb.root_page_id}}) == TRASHED
    assert api.error("PATCH", f"blocks/{page}/children", {"children": []}) == TRASHED
    assert api.error("POST", "comments", {"parent": {"page_id": page}, "rich_text": text("x")}) == TRASHED


def test_a_restored_page_has_its_values_and_takes_writes_again(client, source, row):
    client.pages.update(row["id"], properties={"Number": {"number": 3}})
    client.pages.update(row["id"], in_trash=True)
    shown = client.pages.update(row["id"], in_trash=False)
    assert (shown["in_trash"], shown["properties"]["Number"]["number"]) == (False, 3)
    assert client.pages.update(row["id"], properties={"Number": {"number": 4}})["properties"]["Number"]["number"] == 4
    assert len(client.data_sources.query(source)["results"]) == 1


def test_restoring_a_page_that_is_not_in_the_trash_changes_nothing(client, row):
    assert client.pages.update(row["id"], in_trash=False)["in_trash"] is False


def test_below_a_trashed_database_every_write_is_refused(client, api, source, row):
    database = row["parent"]["database_id"]
    client.databases.update(database, in_trash=True)
    assert api.error("PATCH", f"pages/{row['id']}", {"properties": {"Number": {"number": 1}}}) == ANCESTOR
    assert api.error("POST", "pages", {"parent": {"data_source_id": source}, "properties": {}}) == ANCESTOR
    assert api.error("PATCH", f"data_sources/{source}", {"properties": {"X": {"number": {}}}}) == ANCESTOR
    assert api.error("PATCH", f"databases/{database}", {"in_trash": True}) == TRASHED
    client.databases.update(database, in_trash=False)
    assert client.pages.update(row["id"], properties={"Number": {"number": 1}})["id"] == row["id"]


def test_a_data_source_goes_into_the_trash_on_its_own(client, api, source, row):
    assert client.data_sources.update(source, in_trash=True)["in_trash"] is True
    assert client.databases.retrieve(row["parent"]["database_id"])["data_sources"] == []
    assert api.error("PATCH", f"data_sources/{source}", {"title": text("x")}) == TRASHED
    assert client.data_sources.update(source, in_trash=False)["in_trash"] is False


def test_a_page_below_a_trashed_page_is_refused(client, api, sb):
    above = client.pages.create(parent={"page_id": sb.root_page_id}, properties={"title": text("Above")})
    below = client.pages.create(parent={"page_id": above["id"]}, properties={"title": text("Below")})
    client.pages.update(above["id"], in_trash=True)
    assert api.error("PATCH", f"pages/{below['id']}", {"icon": None}) == ANCESTOR
    assert api.error("POST", "databases", {"parent": {"page_id": above["id"]}})[0] == 400


# -- moves -------------------------------------------------------------------------------------------


def test_a_moved_row_keeps_the_values_that_its_new_home_knows(sb, client, source):
    row = make_row(
        client, source, "R", Number={"number": 5}, Choice={"select": {"name": "Red"}}, Text={"rich_text": text("t")}
    )
    other = make_source(
        client,
        sb.root_page_id,
        "Other",
        {"Label": {"title": {}}, "Number": {"number": {}}, "Choice": {"select": {}}, "Text": {"checkbox": {}}},
    )
    moved = client.pages.move(row["id"], parent={"data_source_id": other})
    assert moved["parent"]["data_source_id"] == other
    assert sb.values(row["id"]) == {"Label": "R", "Number": 5, "Choice": "Red", "Text": False}
    assert client.data_sources.query(source)["results"] == []
    assert [page["id"] for page in client.data_sources.query(other)["results"]] == [row["id"]]


def test_a_row_moved_below_a_page_keeps_its_title(client, sb, row):
    moved = client.pages.move(row["id"], parent={"page_id": sb.root_page_id})
    assert moved["parent"] == {"type": "page_id", "page_id": sb.root_page_id}
    assert moved["properties"]["title"]["title"][0]["plain_text"] == "Row"
    children = client.blocks.children.list(sb.root_page_id)["results"]
    assert row["id"] in [child["id"] for child in children]


def test_a_page_cannot_be_moved_below_itself(client, api, sb):
    page = client.pages.create(parent={"page_id": sb.root_page_id}, properties={"title": text("P")})
    below = client.pages.create(parent={"page_id": page["id"]}, properties={"title": text("B")})
    for target in (page["id"], below["id"]):
        assert api.error("POST", f"pages/{page['id']}/move", {"parent": {"page_id": target}})[0] == 400


def test_a_page_cannot_change_its_parent_by_an_update(api, sb, row):
    assert api.error("PATCH", f"pages/{row['id']}", {"parent": {"page_id": sb.root_page_id}})[0] == 400


def test_the_connection_makes_no_pages_at_the_top_of_the_workspace(api):
    assert api.error("POST", "pages", {"parent": {"type": "workspace", "workspace": True}})[0] == 400


# -- stamps ------------------------------------------------------------------------------------------


def test_stamps_are_cut_to_the_minute_and_move_with_each_write(sb, client, source):
    sb.clock.set("2026-06-27T17:14:59Z")
    page = make_row(client, source)
    assert (page["created_time"], page["last_edited_time"]) == ("2026-06-27T17:14:00.000Z",) * 2
    sb.clock.advance(1)
    assert client.pages.update(page["id"], in_trash=True)["last_edited_time"] == "2026-06-27T17:15:00.000Z"
    assert client.pages.retrieve(page["id"])["created_time"] == "2026-06-27T17:14:00.000Z"


def test_two_edits_in_one_minute_have_the_same_stamp(sb, client, row):
    sb.clock.set("2026-06-27T17:14:05Z")
    first = client.pages.update(row["id"], properties={"Number": {"number": 1}})
    sb.clock.advance(50)
    second = client.pages.update(row["id"], properties={"Number": {"number": 2}})
    assert first["last_edited_time"] == second["last_edited_time"]


def test_the_clock_can_be_frozen_moved_and_let_go(sb):
    sb.clock.freeze()
    now = sb.clock.now()
    assert sb.clock.now() == now
    sb.clock.advance(60)
    assert sb.clock.now() == now + 60
    sb.clock.resume()
    assert sb.clock.now() >= now + 60
    sb.clock.reset()
    assert sb.clock.now() < now + 60


def test_the_last_editor_is_whoever_wrote_last(sb, client, sdk_for, row):
    person = sb.as_person("Sam Owner")
    assert row["last_edited_by"] == {"object": "user", "id": sb.bot_id}
    person.update(row["id"], {"Number": 1})
    assert client.pages.retrieve(row["id"])["last_edited_by"]["id"] == person.user_id
    client.pages.update(row["id"], properties={"Number": {"number": 2}})
    assert client.pages.retrieve(row["id"])["last_edited_by"]["id"] == sb.bot_id
    by_token = sdk_for(token=sb.person_token())
    shown = by_token.pages.update(row["id"], properties={"Number": {"number": 3}})
    assert shown["last_edited_by"]["id"] == sb.person.user_id
    assert shown["created_by"]["id"] == sb.bot_id


# -- editing as a person in Python -------------------------------------------------------------------


def test_a_person_writes_simple_values(sb, client, source):
    page = sb.person.create(
        "Things",
        {"Name": "x" * 2500, "Number": 5, "Choice": "Red", "Tags": ["A", "New"], "State": "Done", "Done": True,
         "When": "2026-01-01", "Owner": [sb.person.user_id], "Link": "https://example.com", "Mail": "", "Text": None,
         "Files": ["https://example.com/a.pdf"]},
    )  # fmt: skip
    values = sb.values(page["id"])
    shown = {key: values[key] for key in ("Name", "Number", "Choice", "Tags", "State", "Done", "When", "Owner", "Mail")}
    assert shown == {
        "Name": "x" * 2500,
        "Number": 5,
        "Choice": "Red",
        "Tags": ["A", "New"],
        "State": "Done",
        "Done": True,
        "When": "2026-01-01",
        "Owner": [sb.person.user_id],
        "Mail": None,
    }
    assert [found["id"] for found in sb.pages("Things")] == [page["id"]]


def test_a_person_trashes_restores_moves_and_renames(sb, client, source, row):
    sb.person.trash(row["id"])
    assert (sb.pages(source), len(sb.pages(source, in_trash=True))) == ([], 1)
    sb.person.restore(row["id"])
    sb.person.rename_property(source, "Number", "Amount")
    sb.person.delete_property(source, "Text")
    assert set(sb.values(row["id"])) >= {"Amount"}
    sb.person.move(row["id"], page=sb.root_page_id)
    assert sb.page(row["id"])["parent"]["page_id"] == sb.root_page_id


def test_a_duplicate_has_every_value_of_the_original(sb, client, source):
    page = make_row(client, source, "Key", Text={"rich_text": text("external-1")})
    copy = sb.person.duplicate(page["id"])
    assert copy["id"] != page["id"]
    assert sb.values(copy["id"])["Text"] == "external-1"


def test_a_person_is_past_limits_and_faults(sb, source):
    sb.rate_limit = 0
    sb.faults.add("internal_error", times=None)
    sb.person.create(source, {"Name": "x"})
    assert len(sb.pages(source)) == 1


def test_an_unknown_data_source_is_named(sb):
    with pytest.raises(LookupError, match="'Nowhere'"):
        sb.pages("Nowhere")
