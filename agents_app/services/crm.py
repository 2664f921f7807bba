"""What services outside are told about people, through the outbox. Where one is not configured, this costs nothing."""

from __future__ import annotations

from datetime import datetime

from agents_app.models import WorkflowInstance
from contacts.models import Contact
from higherself.integrations import outbox

HUBSPOT, UPSERT, NOTE = "hubspot", "contact.upsert", "note.add"
BEEHIIV, SUBSCRIBE = "beehiiv", "subscription.upsert"


def tell_hubspot(contact: Contact, *, key: str, about: WorkflowInstance | None = None) -> None:
    """Has HubSpot know what we know about a person; ``key`` names the occasion, so that it is told once.

    HubSpot's id comes back to the contact, and to the instance that it is about.
    """
    if not (contact.email and outbox.is_configured(HUBSPOT)):
        return
    known = {
        "email": contact.email,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "phone": contact.phone,
        "company": contact.company,
        "job_title": contact.job_title,
        "city": contact.city,
        "country": contact.country,
        "lifecycle_stage": "lead",
    }
    payload = {name: value for name, value in known.items() if value}
    outbox.enqueue(HUBSPOT, UPSERT, payload, dedupe_key=f"hubspot:{contact.contact_id}:{key}", about=about or contact)


def note_at_hubspot(contact: Contact, text: str, at: datetime, *, key: str, about: WorkflowInstance) -> None:
    """Has HubSpot hold what somebody wrote, as a note at their contact, which `tell_hubspot` has to have wanted."""
    if not (contact.email and text and outbox.is_configured(HUBSPOT)):
        return
    payload = {"contact_email": contact.email, "text": text, "at": at}
    outbox.enqueue(HUBSPOT, NOTE, payload, dedupe_key=f"hubspot:{NOTE}:{contact.contact_id}:{key}", about=about)


def subscribe(contact: Contact, *, key: str) -> None:
    """Puts somebody who has just asked for it on the newsletter's list; nobody else."""
    if not (contact.accepts_email_marketing and outbox.is_configured(BEEHIIV)):
        return
    known = {"email": contact.email, "first_name": contact.first_name, "last_name": contact.last_name}
    payload = {name: value for name, value in known.items() if value} | {"reactivate": True}
    outbox.enqueue(BEEHIIV, SUBSCRIBE, payload, dedupe_key=f"beehiiv:{contact.contact_id}:{key}", about=contact)
