"""The web page on which a person edits the sandbox."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import make_row, make_source, text


class Browser:
    """Opens pages and sends forms as a browser does: everything the form holds, with its Origin."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, verify=False)
        self.origin = url

    def get(self, path: str) -> str:
        answer = self.http.get(path)
        assert answer.status_code == 200
        return answer.text

    def post(self, path: str, form: dict[str, Any], **headers: str) -> httpx.Response:
        return self.http.post(path, data=form, headers={"Origin": self.origin, **headers})

    def form(self, path: str) -> dict[str, Any]:
        """What the form at this address holds."""
        shown = self.get(path)
        before = html.unescape(re.search(r'name="before" value="([^"]*)"', shown).group(1))
        return {"before": before, **json.loads(before)}


@pytest.fixture
def browser(sb):
    made = Browser(sb.url)
    yield made
    made.http.close()


def key(row: dict[str, Any], name: str) -> str:
    return f"f.{row['properties'][name]['id']}"


def save(browser, row, **changes: Any) -> httpx.Response:
    """Opens the page, changes the named properties and saves."""
    form = browser.form(f"/page/{row['id']}")
    for name, value in changes.items():
        form[key(row, name)] = value
    return browser.post(f"/page/{row['id']}", form)


# -- looking -----------------------------------------------------------------------------------------


def test_the_first_page_lists_the_databases_with_their_rows(browser, client, source, row):
    trashed = make_row(client, source)
    client.pages.update(trashed["id"], in_trash=True)
    shown = browser.get("/")
    assert re.findall(r"<strong>(.*?)</strong>", shown) == ["Things"]
    assert re.findall(r'class="count">(\d+)<', shown) == ["1"]
    assert "1 in the trash" in shown


def test_an_empty_workspace_says_so(browser):
    assert "No databases yet." in browser.get("/")


def test_a_database_shows_its_rows_escaped_paged_and_searched(browser, client, sb, source):
    make_row(client, source, "<script>alert(1)</script>", Choice={"select": {"name": "Red"}})
    for number in range(55):
        sb.person.create(source, {"Name": f"row {number}", "Text": "needle" if number == 7 else "hay"})
    first = browser.get(f"/database/{source}")
    assert first.count('<th scope="row">') == 50
    assert "Page 1 of 2" in first
    second = browser.get(f"/database/{source}?page=2")
    assert second.count('<th scope="row">') == 6
    assert "<script>alert" not in second
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in second
    assert '<span class="pill red">Red</span>' in second
    found = browser.get(f"/database/{source}?q=NEEDLE")
    assert re.findall(r'<th scope="row"><a [^>]*>(.*?)</a>', found) == ["row 7"]


def test_the_trash_of_a_database_has_its_own_list(browser, client, source, row):
    assert "The trash is empty." in browser.get(f"/database/{source}?trash=1")
    client.pages.update(row["id"], in_trash=True)
    assert row["id"] in browser.get(f"/database/{source}?trash=1")
    assert row["id"] not in browser.get(f"/database/{source}")


def test_a_page_shows_every_value(browser, client, sb, source):
    page = sb.person.create(
        source,
        {"Name": "All", "Text": "line one\nline two", "Number": 5, "Choice": "Red", "Tags": ["A"], "State": "Done",
         "Done": True, "When": {"start": "2026-12-01T09:30:00Z", "end": "2026-12-02T10:00:00Z"},
         "Owner": [sb.person.user_id], "Link": "https://example.com", "Files": ["https://example.com/a"]},
    )  # fmt: skip
    form = browser.form(f"/page/{page['id']}")
    values = {name: form.get(f"f.{shown['id']}") for name, shown in page["properties"].items()}
    assert (values["Name"], values["Text"], values["Number"]) == (["All"], ["line one\nline two"], ["5"])
    assert (values["Done"], values["Owner"], values["Files"]) == (
        ["on"],
        [sb.person.user_id],
        ["https://example.com/a"],
    )
    when = key(page, "When")
    parts = {part: form[f"{when}.{part}"] for part in ("start", "start_time", "end", "end_time")}
    assert parts == {"start": ["2026-12-01"], "start_time": ["09:30"], "end": ["2026-12-02"], "end_time": ["10:00"]}
    shown = browser.get(f"/page/{page['id']}")
    assert "ROW-1" in shown
    assert "by Robin Editor" in shown


@pytest.mark.parametrize("path", ["/nowhere", "/page/00000000-0000-0000-0000-000000000000", "/database/x"])
def test_what_is_not_there_is_said_in_words(browser, path):
    answer = browser.http.get(path)
    assert answer.status_code == 404
    assert "That did not work" in answer.text


def test_the_root_page_is_in_no_database_and_has_no_form(browser, sb):
    assert browser.http.get(f"/page/{sb.root_page_id}").status_code == 404


