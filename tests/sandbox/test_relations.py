"""Links between pages, from both ends."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import make_row, make_source, text

PLAIN = {"Name": {"title": {}}}


def dual(target: str) -> dict[str, Any]:
    return {"relation": {"data_source_id": target, "type": "dual_property", "dual_property": {}}}


def single(target: str) -> dict[str, Any]:
    return {"relation": {"data_source_id": target, "type": "single_property", "single_property": {}}}


@pytest.fixture
def people(client, sb):
    return make_source(client, sb.root_page_id, "People", PLAIN)


@pytest.fixture
def tasks(client, sb, people):
    return make_source(client, sb.root_page_id, "Tasks", {**PLAIN, "Owner": dual(people)})


def link(*ids: str) -> dict[str, Any]:
    return {"relation": [{"id": i} for i in ids]}


def linked(client, page_id: str, name: str) -> list[str]:
    return [item["id"] for item in client.pages.retrieve(page_id)["properties"][name]["relation"]]


BACK = "Related to Tasks (Owner)"


def test_a_two_way_relation_names_its_back_reference(client, people, tasks):
    owner = client.data_sources.retrieve(tasks)["properties"]["Owner"]
    back = client.data_sources.retrieve(people)["properties"][BACK]
    assert owner["relation"] == {
        "database_id": client.data_sources.retrieve(people)["parent"]["database_id"],
        "data_source_id": people,
        "type": "dual_property",
        "dual_property": {"synced_property_name": BACK, "synced_property_id": back["id"]},
    }
    assert back["relation"]["dual_property"] == {"synced_property_name": "Owner", "synced_property_id": owner["id"]}


def test_a_wanted_name_of_the_back_reference_is_ignored(client, sb, people):
    wanted = {"relation": {"data_source_id": people, "dual_property": {"synced_property_name": "Mine"}}}
    make_source(client, sb.root_page_id, "Tasks", {**PLAIN, "Owner": wanted})
    assert set(client.data_sources.retrieve(people)["properties"]) == {"Name", BACK}


def test_the_back_reference_is_renamed_by_its_synced_id(client, people, tasks):
    synced = client.data_sources.retrieve(tasks)["properties"]["Owner"]["relation"]["dual_property"]
    client.data_sources.update(people, properties={synced["synced_property_id"]: {"name": "Tasks"}})
    shown = client.data_sources.retrieve(tasks)["properties"]["Owner"]["relation"]["dual_property"]
    assert shown == {"synced_property_name": "Tasks", "synced_property_id": synced["synced_property_id"]}


def test_a_second_back_reference_gets_another_name(client, people, tasks):
    client.data_sources.update(tasks, properties={"Owner": {"name": "First"}})
    client.data_sources.update(tasks, properties={"Owner": dual(people)})
    assert set(client.data_sources.retrieve(people)["properties"]) == {"Name", BACK, f"{BACK} 1"}


def test_the_other_end_follows(client, people, tasks):
    ann, bob = make_row(client, people, "Ann"), make_row(client, people, "Bob")
    task = make_row(client, tasks, "Task", Owner=link(ann["id"], bob["id"]))
    assert linked(client, ann["id"], BACK) == [task["id"]]
    client.pages.update(task["id"], properties={"Owner": link(bob["id"])})
    assert (linked(client, ann["id"], BACK), linked(client, bob["id"], BACK)) == ([], [task["id"]])


def test_writing_the_back_reference_changes_the_first_end(client, people, tasks):
    ann, task = make_row(client, people, "Ann"), make_row(client, tasks, "Task")
    client.pages.update(ann["id"], properties={BACK: link(task["id"])})
    assert linked(client, task["id"], "Owner") == [ann["id"]]
    client.pages.update(ann["id"], properties={BACK: link()})
    assert linked(client, task["id"], "Owner") == []


def test_a_link_is_kept_once_and_in_the_order_written(client, people, tasks):
    ann, bob = make_row(client, people, "Ann"), make_row(client, people, "Bob")
    task = make_row(client, tasks, "Task", Owner=link(bob["id"], ann["id"], bob["id"]))
    assert linked(client, task["id"], "Owner") == [bob["id"], ann["id"]]
    client.pages.update(task["id"], properties={"Owner": link(ann["id"], bob["id"])})
    assert linked(client, task["id"], "Owner") == [ann["id"], bob["id"]]


def test_the_other_end_keeps_its_last_edited_time_unless_told_otherwise(sb, client, people, tasks):
    sb.clock.set("2026-11-23T10:00:00Z")
    ann = make_row(client, people, "Ann")
    sb.clock.advance(120)
    task = make_row(client, tasks, "Task", Owner=link(ann["id"]))
    assert client.pages.retrieve(ann["id"])["last_edited_time"] == "2026-11-23T10:00:00.000Z"
    sb.settings.bump_reverse = True
    client.pages.update(task["id"], properties={"Owner": link()})
    assert client.pages.retrieve(ann["id"])["last_edited_time"] == "2026-11-23T10:02:00.000Z"


def test_a_one_way_relation_leaves_the_target_alone(client, sb, people):
    notes = make_source(client, sb.root_page_id, "Notes", {**PLAIN, "About": single(people)})
    shown = client.data_sources.retrieve(notes)["properties"]["About"]["relation"]
    assert (shown["type"], shown["single_property"]) == ("single_property", {})
    assert set(client.data_sources.retrieve(people)["properties"]) == {"Name"}


def test_a_relation_to_the_own_data_source_has_both_ends_there(client, people):
    client.data_sources.update(people, properties={"Boss": dual(people)})
    names = client.data_sources.retrieve(people)["properties"]
    assert set(names) == {"Name", "Boss", "Related to People (Boss)"}
    ann = make_row(client, people, "Ann")
    bob = make_row(client, people, "Bob", Boss=link(ann["id"]))
    assert linked(client, ann["id"], "Related to People (Boss)") == [bob["id"]]


def test_a_relation_changes_between_one_way_and_two_way_with_its_id_and_links(client, people, tasks):
    ann = make_row(client, people, "Ann")
    task = make_row(client, tasks, "Task", Owner=link(ann["id"]))
    before = task["properties"]["Owner"]["id"]
    client.data_sources.update(tasks, properties={"Owner": single(people)})
    assert set(client.data_sources.retrieve(people)["properties"]) == {"Name"}
    assert linked(client, task["id"], "Owner") == [ann["id"]]
    client.data_sources.update(tasks, properties={"Owner": dual(people)})
    assert client.data_sources.retrieve(tasks)["properties"]["Owner"]["id"] == before
    assert linked(client, ann["id"], BACK) == [task["id"]]


def test_removing_one_end_leaves_the_other_as_a_one_way_relation(client, people, tasks):
    ann = make_row(client, people, "Ann")
    task = make_row(client, tasks, "Task", Owner=link(ann["id"]))
    client.data_sources.update(tasks, properties={"Owner": None})
    assert client.data_sources.retrieve(people)["properties"][BACK]["relation"]["type"] == "single_property"
    assert linked(client, ann["id"], BACK) == [task["id"]]


def test_a_page_that_does_not_exist_is_not_found(api, tasks):
    body = {"parent": {"data_source_id": tasks}, "properties": {"Owner": link("00000000-0000-0000-0000-000000000000")}}
    assert api.error("POST", "pages", body)[:2] == (404, "object_not_found")


def test_a_page_of_another_data_source_is_refused(client, api, tasks):
    task = make_row(client, tasks)
    body = {"properties": {"Owner": link(task["id"])}}
    assert api.error("PATCH", f"pages/{task['id']}", body)[:2] == (400, "validation_error")


def test_a_relation_to_an_unknown_data_source_is_not_found(api, people):
    body = {"properties": {"Owner": dual("00000000-0000-0000-0000-000000000000")}}
    assert api.error("PATCH", f"data_sources/{people}", body)[:2] == (404, "object_not_found")


@pytest.mark.parametrize(
    "settings",
    [
        {"single_property": {}},
        {"data_source_id": "X"},
        {"data_source_id": "X", "database_id": "X", "single_property": {}},
    ],
)
def test_a_relation_needs_a_data_source_and_a_kind(api, people, settings):
    settings = {key: people if value == "X" else value for key, value in settings.items()}
    assert api.error("PATCH", f"data_sources/{people}", {"properties": {"R": {"relation": settings}}})[0] == 400


def test_a_link_to_a_page_in_the_trash_is_hidden_until_it_is_back(client, people, tasks):
    ann = make_row(client, people, "Ann")
    task = make_row(client, tasks, "Task", Owner=link(ann["id"]))
    client.pages.update(ann["id"], in_trash=True)
    assert linked(client, task["id"], "Owner") == []
    client.pages.update(ann["id"], in_trash=False)
    assert linked(client, task["id"], "Owner") == [ann["id"]]


def test_a_page_in_the_trash_cannot_be_linked(client, api, people, tasks):
    ann, task = make_row(client, people, "Ann"), make_row(client, tasks, "Task")
    client.pages.update(ann["id"], in_trash=True)
    assert api.error("PATCH", f"pages/{task['id']}", {"properties": {"Owner": link(ann["id"])}}) == (
        400,
        "validation_error",
        "Can't edit block that is archived. You must unarchive the block before editing.",
    )


@pytest.fixture
def busy(client, people, tasks):
    """A person with 60 tasks: (id, task ids)."""
    ann = make_row(client, people, "Ann")
    return ann["id"], [make_row(client, tasks, f"t{i}", Owner=link(ann["id"]))["id"] for i in range(60)]


def test_a_page_shows_25_links_and_says_that_there_are_more(client, busy):
    ann, ids = busy
    shown = client.pages.retrieve(ann)["properties"][BACK]
    assert set(shown) == {"id", "type", "relation", "has_more"}
    assert [item["id"] for item in shown["relation"]] == ids[:25]
    assert shown["has_more"] is True


def test_the_property_item_endpoint_has_all_links_page_by_page(client, busy):
    ann, ids = busy
    prop = client.pages.retrieve(ann)["properties"][BACK]["id"]
    found, cursor, sizes = [], None, []
    while True:
        answer = client.pages.properties.retrieve(ann, prop, page_size=25, start_cursor=cursor)
        found += [item["relation"]["id"] for item in answer["results"]]
        sizes.append(len(answer["results"]))
        cursor = answer["next_cursor"]
        assert answer["has_more"] is (cursor is not None)
        assert (answer["property_item"]["next_url"] is None) is (cursor is None)
        if cursor is None:
            break
    assert (found, sizes) == (ids, [25, 25, 10])


def test_writing_back_the_25_shown_links_loses_the_rest(client, busy):
    ann, ids = busy
    shown = client.pages.retrieve(ann)["properties"][BACK]["relation"]
    client.pages.update(ann, properties={BACK: {"relation": shown}})
    assert linked(client, ids[30], "Owner") == []
    assert linked(client, ids[3], "Owner") == [ann]


def test_a_write_takes_100_links(client, api, people, tasks, busy):
    ann, ids = busy
    over = link(*[ids[0]] * 101)
    assert api.error("PATCH", f"pages/{ann}", {"properties": {BACK: over}})[2] == (
        f"body failed validation: body.properties.{BACK}.relation.length should be ≤ `100`, instead was `101`."
    )


def test_links_to_unshared_pages_are_left_out(sb, client, people, tasks):
    ann = make_row(client, people, "Ann")
    task = make_row(client, tasks, "Task", Owner=link(ann["id"]))
    sb.unshare(ann["id"])
    assert linked(client, task["id"], "Owner") == []


def test_moving_a_page_away_ends_its_links(client, people, tasks):
    ann = make_row(client, people, "Ann")
    task = make_row(client, tasks, "Task", Owner=link(ann["id"]))
    client.pages.move(ann["id"], parent={"data_source_id": tasks})
    assert linked(client, task["id"], "Owner") == []


def test_people_shown_in_a_page_are_25_without_a_flag(client, sb):
    source = make_source(client, sb.root_page_id, "P", {**PLAIN, "Who": {"people": {}}})
    for number in range(30):
        user_id = f"{number:08d}-0000-4000-8000-000000000000"
        sb.ws.users[user_id] = {"object": "user", "id": user_id, "name": str(number), "type": "person", "person": {}}
    people = [{"id": user_id} for user_id in sb.ws.users][:30]
    page = make_row(client, source, Who={"people": people})
    assert set(page["properties"]["Who"]) == {"id", "type", "people"}
    assert len(page["properties"]["Who"]["people"]) == 25
    assert len(client.pages.properties.retrieve(page["id"], page["properties"]["Who"]["id"])["results"]) == 30


def test_a_title_of_a_page_outside_of_data_sources_is_its_only_property(client, api, sb):
    body = {"parent": {"page_id": sb.root_page_id}, "properties": {"Number": {"number": 1}}}
    assert api.error("POST", "pages", body)[2] == "Number is not a property that exists."
    page = client.pages.create(parent={"page_id": sb.root_page_id}, properties={"title": text("Sub")})
    assert list(page["properties"]) == ["title"]
