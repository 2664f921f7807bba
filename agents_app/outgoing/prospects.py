"""Leads for Snov.io: those who agreed to mail go on the list that staff named; whom little is known of is looked up.

A list that feeds an active campaign starts it for whoever is added, so nobody is added without consent, and a no stops
what has not been sent yet. Whom Snov.io has already, a person takes off: which campaigns they are in is known there.
"""

from __future__ import annotations

from agents_app.outgoing import rules
from agents_app.sales import chores
from agents_app.services import catalog
from contacts.models import Contact
from higherself.integrations import outbox
from higherself.integrations.models import OutboundCall

SNOVIO, ADD, ENRICH = "snovio", "prospect.add", "prospect.enrich"
SOURCE = "Snov.io"
# Blanks of a contact that Snov.io may know.
_WORTH_ASKING = ("first_name", "last_name", "company", "job_title")


def hear(contact: Contact, lead_source: str) -> None:
    """A lead of this source has come: what staff want is written into the outbox, once for each person."""
    rule: rules.Prospects | None = catalog.current().rule(rules.SNOVIO)
    if rule is None or not contact.email:
        return
    if lead_source in rule.enrich and not all(getattr(contact, name) for name in _WORTH_ASKING):
        key = f"{SNOVIO}:{ENRICH}:{contact.contact_id}"
        outbox.enqueue(SNOVIO, ENRICH, {"email": contact.email}, dedupe_key=key, about=contact)
    if rule.list_id and contact.accepts_email_marketing and (not rule.sources or lead_source in rule.sources):
        _add(contact, rule.list_id)


def _add(contact: Contact, list_id: str) -> None:
    known = {
        "email": contact.email,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "company": contact.company,
        "position": contact.job_title,
        "phones": [contact.phone] if contact.phone else [],
    }
    payload = {name: value for name, value in known.items() if value} | {"list_id": list_id}
    key = f"{SNOVIO}:{ADD}:{contact.contact_id}:{list_id}"
    outbox.enqueue(SNOVIO, ADD, payload, dedupe_key=key, about=contact)


def stop(contact: Contact, source: str) -> None:
    """Somebody wants no more mail, and ``source`` is where they said so."""
    calls = OutboundCall.objects.filter(
        provider=SNOVIO, operation=ADD, dedupe_key__startswith=f"{SNOVIO}:{ADD}:{contact.contact_id}:"
    )
    outbox.cancel(calls.filter(attempts=0), "the person wants no more mail")
    lists = sorted({str(row.payload.get("list_id")) for row in calls if row.status != OutboundCall.Status.CANCELLED})
    if not lists or source == SOURCE:
        return
    chores.once(
        f"{contact.contact_id}:snovio_stop:{','.join(lists)}"[:300],
        f"Take off Snov.io's lists: {contact}",
        f"They want no more mail ({source}). Unsubscribe {contact.email} in Snov.io; they are on list "
        f"{', '.join(lists)}.",
        role="marketing",
        contact=contact,
        category="Marketing",
        priority="High",
    )
