"""Who comes into a segment and who leaves it: evaluated and compared inside the database, written as differences."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from campaigns import criteria
from campaigns.models import Segment, SegmentMembership
from contacts.models import Contact


class Difference(NamedTuple):
    """How many came and went, and how many there are now."""

    entered: int
    left: int
    members: int


def matching(segment: Segment, now: datetime) -> QuerySet[Contact]:
    """The contacts that fulfil the criteria at this moment. Raises `criteria.BrokenCriteria`."""
    entity = segment.business_entity
    local = now.astimezone(entity.zone if entity else timezone.get_default_timezone())
    found = Contact.objects.live().filter(criteria.condition(criteria.parse(segment.criteria), local))
    if segment.business_entity_id is not None:
        links = Contact.business_entities.through.objects.filter(
            contact_id=OuterRef("pk"), businessentity_id=segment.business_entity_id
        )
        found = found.filter(Exists(links))
    return found.order_by()


@transaction.atomic
def evaluate(segment: Segment, now: datetime) -> Difference:
    """Brings the membership up to date: one query asks who fulfils the criteria, two statements write the difference.

    All three stay inside the database, whatever the number of contacts; nothing is read into memory. Raises
    `criteria.BrokenCriteria` and changes nothing when the criteria cannot be used.
    """
    people = matching(segment, now)
    connection = connections[router.db_for_write(SegmentMembership)]
    with connection.cursor() as cursor:
        _collect(people, connection, cursor)
        # Everything in these two is a name of our own; values are parameters.
        values = {"segment": segment.pk, "now": connection.ops.adapt_datetimefield_value(now)}
        cursor.execute(_LEAVE, [values["now"], values["segment"]])
        left = max(cursor.rowcount, 0)
        cursor.execute(_ENTER, [values["segment"], values["now"], values["segment"]])
        entered = max(cursor.rowcount, 0)
        cursor.execute(f"DROP TABLE {_FOUND}")
    members = SegmentMembership.objects.filter(segment=segment, left_at__isnull=True).count()
    Segment.objects.filter(pk=segment.pk).update(member_count=members, evaluated_at=now, error="")
    segment.member_count, segment.evaluated_at, segment.error = members, now, ""
    return Difference(entered, left, members)


_FOUND = "segment_people_found"
_STAYS = SegmentMembership._meta.db_table
_LEAVE = (
    f'UPDATE "{_STAYS}" SET left_at = %s, carried_at = NULL WHERE segment_id = %s AND left_at IS NULL '  # noqa: S608
    f'AND NOT EXISTS (SELECT 1 FROM {_FOUND} AS found WHERE found.contact_id = "{_STAYS}".contact_id)'
)
_ENTER = (
    f'INSERT INTO "{_STAYS}" (segment_id, contact_id, entered_at) SELECT %s, found.contact_id, %s '  # noqa: S608
    f'FROM {_FOUND} AS found WHERE NOT EXISTS (SELECT 1 FROM "{_STAYS}" AS stay '
    "WHERE stay.segment_id = %s AND stay.contact_id = found.contact_id AND stay.left_at IS NULL)"
)


def _collect(people: QuerySet[Contact], connection: BaseDatabaseWrapper, cursor: Any) -> None:
    """A table of this connection's own holds who fulfils the criteria, so that they are looked for once only.

    Compared directly, PostgreSQL would plan for tables that it has no figures about yet, and take minutes.
    """
    cursor.execute(f"DROP TABLE IF EXISTS {_FOUND}")
    cursor.execute(f"CREATE TEMPORARY TABLE {_FOUND} (contact_id bigint PRIMARY KEY)")
    sql, params = people.values_list("pk").query.get_compiler(connection=connection).as_sql()
    cursor.execute(f"INSERT INTO {_FOUND} (contact_id) {sql}", params)
    if connection.vendor == "postgresql":
        cursor.execute(f"ANALYZE {_FOUND}")


def refuse(segment: Segment, reason: str) -> None:
    """Notes why a segment could not be evaluated; its members stay as they were."""
    Segment.objects.filter(pk=segment.pk).update(error=reason[:2000])
    segment.error = reason[:2000]


def carry(now: datetime, *, limit: int = 1000) -> list[int]:
    """Writes comings and goings to the contacts' *Marketing Segments*; returns the ids of the contacts concerned.

    Names that no segment has, as people set them by hand, stay. An empty list: nothing is left to carry.
    """
    with transaction.atomic():
        waiting = SegmentMembership.objects.filter(carried_at__isnull=True).order_by("pk")
        rows = list(waiting.values_list("pk", "contact_id")[:limit])
        contacts = sorted({contact for _, contact in rows})
        managed = set(Segment.objects.values_list("name", flat=True))
        names: dict[int, list[str]] = {pk: [] for pk in contacts}
        stays = SegmentMembership.objects.filter(contact__in=contacts, left_at__isnull=True)
        for contact, name in stays.order_by("segment__name").values_list("contact_id", "segment__name"):
            names[contact].append(name)
        _write(names, managed)
        SegmentMembership.objects.filter(pk__in=[pk for pk, _ in rows]).update(carried_at=now)
    return contacts


def _write(names: dict[int, list[str]], managed: set[str]) -> None:
    """One statement for each list of names, not for each contact; who has it already is not touched."""
    changed: dict[tuple[str, ...], list[int]] = {}
    for pk, present in Contact.objects.filter(pk__in=names).values_list("pk", "marketing_segments"):
        wanted = (*(name for name in present if name not in managed), *names[pk])
        if list(wanted) != present:
            changed.setdefault(wanted, []).append(pk)
    for wanted, ids in changed.items():
        Contact.objects.filter(pk__in=ids).update(marketing_segments=list(wanted))
