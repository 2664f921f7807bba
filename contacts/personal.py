"""Who a contact is, for handing out and erasing; and what this app keeps about people."""

from __future__ import annotations

import re
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from contacts.choices import ContactStatus
from contacts.erasures import Erasure
from contacts.ledger import ConsentChange, Interaction
from contacts.merges import ContactMerge
from contacts.merging import merged_into
from contacts.models import Contact, PossibleDuplicate
from higherself.core import history, personal
from higherself.core.personal import Person

ERASED_NAME = "Erased person"
# Two words of some length, or a number that can be called: what may tell of one person by itself.
_SURELY = re.compile(r"\w{2,}\s+\w{2,}|\d(?:\D?\d){6,}")


def person_of(contact: Contact) -> Person:
    """The person behind a contact, with the contacts that were merged into it."""
    rows = [contact, *Contact._base_manager.filter(pk__in=merged_into([contact.pk]))]
    emails = {row.email for row in rows} | set(_past(rows, "email"))
    # A former address may have been a mistake, and be somebody else's: what is theirs is left alone.
    emails -= set(
        Contact.objects.live()
        .filter(email__in=[mail for mail in emails if mail])
        .exclude(pk__in=[row.pk for row in rows])
        .values_list("email", flat=True)
    )
    words = {value for row in rows for value in (row.full_name, row.phone, f"{row.first_name} {row.last_name}".strip())}
    words |= {*_past(rows, "phone"), *_past(rows, "full_name")}
    return Person(
        label=Contact._meta.label_lower,
        pks=tuple(row.pk for row in rows),
        emails=tuple(sorted(filter(None, emails))),
        words=tuple(sorted(filter(None, words - emails))),
        ids=tuple(sorted({pair for row in rows for pair in _ids(row)})),
        telling=tuple(sorted(word for word in words - emails if _SURELY.search(word) and not _shared(word, rows))),
    )


def _shared(word: str, rows: list[Contact]) -> bool:
    """Whether another contact has the same name or number."""
    others = Contact.objects.live().exclude(pk__in=[row.pk for row in rows])
    return others.filter(models.Q(full_name__iexact=word) | models.Q(phone=word)).exists()


def _ids(row: Contact) -> list[tuple[str, str]]:
    """The ids that services know the person by."""
    known = row.external_ids if isinstance(row.external_ids, dict) else {}
    found = [(str(service).lower(), str(name)) for service, name in known.items() if isinstance(name, (str, int))]
    found += [
        *(("hubspot", row.hubspot_contact_id), ("beehiiv", row.beehiiv_subscription_id)),
        ("airtable", row.airtable_record_id),
    ]
    return [(service, name) for service, name in found if name]


def _past(rows: list[Contact], name: str) -> list[str]:
    """Former values, as the history knows them."""
    found = history.ChangeSet.objects.filter(model=Contact._meta.label_lower, record_id__in=[row.pk for row in rows])
    pairs = [change.changes.get(name) for change in found.filter(**{"changes__has_key": name})]
    return [str(value) for pair in pairs if pair for value in pair if value]


def export(contact: Contact) -> dict[str, Any]:
    """Everything that is kept about the person, as JSON can hold it."""
    return {
        "exported_at": timezone.now().isoformat(),
        "contact_id": contact.contact_id,
        "kept": personal.export(person_of(contact)),
    }


def erase(person: Person, actor: str) -> personal.Erased:
    """Takes the person out of all records, for good; Notion's pages follow."""
    with transaction.atomic(), history.by(actor, history.PERSON):
        return personal.erase(person)


def is_erased(contact: Contact) -> bool:
    """Whether nothing has been entered about the person again."""
    return (contact.full_name, contact.email, contact.phone) == (ERASED_NAME, "", "")


# -- where this app keeps data of people ----------------------------------------------------------------------------
_NAMES = {"full_name": ERASED_NAME, "status": ContactStatus.DO_NOT_CONTACT.value}
_KEPT = {
    *("contact_id", "contact_type", "lead_source", "quality_level", "sync_origin", "full_name", "status"),
}


def _blank(item: models.Field[Any, Any]) -> Any:
    """What a field of a contact is when nothing is known about the person."""
    if isinstance(item, models.JSONField):
        return item.default
    return "" if isinstance(item, (models.CharField, models.TextField)) else None


_CLEARED = {
    item.name: _blank(item)
    for item in Contact._meta.concrete_fields
    if item.name not in _KEPT
    and (isinstance(item, (models.CharField, models.TextField, models.JSONField)) or item.name == "next_follow_up_date")
}

personal.holder(
    "contact",
    lambda person: Contact._base_manager.filter(pk__in=person.pks),
    clear={**_CLEARED, **_NAMES, "email_opt_in": False, "sms_opt_in": False, "consent_at": None},
)
personal.holder(
    "interactions",
    lambda person: Interaction.objects.filter(contact__in=person.pks),
    clear={"identity": "", "about": ""},
)
# That consent was given and withdrawn, when and where, has to be proved even after the erasure.
personal.holder("consent", lambda person: ConsentChange.objects.filter(contact__in=person.pks), clear={"detail": ""})
# The proof. It was made not to tell who it was.
personal.holder("erasures", lambda person: Erasure.objects.filter(contact__in=person.pks))
personal.holder(
    "possible_duplicates",
    lambda person: PossibleDuplicate.objects.filter(models.Q(one__in=person.pks) | models.Q(other__in=person.pks)),
)
personal.holder(
    "merges",
    lambda person: ContactMerge.objects.filter(models.Q(survivor__in=person.pks) | models.Q(merged__in=person.pks)),
    clear={"before": dict, "email": ""},
)
