"""What the two public views share: the raw body within its limit, plain JSON answers, refusals."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.urls import URLPattern, path
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from higherself.core.addresses import client_address
from higherself.integrations import refusals
from higherself.integrations.delivery import Delivery
from higherself.integrations.intake import Stored
from higherself.integrations.refusals import Reason
from higherself.integrations.throttle import Rate, seconds_to_wait

logger = logging.getLogger(__name__)

# Bodies over the limit are read away up to this, in bytes.
DRAINED = 8 * 1024 * 1024


_REASONS = {
    404: Reason.UNKNOWN,
    413: Reason.TOO_LARGE,
    429: Reason.FLOOD,
    503: Reason.NOT_CONFIGURED,
}


class Refused(APIException):
    """Ends a request with ``{"detail": …}``, a status and headers. ``why`` tells staff more than the status does."""

    def __init__(self, status_code: int, detail: str, *, why: str = "", **headers: str) -> None:
        super().__init__(detail)
        self.status_code = status_code
        self.why = why or _REASONS.get(status_code, Reason.UNREADABLE)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class JsonOnly(BaseContentNegotiation):
    """Senders get JSON whatever they say they accept, and their query string is theirs."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return None

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class PublicView(APIView):
    """A view without session, cookies or CSRF: it decides by the bytes alone whom it believes.

    What it refuses of what is sent with POST is counted for staff.
    """

    authentication_classes = ()
    permission_classes = ()
    parser_classes = ()
    throttle_classes = ()
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = JsonOnly

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refused):
            self._count(exc.why, str(exc.detail))
            return Response({"detail": exc.detail}, exc.status_code, headers=exc.headers)
        if isinstance(exc, (DatabaseError, InterfaceError)):
            logger.error("%s could not be stored: %s", self.request.method, exc)
            self._count(Reason.NOT_STORED)
            detail = "The database cannot store this now. Send it again."
            return Response({"detail": detail}, status.HTTP_503_SERVICE_UNAVAILABLE, headers={"Retry-After": "60"})
        return super().handle_exception(exc)

    def sender(self) -> str:
        """The slug of the provider that the address is for; empty where it is none's."""
        raise NotImplementedError

    def _count(self, why: str, detail: str = "") -> None:
        if self.request.method == "POST":
            refusals.note(self.request._request, self.sender(), why, detail)


def throttle(request: HttpRequest, name: str, rate: Rate | None) -> None:
    wait = seconds_to_wait(f"{name}:{client_address(request)}", rate)
    if wait:
        raise Refused(429, f"Too many requests. Try again in {wait} s.", Retry_After=str(wait))


def raw_body(request: HttpRequest, limit: int) -> bytes:
    """The body as it travelled. Refuses with 413 what is announced as too large, without keeping any of it."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise Refused(400, "The Content-Length is not a number.")
    announced = int(length[:20])
    if announced > limit:
        _drain(request, announced)
        raise too_large(limit)
    try:
        body = _chunked(request, limit) if announced == 0 else request.body
    except (UnreadablePostError, OSError) as error:
        raise Refused(400, f"The body could not be read to its end: {error}") from None
    if len(body) > limit:
        raise too_large(limit)
    if len(body) < announced:
        # A part of a form may read like a whole one.
        raise Refused(400, f"The body ended after {len(body)} of {announced} bytes.")
    return body


def _drain(request: HttpRequest, announced: int) -> None:
    """Reads a body away that is a little too large: whoever is still sending when the connection closes sees an error
    of the network instead of the 413. What is far too large is not waited for."""
    left = announced if announced <= DRAINED else 0
    try:
        while left > 0:
            part = request.META["wsgi.input"].read(min(left, 64 * 1024))
            if not part:
                return
            left -= len(part)
    except OSError:
        return


def _chunked(request: HttpRequest, limit: int) -> bytes:
    """A body without an announced length: Django would read none of it."""
    if "chunked" not in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return request.body
    return request.META["wsgi.input"].read(limit + 1)


def too_large(limit: int) -> Refused:
    return Refused(413, f"The body is over {limit} bytes.")


def delivery_from(request: HttpRequest, body: bytes, token: str = "") -> Delivery:
    return Delivery(
        body=body,
        headers=dict(request.headers),
        query=request.META.get("QUERY_STRING", ""),
        token=token,
        content_type=request.META.get("CONTENT_TYPE", ""),
        method=request.method or "",
        url=_called_url(request),
    )


def _called_url(request: HttpRequest) -> str:
    """The address that the sender was given: the public one where it is known, for a proxy may change the host."""
    base = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    return base + request.get_full_path()


def answer(stored: Stored, accepted: int = status.HTTP_202_ACCEPTED) -> HttpResponse:
    """Plain JSON: DRF's own answer is rendered as a template is, which costs more than it is worth here."""
    word = "duplicate" if stored.duplicate else "accepted"
    code = status.HTTP_200_OK if stored.duplicate else accepted
    return JsonResponse({"event_id": str(stored.event_id), "status": word}, status=code)


def routes(route: str, view: type[APIView], name: str, *, documented: bool = True) -> list[URLPattern]:
    """The address with and without a slash at its end; a POST cannot be redirected from one to the other.

    The API's documentation shows the one given, and it not at all where it is not ``documented``.
    """
    other = route[:-1] if route.endswith("/") else route + "/"
    unshown = view.as_view(schema=None)
    return [path(route, view.as_view() if documented else unshown, name=name), path(other, unshown)]
