"""The API's OpenAPI document, and a page that shows it without any script or file from elsewhere."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView
from rest_framework.authentication import SessionAuthentication
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from higherself.core.auth import HasScope, TokenAuthentication


class TokenScheme(OpenApiAuthenticationExtension):
    """How the document describes our tokens; found by its target's name."""

    target_class = "higherself.core.auth.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        hint = "`Token hsn_…`, as `manage.py create_token` prints it."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": hint}


class SchemaView(SpectacularAPIView):
    """OpenAPI 3.1, as JSON unless YAML is asked for; refusals are JSON in any case."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer2, OpenApiYamlRenderer]
    authentication_classes = [TokenAuthentication, SessionAuthentication]
    permission_classes = [HasScope]
    required_scope = "schema:read"

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if response.status_code >= 400:
            request.accepted_renderer = JSONRenderer()
            request.accepted_media_type = JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)


class DocsView(APIView):
    authentication_classes = [TokenAuthentication, SessionAuthentication]
    permission_classes = [HasScope]
    required_scope = "schema:read"
    schema = None

    def get(self, request: Request) -> HttpResponse:
        document = SchemaGenerator().get_schema(request=request, public=True)
        return render(request, "api/docs.html", {"document": document, "operations": operations(document)})


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The document's operations, flat, for a page to list."""
    return [
        {"path": path, "method": method.upper(), **operation}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]
