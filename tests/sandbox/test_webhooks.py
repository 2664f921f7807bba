"""What the sandbox sends to a webhook target."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.sandbox.conftest import make_row, make_source, text


class Target:
    """A small server that keeps what it is sent and answers `status`."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                target.received.append((dict(self.headers), raw))
                self.send_response(target.status)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(raw) for _, raw in self.received]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


@pytest.fixture
def target():
    made = Target()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def hooked(sb, target, source, row):
    """The sandbox with a subscription made after the row."""
    sb.webhooks.subscribe(target.url, token="secret_of_the_test")
    return sb


def test_nothing_is_sent_before_a_target_is_set(sb, row):
    assert sb.webhooks.flush()
    assert sb.webhooks.sent == []


def test_the_handshake_posts_a_token_that_signs_everything_after_it(sb, client, target, source):
    token = sb.webhooks.subscribe(target.url)
    assert target.events == [{"verification_token": token}]
    page = make_row(client, source)
    assert sb.webhooks.flush()
    headers, raw = target.received[-1]
    digest = hmac.new(token.encode(), raw, hashlib.sha256).hexdigest()
    assert headers["X-Notion-Signature"] == f"sha256={digest}"
    assert page["id"] in raw.decode()


def test_a_target_that_refuses_the_handshake_gets_no_subscription(sb, target):
    target.status = 404
    with pytest.raises(ConnectionError, match="404"):
        sb.webhooks.subscribe(target.url)
    assert sb.webhooks.url is None


def test_an_event_has_the_documented_keys(hooked, client, target, source):
    page = make_row(client, source)
    assert hooked.webhooks.flush()
    event = target.events[0]
    database_id = page["parent"]["database_id"]
    fixed = {key: value for key, value in event.items() if key not in ("id", "timestamp", "subscription_id")}
    assert event["timestamp"].endswith("Z")
    assert fixed == {
        "workspace_id": hooked.ws.id,
        "workspace_name": hooked.ws.name,
        "integration_id": hooked.bot_id,
        "type": "page.created",
        "authors": [{"id": hooked.bot_id, "type": "bot"}],
        "attempt_number": 1,
        "api_version": "2026-03-11",
        "entity": {"id": page["id"], "type": "page"},
        "data": {"parent": {"id": database_id, "type": "database", "data_source_id": source}},
    }


def test_each_change_has_its_event(hooked, client, target, source, row):
    page = row["id"]
    hooked.person.update(page, {"Number": 1})
    client.blocks.children.append(page, children=[{"paragraph": {"rich_text": text("x")}}])
    client.pages.update(page, in_trash=True)
    client.pages.update(page, in_trash=False)
    client.pages.update(page, is_locked=True)
    client.comments.create(parent={"page_id": page}, rich_text=text("x"))
    client.data_sources.update(source, properties={"Number": {"name": "Amount"}, "Extra": {"number": {}}, "Text": None})
    client.pages.move(page, parent={"page_id": hooked.root_page_id})
    client.databases.update(row["parent"]["database_id"], in_trash=True)
    assert hooked.webhooks.flush()
    assert target.types == [
        "page.properties_updated",
        "page.content_updated",
        "page.deleted",
        "page.undeleted",
        "page.locked",
        "comment.created",
        "data_source.schema_updated",
        "page.moved",
        "database.deleted",
    ]
    by_type = {event["type"]: event for event in target.events}
    changed = by_type["page.properties_updated"]
    assert changed["data"]["updated_properties"] == [row["properties"]["Number"]["id"]]
    assert changed["authors"] == [{"id": hooked.person.user_id, "type": "person"}]
    actions = {p["name"]: p["action"] for p in by_type["data_source.schema_updated"]["data"]["updated_properties"]}
    assert actions == {"Amount": "updated", "Extra": "created", "Text": "deleted"}
    assert by_type["page.moved"]["data"]["parent"] == {"id": hooked.root_page_id, "type": "page"}
    assert by_type["comment.created"]["data"]["page_id"] == page


def test_the_first_edit_is_sent_at_once_and_the_next_ones_of_the_minute_together(hooked, client, target, row):
    hooked.clock.freeze()
    client.pages.update(row["id"], properties={"Number": {"number": 1}})
    client.pages.update(row["id"], properties={"Text": {"rich_text": text("a")}})
    hooked.person.update(row["id"], {"Done": True})
    client.pages.update(row["id"], properties={"Text": {"rich_text": text("b")}})
    wait_for(lambda: len(target.events) == 1)
    hooked.clock.advance(61)
    wait_for(lambda: len(target.events) == 2)
    first, later = target.events
    ids = {name: shown["id"] for name, shown in row["properties"].items()}
    assert first["data"]["updated_properties"] == [ids["Number"]]
    assert later["data"]["updated_properties"] == [ids["Text"], ids["Done"]]
    assert later["authors"] == [
        {"id": hooked.bot_id, "type": "bot"},
        {"id": hooked.person.user_id, "type": "person"},
    ]


