from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Campaigns and feedback")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from campaigns import personal  # noqa: F401, PLC0415 - registers where data of people is kept
