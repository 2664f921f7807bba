"""What is refused before it changes anything: tokens, versions, bodies, ids, sizes."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.conftest import make_row, text


def test_a_wrong_or_missing_token_is_unauthorized(sb):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic abc"}):
        answer = httpx.get(f"{sb.url}/v1/users/me", headers={"Notion-Version": "2026-03-11", **headers})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert answer.json()["message"] == "API token is invalid."


def test_a_missing_version_is_refused(sb, api_for):
    assert api_for(None).error("GET", "users/me")[:2] == (400, "missing_version")


def test_an_unknown_version_is_refused(sb, api_for):
    assert api_for("2031-01-01").error("GET", "users/me")[:2] == (400, "validation_error")


def test_the_oldest_version_gets_no_data_sources(sb, source, row, api_for):
    old = api_for("2022-06-28")
    assert old("GET", f"pages/{row['id']}").status_code == 200
    assert old.error("GET", f"data_sources/{source}") == (400, "invalid_request_url", "Invalid request URL.")
    assert old.error("GET", f"databases/{row['parent']['database_id']}")[:2] == (400, "validation_error")


def test_the_oldest_version_is_told_of_a_second_data_source(sb, client, source, row, api_for):
    database_id = row["parent"]["database_id"]
    second = client.data_sources.create(
        parent={"database_id": database_id}, properties={"Name": {"title": {}}}, title=text("Second")
    )
    answer = api_for("2022-06-28")("GET", f"databases/{database_id}").json()
    assert answer["message"] == "Databases with multiple data sources are not supported in this API version."
    assert answer["additional_data"] == {
        "error_type": "multiple_data_sources_for_database",
        "child_data_source_ids": [source, second["id"]],
    }


def test_ids_are_taken_with_and_without_dashes(api, row):
    for given in (row["id"], row["id"].replace("-", ""), row["id"].upper()):
        assert api("GET", f"pages/{given}").json()["id"] == row["id"]


def test_a_data_source_id_is_no_database_id_and_the_other_way_round(api, source, row):
    assert api.error("GET", f"databases/{source}")[:2] == (404, "object_not_found")
    assert api.error("GET", f"data_sources/{row['parent']['database_id']}")[:2] == (404, "object_not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "pages"),
        ("PATCH", "pages/{page}"),
        ("POST", "pages/{page}/move"),
        ("POST", "databases"),
        ("PATCH", "databases/{database}"),
        ("POST", "data_sources"),
        ("PATCH", "data_sources/{source}"),
        ("POST", "data_sources/{source}/query"),
        ("POST", "search"),
        ("PATCH", "blocks/{page}/children"),
        ("POST", "comments"),
    ],
)
def test_an_unknown_body_key_is_refused_everywhere(api, source, row, method, path):
    url = path.format(page=row["id"], source=source, database=row["parent"]["database_id"])
    assert api.error(method, url, {"filter_properties": ["title"]}) == (
        400,
        "validation_error",
        'body failed validation: body.filter_properties should be not present, instead was `["title"]`.',
    )


def test_archived_is_refused_by_the_newest_version_and_taken_by_the_one_before(sb, api, row, api_for):
    assert api.error("PATCH", f"pages/{row['id']}", {"archived": True}) == (
        400,
        "validation_error",
        "body failed validation: body.archived should be not present, instead was `true`.",
    )
    old = api_for("2025-09-03")
    assert old("PATCH", f"pages/{row['id']}", {"archived": True}).json()["in_trash"] is True
    assert old("PATCH", f"pages/{row['id']}", {"archived": False}).json()["archived"] is False


@pytest.mark.parametrize("key", ["filter", "sorts", "start_cursor", "page_size", "result_type", "is_archived"])
def test_null_is_nothing_that_a_query_takes(api, source, key):
    assert api.error("POST", f"data_sources/{source}/query", {key: None})[:2] == (400, "validation_error")


def test_null_is_no_trash_flag(api, row):
    assert api.error("PATCH", f"pages/{row['id']}", {"in_trash": None})[:2] == (400, "validation_error")


def test_broken_json_is_invalid_json(sb, api):
    for raw in (b"{", b"\xff", b'{"a": NaN}'):
        answer = api.http.request("POST", "search", content=raw)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")


def test_a_body_that_is_no_object_is_refused(api):
    assert api.error("POST", "search", [1])[:2] == (400, "validation_error")


def test_more_than_500_kb_are_refused(api, source):
    body = {"parent": {"data_source_id": source}, "properties": {"Name": {"title": text("x" * 520_000)}}}
    status, code, message = api.error("POST", "pages", body)
    assert (status, code) == (400, "validation_error")
    assert "payload should be ≤ `512000`" in message


@pytest.mark.parametrize("bad", ["\\ud83d", "\\u0000"])
def test_half_a_surrogate_pair_and_nul_cannot_be_stored(api, row, bad):
    raw = '{"properties":{"Text":{"rich_text":[{"text":{"content":"BAD"}}]}}}'.replace("BAD", bad)
    answer = api.http.request("PATCH", f"pages/{row['id']}", content=raw)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


def test_escaped_text_that_is_whole_is_stored(api, row):
    raw = '{"properties":{"Text":{"rich_text":[{"text":{"content":"\\ud83d\\ude00 \\u00e9"}}]}}}'
    answer = api.http.request("PATCH", f"pages/{row['id']}", content=raw)
    assert answer.json()["properties"]["Text"]["rich_text"][0]["plain_text"] == "😀 é"


def test_a_refused_request_changes_nothing(client, api, source, row):
    body = {"properties": {"Number": {"number": 5}, "Choice": {"select": {"name": "New"}}, "Nope": {"number": 1}}}
    assert api.error("PATCH", f"pages/{row['id']}", body) == (
        400,
        "validation_error",
        "Nope is not a property that exists.",
    )
    assert client.pages.retrieve(row["id"])["properties"]["Number"]["number"] is None
    options = client.data_sources.retrieve(source)["properties"]["Choice"]["select"]["options"]
    assert [option["name"] for option in options] == ["Red", "Blue"]


def test_properties_at_the_top_of_a_new_database_are_ignored(api, sb):
    body = {"parent": {"page_id": sb.root_page_id}, "properties": {"Other": {"title": {}}, "N": {"number": {}}}}
    database = api("POST", "databases", body).json()
    assert database["title"][0]["plain_text"] == "New database"
    shown = api("GET", f"data_sources/{database['data_sources'][0]['id']}").json()
    assert list(shown["properties"]) == ["Name"]


def test_requests_are_recorded_with_their_status(sb, client, api, row):
    sb.requests.clear()
    client.pages.retrieve(row["id"])
    api.error("GET", "nowhere")
    assert list(sb.requests) == [("GET", f"/v1/pages/{row['id']}", 200), ("GET", "/v1/nowhere", 400)]
    assert sb.requests.count_of("GET", "/v1/pages", 200) == 1


def test_what_is_not_shared_is_not_found_and_missing_from_lists(sb, client, api, source, row):
    other = make_row(client, source, "Other")
    sb.unshare(row["id"])
    assert api.error("GET", f"pages/{row['id']}")[:2] == (404, "object_not_found")
    assert api.error("PATCH", f"pages/{row['id']}", {})[:2] == (404, "object_not_found")
    assert [page["id"] for page in client.data_sources.query(source)["results"]] == [other["id"]]
    sb.share(row["id"])
    assert client.pages.retrieve(row["id"])["id"] == row["id"]


def test_an_unshared_database_hides_all_that_is_in_it(sb, client, api, source, row):
    sb.unshare(row["parent"]["database_id"])
    for path in (f"pages/{row['id']}", f"data_sources/{source}", f"databases/{row['parent']['database_id']}"):
        assert api.error("GET", path)[:2] == (404, "object_not_found")
    assert api.error("POST", f"data_sources/{source}/query", {})[:2] == (404, "object_not_found")
    assert client.search(query="Things")["results"] == []


def test_a_person_still_sees_what_is_not_shared_with_the_connection(sb, row, sdk_for):
    sb.unshare(row["id"])
    person = sdk_for(token=sb.person_token())
    assert person.pages.retrieve(row["id"])["id"] == row["id"]
    assert person.users.me()["type"] == "person"
