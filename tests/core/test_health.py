"""Health, metrics and tokens, as operators and their monitors use them."""

from __future__ import annotations

import logging
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from higherself.core import health, jobs, tokens
from higherself.core.logs import RedactSecrets, redact, redact_report
from higherself.core.models import ApiToken, Heartbeat
from higherself.integrations.models import InboundEvent
from higherself.integrations.registry import PROVIDERS
from notion_sync.models import NotionDatabase

pytestmark = pytest.mark.django_db


def token(*scopes: str, **options: Any) -> dict[str, str]:
    return {"Authorization": f"Token {tokens.create('test', list(scopes), options.get('expires'))}"}


@pytest.fixture
def _well(db: None) -> None:
    Heartbeat.objects.create(name=jobs.WORKER_HEARTBEAT, at=timezone.now())
    NotionDatabase.objects.create(key="contacts_profiles", state=NotionDatabase.State.OK)


@pytest.mark.usefixtures("_well")
def test_the_public_sees_one_word() -> None:
    answer = Client().get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.usefixtures("_well")
def test_a_token_shows_every_component() -> None:
    body = Client().get("/health", headers=token("health:read")).json()
    assert set(body["components"]) == {"database", "worker", "inbox", "outbox", "providers", "notion"}
    assert body["components"]["worker"]["summary"] == "A worker is running."


@pytest.mark.usefixtures("_well")
def test_a_token_of_another_scope_sees_one_word() -> None:
    assert Client().get("/health", headers=token("workflows:read")).json() == {"status": "ok"}


def test_without_a_worker_the_server_is_degraded_and_still_answers_200() -> None:
    answer = Client().get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})


def test_a_silent_worker_is_noticed() -> None:
    Heartbeat.objects.create(name=jobs.WORKER_HEARTBEAT, at=timezone.now() - timedelta(minutes=5))
    assert health.worker().status == health.DEGRADED


def test_without_its_database_the_server_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> health.Component:
        return health.Component(health.DOWN, "gone")

    monkeypatch.setattr(health, "database", broken)
    answer = Client().get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "down"})


def test_a_part_that_cannot_be_read_is_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> health.Component:
        raise DatabaseError("no such table")

    monkeypatch.setitem(health._components, "worker", failing)
    _, components = health.report()
    assert components["worker"].summary == "The state of “worker” cannot be read: no such table"


def test_the_process_says_that_it_lives() -> None:
    assert Client().get("/health/live").json() == {"status": "ok"}


def test_an_old_event_degrades_the_inbox() -> None:
    InboundEvent.objects.create(
        provider="typeform", delivery_key="1", body=b"{}", received_at=timezone.now() - timedelta(minutes=10)
    )
    found = health._components["inbox"]()
    assert (found.status, found.facts["unprocessed"]) == (health.DEGRADED, 1)


def test_metrics_need_a_token_of_their_scope() -> None:
    assert Client().get("/metrics").status_code == 401
    assert Client().get("/metrics", headers=token("health:read")).status_code == 403
    answer = Client().get("/metrics", headers=token("metrics:read"))
    lines = answer.content.decode().splitlines()
    assert 'higherself_component_ok{component="database"} 1.0' in lines


def test_an_unknown_address_is_answered_in_json() -> None:
    answer = Client().get("/nothing/here")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Nothing is served at /nothing/here."})


def test_create_token_prints_the_token_as_its_last_word_and_stores_only_a_digest() -> None:
    out = StringIO()
    call_command("create_token", "monitor", "--scope", "metrics:read", "--days", "30", stdout=out)
    printed = out.getvalue().split()[-1]
    row = ApiToken.objects.get()
    assert (row.name, row.scopes) == ("monitor", ["metrics:read"])
    assert printed not in str(ApiToken.objects.values())
    assert tokens.find(printed) == row


@pytest.mark.parametrize(
    "words",
    [
        ["monitor", "--scope", "metrics:read", "health:read"],
        ["monitor", "--scope", "metrics:read", "--scope", "health:read"],
        ["--scope", "metrics:read", "health:read", "monitor"],
    ],
)
def test_create_token_takes_several_scopes_in_any_order(words: list[str]) -> None:
    out = StringIO()
    call_command("create_token", *words, stdout=out)
    found = tokens.find(out.getvalue().split()[-1])
    assert found is not None
    assert (found.name, found.scopes) == ("monitor", ["metrics:read", "health:read"])


@pytest.mark.parametrize("days", ["0", "-1", "36526", "99999999999"])
def test_create_token_refuses_a_time_that_is_none(days: str) -> None:
    with pytest.raises(CommandError, match="--days takes a number from 1 to 36525"):
        call_command("create_token", "x", "--days", days)
    assert ApiToken.objects.count() == 0


@pytest.mark.parametrize("words", [[], ["--scope", "metrics:read"]])
def test_create_token_wants_a_name(words: list[str]) -> None:
    with pytest.raises(CommandError, match="Say what the token is for"):
        call_command("create_token", *words)


def test_create_token_refuses_an_unknown_scope() -> None:
    with pytest.raises(CommandError, match="Unknown scope everything"):
        call_command("create_token", "x", "--scope", "everything")


def test_an_expired_or_revoked_token_opens_nothing() -> None:
    late = token("metrics:read", expires=timezone.now() - timedelta(seconds=1))
    assert Client().get("/metrics", headers=late).status_code == 401
    good = token("metrics:read")
    ApiToken.objects.update(revoked_at=timezone.now())
    assert Client().get("/metrics", headers=good).status_code == 401


