"""Rate limit and faults on order."""

from __future__ import annotations

import httpx
import pytest
from notion_client.errors import APIResponseError, UnknownHTTPResponseError

from tests.sandbox.conftest import make_row, text

CREATE = {"properties": {"Name": {"title": text("New")}}}


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("conflict", 409, "conflict_error"),
        ("internal_error", 500, "internal_server_error"),
        ("unavailable", 503, "service_unavailable"),
        ("database_unavailable", 503, "database_connection_unavailable"),
        ("gateway_timeout", 504, "gateway_timeout"),
        ("overload", 529, "service_overload"),
        ("rate_limited", 429, "rate_limited"),
        ("unauthorized", 401, "unauthorized"),
        ("restricted", 403, "restricted_resource"),
        ("validation", 400, "validation_error"),
    ],
)
def test_a_fault_strikes_once_and_saves_nothing(sb, api, source, kind, status, code):
    sb.faults.add(kind, method="POST", path="/v1/pages")
    body = {"parent": {"data_source_id": source}, **CREATE}
    assert api.error("POST", "pages", body)[:2] == (status, code)
    assert sb.pages(source) == []
    assert api("POST", "pages", body).status_code == 200


def test_the_502_has_an_html_body_as_a_proxy_sends_it(sb, api, client):
    sb.faults.add("bad_gateway", times=2)
    answer = api("GET", "users/me")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    assert answer.text.startswith("<html>")
    with pytest.raises(UnknownHTTPResponseError) as caught:
        client.users.me()
    assert caught.value.status == 502


def test_a_503_that_was_saved_names_what_it_saved(sb, client, source):
    sb.faults.add("unavailable_saved", method="POST", path="/v1/pages")
    with pytest.raises(APIResponseError) as caught:
        make_row(client, source)
    (saved,) = sb.pages(source)
    assert (caught.value.status, caught.value.code.value) == (503, "service_unavailable")
    assert caught.value.additional_data["committed_resource_id"] == saved["id"]
    assert caught.value.additional_data["retry_guidance"][-1] == "Do not repeat the write."


def test_a_503_after_an_append_names_the_new_blocks(sb, client, row):
    sb.faults.add("unavailable_saved", method="PATCH", path="children")
    with pytest.raises(APIResponseError) as caught:
        client.blocks.children.append(row["id"], children=[{"paragraph": {"rich_text": text("x")}}])
    (block,) = client.blocks.children.list(row["id"])["results"]
    assert caught.value.additional_data["committed_child_ids"] == [block["id"]]


def test_a_504_may_have_been_saved(sb, client, source):
    sb.faults.add("gateway_timeout_saved", method="POST", path="/v1/pages")
    with pytest.raises(APIResponseError) as caught:
        make_row(client, source)
    assert caught.value.status == 504
    assert len(sb.pages(source)) == 1


@pytest.mark.parametrize(("kind", "saved"), [("drop_before", 0), ("drop_after", 1)])
def test_a_connection_is_dropped_before_or_after_the_write(sb, client, source, kind, saved):
    sb.faults.add(kind, method="POST", path="/v1/pages")
    with pytest.raises(httpx.TransportError):
        make_row(client, source)
    assert len(sb.pages(source)) == saved
    assert sb.requests[-1] == ("POST", "/v1/pages", 0)