def wait_for(condition) -> None:
    done = threading.Event()
    for _ in range(500):
        if condition():
            return
        done.wait(0.01)
    raise AssertionError("the condition did not come true within five seconds")


def test_only_the_chosen_types_are_sent(sb, client, target, source, row):
    sb.webhooks.subscribe(target.url, token="t", types=["page.deleted"])
    make_row(client, source)
    client.pages.update(row["id"], in_trash=True)
    assert sb.webhooks.flush()
    assert target.types == ["page.deleted"]


def test_what_is_not_shared_sends_nothing(hooked, target, row):
    hooked.unshare(row["id"])
    hooked.person.update(row["id"], {"Number": 1})
    assert hooked.webhooks.flush()
    assert target.events == []


def test_events_can_be_dropped_doubled_and_reordered(hooked, client, target, source):
    hooked.webhooks.drop = 1
    make_row(client, source, "dropped")
    hooked.webhooks.duplicate = 1
    hooked.webhooks.types = frozenset({"page.created"})
    doubled = make_row(client, source, "doubled")
    assert hooked.webhooks.flush()
    created = [event for event in target.events if event["type"] == "page.created"]
    assert [event["entity"]["id"] for event in created] == [doubled["id"]] * 2
    assert created[0]["id"] == created[1]["id"]
    hooked.webhooks.hold = 1
    late, early = make_row(client, source, "late"), make_row(client, source, "early")
    assert hooked.webhooks.flush()
    assert [event["entity"]["id"] for event in target.events[-2:]] == [early["id"], late["id"]]


def test_what_is_not_answered_2xx_is_sent_again_with_the_next_attempt_number(hooked, client, target, row):
    hooked.clock.freeze()
    hooked.webhooks.retry_seconds = (30, 30)
    target.status = 500
    client.pages.update(row["id"], in_trash=True)
    wait_for(lambda: len(hooked.webhooks.sent) == 1)
    target.status = 200
    hooked.clock.advance(31)
    wait_for(lambda: len(hooked.webhooks.sent) == 2)
    assert [(seen.body["attempt_number"], seen.status) for seen in hooked.webhooks.sent] == [(1, 500), (2, 200)]
    assert target.events[0]["id"] == target.events[1]["id"]


def test_a_redirect_is_no_delivery(hooked, client, target, row):
    target.status = 302
    client.pages.update(row["id"], in_trash=True)
    assert hooked.webhooks.flush()
    assert [seen.status for seen in hooked.webhooks.sent] == [302]


def test_a_target_that_is_away_does_not_hurt(sb, client, row):
    sb.webhooks.subscribe("http://127.0.0.1:9/hook", token="t")
    client.pages.update(row["id"], in_trash=True)
    assert sb.webhooks.flush()
    assert [seen.status for seen in sb.webhooks.sent] == [0]


def test_the_subscription_ends_when_it_is_given_up(hooked, client, target, row):
    hooked.webhooks.unsubscribe()
    client.pages.update(row["id"], in_trash=True)
    assert hooked.webhooks.flush()
    assert target.events == []


def test_a_refused_write_sends_nothing(hooked, api, target, row):
    assert api("PATCH", f"pages/{row['id']}", {"properties": {"Nope": {"number": 1}}}).status_code == 400
    assert hooked.webhooks.flush()
    assert target.events == []


def test_the_other_end_of_a_new_relation_has_its_event(hooked, client, target, source):
    relation = {"relation": {"data_source_id": source, "dual_property": {}}}
    other = make_source(client, hooked.root_page_id, "Other", {"Name": {"title": {}}, "To": relation})
    client.data_sources.update(other, properties={"To": None})
    assert hooked.webhooks.flush()
    changes = [event for event in target.events if event["type"] == "data_source.schema_updated"]
    assert [
        (event["entity"]["id"], [(p["name"], p["action"]) for p in event["data"]["updated_properties"]])
        for event in changes
    ] == [
        (source, [("Related to Other (To)", "created")]),
        (source, [("Related to Other (To)", "updated")]),
        (other, [("To", "deleted")]),
    ]


def test_a_new_database_and_data_source_have_their_events(hooked, client, target):
    source = make_source(client, hooked.root_page_id, "New")
    database_id = client.data_sources.retrieve(source)["parent"]["database_id"]
    second = client.data_sources.create(parent={"database_id": database_id}, properties={"Name": {"title": {}}})
    assert hooked.webhooks.flush()
    assert [(event["type"], event["entity"]["id"]) for event in target.events] == [
        ("database.created", database_id),
        ("data_source.created", second["id"]),
    ]
