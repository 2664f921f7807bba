from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContactsConfig(AppConfig):
    name = "contacts"
    verbose_name = _("Contacts")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from contacts import duplicates as _duplicates  # noqa: F401, PLC0415 - registers a job
        from contacts import personal  # noqa: F401, PLC0415 - registers where data of people is kept
