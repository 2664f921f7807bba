"""What the synchronisation keeps of people's values: both sides of conflicts. Bases follow with the next write."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from higherself.core import personal
from higherself.core.personal import Person
from notion_sync.mappings import MAPPINGS
from notion_sync.models import PendingDelete, SyncConflict


def _database(person: Person) -> str:
    return next((key for key, mapping in MAPPINGS.items() if mapping.model._meta.label_lower == person.label), "")


def _conflicts(person: Person) -> QuerySet[Any]:
    found = Q(database=_database(person), object_id__in=person.pks)
    for mail in person.emails:
        found |= Q(local_value__icontains=mail) | Q(notion_value__icontains=mail)
    return SyncConflict.objects.filter(found)


personal.holder(
    "conflicts",
    _conflicts,
    clear={"record": personal.BLOT, "base_value": None, "local_value": None, "notion_value": None},
)
personal.holder(
    "held_deletes",
    lambda person: PendingDelete.objects.filter(page__database=_database(person), page__object_id__in=person.pks),
    clear={"record": personal.BLOT},
)
