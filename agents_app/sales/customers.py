"""The customer of a booking or an order as a contact: found or made, and what paying makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents_app.agents.base import Context
from agents_app.leads.schema import email_problem, normalise_email, normalise_phone
from agents_app.models import WorkflowInstance
from agents_app.sales.instances import versions
from agents_app.services import people
from agents_app.text import one_line, option_names
from agents_app.workflow import engine
from agents_app.workflow.machine import ACTIVE, IllegalTransition
from bookings.models import Booking, Order
from contacts import erased, interactions
from contacts.choices import ContactStatus, ContactType
from contacts.models import BusinessEntity, Contact, ErasedAddress, Interaction
from higherself.integrations.material import Address, Person

LEADS = "WF-LEAD-CAPTURE"
_NOT_YET_CLIENTS = frozenset(
    {
        "",
        ContactStatus.ACTIVE_LEAD,
        ContactStatus.QUALIFIED_LEAD,
        ContactStatus.FORMER_CLIENT,
        ContactStatus.INACTIVE,
    }
)
_OPEN_LEAD = ("new_lead", "qualified", "nurturing", "contacted")


def erased_of(person: Person, *, at: datetime, own: bool) -> ErasedAddress | None:
    """The erasure because of which nothing about this customer is kept, though the booking or order itself is; None
    for everybody else. ``at`` is when it was booked or bought, ``own`` whether that is known to be their act."""
    if email_problem(person.email):
        return None
    return erased.refused(normalise_email(person.email), at=at, own=own, known=False)


def of(
    person: Person, context: Context, *, entity: BusinessEntity | None, record_id: str, billing: Address | None = None
) -> tuple[Contact | None, bool]:
    """The contact, locked, and whether it is new. None for somebody of whom neither address nor account is known.

    Look with `erased_of` first: here, whoever is named has booked or bought.
    """
    if email_problem(person.email):
        return _without_address(person, context.source), False
    told = people.Person(
        email=person.email,
        source=context.source,
        at=context.occurred_at,
        source_record_id=record_id,
        name=person.name,
        first_name=person.first_name,
        last_name=person.last_name,
        # A number without its country is one of where the bill goes.
        phone=normalise_phone(person.phone, billing.country.upper() or None) if billing else person.phone,
        contact_type=ContactType.CLIENT,
        entities=[entity] if entity else [],
        external={context.source: person.id} if person.id else {},
        own=True,
    )
    contact, new = people.remember(told)
    if billing is not None:
        _fill(contact, _home(billing))
    return contact, new


def _without_address(person: Person, system: str) -> Contact | None:
    """Who has booked or bought with this account before; their address may have been taken away since."""
    if not person.id:
        return None
    for model in (Booking, Order):
        row = model.objects.filter(system=system, customer_id=person.id, contact__isnull=False).first()
        if row is not None and row.contact_id is not None:
            return Contact.objects.select_for_update(of=("self",)).get(pk=row.contact_id)
    return None


def _home(billing: Address) -> dict[str, Any]:
    street = "\n".join(part for part in (billing.line_1, billing.line_2) if part)
    return {
        "company": one_line(billing.company, 500),
        "address": street[:1000],
        "city": one_line(billing.city, 500),
        "state_province": one_line(billing.state, 500),
        "postal_code": one_line(billing.postcode, 100),
        "country": next(iter(option_names([billing.country])), ""),
    }


def _fill(contact: Contact, home: dict[str, Any]) -> None:
    blank = {name: value for name, value in home.items() if value and not getattr(contact, name)}
    for name, value in blank.items():
        setattr(contact, name, value)
    if blank:
        contact.save(update_fields=blank)


@dataclass(frozen=True)
class Deed:
    """What the contact has done; told again under this key, it counts once."""

    kind: str
    key: str
    about: str


def note(
    contact: Contact, context: Context, deed: Deed | None = None, *, paid: bool = False, collects: bool = False
) -> None:
    """Notes what the contact has done, and what they have become by it, and stores it at once.

    Who has ``paid`` is an active client; nobody who asked to be left alone is called one. Who buys art ``collects``.
    """
    wanted: set[str] = set()
    if deed is not None:
        # Mostly it is new: one statement instead of a look and an insert.
        Interaction.objects.bulk_create([_interaction(contact, context, deed)], ignore_conflicts=True)
        wanted |= set(interactions.refresh(contact, context.now))
    if paid:
        wanted |= _become_client(contact, collects=collects)
    if wanted:
        contact.save(update_fields=wanted)


def _interaction(contact: Contact, context: Context, deed: Deed) -> Interaction:
    return Interaction(
        contact=contact,
        kind=deed.kind,
        source=context.source,
        key=deed.key[:300],
        at=context.occurred_at,
        about=deed.about[:300],
        points=interactions.POINTS[deed.kind],
    )


def _become_client(contact: Contact, *, collects: bool) -> set[str]:
    wanted: dict[str, str] = {}
    if contact.status in _NOT_YET_CLIENTS:
        wanted["status"] = ContactStatus.ACTIVE_CLIENT
    bought = ContactType.COLLECTOR if collects else ContactType.CLIENT
    if people.is_more(bought, contact.contact_type):
        wanted["contact_type"] = bought
    for name, value in wanted.items():
        setattr(contact, name, value)
    return set(wanted)


def won(contact: Contact, event: str, context: Context, note: str) -> list[str]:
    """The open leads of this contact are won; returns their ids."""
    rows = WorkflowInstance.objects.filter(
        contact=contact, workflow__in=versions(LEADS), status=ACTIVE, current_state__in=_OPEN_LEAD
    )
    found = []
    for lead in rows.order_by("pk"):
        try:
            engine.advance(lead, event, actor=context.actor, note=note, inbound_event=context.event_id or None)
        except IllegalTransition:
            # A lead that has not been scored yet, or a definition of people's own: the lead stays where it is.
            continue
        found.append(lead.instance_id)
    return found
