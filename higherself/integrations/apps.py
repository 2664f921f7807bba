from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    name = "higherself.integrations"
    label = "integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        from higherself.integrations import followups, health, metrics, personal, tasks  # noqa: F401, PLC0415 - registers them

        followups.connect()
        from higherself.integrations import retention as _retention  # noqa: F401, PLC0415 - registers what may be cleared away
