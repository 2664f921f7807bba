"""The HTTP server that stands in for all providers, each under its own path, with faults on demand."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """One request as it came; ``path`` is without the provider's own prefix."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    @property
    def bearer(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def basic(self) -> tuple[str, str]:
        kind, _, text = self.headers.get("authorization", "").partition(" ")
        if kind != "Basic":
            return "", ""
        user, _, password = base64.b64decode(text).decode().partition(":")
        return user, password


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """What goes wrong, how often, and where; ``skip`` lets so many requests pass before.

    ``kind``: a status, or ``drop`` (no effect, connection closed), ``lost`` (the effect happens, the connection is
    closed before the answer), ``silence`` (the effect happens, no answer ever comes).
    """

    kind: int | str
    times: int = 1
    skip: int = 0
    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def fits(self, request: Request) -> bool:
        return self.method in ("", request.method) and bool(re.search(self.path or ".", request.path))


@dataclass(frozen=True)
class Case:
    """An operation to be tried out by the contract. ``given`` prepares the stand-in; the effect is its snapshot."""

    operation: str
    payload: dict[str, Any]
    given: Callable[[Any], None] = lambda _service: None


Handler = Callable[..., Reply]


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Declares a method of a `Service`; the groups of the path's expression are its arguments."""

    def declare(function: Handler) -> Handler:
        function.route = (method, re.compile(path))  # type: ignore[attr-defined]
        return function

    return declare


class Service:
    """One provider's API. ``options`` are the settings that let us in; `snapshot` is what exists there."""

    slug: str
    options: dict[str, str] = {}
    cases: tuple[Case, ...] = ()
    # How its webhooks prove themselves (signers of ``tests/integrations/support.py``), where it signs.
    ways: tuple[Any, ...] = ()

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.made = 0
        # Seconds between an effect and its answer: time for somebody to be killed in.
        self.delay = 0.0

    def fail(self, kind: int | str, times: int = 1, **where: Any) -> None:
        self.faults.append(Fault(kind, times, **where))

    def after(self, number: int, kind: int | str) -> None:
        """The request after so many fails, once."""
        self.faults.append(Fault(kind, skip=number))

    def next_id(self) -> int:
        self.made += 1
        return 1000 + self.made

    # -- to be overridden
    def authorised(self, request: Request) -> bool:
        raise NotImplementedError

    def unauthorised(self) -> Reply:
        return Reply(401, {"message": "unauthorised"})

    def error(self, status: int) -> Any:
        """The body of an error of this status, as the service words it."""
        return {"message": f"error {status}"}

    def snapshot(self) -> Any:
        raise NotImplementedError

    # -- inside
    def answer(self, request: Request) -> Reply:
        if not self.authorised(request):
            return self.unauthorised()
        for name in dir(type(self)):
            declared = getattr(getattr(type(self), name), "route", None)
            match = declared and declared[0] == request.method and declared[1].fullmatch(request.path)
            if match:
                return getattr(self, name)(request, *[unquote(group) for group in match.groups()])
        return Reply(404, self.error(404))

    def fault_for(self, request: Request) -> Fault | None:
        fault = next((item for item in self.faults if item.fits(request)), None)
        if fault is None:
            return None
        if fault.skip:
            fault.skip -= 1
            return None
        fault.times -= 1
        if not fault.times:
            self.faults.remove(fault)
        return fault


class StandIns:
    """The server. ``services`` by slug; ``options(slug)`` are the settings that lead to one of them."""

    def __init__(self, services: list[Service]) -> None:
        self.services = {service.slug: service for service in services}
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> StandIns:
        self.thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def __getitem__(self, slug: str) -> Any:
        return self.services[slug]

    def __iter__(self) -> Iterator[str]:
        return iter(self.services)

    def url(self, slug: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/{slug}"

    def options(self, slug: str) -> dict[str, str]:
        return {"webhook_secret": "", "base_url": self.url(slug), **self.services[slug].options}


def _request(handler: BaseHTTPRequestHandler) -> tuple[str, Request]:
    parts = urlsplit(handler.path)
    slug, _, path = parts.path.lstrip("/").partition("/")
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    headers = {name.lower(): value for name, value in handler.headers.items()}
    return slug, Request(handler.command, f"/{path}", query, headers, body)


def _failure(service: Service, fault: Fault) -> Reply | None:
    if isinstance(fault.kind, str):
        return None
    if fault.kind == 401:
        return service.unauthorised()
    body = service.error(fault.kind) if fault.body is None else fault.body
    return Reply(fault.kind, body, fault.headers)


def _handler(standins: StandIns) -> type[BaseHTTPRequestHandler]:
    class Handle(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            slug, request = _request(self)
            service = standins.services[slug]
            with standins.lock:
                service.requests.append(request)
                fault = service.fault_for(request)
                kind = fault.kind if fault else ""
                reply = _failure(service, fault) if fault else None
                if kind in ("", "lost", "silence"):
                    reply = service.answer(request)
            if kind == "silence":
                standins.closing.wait()
            standins.closing.wait(service.delay)
            if isinstance(kind, str) and kind:
                self.close_connection = True
            elif reply is not None:
                self.send(reply)

        def send(self, reply: Reply) -> None:
            body = b"" if reply.body is None else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do

        def log_message(self, *_args: Any) -> None:
            """Tests say what they see themselves."""

    return Handle