def test_the_schema_and_its_page_need_credentials_and_show_the_endpoints() -> None:
    assert Client().get("/api/schema").status_code == 401
    schema = Client().get("/api/schema?format=json", headers=token("schema:read"))
    assert (schema.status_code, schema.json()["openapi"]) == (200, "3.1.0")
    assert Client().get("/api/schema", headers=token("schema:read")).json() == schema.json()
    page = Client().get("/api/docs", headers=token("schema:read"))
    assert page.status_code == 200
    assert "/api/forms/submit" in page.content.decode()


@pytest.mark.parametrize("accept", ["*/*", "application/yaml", "application/vnd.oai.openapi"])
def test_the_schema_is_refused_in_json_whatever_is_asked_for(accept: str) -> None:
    answer = Client().get("/api/schema", headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"], list(answer.json())) == (401, "application/json", ["detail"])
    answer = Client().get("/api/schema", headers={"Accept": accept} | token("health:read"))
    assert (answer.status_code, list(answer.json())) == (403, ["detail"])


def test_the_schema_comes_as_yaml_to_whoever_asks_for_it() -> None:
    answer = Client().get("/api/schema", headers={"Accept": "application/yaml"} | token("schema:read"))
    assert (answer.status_code, answer.content.split(b"\n")[0]) == (200, b"openapi: 3.1.0")


@pytest.mark.parametrize("path", ["/health/live", "/health", "/metrics", "/api/schema", "/api/docs"])
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_what_is_only_read_takes_no_other_method(path: str, method: str) -> None:
    client = Client(enforce_csrf_checks=True, headers=token())
    answer = getattr(client, method)(path)
    assert (answer.status_code, answer["Content-Type"], list(answer.json())) == (405, "application/json", ["detail"])
    assert "GET" in answer["Allow"].split(", ")


def test_a_log_line_stays_one_line_whatever_a_stranger_asks_for(caplog: Any) -> None:
    record = logging.LogRecord(
        "x", logging.INFO, "x.py", 1, "%s %s 404", ("GET", "/a\r\n10:00:00 ERROR \x1b[2J\0"), None
    )
    RedactSecrets().filter(record)
    assert record.getMessage() == r"GET /a\x0d\x0a10:00:00 ERROR \x1b[2J\x00 404"


def test_secrets_never_reach_a_log_line(settings: Any) -> None:
    secret = settings.PROVIDERS["typeform"]["webhook_secret"]
    line = f"GET /webhooks/circle/very-secret-token with {secret} and Authorization: Token hsn_{'a' * 43}"
    assert redact(line) == "GET /webhooks/circle/*** with *** and Authorization: Token ***"


@pytest.mark.parametrize(
    "path", ["/webhooks/circle/s3", "/webhooks//circle//s3", "/webhooks/Circle/s3/", "/webhooks/x/s3/y"]
)
def test_a_secret_in_a_misspelt_address_is_masked_too(path: str) -> None:
    assert "s3" not in redact(f"POST {path}?action=a 404")
    assert redact(f"POST {path}?action=a 404").endswith("/***?action=a 404")


def test_an_error_report_leaves_the_machine_without_secrets(settings: Any) -> None:
    settings.PROVIDERS = settings.PROVIDERS | {"circle": {"webhook_secret": "circle-secret-1"}}
    report = {
        "request": {
            "url": "https://hub.example.com/webhooks/amelia/other-token?action=bookingAdded",
            "headers": {"X-Webhook-Secret": "abc", "Authorization": "Token abc", "User-Agent": "PHP"},
        },
        "exception": {"values": [{"value": "circle-secret-1 is wrong", "line": 3}]},
    }
    assert redact_report(report) == {
        "request": {
            "url": "https://hub.example.com/webhooks/amelia/***?action=bookingAdded",
            "headers": {"X-Webhook-Secret": "***", "Authorization": "***", "User-Agent": "PHP"},
        },
        "exception": {"values": [{"value": "*** is wrong", "line": 3}]},
    }


@pytest.mark.parametrize("slug", sorted(slug for slug, found in PROVIDERS.items() if found.takes_webhooks))
def test_the_token_at_the_end_of_a_path_reaches_no_access_log(db: None, slug: str, caplog: Any) -> None:
    """Known or not, short or long, percent-encoded or with slashes in it."""
    with caplog.at_level(logging.INFO, logger="higherself.access"):
        for token in ("a1", "to/ken/a1", "to%2Fken%20a1", "a1/", "%00a1"):
            assert Client().post(f"/webhooks/{slug}/{token}", b"{}", content_type="application/json").status_code != 404
    lines = [record.getMessage() for record in caplog.records if record.name == "higherself.access"]
    assert [line.split()[1] for line in lines] == [f"/webhooks/{slug}/***"] * 5
    assert "a1" not in "".join(line.split(" ms ")[0] for line in lines)


def test_replaying_needs_a_filter_and_says_how_many() -> None:
    InboundEvent.objects.create(
        provider="typeform", delivery_key="1", body=b"{}", status=InboundEvent.Status.QUARANTINED, next_attempt_at=None
    )
    with pytest.raises(CommandError, match="Say which"):
        call_command("replay_events")
    out = StringIO()
    call_command("replay_events", "--status", "quarantined", "--since", "2026-01-01", stdout=out)
    assert out.getvalue() == "1 events will be worked on again.\n"
    assert InboundEvent.objects.get().status == InboundEvent.Status.RECEIVED
