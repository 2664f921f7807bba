"""People we hear of from services, and not through a form: found by address, completed, never overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agents_app.leads.schema import NAME_LIMIT, normalise_email, normalise_phone, split_name
from agents_app.services.contacts import join_new, locked
from agents_app.text import one_line, option_names, union
from contacts import erased, interactions
from contacts.choices import ContactStatus, ContactType
from contacts.models import BusinessEntity, Contact
from higherself.core.errors import Permanent

# What services make of people, from the least to the most.
_MORE = ("", ContactType.LEAD, ContactType.COMMUNITY_MEMBER, ContactType.CLIENT, ContactType.COLLECTOR)


@dataclass(frozen=True)
class Person:
    """What a service tells of somebody. ``source`` is an option of Lead Source, ``external`` ids by service.

    ``own`` says that it is an act of theirs at that time, such as a booking, and not something that is merely told of
    them: only that brings somebody back who was erased before (`contacts.erased`).
    """

    email: str
    source: str
    at: datetime
    source_record_id: str = ""
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    contact_type: str = ContactType.LEAD
    tags: Sequence[str] = ()
    interests: Sequence[str] = ()
    experiences: Sequence[str] = ()
    entities: Sequence[BusinessEntity] = ()
    external: Mapping[str, str] = field(default_factory=dict)
    # Fields of the contact that only this service knows, such as its own id there.
    only_here: Mapping[str, Any] = field(default_factory=dict)
    own: bool = False


def remember(person: Person) -> tuple[Contact, bool]:
    """Creates or completes the contact; returns it, locked, and whether it is new.

    Blanks are filled and lists united. Lead source and date belong to whoever told of this person earliest, so that
    late deliveries end in the same record. Raises `Permanent` for an address nobody can be written to at, `WasErased`
    for somebody who does not come back by this.
    """
    try:
        email = normalise_email(person.email)
    except ValueError as error:
        raise Permanent(
            f"{person.source} names somebody with the address {one_line(person.email, 60)!r}, which is not valid: "
            f"{error}. Correct it there; nothing was created here."
        ) from error
    contact = locked(email)
    new = contact is None
    erased.admit(email, at=person.at, own=person.own, known=not new, by=person.source)
    if contact is None:
        contact = _new(person, email)
        contact.save(force_insert=True)
        join_new(contact, person.entities)
        return contact, new
    changed = _complete(contact, person)
    if changed:
        contact.save(update_fields=changed)
    if person.entities:
        missing = {entity.pk for entity in person.entities} - set(
            contact.business_entities.values_list("pk", flat=True)
        )
        if missing:
            contact.business_entities.add(*missing)
    return contact, new


def _new(person: Person, email: str) -> Contact:
    first, last = _names(person)
    return Contact(
        full_name=" ".join(part for part in (first, last) if part),
        first_name=first,
        last_name=last,
        email=email,
        phone=normalise_phone(person.phone),
        contact_type=person.contact_type,
        status=ContactStatus.ACTIVE_LEAD,
        lead_source=person.source,
        source_record_id=person.source_record_id[:200],
        tags=option_names(person.tags),
        interests=option_names(person.interests),
        experience_attended=option_names(person.experiences),
        date_added=person.at,
        last_interaction=person.at,
        external_ids=dict(person.external),
        **person.only_here,
    )


def _names(person: Person) -> tuple[str, str]:
    first, last = one_line(person.first_name, NAME_LIMIT), one_line(person.last_name, NAME_LIMIT)
    return (first, last) if first or last else split_name(person.name)


def _complete(contact: Contact, person: Person) -> list[str]:
    """Changes the contact in memory; returns the names of the fields that differ now."""
    first, last = _names(person)
    fresh = {"first_name": first, "last_name": last, "phone": normalise_phone(person.phone)}
    wanted: dict[str, Any] = {name: value for name, value in fresh.items() if value and not getattr(contact, name)}
    # A contact without a name was called by its address.
    if (first or last) and contact.full_name in ("", contact.email):
        wanted["full_name"] = " ".join(part for part in (first, last) if part)
    wanted["tags"] = union(contact.tags, list(person.tags))
    wanted["interests"] = union(contact.interests, list(person.interests))
    wanted["experience_attended"] = union(contact.experience_attended, list(person.experiences))
    external = contact.external_ids if isinstance(contact.external_ids, dict) else {}
    wanted["external_ids"] = {**external, **person.external}
    wanted |= {name: value for name, value in person.only_here.items() if value}
    if is_more(person.contact_type, contact.contact_type):
        wanted["contact_type"] = person.contact_type
    if not contact.lead_source or (contact.date_added is not None and person.at < contact.date_added):
        wanted |= {"lead_source": person.source, "source_record_id": person.source_record_id[:200]}
        wanted["date_added"] = min(person.at, contact.date_added or person.at)
    if contact.last_interaction is None or person.at > contact.last_interaction:
        wanted["last_interaction"] = person.at
    changed = [name for name, value in wanted.items() if getattr(contact, name) != value]
    for name in changed:
        setattr(contact, name, wanted[name])
    return changed


def is_more(told: str, known: str) -> bool:
    """Whether a contact of type ``known`` becomes ``told``: the most that anybody tells of them, whoever tells it
    first. Types that only people give, such as Staff or Partner, stay."""
    return known in _MORE and told in _MORE and _MORE.index(told) > _MORE.index(known)


def count(contact: Contact, now: datetime) -> None:
    """Writes the figures that follow from what the contact did."""
    changed = interactions.refresh(contact, now)
    if changed:
        contact.save(update_fields=changed)
