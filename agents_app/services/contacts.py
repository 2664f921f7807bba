"""One person, one contact: how what we hear about somebody is added to what we know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents_app.leads.schema import Lead
from agents_app.leads.scoring import Score
from agents_app.text import shorten, union
from contacts.choices import ContactStatus, ContactType, LeadSource
from contacts.models import BusinessEntity, Contact

# Notion: reference/request-limits. One rich-text item holds 2000 characters.
NOTES_LIMIT = 1900
_BLANKS = ("first_name", "last_name", "phone", "company", "job_title", "city", "country")


@dataclass(frozen=True)
class Heard:
    """What a submission tells about a person, and where it comes from."""

    lead: Lead
    score: Score
    source_record_id: str
    event_id: str
    consent_source: str
    submitted_at: datetime
    now: datetime


def known_source(name: str) -> str:
    """The Lead Source option of this name, in its own spelling; empty for others."""
    return next((option for option in LeadSource.values if option.casefold() == name.casefold()), "")


def locked(email: str) -> Contact | None:
    """The live contact with this address, locked until the transaction ends, so that two leads cannot mix."""
    rows = Contact.objects.select_for_update().filter(email=email, archived_at__isnull=True)
    # Most leads are new people: to learn that nobody is there, one column is enough.
    found = list(rows.values_list("pk", flat=True)[:1])
    return Contact.objects.get(pk=found[0]) if found else None


def remember(contact: Contact | None, heard: Heard, entities: Sequence[BusinessEntity]) -> tuple[Contact, bool]:
    """Creates or completes the contact; returns it and whether it is new.

    Blanks are filled and lists united; nothing that is known is overwritten, no status is changed, and consent is
    only ever added. A second creator of the same address fails on the unique constraint; its event is tried again.
    """
    if contact is None:
        contact = _new(heard)
        contact.save(force_insert=True)
        _join(contact, entities, new=True)
        return contact, True
    changed = _complete(contact, heard)
    contact.save(update_fields=changed)
    _join(contact, entities, new=False)
    return contact, False


def _new(heard: Heard) -> Contact:
    lead = heard.lead
    return Contact(
        full_name=lead.full_name,
        email=lead.email,
        contact_type=ContactType.LEAD,
        status=ContactStatus.ACTIVE_LEAD,
        lead_source=lead.lead_source,
        source_record_id=heard.source_record_id,
        tags=list(lead.tags),
        interests=list(lead.interests),
        lead_score=heard.score.points,
        quality_level=heard.score.level,
        date_added=heard.now,
        last_interaction=heard.now,
        notes=_notes("", heard),
        **{name: getattr(lead, name) for name in _BLANKS},
        **_consent(heard),
    )


def _consent(heard: Heard) -> dict[str, Any]:
    if not (heard.lead.email_opt_in or heard.lead.sms_opt_in):
        return {}
    return {
        "email_opt_in": heard.lead.email_opt_in,
        "sms_opt_in": heard.lead.sms_opt_in,
        "consent_source": heard.consent_source[:500],
        "consent_at": heard.submitted_at,
    }


def _complete(contact: Contact, heard: Heard) -> list[str]:
    """Changes the contact in memory and returns the names of the fields that differ now."""
    lead = heard.lead
    wanted: dict[str, Any] = {
        "last_interaction": heard.now,
        "tags": union(contact.tags, list(lead.tags)),
        "interests": union(contact.interests, list(lead.interests)),
        "notes": _notes(contact.notes, heard),
    }
    wanted |= {name: getattr(lead, name) for name in _BLANKS if not getattr(contact, name)}
    if not contact.lead_source:
        wanted["lead_source"] = lead.lead_source
    if not contact.status:
        wanted["status"] = ContactStatus.ACTIVE_LEAD
    # A contact without a name was called by its address.
    if lead.full_name and contact.full_name in ("", contact.email):
        wanted["full_name"] = lead.full_name
    if contact.lead_score is None or heard.score.points > contact.lead_score:
        wanted |= {"lead_score": heard.score.points, "quality_level": heard.score.level}
    if (lead.email_opt_in and not contact.email_opt_in) or (lead.sms_opt_in and not contact.sms_opt_in):
        wanted |= _consent(heard)
        wanted["email_opt_in"] = contact.email_opt_in or lead.email_opt_in
        wanted["sms_opt_in"] = contact.sms_opt_in or lead.sms_opt_in
    changed = [name for name, value in wanted.items() if getattr(contact, name) != value]
    for name in changed:
        setattr(contact, name, wanted[name])
    return changed


def _notes(existing: str, heard: Heard) -> str:
    """The message behind the notes that are there; people's own words are never cut to make room for it."""
    if not heard.lead.message:
        return existing
    head = f"[{heard.now:%Y-%m-%d}, {heard.lead.lead_source}] "
    room = NOTES_LIMIT - len(existing) - len(head) - 2
    if room < 100:
        return existing
    entry = head + shorten(heard.lead.message, room, heard.event_id)
    return f"{existing}\n\n{entry}" if existing else entry


def _join(contact: Contact, entities: Sequence[BusinessEntity], *, new: bool) -> None:
    if not entities:
        return
    if new:
        # `add` would look first whether the links are there; a new contact has none.
        through = Contact.business_entities.through
        through.objects.bulk_create(
            [through(contact_id=contact.pk, businessentity_id=entity.pk) for entity in entities]
        )
    else:
        contact.business_entities.add(*entities)
