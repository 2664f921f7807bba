from __future__ import annotations

from django.urls import URLPattern

from agents_app import api
from higherself.integrations.http import routes

urlpatterns: list[URLPattern] = [
    *routes("workflows/", api.WorkflowListView, "workflow-list"),
    *routes("workflows/<str:instance_id>", api.WorkflowView, "workflow"),
    *routes("workflows/<str:instance_id>/transitions", api.TransitionView, "workflow-transitions"),
    *routes("events/<str:event_id>", api.EventView, "event"),
]