# -- editing -----------------------------------------------------------------------------------------


def test_saving_writes_what_was_changed_as_a_person(browser, client, sb, source, row):
    red = client.data_sources.retrieve(source)["properties"]["Choice"]["select"]["options"][0]["id"]
    a, b = (
        option["id"] for option in client.data_sources.retrieve(source)["properties"]["Tags"]["multi_select"]["options"]
    )
    answer = save(
        browser, row, Name="Renamed", Text="one\r\ntwo", Number="2.5", Choice=red, Tags=[b, a], Done="on",
        Owner=[sb.person.user_id], Link="https://example.com", Mail="a@example.com", Phone="1",
        Files="https://example.com/a\r\nhttps://example.com/b",
    )  # fmt: skip
    assert (answer.status_code, answer.headers["location"]) == (303, f"/page/{row['id']}?done=saved")
    values = sb.values(row["id"])
    shown = {name: values[name] for name in values if name not in ("Created", "Edited", "Creator", "Editor", "Serial")}
    assert shown == {
        "Name": "Renamed",
        "Text": "one\ntwo",
        "Number": 2.5,
        "Choice": "Red",
        "Tags": ["B", "A"],
        "State": "Not started",
        "Done": True,
        "When": None,
        "Owner": [sb.person.user_id],
        "Link": "https://example.com",
        "Mail": "a@example.com",
        "Phone": "1",
        "Files": ["https://example.com/a", "https://example.com/b"],
    }
    assert values["Editor"] == sb.person.user_id
    assert "Saved." in browser.get(answer.headers["location"])


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        ({"start": "2026-12-01"}, "2026-12-01"),
        ({"start": "2026-12-01", "start_time": "09:30"}, "2026-12-01T09:30:00.000+00:00"),
        ({"start": "2026-12-01", "end": "2026-12-03"}, {"start": "2026-12-01", "end": "2026-12-03"}),
        ({"end": "2026-12-03"}, "2026-12-03"),
    ],
)
def test_a_date_is_set_and_emptied(browser, sb, row, parts, value):
    when = key(row, "When")
    form = browser.form(f"/page/{row['id']}") | {f"{when}.{part}": text for part, text in parts.items()}
    assert browser.post(f"/page/{row['id']}", form).status_code == 303
    assert sb.values(row["id"])["When"] == value
    empty = {f"{when}.{part}": "" for part in ("start", "start_time", "end", "end_time")}
    browser.post(f"/page/{row['id']}", browser.form(f"/page/{row['id']}") | empty)
    assert sb.values(row["id"])["When"] is None


def test_new_options_are_typed_in(browser, sb, row):
    form = browser.form(f"/page/{row['id']}")
    form |= {f"{key(row, 'Choice')}.new": "Green", f"{key(row, 'Tags')}.new": "X, Y"}
    browser.post(f"/page/{row['id']}", form)
    values = sb.values(row["id"])
    assert (values["Choice"], values["Tags"]) == ("Green", ["X", "Y"])


def test_values_are_emptied(browser, sb, row):
    sb.person.update(row["id"], {"Text": "t", "Number": 1, "Choice": "Red", "Tags": ["A"], "Done": True, "Mail": "m"})
    form = browser.form(f"/page/{row['id']}")
    form |= {key(row, name): "" for name in ("Text", "Number", "Choice", "Mail")}
    del form[key(row, "Tags")], form[key(row, "Done")]
    browser.post(f"/page/{row['id']}", form)
    values = sb.values(row["id"])
    assert {name: values[name] for name in ("Text", "Number", "Choice", "Tags", "Done", "Mail")} == {
        "Text": "",
        "Number": None,
        "Choice": None,
        "Tags": [],
        "Done": False,
        "Mail": None,
    }


def test_an_edit_made_elsewhere_in_the_meantime_is_not_undone(browser, client, sb, row):
    form = browser.form(f"/page/{row['id']}")
    client.pages.update(row["id"], properties={"Number": {"number": 7}})
    browser.post(f"/page/{row['id']}", form | {key(row, "Phone"): "123"})
    values = sb.values(row["id"])
    assert (values["Number"], values["Phone"]) == (7, "123")


def test_saving_an_unchanged_form_writes_nothing(browser, client, sb, row):
    formatted = [{"text": {"content": "bold"}, "annotations": {"bold": True}}]
    client.pages.update(row["id"], properties={"Text": {"rich_text": formatted}})
    assert save(browser, row).headers["location"].endswith("done=nothing")
    shown = client.pages.retrieve(row["id"])
    assert shown["last_edited_by"]["id"] == sb.bot_id
    assert shown["properties"]["Text"]["rich_text"][0]["annotations"]["bold"] is True


