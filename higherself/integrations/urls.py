from __future__ import annotations

from django.urls import URLPattern, re_path

from higherself.integrations.forms import FormView
from higherself.integrations.views import WebhookView

urlpatterns: list[URLPattern] = [
    re_path(r"^webhooks/(?P<slug>[^/]+)(?:/(?P<token>[^/]+))?/?$", WebhookView.as_view(), name="webhook"),
    re_path(r"^api/forms/submit/?$", FormView.as_view(), name="form-submit"),
]
