"""The load generator: one thread, plain sockets that stay open, requests made and signed before the clock starts.

Run as a process of its own, so that it takes nothing from the interpreter of what it measures:

    python -m bench.load < load.json

It is bounded by a number of requests and by seconds, and speaks to loopback addresses only.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass, field

from bench.leads import leads, request
from bench.results import spread

_GIVE_UP = 30.0


@dataclass(frozen=True)
class Load:
    """``rate`` 0: as fast as answers come back, else requests per second, evenly. ``prefix`` keeps tokens apart."""

    port: int
    secret: str
    prefix: str
    connections: int
    requests: int
    seconds: float
    rate: float = 0.0
    path: str = "/webhooks/typeform"


@dataclass
class Outcome:
    """``errors`` counts everything that is not 202, by status; 0 stands for a connection that broke."""

    accepted: list[str] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def figures(self) -> dict[str, object]:
        return {
            "per_second": round(len(self.accepted) / self.seconds, 1) if self.seconds else 0.0,
            "accepted": len(self.accepted),
            "errors": self.errors,
            "seconds": round(self.seconds, 2),
            "milliseconds": spread([took * 1000 for took in self.took]),
        }


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_GIVE_UP)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.due = 0.0

    def send(self, data: bytes, due: float) -> None:
        self.due = due
        self.received = b""
        self.socket.sendall(data)

    def answer(self) -> tuple[int, bytes] | None:
        """Status and body once all of it is there. Raises ConnectionError when the other side hangs up."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        return (int(head[9:12]), body) if len(body) >= length else None


class Generator:
    def __init__(self, load: Load) -> None:
        self.load = load
        host = f"127.0.0.1:{load.port}"
        self.waiting = [request(lead, host, load.path) for lead in leads(load.requests, load.secret, load.prefix)]
        self.waiting.reverse()
        self.outcome = Outcome()
        self.selector = selectors.DefaultSelector()
        self.idle: list[_Connection] = []
        self.sent = 0

    def run(self) -> Outcome:
        for _ in range(self.load.connections):
            self._open()
        self.started = time.perf_counter()
        self.ends = self.started + self.load.seconds
        while self._send_what_is_due() or len(self.idle) < len(self.selector.get_map()):
            self._receive()
        self.outcome.seconds = time.perf_counter() - self.started
        for connection in self.idle:
            connection.socket.close()
        return self.outcome

    def _open(self) -> None:
        connection = _Connection(self.load.port)
        self.selector.register(connection.socket, selectors.EVENT_READ, connection)
        self.idle.append(connection)

    def _send_what_is_due(self) -> bool:
        """Whether more is to be sent. A paced request counts from when it was due, not from when it left."""
        now = time.perf_counter()
        while self.idle and self.waiting and now < self.ends:
            due = self.started + self.sent / self.load.rate if self.load.rate else now
            if due > now:
                return True
            connection = self.idle.pop()
            self.sent += 1
            connection.send(self.waiting.pop(), due)
            now = time.perf_counter()
        return bool(self.waiting) and now < self.ends

    def _receive(self) -> None:
        timeout = 0.002 if self.load.rate and self.idle else _GIVE_UP
        ready = self.selector.select(timeout)
        if not ready and timeout == _GIVE_UP:
            raise TimeoutError(f"no answer within {_GIVE_UP:.0f} s")
        for key, _ in ready:
            connection: _Connection = key.data
            try:
                answer = connection.answer()
            except OSError:
                self._note(0, b"", connection)
                self.selector.unregister(connection.socket)
                connection.socket.close()
                self._open()
                continue
            if answer is not None:
                self._note(*answer, connection)
                self.idle.append(connection)

    def _note(self, status: int, body: bytes, connection: _Connection) -> None:
        if status == 202:
            self.outcome.took.append(time.perf_counter() - connection.due)
            self.outcome.accepted.append(json.loads(body)["event_id"])
        else:
            self.outcome.errors[str(status)] = self.outcome.errors.get(str(status), 0) + 1


def main() -> None:
    outcome = Generator(Load(**json.load(sys.stdin))).run()
    json.dump({"figures": outcome.figures(), "accepted": outcome.accepted}, sys.stdout)


def describe(load: Load) -> str:
    return json.dumps(asdict(load))


if __name__ == "__main__":
    main()
