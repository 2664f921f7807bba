"""One person, one contact: how what we hear about somebody is added to what we know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents_app.leads.schema import Lead
from agents_app.leads.scoring import Score
from agents_app.text import shorten, union
from contacts import consent, erased, interactions
from contacts.choices import ContactStatus, ContactType, InteractionKind, LeadSource
from contacts.merging import survivor_of
from contacts.models import BusinessEntity, ConsentChange, Contact, Interaction

# Notion: reference/request-limits. One rich-text item holds 2000 characters.
NOTES_LIMIT = 1900
_BLANKS = ("first_name", "last_name", "phone", "company", "job_title", "city", "country")


@dataclass(frozen=True)
class Heard:
    """What a submission tells about a person, and where it comes from."""

    lead: Lead
    score: Score
    source: str
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
    rows = Contact.objects.select_for_update().filter(email=email)
    # Most leads are new people: to learn that nobody is there, two columns are enough.
    found = list(rows.values_list("pk", "archived_at")[:50])
    live = next((pk for pk, archived_at in found if archived_at is None), None)
    if live is None and found:
        # Somebody whose contact was merged into another one.
        live = survivor_of(email)
    return Contact.objects.live().select_for_update().filter(pk=live).first() if live else None


def remember(contact: Contact | None, heard: Heard, entities: Sequence[BusinessEntity]) -> tuple[Contact, bool]:
    """Creates or completes the contact; returns it and whether it is new.

    Blanks are filled and lists united; nothing that is known is overwritten, no status is changed. Consent goes
    through `contacts.consent`, where an earlier "no" of another service stands. A second creator of the same address
    fails on the unique constraint; its event is tried again. Raises `WasErased` for what was submitted before the
    person was erased.
    """
    erased.admit(
        heard.lead.email, at=heard.submitted_at, own=True, known=contact is not None, by=heard.lead.lead_source
    )
    if contact is None:
        contact = _new(heard)
        contact.save(force_insert=True)
        _note_new(contact, heard)
        _join(contact, entities, new=True)
        return contact, True
    changed = _complete(contact, heard)
    _note(contact, heard)
    contact.save(update_fields=[*changed, *interactions.refresh(contact, heard.now)])
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
        engagement_score=interactions.POINTS[InteractionKind.FORM_SUBMITTED],
        notes=_notes("", heard),
        **{name: getattr(lead, name) for name in _BLANKS},
        **_consent(heard),
    )


def _done(contact: Contact, heard: Heard) -> Interaction:
    kind = InteractionKind.FORM_SUBMITTED
    return Interaction(
        contact=contact,
        kind=kind,
        source=heard.source,
        key=f"{heard.source}:form:{heard.source_record_id}",
        points=interactions.POINTS[kind],
        at=heard.now,
    )


def _note_new(contact: Contact, heard: Heard) -> None:
    """Somebody new has no history to look at: what they did and allowed is only written."""
    Interaction.objects.bulk_create([_done(contact, heard)], ignore_conflicts=True)
    said = [
        ConsentChange(
            contact=contact,
            channel=channel,
            granted=True,
            source=heard.source,
            detail=heard.consent_source[:500],
            key=f"{channel}:{heard.source}:form:{heard.source_record_id}"[:300],
            at=heard.submitted_at,
        )
        for channel, given in ((consent.EMAIL, contact.email_opt_in), (consent.SMS, contact.sms_opt_in))
        if given
    ]
    if said:
        ConsentChange.objects.bulk_create(said, ignore_conflicts=True)


def _note(contact: Contact, heard: Heard) -> None:
    Interaction.objects.bulk_create([_done(contact, heard)], ignore_conflicts=True)
    lead = heard.lead
    for channel, given, has in (
        (consent.EMAIL, lead.email_opt_in, contact.email_opt_in),
        (consent.SMS, lead.sms_opt_in, contact.sms_opt_in),
    ):
        if given and not has:
            consent.granted(
                contact,
                heard.source,
                key=f"{heard.source}:form:{heard.source_record_id}",
                at=heard.submitted_at,
                detail=heard.consent_source,
                channel=channel,
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
    if new:
        join_new(contact, entities)
    elif entities:
        contact.business_entities.add(*entities)


def join_new(contact: Contact, entities: Sequence[BusinessEntity]) -> None:
    """Links a contact that was just made. `add` would look first whether the links are there; it has none."""
    through = Contact.business_entities.through
    if entities:
        through.objects.bulk_create(
            [through(contact_id=contact.pk, businessentity_id=entity.pk) for entity in entities]
        )
