"""Property values: what may be written, and what is read back."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import make_row, text


def write(client, row, name, value):
    """One property of the row is written; its value as the answer shows it."""
    shown = client.pages.update(row["id"], properties={name: value})["properties"][name]
    return shown[shown["type"]]


def refused(api, row, name, value) -> str:
    """The message of the 400 that the write gets."""
    status, code, message = api.error("PATCH", f"pages/{row['id']}", {"properties": {name: value}})
    assert (status, code) == (400, "validation_error")
    return message


# -- keys --------------------------------------------------------------------------------------------


def test_a_property_is_written_by_name_by_id_and_by_encoded_id(client, row):
    from urllib.parse import unquote

    encoded = row["properties"]["Number"]["id"]
    for number, key in enumerate(("Number", encoded, unquote(encoded))):
        shown = client.pages.update(row["id"], properties={key: {"number": number}})
        assert shown["properties"]["Number"]["number"] == number


def test_the_title_is_also_written_under_its_id(client, row):
    shown = client.pages.update(row["id"], properties={"title": {"title": text("New")}})
    assert shown["properties"]["Name"]["title"][0]["plain_text"] == "New"


def test_only_what_is_sent_changes(client, row):
    client.pages.update(row["id"], properties={"Number": {"number": 7}, "Done": {"checkbox": True}})
    shown = client.pages.update(row["id"], properties={"Text": {"rich_text": text("t")}})["properties"]
    assert (shown["Number"]["number"], shown["Done"]["checkbox"], shown["Name"]["title"][0]["plain_text"]) == (
        7,
        True,
        "Row",
    )


def test_a_property_that_does_not_exist_is_refused(api, row):
    assert refused(api, row, "Nope", {"number": 1}) == "Nope is not a property that exists."


def test_a_value_of_another_type_is_refused(api, row):
    assert refused(api, row, "Number", {"select": {"name": "x"}}) == "Number is expected to be number."
    assert refused(api, row, "Number", {"type": "select", "number": 1}) == "Number is expected to be number."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Serial", {"unique_id": {"number": 1}}),
        ("Created", {"created_time": "2026-01-01T00:00:00.000Z"}),
        ("Creator", {"created_by": {"id": "x"}}),
        ("Edited", {"last_edited_time": "2026-01-01T00:00:00.000Z"}),
        ("Editor", {"last_edited_by": {"id": "x"}}),
    ],
)
def test_a_read_only_property_is_refused(api, row, name, value):
    assert refused(api, row, name, value).endswith("which cannot be written.")


def test_an_unknown_key_inside_a_value_is_refused(api, row):
    assert refused(api, row, "Number", {"number": 1, "format": "x"}) == (
        'body failed validation: body.properties.Number.format should be not present, instead was `"x"`.'
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Name", {"title": None}),
        ("Text", {"rich_text": None}),
        ("Text", {"rich_text": "plain"}),
        ("Number", {"number": "5"}),
        ("Number", {"number": True}),
        ("Done", {"checkbox": None}),
        ("Done", {"checkbox": 1}),
        ("Tags", {"multi_select": None}),
        ("Tags", {"multi_select": ["A"]}),
        ("Choice", {"select": "Red"}),
        ("Owner", {"people": None}),
        ("When", {"date": "2026-01-01"}),
        ("Files", {"files": [{"name": "x"}]}),
        ("Number", {}),
        ("Number", 5),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(api, row, name, value):
    assert refused(api, row, name, value).startswith("body failed validation: body.properties.")


# -- text --------------------------------------------------------------------------------------------


def test_neighbouring_runs_of_the_same_look_come_back_as_one(client, row):
    bold = {"bold": True}
    runs = [*text("a"), *text("b"), {"text": {"content": "c"}, "annotations": bold}, *text(""), *text("d")]
    shown = write(client, row, "Text", {"rich_text": runs})
    assert [(run["plain_text"], run["annotations"]["bold"]) for run in shown] == [
        ("ab", False),
        ("c", True),
        ("d", False),
    ]


def test_an_empty_text_reads_back_as_an_empty_list(client, row):
    assert write(client, row, "Text", {"rich_text": text("")}) == []
    assert write(client, row, "Name", {"title": []}) == []


def test_text_may_be_written_without_the_type_key_around_it(client, row):
    shown = client.pages.update(row["id"], properties={"Text": text("short")})["properties"]["Text"]
    assert shown["rich_text"][0]["plain_text"] == "short"


def test_a_bare_host_gets_a_slash(client, row):
    run = {"text": {"content": "site", "link": {"url": "https://example.com"}}}
    shown = write(client, row, "Text", {"rich_text": [run]})[0]
    assert (shown["text"]["link"], shown["href"]) == ({"url": "https://example.com/"}, "https://example.com/")


def test_equations_and_mentions_are_kept(client, row):
    runs = [
        {"equation": {"expression": "E=mc^2"}},
        {"mention": {"page": {"id": row["id"]}}},
        {"mention": {"date": {"start": "2026-01-01"}}},
    ]
    equation, mention, day = write(client, row, "Text", {"rich_text": runs})
    assert day["mention"] == {"type": "date", "date": {"start": "2026-01-01", "end": None, "time_zone": None}}
    assert (equation["type"], equation["plain_text"]) == ("equation", "E=mc^2")
    assert mention["mention"] == {"type": "page", "page": {"id": row["id"]}}


def test_what_was_read_can_be_written_back(client, row):
    runs = [{"text": {"content": "x"}, "annotations": {"italic": True, "color": "red"}}]
    shown = write(client, row, "Text", {"rich_text": runs})
    assert write(client, row, "Text", {"rich_text": shown}) == shown


def test_a_run_holds_2000_utf16_units(client, api, row):
    assert len(write(client, row, "Text", {"rich_text": text("😀" * 1000)})[0]["plain_text"]) == 1000
    assert refused(api, row, "Text", {"rich_text": text("😀" * 1000 + "a")}) == (
        "body failed validation: body.properties.Text.rich_text[0].text.content.length should be ≤ `2000`, "
        "instead was `2001`."
    )


def test_a_text_holds_100_runs(client, api, row):
    runs = [{"text": {"content": "x"}, "annotations": {"bold": bool(i % 2)}} for i in range(101)]
    assert len(write(client, row, "Text", {"rich_text": runs[:100]})) == 100
    assert refused(api, row, "Text", {"rich_text": runs}) == (
        "body failed validation: body.properties.Text.rich_text.length should be ≤ `100`, instead was `101`."
    )


@pytest.mark.parametrize(
    "run",
    [
        {"text": {"content": "x", "link": {"url": "u" * 2001}}},
        {"equation": {"expression": "x" * 1001}},
        {"text": {"content": "x"}, "annotations": {"color": "plaid"}},
        {"text": {"content": "x"}, "annotations": {"blink": True}},
        {"text": {"content": "x"}, "colour": "red"},
        {"text": {}},
        {"type": "equation", "text": {"content": "x"}},
        {},
    ],
)
def test_a_run_beyond_the_rules_is_refused(api, row, run):
    assert refused(api, row, "Text", {"rich_text": [run]}).startswith("body failed validation: ")


# -- numbers, checkboxes, short texts ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"), [(1, 1), (1.0, 1), (1.5, 1.5), (0, 0), (-3, -3), (1e3, 1000), (2**53 + 1, 2**53), (None, None)]
)
def test_a_number_is_a_double(client, row, written, read):
    shown = write(client, row, "Number", {"number": written})
    assert (shown, type(shown)) == (read, type(read))


def test_a_number_beyond_a_double_is_refused(api, row):
    assert refused(api, row, "Number", {"number": 10**400}).startswith("body failed validation: ")


@pytest.mark.parametrize(
    ("name", "key", "limit"), [("Link", "url", 2000), ("Mail", "email", 200), ("Phone", "phone_number", 200)]
)
def test_url_email_and_phone_have_their_limits_and_refuse_the_empty_text(client, api, row, name, key, limit):
    assert write(client, row, name, {key: "x" * limit}) == "x" * limit
    assert refused(api, row, name, {key: "x" * (limit + 1)}) == (
        f"body failed validation: body.properties.{name}.{key}.length should be ≤ `{limit}`, instead was `{limit + 1}`."
    )
    assert refused(api, row, name, {key: ""}).startswith("body failed validation: ")
    assert write(client, row, name, {key: None}) is None


# -- options -----------------------------------------------------------------------------------------


def test_an_unknown_option_is_made_by_writing_it(client, source, row):
    shown = write(client, row, "Choice", {"select": {"name": "Green"}})
    options = client.data_sources.retrieve(source)["properties"]["Choice"]["select"]["options"]
    assert [option["name"] for option in options] == ["Red", "Blue", "Green"]
    assert options[2] == {**shown, "description": None}


def test_an_option_is_found_in_any_case(client, source, row):
    red = client.data_sources.retrieve(source)["properties"]["Choice"]["select"]["options"][0]
    assert write(client, row, "Choice", {"select": {"name": "rED"}})["id"] == red["id"]
    assert len(client.data_sources.retrieve(source)["properties"]["Choice"]["select"]["options"]) == 2


def test_an_option_is_written_by_id(client, source, row):
    blue = client.data_sources.retrieve(source)["properties"]["Choice"]["select"]["options"][1]
    assert write(client, row, "Choice", {"select": {"id": blue["id"]}})["name"] == "Blue"


def test_an_unknown_option_id_is_refused(api, row):
    assert "does not exist" in refused(api, row, "Choice", {"select": {"id": row["id"]}})


def test_a_comma_in_an_option_is_refused(api, row):
    message = "Invalid select option, commas not allowed: a,b"
    assert refused(api, row, "Choice", {"select": {"name": "a,b"}}) == message
    assert refused(api, row, "Tags", {"multi_select": [{"name": "a,b"}]}) == message


@pytest.mark.parametrize("name", ["", "x" * 101])
def test_an_option_name_has_1_to_100_characters(api, row, name):
    assert refused(api, row, "Choice", {"select": {"name": name}}).startswith("body failed validation: ")


def test_null_empties_a_select(client, row):
    write(client, row, "Choice", {"select": {"name": "Red"}})
    assert write(client, row, "Choice", {"select": None}) is None


def test_a_multi_select_replaces_its_whole_value_once_per_option(client, row):
    write(client, row, "Tags", {"multi_select": [{"name": "A"}, {"name": "B"}]})
    shown = write(client, row, "Tags", {"multi_select": [{"name": "B"}, {"name": "b"}, {"name": "New"}]})
    assert [option["name"] for option in shown] == ["B", "New"]
    assert write(client, row, "Tags", {"multi_select": []}) == []


@pytest.mark.parametrize(("name", "key"), [("Tags", "multi_select"), ("Owner", "people")])
def test_a_list_value_holds_100_items(api, row, name, key):
    items = [{"name": f"o{i}", "id": "x"} for i in range(101)]
    assert refused(api, row, name, {key: items}) == (
        f"body failed validation: body.properties.{name}.{key}.length should be ≤ `100`, instead was `101`."
    )


def test_a_status_option_must_exist(client, api, row):
    assert write(client, row, "State", {"status": {"name": "done"}})["name"] == "Done"
    message = refused(api, row, "State", {"status": {"name": "Paused"}})
    assert message == 'Invalid status option. Status option "Paused" does not exist".'


def test_a_new_page_has_the_default_status_and_null_brings_it_back(client, row):
    assert row["properties"]["State"]["status"]["name"] == "Not started"
    write(client, row, "State", {"status": {"name": "Done"}})
    assert write(client, row, "State", {"status": None})["name"] == "Not started"


# -- dates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"start": "2026-07-01"}, "2026-07-01"),
        ({"start": "2026-06-27T17:57:32.424991", "time_zone": "Europe/London"}, "2026-06-27T17:57:00.000+01:00"),
        ({"start": "2026-06-27T17:57:32Z"}, "2026-06-27T17:57:00.000+00:00"),
        ({"start": "2026-06-27T17:57:59"}, "2026-06-27T17:57:00.000+00:00"),
        ({"start": "2026-06-27T17:57:00.000-05:00"}, "2026-06-27T17:57:00.000-05:00"),
        ({"start": "2026-01-27T17:57", "time_zone": "America/New_York"}, "2026-01-27T17:57:00.000-05:00"),
    ],
)
def test_a_date_reads_back_to_the_minute_with_its_offset(client, row, written, read):
    assert write(client, row, "When", {"date": written}) == {"start": read, "end": None, "time_zone": None}


def test_a_range_has_two_ends(client, row):
    shown = write(client, row, "When", {"date": {"start": "2026-07-01", "end": "2026-07-03"}})
    assert shown == {"start": "2026-07-01", "end": "2026-07-03", "time_zone": None}
    assert write(client, row, "When", {"date": None}) is None


@pytest.mark.parametrize(
    "value",
    [
        {"start": "2026-07-01T10:00:00Z", "time_zone": "Europe/London"},
        {"start": "2026-07-01T10:00:00+02:00", "time_zone": "Europe/London"},
        {"start": "2026-07-01", "time_zone": "Europe/London"},
        {"start": "2026-07-01T10:00:00", "time_zone": "Mars/Olympus"},
        {"start": "01.07.2026"},
        {"start": "2026-07-01 10:00 UTC"},
        {"start": "2026-13-01"},
        {"start": "2026-02-30"},
        {"start": "2026-07-01T25:00:00Z"},
        {"start": "20260701"},
        {"start": None},
        {"end": "2026-07-01"},
        {"start": "2026-07-02", "end": "2026-07-01"},
        {"start": "2026-07-01", "end": "2026-07-02T10:00:00Z"},
        {"start": "2026-07-01", "zone": "UTC"},
    ],
)
def test_a_date_beyond_the_rules_is_refused(api, row, value):
    assert refused(api, row, "When", {"date": value}).startswith("body failed validation: body.properties.When.date")


# -- people and files --------------------------------------------------------------------------------


def test_people_are_shown_in_full_and_must_be_members(sb, client, api, row):
    person = sb.as_person().user_id
    shown = write(client, row, "Owner", {"people": [{"id": person}, {"object": "user", "id": sb.bot_id}]})
    assert [(user["id"], user["type"]) for user in shown] == [(person, "person"), (sb.bot_id, "bot")]
    assert shown[1]["bot"] == {}
    assert "not a member" in refused(api, row, "Owner", {"people": [{"id": row["id"]}]})


def test_external_files_are_kept(client, row):
    shown = write(client, row, "Files", {"files": [{"name": "doc", "external": {"url": "https://example.com/a.pdf"}}]})
    assert shown == [{"name": "doc", "type": "external", "external": {"url": "https://example.com/a.pdf"}}]


def test_serial_numbers_count_up_and_are_never_given_twice(client, source, row):
    second = make_row(client, source)
    client.pages.update(second["id"], in_trash=True)
    third = make_row(client, source)
    assert [page["properties"]["Serial"]["unique_id"]["number"] for page in (row, second, third)] == [1, 2, 3]
