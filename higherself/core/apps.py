from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _install_schedules(**_kwargs: Any) -> None:
    # Imported late: the queue's models are not loaded when this module is.
    from higherself.core.jobs import install_schedules  # noqa: PLC0415

    install_schedules()


class CoreConfig(AppConfig):
    name = "higherself.core"
    label = "core"
    verbose_name = "System"

    def ready(self) -> None:
        from higherself.core import checks  # noqa: F401, PLC0415 - registers the system checks

        # After the last app's migrations, so that every job's module is imported and the queue has its tables.
        post_migrate.connect(_install_schedules, sender=self, dispatch_uid="core.install_schedules")
