"""One log line a request, and JSON errors outside the admin."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from higherself.core.logs import redact_path

access = logging.getLogger("higherself.access")
_QUIET = ("/health", "/static/", "/metrics")

Next = Callable[[HttpRequest], HttpResponse]


class RequestLog:
    """Logs method, path, status and duration with a request id, which the answer carries too."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        if not access.isEnabledFor(logging.INFO):
            return response
        request_id = uuid.uuid4().hex[:12]
        response["X-Request-ID"] = request_id
        if not request.path.startswith(_QUIET) or response.status_code >= 500:
            took = (time.perf_counter() - started) * 1000
            access.info(
                "%s %s %s %.1f ms %s", request.method, redact_path(request.path), response.status_code, took, request_id
            )
        return response


# What an error says besides its text.
_KEPT_WITH_ERRORS = ("Allow", "Retry-After", "WWW-Authenticate")


class Responders:
    """Turns Django's HTML error pages into JSON wherever a program, not a person, is asking."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if response.status_code >= 400 and is_page and not request.path.startswith("/admin/"):
            kept = {name: response[name] for name in _KEPT_WITH_ERRORS if name in response}
            return JsonResponse({"detail": response.reason_phrase}, status=response.status_code, headers=kept)
        return response


_LOCKED = "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
# The console's look (django-unfold) sets two terms, for its own pages only: Alpine and htmx build functions from
# attributes ('unsafe-eval'), and theme colours and widths stand in style elements and attributes ('unsafe-inline').
# No script is inline and nothing is loaded from elsewhere, so injected markup still runs nothing.
_CONSOLE = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    f"form-action 'self'; {_LOCKED}"
)
# The page of the API's documentation carries its few rules of style with it.
_PAGE = f"default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; {_LOCKED}"
_DATA = f"default-src 'none'; form-action 'none'; {_LOCKED}"


class ContentSecurityPolicy:
    """Tells browsers what an answer may load and run: nothing, outside the console."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Content-Security-Policy" not in response and not request.path.startswith("/static/"):
            response["Content-Security-Policy"] = _policy(request.path, response.get("Content-Type", ""))
        return response


def _policy(path: str, content_type: str) -> str:
    if path.startswith("/admin/"):
        return _CONSOLE
    return _PAGE if content_type.startswith("text/html") else _DATA
