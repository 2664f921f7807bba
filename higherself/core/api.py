"""One shape for every error outside the admin: ``{"detail": …}``, or DRF's field errors."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, DataError
from django.http import HttpRequest, JsonResponse
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

logger = logging.getLogger(__name__)


TOO_LARGE = "The body is too large."


class TolerantJSONParser(JSONParser):
    """JSON that is nested beyond reading is malformed, as any other that cannot be read."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply to be read.") from None


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    response = drf_exception_handler(error, context)
    if response is None and isinstance(error, RequestDataTooBig):
        return Response({"detail": TOO_LARGE}, 413)
    if response is None and isinstance(error, DataError):
        # The value's fault, not the database's: it will not fit at the next attempt either.
        return Response({"detail": "The request holds a value that the database cannot hold."}, 400)
    if response is None and isinstance(error, DatabaseError):
        logger.error("the database could not serve %s: %s", context["request"].path, error)
        return Response({"detail": "The database cannot be reached. Try again."}, 503, headers={"Retry-After": "10"})
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    if isinstance(exception, RequestDataTooBig):
        return JsonResponse({"detail": TOO_LARGE}, status=413)
    return JsonResponse({"detail": "The request is malformed, or its Host header is not allowed."}, status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return JsonResponse({"detail": "You may not do this."}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return JsonResponse({"detail": f"Nothing is served at {request.path}."}, status=404)


def server_error(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"detail": "Something went wrong on our side. It has been logged."}, status=500)
