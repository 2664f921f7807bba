"""Health endpoints."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiResponse, extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from higherself.core import health, metrics
from higherself.core.auth import HasScope, TokenAuthentication

_REPORT = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"enum": [health.OK, health.DEGRADED, health.DOWN]},
        "components": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["status", "summary"],
                "properties": {"status": {"type": "string"}, "summary": {"type": "string"}},
            },
        },
    },
}
_DETAIL = {"$ref": "#/components/schemas/Detail"}


class HealthView(APIView):
    """Public: one word. With a token of scope ``health:read``, or as staff: every component."""

    authentication_classes = [TokenAuthentication, SessionAuthentication]
    permission_classes: list[Any] = []
    required_scope = "health:read"

    @extend_schema(
        operation_id="get_health",
        # The library takes security requirements as well as names.
        auth=[{}, {"token": []}, {"cookieAuth": []}],  # type: ignore[list-item]
        responses={
            200: OpenApiResponse(_REPORT, "It works, or works in part (`degraded`)."),
            401: OpenApiResponse(_DETAIL, "A token was sent, and it is a wrong one."),
            503: OpenApiResponse(_REPORT, "It does not work (`down`)."),
        },
    )
    def get(self, request: Request) -> Response:
        status, components = health.report()
        body: dict[str, Any] = {"status": status}
        if HasScope().has_permission(request, self):
            body["components"] = {name: part.as_dict() for name, part in components.items()}
        return Response(body, status=503 if status == health.DOWN else 200)


class MetricsView(APIView):
    """Prometheus text, for a token of scope ``metrics:read``."""

    authentication_classes = [TokenAuthentication, SessionAuthentication]
    permission_classes = [HasScope]
    required_scope = "metrics:read"
    schema = None

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(generate_latest(metrics.registry()), content_type=CONTENT_TYPE_LATEST)


# Nothing is changed here: another method is told so, instead of being asked for a CSRF token.
@csrf_exempt
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """Answers while the process serves, whatever else is broken."""
    return JsonResponse({"status": "ok"})
