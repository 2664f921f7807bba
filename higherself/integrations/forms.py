"""The website's form: the one public address without a signature, so it limits, sorts and checks before it stores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from higherself.integrations import http
from higherself.integrations.delivery import Delivery, TooLarge, Unreadable
from higherself.integrations.http import PublicView, Refused
from higherself.integrations.intake import Stored, store
from higherself.integrations.models import InboundEvent
from higherself.integrations.providers.website import form
from higherself.integrations.registry import PROVIDERS
from higherself.integrations.schema import DETAIL, REFUSED, STORED
from higherself.integrations.throttle import parse_rate
from higherself.integrations.verify import secret_matches, split_secrets

MAX_BYTES = 64 * 1024
_CORS_HEADERS = {
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "86400",
}


class FormView(PublicView):
    """Takes what visitors fill in on the website, as JSON or as a form."""

    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="submit_form",
        tags=["forms"],
        auth=[],
        request=dict.fromkeys(("application/json", "application/x-www-form-urlencoded"), form.SubmissionSerializer),
        parameters=[
            OpenApiParameter("Idempotency-Key", str, "header", description="Repeats with the same key count once."),
            OpenApiParameter("X-Webhook-Secret", str, "header", description="Of a server: no limit applies to it."),
        ],
        responses={
            202: OpenApiResponse(STORED, "Stored."),
            200: OpenApiResponse(STORED, "A repeat: the id is the first one's."),
            400: OpenApiResponse(REFUSED, "Field errors, or a body that cannot be read."),
            413: OpenApiResponse(DETAIL, "The body is over 64 KiB."),
            415: OpenApiResponse(DETAIL, "Neither JSON nor a form."),
            429: OpenApiResponse(DETAIL, "Too many requests; see Retry-After."),
            503: OpenApiResponse(DETAIL, "The database cannot store it now."),
        },
    )
    def post(self, request: Request) -> HttpResponse:
        raw = request._request
        if not _knows_secret(raw.headers.get("X-Webhook-Secret")):
            http.throttle(raw, "form", parse_rate(settings.FORM_THROTTLE))
        delivery = http.delivery_from(raw, http.raw_body(raw, MAX_BYTES))
        submission = _read(delivery)
        if submission.is_trapped:
            # A bot must not learn that it was seen. The row stays for staff: browsers fill such fields in, too. Its key
            # is its own: a person who sends the form again, properly, is no repeat of it.
            return http.answer(
                store(_WEBSITE, delivery, ignored=form.TRAPPED, key=f"trapped:{submission.key(delivery)}")
            )
        serializer = form.SubmissionSerializer(data=submission.values)
        if not serializer.is_valid():
            return Response(serializer.errors, 400)
        return http.answer(_store(delivery, submission))

    def sender(self) -> str:
        return _WEBSITE.slug

    @extend_schema(exclude=True)
    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return Response(status=204)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Adds the CORS headers, on refusals too: the page's script is to see why."""
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(response, ["Origin"])
        origin = request.headers.get("Origin", "")
        if origin and _allowed(origin):
            response["Access-Control-Allow-Origin"] = origin
            if request.method == "OPTIONS":
                for name, value in _CORS_HEADERS.items():
                    response[name] = value
            else:
                response["Access-Control-Expose-Headers"] = "Retry-After"
        return response


_WEBSITE = PROVIDERS["website"]


def _knows_secret(given: str | None) -> bool:
    return secret_matches(given, split_secrets(settings.WEBHOOK_SECRET))


def _allowed(origin: str) -> bool:
    return "*" in settings.CORS_ALLOWED_ORIGINS or origin in settings.CORS_ALLOWED_ORIGINS


def _read(delivery: Delivery) -> form.Submission:
    try:
        return form.Submission.of(delivery)
    except form.NotAForm as error:
        raise Refused(415, str(error)) from None
    except TooLarge:
        raise http.too_large(MAX_BYTES) from None
    except Unreadable as error:
        raise Refused(400, str(error)) from None


def _store(delivery: Delivery, submission: form.Submission) -> Stored:
    key = submission.key(delivery)
    first = None if submission.has_own_key(delivery) else _repeated(delivery, submission)
    return first or store(_WEBSITE, delivery, key=key)


def _repeated(delivery: Delivery, submission: form.Submission) -> Stored | None:
    """The same content a moment ago, in the window before this one: the key alone finds it in this window only."""
    since = delivery.received_at - timedelta(seconds=form.WINDOW)
    earlier = InboundEvent.objects.filter(
        provider=_WEBSITE.slug, delivery_key=submission.key(delivery, windows_ago=1), received_at__gt=since
    )
    found = earlier.values_list("id", flat=True).first()
    return Stored(found, duplicate=True) if found else None
