"""Contacts that may be one person: found every night, merged or kept apart by a person.

Never merged by itself: a family shares a number, and two people share a name. What a person has decided is not asked
again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import combinations

from django.db import models, transaction
from django.utils import timezone

from contacts.models import Contact
from contacts.suggestions import PossibleDuplicate
from higherself.core.jobs import job

Why = PossibleDuplicate.Why
# More contacts than this with one number or name are an office, or "Test Test", and nobody's duplicates.
MOST = 5
# A number is the same in its national and its international form from here on, counted from the end.
TAIL = 9
_BATCH = 1000
_WORDS = re.compile(r"\w+")


@job("find_duplicates", at_hour=3)
def find_duplicates() -> int:
    """Notes the pairs that are new, and forgets open ones that are none any more; returns how many were noted."""
    pairs = dict(_pairs(Contact.objects.live().order_by().values_list("pk", "full_name", "phone", "email")))
    known = {(one, other): pk for pk, one, other in PossibleDuplicate.objects.values_list("pk", "one_id", "other_id")}
    stale = [pk for pair, pk in known.items() if pair not in pairs]
    new = [
        PossibleDuplicate(one_id=one, other_id=other, why=why)
        for (one, other), why in pairs.items()
        if (one, other) not in known
    ]
    with transaction.atomic():
        for start in range(0, len(stale), _BATCH):
            PossibleDuplicate.objects.filter(pk__in=stale[start : start + _BATCH], decided_at__isnull=True).delete()
        PossibleDuplicate.objects.bulk_create(new, batch_size=_BATCH, ignore_conflicts=True)
    return len(new)


def _pairs(rows: Iterable[tuple[int, str, str, str]]) -> Iterator[tuple[tuple[int, int], str]]:
    """The surest reason comes last, so that it is the one that is kept."""
    groups: dict[str, dict[str, list[int]]] = {why: {} for why in (Why.NAME, Why.ADDRESS, Why.PHONE)}
    for pk, name, phone, email in rows:
        for why, key in ((Why.NAME, same_name(name)), (Why.ADDRESS, same_box(email)), (Why.PHONE, same_phone(phone))):
            if key:
                groups[why].setdefault(key, []).append(pk)
    for reason, found in groups.items():
        for keys in found.values():
            if 2 <= len(keys) <= MOST:
                yield from ((pair, reason) for pair in combinations(sorted(keys), 2))


def same_name(name: str) -> str:
    """What two spellings of one full name have in common; empty for single words, which are many people's."""
    words = sorted(_WORDS.findall(name.casefold()))
    return " ".join(words) if len(words) >= 2 and "@" not in name else ""


def same_box(email: str) -> str:
    """The mailbox behind an address with a tag (`ada+news@…`). The contacts stay apart until a person says so."""
    local, at, host = email.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{host}" if at and local and not local.startswith("+") else ""


def same_phone(phone: str) -> str:
    digits = re.sub(r"\D", "", phone)
    return digits[-TAIL:] if len(digits) >= TAIL else ""


def open_pairs() -> models.QuerySet[PossibleDuplicate]:
    """Pairs about which nobody has decided, of contacts that are both there."""
    return PossibleDuplicate.objects.filter(
        decided_at__isnull=True, one__archived_at__isnull=True, other__archived_at__isnull=True
    )


def keep_apart(pairs: Iterable[PossibleDuplicate], who: str) -> int:
    """Two people, a person says; returns how many pairs were open."""
    keys = [pair.pk for pair in pairs]
    waiting = PossibleDuplicate.objects.filter(pk__in=keys, decided_at__isnull=True)
    return waiting.update(decided_at=timezone.now(), decided_by=who[:200])


__all__ = ["PossibleDuplicate", "find_duplicates", "keep_apart", "open_pairs", "same_box", "same_name", "same_phone"]
