"""Calls over HTTP: to one host, in time, within bounds, and every failure is an error that carries a decision."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from higherself.core import http
from higherself.core.errors import Conflict, Permanent, Retryable
from tests.standins.server import Reply, Request, Service, StandIns, route


class Echo(Service):
    slug = "echo"

    def __init__(self) -> None:
        super().__init__()
        self.reply = Reply(200, {"ok": True})

    def authorised(self, request: Request) -> bool:
        return True

    @route("GET", r"/.*")
    def read(self, request: Request) -> Reply:
        return self.reply

    @route("POST", r"/.*")
    def write(self, request: Request) -> Reply:
        return self.reply


@pytest.fixture
def echo() -> Iterator[StandIns]:
    with StandIns([Echo()]) as server:
        yield server


def client(server: StandIns, **options: Any) -> http.Http:
    return http.Http("Echo", server.url("echo"), **options)


@pytest.mark.parametrize(
    ("status", "kind", "decision"),
    [
        (400, http.Rejected, Permanent),
        (401, http.Unauthorised, Permanent),
        (403, http.Forbidden, Permanent),
        (404, http.NotFound, Permanent),
        (410, http.NotFound, Permanent),
        (408, http.Failed, Retryable),
        (409, http.AlreadyThere, Conflict),
        (412, http.AlreadyThere, Conflict),
        (422, http.Rejected, Permanent),
        (423, http.Busy, Retryable),
        (429, http.Busy, Retryable),
        (500, http.Failed, Retryable),
        (503, http.Failed, Retryable),
        (302, http.Rejected, Permanent),
    ],
)
def test_every_status_is_a_decision(echo: StandIns, status: int, kind: type[Exception], decision: type[Exception]):
    echo["echo"].reply = Reply(status, {"message": "because"})
    with pytest.raises(decision) as caught:
        client(echo).get("/thing")
    assert type(caught.value) is kind
    assert f"Echo answered {status} to GET /echo/thing: because" in str(caught.value)
    assert client(echo).get("/thing", accept=(status,)).status == status


@pytest.mark.parametrize("kind", ["drop", "lost"])
def test_a_connection_that_breaks_is_worth_another_try(echo: StandIns, kind: str):
    echo["echo"].fail(kind)
    with pytest.raises(http.Unreachable, match="could not be reached for GET /echo/x"):
        client(echo).get("/x")


def test_nobody_listening_is_worth_another_try(echo: StandIns):
    with pytest.raises(http.Unreachable):
        http.Http("Nobody", "http://127.0.0.1:9").get("/x")


def test_an_answer_has_to_come_in_time(echo: StandIns):
    echo["echo"].fail("silence", times=2)
    with pytest.raises(http.Unreachable, match="did not answer"):
        client(echo, seconds=0.2).get("/x")
    hurried = client(echo)
    hurried.limit(0.2)
    with pytest.raises(http.Unreachable, match="did not answer"):
        hurried.get("/x")
    hurried.limit(0)
    with pytest.raises(Retryable, match="no time left"):
        hurried.get("/x")


def test_no_more_is_read_than_can_be_held(echo: StandIns):
    echo["echo"].reply = Reply(200, {"text": "x" * 2000})
    with pytest.raises(Permanent, match="over 1000 bytes"):
        client(echo, max_bytes=1000).get("/x")


def test_no_other_host_is_called(echo: StandIns):
    speaker = client(echo)
    for address in ("https://elsewhere.example/x", "http://127.0.0.1:1/x", "https://127.0.0.1/x"):
        with pytest.raises(Permanent, match="only http"):
            speaker.get(address)
    assert speaker.get(f"{echo.url('echo')}/next?cursor=2").json == {"ok": True}
    assert echo["echo"].requests[-1].query == {"cursor": "2"}


@pytest.mark.parametrize("address", ["http://example.com", "ftp://example.com", "", "example.com"])
def test_only_https_and_loopback_are_addresses(address: str):
    with pytest.raises(Permanent):
        http.Http("Echo", address)


def test_what_is_no_json_is_worth_another_try(echo: StandIns):
    echo["echo"].reply = Reply(200, [1])
    answer = client(echo).get("/x")
    assert answer.json == [1]
    with pytest.raises(http.Garbled, match="no JSON object"):
        _ = answer.object
    with pytest.raises(http.Garbled, match="not JSON"):
        _ = http.Answer(200, {}, b"<html>").json


def test_neither_logs_nor_errors_hold_addresses_of_people_or_queries(
    echo: StandIns, caplog: pytest.LogCaptureFixture, settings
):
    caplog.set_level(logging.DEBUG)
    settings.PROVIDERS = {"echo": {"api_key": "very-secret-value"}}
    echo["echo"].reply = Reply(400, {"message": "very-secret-value is wrong"})
    with pytest.raises(http.Rejected) as caught:
        client(echo).get("/people/ada@example.org/tags", params={"key": "very-secret-value"})
    told = caplog.text + str(caught.value)
    assert ("ada" in told, "very-secret" in told) == (False, False)
    assert "/people/…/tags" in told


def test_credentials_are_ours_whatever_a_netrc_says(echo: StandIns, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    client(echo, headers={"Authorization": "Bearer ours"}).get("/x")
    assert echo["echo"].requests[-1].bearer == "ours"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("5", 5.0), ("1.5", 1.5), (" 7 ", 7.0), ("", None), ("soon", None), ("-3", None), ("999999", 86400.0), ("٣", 3.0)],
)
def test_retry_after_is_read_from_seconds(written: str, seconds: float | None):
    assert http.seconds_of(written) == seconds


def test_retry_after_is_read_from_a_date():
    now = datetime.now(timezone.utc)
    found = http.seconds_of(format_datetime(now + timedelta(seconds=90), usegmt=True))
    assert found is not None
    assert 80 < found <= 90
    assert http.seconds_of(format_datetime(now - timedelta(days=1), usegmt=True)) == 0.0


def test_a_step_of_a_path_holds_anything():
    assert http.segment("a/b?c@d é") == "a%2Fb%3Fc%40d%20%C3%A9"
