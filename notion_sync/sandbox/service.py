"""One API call from its headers to its answer: token, limits, faults, body, handler, commit."""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from . import checks, faults, render
from .errors import ApiError, js, validation
from .faults import Fault, Faults
from .ids import new_id
from .limiter import RateLimit
from .queries import Queries
from .request import VERSIONS, Request
from .routes import Routes
from .workspace import Workspace

MAX_PAYLOAD = 500 * 1024
_KEPT_REQUESTS = 200_000


@dataclass
class Reply:
    """`drop` closes the connection instead of answering; `delay` seconds pass first."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    delay: float = 0.0


class Recorded(NamedTuple):
    method: str
    path: str
    status: int  # 0: the connection was dropped


class RequestLog(list[Recorded]):
    """Every API request answered so far, oldest first."""

    def count_of(self, method: str | None = None, path: str = "", status: int | None = None) -> int:
        """How many had this method, this text in their path and this status."""
        return sum(
            1
            for seen in self
            if (method is None or seen.method == method)
            and path in seen.path
            and (status is None or seen.status == status)
        )

    def note(self, method: str, path: str, status: int) -> None:
        if len(self) >= _KEPT_REQUESTS:
            del self[: _KEPT_REQUESTS // 2]
        self.append(Recorded(method, path, status))


class Service:
    """`tokens` None: any bearer token is the connection's. Tokens of persons always count as theirs."""

    def __init__(self, ws: Workspace, tokens: Iterable[str] | None) -> None:
        self.ws = ws
        self.tokens = None if tokens is None else set(tokens)
        self.faults = Faults()
        self.queries = Queries()
        self.rate_limit = RateLimit(ws.clock.now)
        self.requests = RequestLog()
        self._routes = Routes(self.queries)
        self._log_lock = threading.Lock()

    # -- over HTTP -----------------------------------------------------------------------------

    def answer(self, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Reply:
        url = urlsplit(target)
        request_id = new_id()
        reply = self._safely(method, url.path, url.query, headers, raw, request_id)
        reply.headers.setdefault("x-notion-request-id", request_id)
        reply.headers.setdefault("Date", formatdate(self.ws.clock.now(), usegmt=True))
        with self._log_lock:
            self.requests.note(method, url.path, 0 if reply.drop else reply.status)
        return reply

    def _safely(
        self, method: str, path: str, query: str, headers: Mapping[str, str], raw: bytes, request_id: str
    ) -> Reply:
        try:
            user_id = self._user(headers)
            self.rate_limit.check()
            fault = self.faults.take(method, path)
            if fault is not None and not fault.after_the_write:
                return _strike(fault, request_id)
            request = Request(self.ws, user_id, method, path, request_id=request_id)
            request.version = _version(headers)
            request.query = parse_qs(query, keep_blank_values=True)
            request.body = _body(raw)
            reply = Reply(body=self.run(request))
            return reply if fault is None else _strike_after(fault, request, reply)
        except ApiError as error:
            return error_reply(error, request_id)
        except Exception:  # a bug here must look like Notion's own 500, and must be seen
            traceback.print_exc(file=sys.stderr)
            return error_reply(ApiError(500, "internal_server_error", "Unexpected error occurred."), request_id)

    def run(self, request: Request) -> bytes:
        """Finds the handler, runs it under the workspace's lock and makes its changes durable."""
        handler, request.params = self._routes.find(request.method, request.path)
        with self.ws.lock:
            try:
                return handler(request)
            finally:
                self.ws.commit()

    def _user(self, headers: Mapping[str, str]) -> str:
        scheme, _, token = (headers.get("Authorization") or "").partition(" ")
        if scheme.lower() == "bearer" and token:
            person = self.ws.tokens.get(token)
            if person is not None:
                return person
            if self.tokens is None or token in self.tokens:
                return self.ws.bot_id
        raise ApiError(401, "unauthorized", "API token is invalid.")

    # -- from Python ---------------------------------------------------------------------------

    def call(
        self, user_id: str, method: str, path: str, body: dict[str, Any] | None = None, query: str = ""
    ) -> dict[str, Any]:
        """The same handlers without HTTP, limits and faults. Raises ApiError where HTTP answers it."""
        request = Request(self.ws, user_id, method, f"/v1/{path}")
        request.query = parse_qs(query, keep_blank_values=True)
        request.body = _body(render.dumps(body) if body is not None else b"")
        result: dict[str, Any] = json.loads(self.run(request))
        return result


def error_reply(error: ApiError, request_id: str) -> Reply:
    return Reply(error.status, render.dumps(error.body(request_id)), headers=dict(error.headers))


def _strike(fault: Fault, request_id: str) -> Reply:
    if fault.kind == "drop_before":
        return Reply(drop=True)
    if fault.kind == "bad_gateway":
        return Reply(502, faults.HTML_502, "text/html")
    return error_reply(fault.error(), request_id)


def _strike_after(fault: Fault, request: Request, reply: Reply) -> Reply:
    if fault.kind == "slow":
        reply.delay = fault.seconds
        return reply
    if fault.kind == "drop_after":
        return Reply(drop=True)
    return error_reply(fault.error(request.committed_id, request.committed_children), request.request_id)


def _version(headers: Mapping[str, str]) -> str:
    version = headers.get("Notion-Version")
    if not version:
        raise ApiError(
            400,
            "missing_version",
            "Notion-Version header failed validation: Notion-Version header should be defined, "
            "instead was `undefined`.",
        )
    if version not in VERSIONS:
        known = ", ".join(f'`"{name}"`' for name in VERSIONS)
        raise validation(
            f"Notion-Version header failed validation: Notion-Version header should be {known}, "
            f"instead was `{js(version)}`."
        )
    return version


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _body(raw: bytes) -> dict[str, Any]:
    if not raw:
        return {}
    if len(raw) > MAX_PAYLOAD:
        raise validation(
            f"body failed validation: payload should be ≤ `{MAX_PAYLOAD}` bytes, instead was `{len(raw)}`."
        )
    try:
        body = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "invalid_json", "Error parsing JSON body.") from error
    if not isinstance(body, dict):
        raise validation(f"body failed validation: body should be an object, instead was `{js(body)}`.")
    if b"\\u" in raw:
        checks.no_unstorable_text(body)
    return body


def sleep(seconds: float, stopped: threading.Event) -> None:
    """A delay that ends when the sandbox is closed."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and not stopped.is_set():
        stopped.wait(min(left, 0.2))
