"""Links that Notion does not show: absence is not removal.

Notion leaves a related page out of a relation while the page is in the trash or is not shared with the integration
(reference/page-property-values). Who took the shorter list for a person's edit would cut the link here, and for good
with the next push. So a page that is gone from a list is asked for by its id before its removal is believed.
"""

from __future__ import annotations

from notion_sync.client import NotionApi, NotShared
from notion_sync.engine.records import Values
from notion_sync.engine.remote import trashed
from notion_sync.mapping import NotionMapping
from notion_sync.models import NotionDatabase, NotionPage


class Hidden:
    """Finds out which of the missing links are only hidden, and asks for each page once."""

    def __init__(self, api: NotionApi) -> None:
        self.api = api
        self._known: dict[str, bool] = {}
        self._closed: dict[str, bool] = {}

    def show(self, mapping: type[NotionMapping], remotes: dict[str, Values]) -> None:
        """Adds the hidden pages to the relations as they were read."""
        bases = NotionPage.objects.filter(database=mapping.key, page_id__in=remotes).values_list("page_id", "base")
        for page_id, base in bases:
            values = remotes[page_id or ""]
            for prop in mapping.relations:
                gone = (
                    set(base.get(prop.attr) or []) - set(values.get(prop.attr) or []) if prop.attr in values else set()
                )
                hidden = {other for other in gone if self._is_hidden(prop.to, other)}
                if hidden:
                    values[prop.attr] = sorted({*values[prop.attr], *hidden})

    def _is_hidden(self, key: str, page_id: str) -> bool:
        if page_id not in self._known:
            self._known[page_id] = self._is_closed(key) or self._cannot_be_seen(page_id)
        return self._known[page_id]

    def _is_closed(self, key: str) -> bool:
        """The whole database of the related pages cannot be read at the moment."""
        if key not in self._closed:
            self._closed[key] = not any(database.usable for database in NotionDatabase.objects.filter(key=key))
        return self._closed[key]

    def _cannot_be_seen(self, page_id: str) -> bool:
        try:
            return trashed(self.api.page(page_id))
        except NotShared:
            NotionPage.objects.filter(page_id=page_id, state=NotionPage.State.LINKED).update(
                state=NotionPage.State.LOST,
                error="The page cannot be reached in Notion: it was deleted for good or is not shared any more. Share "
                "it again, or archive the record here.",
            )
            return True