def test_a_slow_answer_is_slower_than_the_client_waits(sb, api):
    sb.faults.add("slow", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        api("GET", "users/me", timeout=0.2)


def test_a_fault_waits_for_its_request(sb, api, source):
    fault = sb.faults.add("conflict", method="PATCH", path=r"/v1/pages/[0-9a-f-]+$", skip=1, times=2)
    page = api("POST", "pages", {"parent": {"data_source_id": source}, **CREATE}).json()["id"]
    statuses = [api("PATCH", f"pages/{page}", {}).status_code for _ in range(4)]
    assert (statuses, fault.struck, len(sb.faults)) == ([200, 409, 409, 200], 2, 0)


def test_a_lasting_fault_ends_when_it_is_cleared(sb, api):
    sb.faults.add("internal_error", times=None)
    assert [api("GET", "users/me").status_code for _ in range(3)] == [500, 500, 500]
    sb.faults.clear()
    assert api("GET", "users/me").status_code == 200


def test_an_unknown_fault_is_named(sb):
    with pytest.raises(ValueError, match="unknown fault 'flood'"):
        sb.faults.add("flood")


def test_a_blocked_connection_says_so(sb, api):
    sb.faults.add("blocked", seconds=60)
    answer = api("GET", "users/me")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert answer.json()["additional_data"] == {
        "rate_limit_reason": "public_api_request_blocked",
        "retry_after": "60",
    }


# -- rate limit --------------------------------------------------------------------------------------


def test_beyond_the_budget_of_a_window_requests_are_refused_until_it_ends(sb, api):
    sb.clock.set("2026-11-23T10:00:00Z")
    sb.rate_limit = 3
    assert [api("GET", "users/me").status_code for _ in range(3)] == [200, 200, 200]
    sb.clock.advance(20.5)
    answer = api("GET", "users/me")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "40")
    body = answer.json()
    assert body["code"] == "rate_limited"
    assert body["additional_data"] == {"rate_limit_reason": "public_api_request_rate_limit", "retry_after": "40"}
    sb.clock.advance(39)
    assert api("GET", "users/me").status_code == 429
    sb.clock.advance(1)
    assert api("GET", "users/me").status_code == 200
    assert (sb.rate_limit.used, sb.rate_limit.refused) == (1, 2)


def test_without_a_limit_nothing_is_refused(sb, api):
    sb.rate_limit = 1
    sb.rate_limit = None
    assert [api("GET", "users/me").status_code for _ in range(5)] == [200] * 5


# -- control over HTTP -------------------------------------------------------------------------------


@pytest.fixture
def control(sb):
    with httpx.Client(base_url=f"{sb.url}/__control__/", verify=False) as made:
        yield made


def test_faults_clock_and_limit_are_set_over_http(sb, api, control):
    assert control.post("faults", json={"kind": "conflict", "path": "users"}).json() == {"faults": 1}
    assert api("GET", "users/me").status_code == 409
    assert control.post("clock", json={"set": "2026-11-23T10:00:00Z"}).json() == {"now": 1795428000.0}
    assert control.post("clock", json={"advance": 60}).json() == {"now": 1795428060.0}
    assert control.post("rate_limit", json={"per_minute": 1}).json() == {"per_minute": 1}
    assert [api("GET", "users/me").status_code for _ in range(2)] == [200, 429]
    assert control.post("settings", json={"query_cap": 5}).json()["query_cap"] == 5


def test_the_state_tells_where_things_are(sb, control, source, row):
    state = control.get("state").json()
    assert (state["url"], state["root_page_id"], state["bot_id"]) == (sb.url, sb.root_page_id, sb.bot_id)
    assert state["rows"] == {source: 1}


def test_sharing_is_switched_over_http(api, control, row):
    control.post("share", json={"id": row["id"], "shared": False})
    assert api("GET", f"pages/{row['id']}").status_code == 404


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("faults", {"kind": "flood"}),
        ("faults", {"kind": "conflict", "colour": "red"}),
        ("clock", {"set": "soon"}),
        ("clock", {"rewind": 1}),
        ("settings", {"speed": 1}),
        ("rate_limit", {}),
    ],
)
def test_a_control_that_is_wrong_says_why(control, name, body):
    answer = control.post(name, json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(f"{name}: ")


def test_a_web_page_cannot_reach_the_controls(sb, control):
    answer = control.post("faults", json={"kind": "conflict"}, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, len(sb.faults)) == (403, 0)


def test_webhooks_are_set_over_http(sb, control):
    body = {"url": "http://127.0.0.1:9/hook", "token": "t", "types": ["page.created"], "drop": 1}
    assert control.post("webhooks", json=body).json() == {
        "url": "http://127.0.0.1:9/hook",
        "verification_token": "t",
        "sent": 0,
    }
    assert sb.webhooks.drop == 1
    assert control.post("webhooks", json={"url": None, "flush": True}).json()["url"] is None


def test_an_unknown_control_is_not_found(control):
    assert control.post("explode", json={}).status_code == 404
    assert control.get("faults").status_code == 404
