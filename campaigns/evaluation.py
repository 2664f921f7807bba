"""Who comes into a segment and who leaves it: evaluated and compared inside the database, written as differences."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import connections, router, transaction
from django.db.models import DateTimeField, Exists, F, IntegerField, OuterRef, QuerySet, Value

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
    found = Contact.objects.live().filter(criteria.condition(criteria.parse(segment.criteria), now))
    if segment.business_entity_id is not None:
        links = Contact.business_entities.through.objects.filter(
            contact_id=OuterRef("pk"), businessentity_id=segment.business_entity_id
        )
        found = found.filter(Exists(links))
    return found.order_by()


@transaction.atomic
def evaluate(segment: Segment, now: datetime) -> Difference:
    """Brings the membership up to date. Two statements, whatever the number of contacts; nothing is read into memory.

    Raises `criteria.BrokenCriteria` and changes nothing when the criteria cannot be used.
    """
    people = matching(segment, now)
    stays = SegmentMembership.objects.filter(segment=segment, left_at__isnull=True)
    left = stays.filter(~Exists(people.filter(pk=OuterRef("contact_id")))).update(left_at=now, carried_at=None)
    entered = _enter(segment, people, now)
    members = stays.count()
    Segment.objects.filter(pk=segment.pk).update(member_count=members, evaluated_at=now, error="")
    segment.member_count, segment.evaluated_at, segment.error = members, now, ""
    return Difference(entered, left, members)


def _enter(segment: Segment, people: QuerySet[Contact], now: datetime) -> int:
    """INSERT … SELECT, which Django's query sets cannot say."""
    here = SegmentMembership.objects.filter(segment=segment, contact=OuterRef("pk"), left_at__isnull=True)
    coming = (
        people.filter(~Exists(here))
        .annotate(
            new_segment=Value(segment.pk, IntegerField()), new_contact=F("pk"), new_entry=Value(now, DateTimeField())
        )
        .values_list("new_segment", "new_contact", "new_entry")
    )
    connection = connections[router.db_for_write(SegmentMembership)]
    sql, params = coming.query.get_compiler(connection=connection).as_sql()
    quote = connection.ops.quote_name
    columns = ", ".join(quote(name) for name in ("segment_id", "contact_id", "entered_at"))
    with connection.cursor() as cursor:
        # The statement is made of Django's own query and names; values stay parameters.
        cursor.execute(f"INSERT INTO {quote(SegmentMembership._meta.db_table)} ({columns}) {sql}", params)
        return max(cursor.rowcount, 0)


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
