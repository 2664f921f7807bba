"""The connection check of Notion, for the API Integrations Catalog."""

from __future__ import annotations

from django.conf import settings

from higherself.integrations.checks import Result, checker
from notion_sync.client import NotAuthorised, NotionApi


@checker("notion")
def check_notion() -> tuple[Result, str]:
    """Asks who we are there. The local Notion answers as the real one does, and is named as what it is."""
    try:
        with NotionApi(patience=10) as api:
            api.me()
    except NotAuthorised as error:
        return Result.AUTH_FAILED, str(error)
    what = "The local Notion" if settings.SANDBOX_ENABLED else "Notion"
    return Result.OK, f"{what} answers and accepts our token."
