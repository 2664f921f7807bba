"""Look-ups that several agents and pages need."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from contacts.choices import NO_MARKETING
from contacts.merging import survivor_of
from contacts.models import BusinessEntity, Contact


def contact_with_email(email: str) -> Contact | None:
    """The live contact with this address, in whatever case it is written."""
    if not email.strip():
        return None
    found = Contact.objects.live().filter(email=email).first()
    if found is not None:
        return found
    # Somebody whose contact was merged into another one.
    survivor = survivor_of(email)
    return Contact.objects.live().filter(pk=survivor).first() if survivor else None


def accepting_email_marketing(contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """Those who opted in and neither unsubscribed nor asked to be left alone (`Contact.accepts_email_marketing`)."""
    return contacts.filter(archived_at__isnull=True, email_opt_in=True).exclude(
        Q(email="") | Q(status__in=[status.value for status in NO_MARKETING])
    )


def entity_with_key(key_or_name: str) -> BusinessEntity | None:
    """A live business entity by its key or, in any case, its name."""
    wanted = key_or_name.strip()
    if not wanted:
        return None
    return BusinessEntity.objects.live().filter(Q(entity_key=wanted) | Q(name__iexact=wanted)).order_by("pk").first()
