from __future__ import annotations

from django.urls import URLPattern, path

from higherself.integrations.forms import FormView
from higherself.integrations.http import routes
from higherself.integrations.views import WebhookView

urlpatterns: list[URLPattern] = [
    *routes("webhooks/<str:slug>", WebhookView, "webhook"),
    # A secret may hold slashes. What is no secret gets a 401, not a 404: Typeform switches its webhook off at that.
    path("webhooks/<str:slug>/<path:token>", WebhookView.as_view(schema=None), name="webhook-with-token"),
    *routes("api/forms/submit", FormView, "form-submit"),
]
