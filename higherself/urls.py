"""Every address the server answers at."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from higherself.core import views as core_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("health", core_views.HealthView.as_view(), name="health"),
    path("health/live", core_views.live, name="health-live"),
    path("metrics", core_views.MetricsView.as_view(), name="metrics"),
    path("", include("higherself.core.urls")),
    path("", include("higherself.integrations.urls")),
    path("", include("agents_app.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "higherself.core.api.bad_request"
handler403 = "higherself.core.api.forbidden"
handler404 = "higherself.core.api.not_found"
handler500 = "higherself.core.api.server_error"
