"""Lets nobody keep the server's threads by sending a body slowly, or never to its end.

Granian hands a request to a thread once its headers are there, limits how long these may take, and waits for the body
without a limit (emmett-framework/granian, issue 728). A few dozen connections that announce a body and send none would
stop the whole server. A proxy that buffers bodies, as `deploy/nginx.conf` does, protects from it; this protects where
there is none: a connection whose body takes too long is cut, and its thread is free again.

Works on Linux, which tells of each connection when it was last answered (``TCP_INFO``); elsewhere it does nothing.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

logger = logging.getLogger(__name__)

# A body may take so many seconds, and a second more for each so many bytes of it that have come. The shorter time
# holds once half of the threads wait: then others are kept out.
PATIENCE, HURRY = 30.0, 3.0
SLOWEST = 4096
LOOKS_EVERY = 1.0
_CHUNK = 64 * 1024
# Where tcpi_last_data_sent stands (linux/tcp.h, struct tcp_info): after 8 single bytes and 9 numbers of 4 bytes.
_LAST_DATA_SENT = 8 + 9 * 4

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(eq=False)
class Body:
    """A request's body on its way in, as ``wsgi.input``. Known to the watch while somebody waits for it."""

    source: Any
    peer: str
    port: int
    watch: Watch
    started: float = field(default_factory=time.monotonic)
    received: int = 0

    def read(self, size: int = -1) -> bytes:
        parts: list[bytes] = []
        with self.watch.waiting(self):
            while size != 0:
                part = self.source.read(_CHUNK if size < 0 else min(size, _CHUNK))
                if not part:
                    break
                parts.append(part)
                self.received += len(part)
                size -= len(part) if size > 0 else 0
        return b"".join(parts)

    def readline(self, *size: int) -> bytes:
        with self.watch.waiting(self):
            line: bytes = self.source.readline(*size)
        self.received += len(line)
        return line

    def readlines(self, *hint: int) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def is_stalled(self, now: float, patience: float) -> bool:
        return now - self.started > patience + self.received / SLOWEST


class Watch:
    """The WSGI application around another one. One thread for each process looks at the bodies that are awaited."""

    def __init__(self, application: Application, threads: int) -> None:
        self._application = application
        self._crowd = threads // 2
        self._lock = threading.Lock()
        self._waiting: set[Body] = set()
        self._looks = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING"):
            peer, port = environ.get("REMOTE_ADDR", ""), int(environ.get("SERVER_PORT") or 0)
            environ["wsgi.input"] = Body(environ["wsgi.input"], peer, port, self)
        return self._application(environ, start_response)

    @contextlib.contextmanager
    def waiting(self, body: Body) -> Iterator[None]:
        with self._lock:
            self._waiting.add(body)
            starts, self._looks = not self._looks, True
        if starts:
            threading.Thread(target=self._look_on, name="slow-bodies", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(body)

    def _look_on(self) -> None:
        while True:
            time.sleep(LOOKS_EVERY)
            self.look()

    def look(self) -> None:
        """Cuts the connections of those who let us wait too long."""
        now = time.monotonic()
        with self._lock:
            patience = HURRY if len(self._waiting) > self._crowd else PATIENCE
            stalled = {(body.peer, body.port) for body in self._waiting if body.is_stalled(now, patience)}
        for peer, port in sorted(stalled):
            cut = cut_silent(peer, port, patience)
            logger.warning("cut %d connections of %s: their bodies did not come", cut, peer)


def cut_silent(peer: str, port: int, seconds: float) -> int:
    """Ends the connections of an address to our port that got no answer for so long; returns how many.

    Whoever waits for a body gets its end. Others from the same address, behind one proxy for example, have been
    answered meanwhile, or are new: they are left alone. So are connections that we have opened, as to the database.
    """
    count = 0
    for connection in _connections():
        with connection, contextlib.suppress(OSError):
            ours = connection.getsockname()[1:2] == (port,) and _address(connection.getpeername()) == peer
            if ours and _silent(connection) >= seconds:
                connection.shutdown(socket.SHUT_RDWR)
                count += 1
    return count


def _connections() -> Iterator[socket.socket]:
    """The process's sockets, each under a number of its own: the server keeps the ones that it has."""
    if sys.platform != "linux":
        return
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                yield socket.socket(fileno=os.dup(int(name)))


def _address(peer: Any) -> str:
    """As the server writes it; IPv4 within IPv6 is IPv4."""
    if not (isinstance(peer, tuple) and peer):
        return ""
    parsed = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return str(mapped or parsed)


def _silent(connection: socket.socket) -> float:
    """For how many seconds nothing was sent on it; since it was opened, where nothing ever was."""
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_SENT + 4)
    milliseconds: int = struct.unpack_from("=I", told, _LAST_DATA_SENT)[0]
    return milliseconds / 1000
