"""Faults on order: the failures that a client of the real API has to live with."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any

from .errors import ApiError

HTML_502 = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway"
    b"</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
)
_GUIDANCE = ["Read the object again before you decide what to do.", "Do not repeat the write."]

# name: (status, code, message)
_ERRORS = {
    "conflict": (409, "conflict_error", "Conflict occurred while saving. Please try again."),
    "internal_error": (500, "internal_server_error", "Unexpected error occurred."),
    "bad_gateway": (502, "bad_gateway", "Bad gateway."),
    "unavailable": (503, "service_unavailable", "Notion is unavailable, please try again later."),
    "unavailable_saved": (503, "service_unavailable", "The request took too long, but was saved."),
    "database_unavailable": (
        503,
        "database_connection_unavailable",
        "Notion's database is unavailable, please try again later.",
    ),
    "gateway_timeout": (504, "gateway_timeout", "Notion timed out, please try again later."),
    "gateway_timeout_saved": (504, "gateway_timeout", "Notion timed out, please try again later."),
    "overload": (529, "service_overload", "Notion is overloaded, please try again later."),
    "rate_limited": (429, "rate_limited", "You have been rate limited. Please try again later."),
    "blocked": (429, "rate_limited", "Requests of this connection are blocked."),
    "unauthorized": (401, "unauthorized", "API token is invalid."),
    "restricted": (403, "restricted_resource", "Insufficient permissions for this endpoint."),
    "validation": (400, "validation_error", "Unsaved transactions: runQuery"),
}
_CONNECTION = ("drop_before", "drop_after", "slow")
KINDS = (*_ERRORS, *_CONNECTION)
_REASONS = {
    "rate_limited": "public_api_request_rate_limit",
    "blocked": "public_api_request_blocked",
}


@dataclass
class Fault:
    """`kind` is one of KINDS. It hits requests of `method` whose path matches the regular expression
    `path` (None: all), lets the first `skip` of them through and then strikes `times` times (None: always).

    `seconds` is the delay of `slow` and the Retry-After of `rate_limited`, `blocked` and `overload`.
    """

    kind: str
    method: str | None = None
    path: str | None = None
    times: int | None = 1
    skip: int = 0
    seconds: float = 1
    struck: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known are {', '.join(KINDS)}")

    @property
    def after_the_write(self) -> bool:
        return self.kind in ("unavailable_saved", "gateway_timeout_saved", "drop_after", "slow")

    def matches(self, method: str, path: str) -> bool:
        return (self.method is None or self.method == method.upper()) and (
            self.path is None or re.search(self.path, path) is not None
        )

    def error(self, committed_id: str | None = None, children: list[str] | None = None) -> ApiError:
        status, code, message = _ERRORS[self.kind]
        headers = {}
        data: dict[str, Any] | None = None
        if status in (429, 529):
            headers["Retry-After"] = str(max(0, round(self.seconds)))
        if status == 429:
            data = {"rate_limit_reason": _REASONS[self.kind], "retry_after": headers["Retry-After"]}
        if self.kind == "unavailable_saved":
            data = {"retry_guidance": _GUIDANCE}
            if committed_id:
                data["committed_resource_id"] = committed_id
            if children:
                data["committed_child_ids"] = children
        return ApiError(status, code, message, data, headers)


class Faults:
    """The faults that wait for their request, in the order in which they were added."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, kind: str, **details: Any) -> Fault:
        fault = Fault(kind, **details)
        with self._lock:
            self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, counted down."""
        with self._lock:
            for fault in self._waiting:
                if not fault.matches(method, path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.struck += 1
                if fault.times is not None and fault.struck >= fault.times:
                    self._waiting.remove(fault)
                return fault
        return None
