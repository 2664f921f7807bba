from __future__ import annotations

import gc
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _install_schedules(**_kwargs: Any) -> None:
    # Imported late: the queue's models are not loaded when this module is.
    from higherself.core.jobs import install_schedules  # noqa: PLC0415

    install_schedules()


def _install_roles(**kwargs: Any) -> None:
    # For every app, after Django has made the app's permissions (its receiver was connected before ours).
    from higherself.core.roles import install  # noqa: PLC0415

    install(**kwargs)


class CoreConfig(AppConfig):
    name = "higherself.core"
    label = "core"
    verbose_name = "System"

    def ready(self) -> None:
        # Each registers itself: system checks, the clean-up, signals, the imports' job.
        from higherself.core import checks, retention  # noqa: F401, PLC0415
        from higherself.core.access import receivers  # noqa: F401, PLC0415 - registers signals
        from higherself.core.exchange import work  # noqa: F401, PLC0415 - registers its job
        from higherself.core.history import receivers as _relations  # noqa: F401, PLC0415 - registers signals

        # After the last app's migrations, so that every job's module is imported and the queue has its tables.
        post_migrate.connect(_install_schedules, sender=self, dispatch_uid="core.install_schedules")
        post_migrate.connect(_install_roles, dispatch_uid="core.install_roles")
        # All that is loaded by now stays as long as the process: the garbage collector need not walk through it again
        # and again, which costs a fifth of the time of what makes many objects, and a pause of 50 ms now and then.
        gc.freeze()