def test_line_ends_as_browsers_send_them_are_no_change(browser, sb, row):
    sb.person.update(row["id"], {"Name": "one\ntwo", "Text": "a\rb\r\nc\n"})
    form = browser.form(f"/page/{row['id']}")
    sent = {
        name: re.sub(r"\r\n|\r|\n", "\r\n", v[0]) for name, v in form.items() if isinstance(v, list) and len(v) == 1
    }
    answer = browser.post(f"/page/{row['id']}", form | sent)
    assert answer.headers["location"].endswith("done=nothing")


def test_a_wrong_value_is_told_and_what_was_typed_is_kept(browser, sb, row):
    answer = save(browser, row, Number="many", Name="Typed")
    assert answer.status_code == 400
    assert "“many” is not a number." in answer.text
    assert 'value="many"' in answer.text
    assert sb.values(row["id"])["Name"] == "Row"


def test_a_page_is_added(browser, sb, source, row):
    form = browser.form(f"/database/{source}/new") | {key(row, "Name"): "Fresh", key(row, "Number"): "3"}
    answer = browser.post(f"/database/{source}/new", form)
    page_id = re.search(r"/page/([0-9a-f-]{36})\?done=added", answer.headers["location"]).group(1)
    values = sb.values(page_id)
    assert (values["Name"], values["Number"], values["Creator"]) == ("Fresh", 3, sb.person.user_id)


def test_a_page_goes_into_the_trash_and_comes_back(browser, sb, row):
    answer = browser.post(f"/page/{row['id']}/trash", {})
    assert answer.headers["location"].endswith("done=trashed")
    assert sb.page(row["id"])["in_trash"] is True
    assert "This page is in the trash" in browser.get(f"/page/{row['id']}")
    assert save(browser, row, Name="x").status_code == 400
    browser.post(f"/page/{row['id']}/restore", {})
    assert sb.page(row["id"])["in_trash"] is False


def test_a_property_is_renamed(browser, client, source, row):
    encoded = row["properties"]["Number"]["id"]
    answer = browser.post(f"/database/{source}/rename", {"property": encoded, "name": "Amount"})
    assert answer.status_code == 303
    assert client.data_sources.retrieve(source)["properties"]["Amount"]["id"] == encoded
    taken = browser.post(f"/database/{source}/rename", {"property": encoded, "name": "Text"})
    assert taken.status_code == 400
    assert "already exists" in taken.text


def test_links_are_searched_for_and_set(browser, client, sb, source, row):
    link = {"relation": {"data_source_id": source, "single_property": {}}}
    other = make_source(client, sb.root_page_id, "Other", {"Name": {"title": {}}, "To": link})
    page = make_row(client, other, "Start")
    second = make_row(client, source, "Second one")
    found = browser.http.get(f"/pick?source={source}&q=SECOND").json()
    assert found == {"pages": [{"id": second["id"], "title": "Second one"}], "more": False}
    save(browser, page, To=[row["id"], second["id"]])
    assert sb.values(page["id"])["To"] == [row["id"], second["id"]]
    assert "Second one" in browser.get(f"/database/{other}")


# -- safety ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
def test_a_form_from_elsewhere_is_refused(browser, sb, row, origin):
    headers = {} if origin is None else {"Origin": origin}
    answer = browser.http.post(f"/page/{row['id']}/trash", headers=headers)
    assert answer.status_code == 403
    assert sb.page(row["id"])["in_trash"] is False


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "[bad"])
def test_another_host_name_is_refused(browser, host):
    assert browser.http.get("/", headers={"Host": host}).status_code == 403


def test_a_page_may_load_nothing_from_elsewhere(browser, row):
    answer = browser.http.get(f"/page/{row['id']}")
    policy = answer.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy).group(1)
    assert policy.startswith("default-src 'none'; ")
    assert re.findall(r'<script nonce="([^"]+)"', answer.text) == [nonce]
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', answer.text)


def test_a_form_without_its_memory_is_refused(browser, row):
    assert browser.post(f"/page/{row['id']}", {key(row, "Name"): "x"}).status_code == 400


def test_the_web_page_needs_no_django_settings():
    import subprocess
    import sys
    from pathlib import Path

    code = (
        "import urllib.request\n"
        "from notion_sync.sandbox import Sandbox\n"
        "from django.conf import settings\n"
        "with Sandbox() as sb:\n"
        "    print(urllib.request.urlopen(sb.url).status, settings.configured)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        env={"PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert (done.stdout, done.stderr) == ("200 False\n", "")


def test_a_text_that_looks_like_a_template_stays_text(browser, client, source):
    page = make_row(client, source, "{{ workspace }} {% now %}", Text={"rich_text": text("</textarea><b>")})
    shown = browser.get(f"/page/{page['id']}")
    assert "{{ workspace }} {% now %}" in shown
    assert "&lt;/textarea&gt;&lt;b&gt;" in shown
