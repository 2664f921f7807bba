from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AgentsConfig(AppConfig):
    name = "agents_app"
    verbose_name = _("Agents and workflows")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported late: all need the models.
        from agents_app import personal as _personal  # noqa: F401, PLC0415 - registers where data of people is kept
        from agents_app import receivers, results, rounds, tasks  # noqa: F401, PLC0415
        from agents_app import retention as _retention  # noqa: F401, PLC0415 - registers what may be cleared away
        from agents_app.assist import desk  # noqa: F401, PLC0415
        from agents_app.sales import receivers as sales_receivers  # noqa: F401, PLC0415
        from agents_app.services import erasing as _erasing  # noqa: F401, PLC0415 - a job, and what calls come back to
