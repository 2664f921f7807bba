from __future__ import annotations

from django.urls import URLPattern, path

from higherself.core import docs

urlpatterns: list[URLPattern] = [
    path("api/schema", docs.SchemaView.as_view(), name="api-schema"),
    path("api/docs", docs.DocsView.as_view(), name="api-docs"),
]
