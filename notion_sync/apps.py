from __future__ import annotations

from django.apps import AppConfig


class NotionSyncConfig(AppConfig):
    name = "notion_sync"
    verbose_name = "Notion"

    def ready(self) -> None:
        # They register themselves.
        from notion_sync import connection, health, metrics, personal, receivers, tasks  # noqa: F401, PLC0415
        from notion_sync import retention as _retention  # noqa: F401, PLC0415 - registers what may be cleared away
