"""What the synchronisation keeps of people's values: both sides of conflicts. Bases follow with the next write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from higherself.core import personal
from higherself.core.personal import Person
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase, NotionPage, PendingDelete, SyncConflict


def _database(person: Person) -> str:
    return next((key for key, mapping in MAPPINGS.items() if mapping.model._meta.label_lower == person.label), "")


def _conflicts(person: Person) -> QuerySet[Any]:
    found = Q(database=_database(person), object_id__in=person.pks)
    return SyncConflict.objects.filter(
        found | personal.mentions(person, "record", "base_value", "local_value", "notion_value")
    )


personal.holder(
    "conflicts",
    _conflicts,
    clear={"record": personal.BLOT, "base_value": None, "local_value": None, "notion_value": None},
)
personal.holder(
    "held_deletes",
    lambda person: PendingDelete.objects.filter(
        Q(page__database=_database(person), page__object_id__in=person.pks) | personal.mentions(person, "record")
    ),
    clear={"record": personal.BLOT},
)


# -- whether an erasure has reached Notion --------------------------------------------------------------------------
def _followed(records: Mapping[str, list[int]]) -> personal.Followed:
    """How many pages the records have, how many still wait to be emptied, and why the first of those does."""
    total, waiting, why = 0, 0, ""
    for key, mapping in MAPPINGS.items():
        pks = records.get(mapping.model._meta.label_lower, [])
        ties = list(NotionPage.objects.filter(database=key, object_id__in=pks, page_id__isnull=False)) if pks else []
        total += len(ties)
        rows = mapping.model._base_manager.filter(pk__in=[tie.object_id for tie in ties])
        late = set(rows.filter(local_change_at__isnull=False).values_list("pk", flat=True))
        waiting += len(late)
        if late and not why:
            why = _why(NotionDatabase.objects.filter(key=key).first(), [tie for tie in ties if tie.object_id in late])
    return personal.Followed(total, waiting, why)


def _why(database: NotionDatabase | None, ties: list[NotionPage]) -> str:
    if database is not None and not database.usable:
        return str(_("The synchronisation of “%(name)s” stands still.") % {"name": database.title or database.key})
    lost = sum(tie.state == NotionPage.State.LOST for tie in ties)
    if lost:
        return str(_("%(n)d of the pages cannot be reached in Notion: share them again.") % {"n": lost})
    failed = next((tie for tie in ties if tie.attempts), None)
    return str(_("Notion has refused a page: see its reason under Pages.")) if failed is not None else ""


personal.follow("notion", _followed)
