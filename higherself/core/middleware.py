"""One log line a request, and JSON errors outside the admin."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from higherself.core.logs import redact

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
                "%s %s %s %.1f ms %s", request.method, redact(request.path), response.status_code, took, request_id
            )
        return response


class Responders:
    """Turns Django's HTML error pages into JSON wherever a program, not a person, is asking."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if response.status_code >= 400 and is_page and not request.path.startswith("/admin/"):
            return JsonResponse({"detail": response.reason_phrase}, status=response.status_code)
        return response
