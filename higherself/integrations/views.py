"""The one door for all providers."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from higherself.core.addresses import client_address
from higherself.integrations import http
from higherself.integrations.base import Provider
from higherself.integrations.delivery import BadBody, TooLarge
from higherself.integrations.http import PublicView, Refused
from higherself.integrations.intake import store
from higherself.integrations.registry import PROVIDERS
from higherself.integrations.schema import DETAIL, STORED, STORED_OR_REACHED
from higherself.integrations.throttle import parse_rate

logger = logging.getLogger(__name__)

_SLUGS = sorted(slug for slug, provider in PROVIDERS.items() if provider.takes_webhooks)
_REFUSALS = {
    400: OpenApiResponse(DETAIL, "The body is not what its content type says."),
    401: OpenApiResponse(DETAIL, "The signature or secret is missing or wrong."),
    404: OpenApiResponse(DETAIL, "No such provider."),
    413: OpenApiResponse(DETAIL, "The body is over 1 MiB."),
    429: OpenApiResponse(DETAIL, "Too many requests; see Retry-After."),
    503: OpenApiResponse(DETAIL, "The provider is not configured, or the database cannot store the event."),
}


_ABOUT = """The provider's own payload, proved as the provider proves it: by a signature over the raw body, or by
`X-Webhook-Secret`. A sender that can set no header puts the same secret at the end of the path:
`/webhooks/{slug}/{token}`. Nothing genuine is refused for its shape."""


class WebhookView(PublicView):
    """Verifies a delivery over its raw bytes, stores it, and answers; the work comes later."""

    http_method_names = ["get", "head", "post"]

    @extend_schema(
        operation_id="receive_webhook",
        tags=["webhooks"],
        auth=[],
        description=_ABOUT,
        request={"application/json": OpenApiTypes.ANY},
        parameters=[OpenApiParameter("slug", str, "path", enum=_SLUGS)],
        responses={
            202: OpenApiResponse(STORED, "Stored; it will be worked on."),
            200: OpenApiResponse(
                STORED_OR_REACHED, "A repeat: the id is the first one's. Or a test call: nothing is stored."
            ),
            **_REFUSALS,
        },
    )
    def post(self, request: Request, slug: str, token: str = "") -> HttpResponseBase:
        provider = find_provider(slug)
        raw = request._request
        http.throttle(raw, f"webhook:{slug}", parse_rate(settings.WEBHOOK_THROTTLE))
        delivery = http.delivery_from(raw, http.raw_body(raw, settings.MAX_BODY_BYTES), token.rstrip("/"))
        if provider.takes_handshake(delivery):
            return Response({"detail": "Received. Its token counts once it is set on this server."})
        refuse_unconfigured(provider)
        if provider.is_test_call(delivery):
            return Response({"detail": "Reached."})
        if not provider.verify(delivery):
            logger.warning("refused a delivery to %s from %s: not genuine", slug, client_address(raw))
            why = provider.why_not(delivery)
            raise Refused(401, "The signature or secret is missing or wrong.", why=why, WWW_Authenticate="Signature")
        try:
            delivery.check()
        except TooLarge:
            raise http.too_large(settings.MAX_BODY_BYTES) from None
        except BadBody as error:
            raise Refused(400, str(error)) from None
        return http.answer(store(provider, delivery), provider.accepted_status)

    def sender(self) -> str:
        slug = str(self.kwargs.get("slug", ""))
        return slug if slug in PROVIDERS and PROVIDERS[slug].takes_webhooks else ""

    @extend_schema(exclude=True)
    def get(self, request: Request, slug: str, token: str = "") -> Response:
        """Some providers look whether somebody is there before they send (Circle: GET and HEAD)."""
        provider = configured_provider(slug)
        return Response({"provider": provider.slug, "detail": "Send events here with POST."})

    head = get

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        find_provider(kwargs.get("slug", ""))
        return super().http_method_not_allowed(request, *args, **kwargs)


def find_provider(slug: str) -> Provider:
    provider = PROVIDERS.get(slug)
    if provider is None or not provider.takes_webhooks:
        raise Refused(404, f"No provider is called {slug[:100]!r}.")
    return provider


def configured_provider(slug: str) -> Provider:
    provider = find_provider(slug)
    refuse_unconfigured(provider)
    return provider


def refuse_unconfigured(provider: Provider) -> None:
    if not provider.configured:
        # 503, never 404: Typeform switches a hook off at a 404, and repeats for ten hours at a 503.
        raise Refused(503, f"{provider.label} is not configured on this server.", Retry_After="3600")
