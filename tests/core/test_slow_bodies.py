"""Bodies that come slowly, or never to their end: the thread that waits for one is set free."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from higherself.core import slowbodies
from higherself.core.slowbodies import Body, Watch

linux = pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO is Linux's")


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch's own thread looks at nothing: the tests do."""
    monkeypatch.setattr(Watch, "_look_on", lambda self: None)


@pytest.fixture
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A client's end of a connection to a server in this process, and the server's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        with client, accepted:
            yield client, accepted


def nothing(_environ: Any, _start: Any) -> list[bytes]:
    return []


@linux
@pytest.mark.parametrize(("threads", "patience", "hurry"), [(32, 0.0, 1e9), (0, 1e9, 0.0)])
def test_a_body_that_never_ends_is_cut(
    never, connection, monkeypatch, caplog, threads: int, patience: float, hurry: float
):
    monkeypatch.setattr(slowbodies, "PATIENCE", patience)
    monkeypatch.setattr(slowbodies, "HURRY", hurry)
    client, accepted = connection
    watch = Watch(nothing, threads)
    body = Body(accepted.makefile("rb"), "127.0.0.1", accepted.getsockname()[1], watch)
    body.started -= 3600
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(body.read(100)))
    client.sendall(b"begun")
    reader.start()
    with caplog.at_level(logging.WARNING):
        while reader.is_alive():
            watch.look()
            reader.join(0.01)
    assert got == [b"begun"]
    assert client.recv(10) == b""
    assert caplog.messages[0] == "cut 1 connections of 127.0.0.1: their bodies did not come"


@linux
def test_connections_of_others_or_to_elsewhere_or_just_answered_are_left_alone(connection):
    client, accepted = connection
    port = accepted.getsockname()[1]
    assert slowbodies.cut_silent("192.0.2.1", port, 0.0) == 0
    assert slowbodies.cut_silent("127.0.0.1", port + 1, 0.0) == 0
    assert slowbodies.cut_silent("127.0.0.1", port, 3600.0) == 0
    accepted.sendall(b"still there")
    assert client.recv(20) == b"still there"


def test_a_body_that_comes_fast_enough_is_waited_for_however_long_it_is():
    body = Body(BytesIO(b"x" * 1_000_000), "", 0, Watch(nothing, 32))
    assert len(body.read()) == 1_000_000
    assert not body.is_stalled(body.started + 200, patience=30)
    assert body.is_stalled(body.started + 300, patience=30)


def test_a_body_reads_as_its_source_does(never):
    def body() -> Body:
        return Body(BytesIO(b"a\nbc\nd"), "", 0, Watch(nothing, 32))

    assert (body().read(), body().read(3), body().read(0), body().readline(), body().readlines(), list(body())) == (
        b"a\nbc\nd",
        b"a\nb",
        b"",
        b"a\n",
        [b"a\n", b"bc\n", b"d"],
        [b"a\n", b"bc\n", b"d"],
    )


def test_only_requests_with_a_body_are_watched():
    seen: list[Any] = []
    watch = Watch(lambda environ, _start: seen.append(environ["wsgi.input"]) or [], 32)
    for headers in ({}, {"CONTENT_LENGTH": "3"}, {"HTTP_TRANSFER_ENCODING": "chunked"}):
        watch({"wsgi.input": BytesIO(b"abc"), "REMOTE_ADDR": "192.0.2.1", "SERVER_PORT": "8000", **headers}, None)
    assert [type(item).__name__ for item in seen] == ["BytesIO", "Body", "Body"]
    assert (seen[1].read(), seen[1].peer, seen[1].port) == (b"abc", "192.0.2.1", 8000)
