from __future__ import annotations

from django.apps import AppConfig


class NotionSyncConfig(AppConfig):
    name = "notion_sync"
    verbose_name = "Notion"

    def ready(self) -> None:
        from notion_sync import connection, health, metrics, receivers, tasks  # noqa: F401, PLC0415 - they register themselves
