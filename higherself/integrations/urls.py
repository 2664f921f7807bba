from __future__ import annotations

from django.urls import URLPattern

from higherself.integrations.forms import FormView
from higherself.integrations.http import routes
from higherself.integrations.views import WebhookView

urlpatterns: list[URLPattern] = [
    *routes("webhooks/<str:slug>", WebhookView, "webhook"),
    *routes("webhooks/<str:slug>/<str:token>", WebhookView, "webhook-with-token", documented=False),
    *routes("api/forms/submit", FormView, "form-submit"),
]
