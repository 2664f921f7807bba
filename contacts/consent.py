"""Consent to marketing: the only door to a contact's opt-in boxes.

Every "yes" and "no" is kept. A person may be written to when somebody said yes and no "no" stands. A "no" that one
service heard is lifted by a later "yes" at the same service, or by staff; never by another service, which may simply
not have heard of it. Because the answer is computed from all of them and their own times, late and repeated deliveries
change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from contacts.choices import ContactStatus
from contacts.ledger import ConsentChange
from contacts.models import Contact

EMAIL, SMS = ConsentChange.Channel.EMAIL, ConsentChange.Channel.SMS
# Whose status tells of more than of their newsletter keeps it; the opt-in box alone says no.
_MAY_BECOME_UNSUBSCRIBED = frozenset(
    {"", ContactStatus.ACTIVE_LEAD, ContactStatus.QUALIFIED_LEAD, ContactStatus.INACTIVE}
)
_FIELD = {EMAIL: "email_opt_in", SMS: "sms_opt_in"}


class Said(NamedTuple):
    """One "yes" or "no", as `allowed` needs it."""

    at: datetime
    granted: bool
    source: str
    by_person: bool = False


def allowed(said: Iterable[Said]) -> bool:
    """Whether the person may be written to, from everything that was said. Of two at the same time, the no counts."""
    everything = list(said)
    if not any(item.granted for item in everything):
        return False
    return not any(_stands(item, everything) for item in everything if not item.granted)


def _stands(no: Said, everything: list[Said]) -> bool:
    """Staff outrank services in both directions; a service only speaks for itself."""
    return not any(
        yes.granted and yes.at > no.at and (yes.by_person or (yes.source == no.source and not no.by_person))
        for yes in everything
    )


def granted(contact: Contact, source: str, *, key: str, at: datetime, detail: str = "", channel: str = EMAIL) -> bool:
    """Notes a yes that a service heard; returns whether the person may be written to now."""
    return _note(contact, channel, source, granted=True, key=key, at=at, detail=detail)


def withdrawn(contact: Contact, source: str, *, key: str, at: datetime, detail: str = "", channel: str = EMAIL) -> bool:
    """Notes a no that a service heard; returns whether the person may be written to all the same (they said yes
    there later)."""
    return _note(contact, channel, source, granted=False, key=key, at=at, detail=detail)


def entered(contact: Contact, who: str, *, value: bool, at: datetime, channel: str = EMAIL) -> None:
    """Staff ticked the box or took the tick away, in Notion or in the console."""
    key = f"person:{contact.pk}:{channel}:{at.isoformat()}"
    _baseline(contact, channel, before=not value)
    _add(contact, channel, source=who, granted=value, key=key, at=at, by_person=True)
    apply(contact, channel)


def _note(contact: Contact, channel: str, source: str, *, granted: bool, key: str, at: datetime, detail: str) -> bool:
    _baseline(contact, channel, before=getattr(contact, _FIELD[ConsentChange.Channel(channel)]))
    _add(contact, channel, source=source, granted=granted, key=key, at=at, detail=detail)
    return apply(contact, channel)


def _baseline(contact: Contact, channel: str, *, before: bool) -> None:
    """A yes from before anything was noted here counts as one: nobody loses their consent by being first noted."""
    if before and not contact.consent_history.filter(channel=channel).exists():
        at = contact.consent_at or contact.date_added or contact.created_at
        _add(
            contact,
            channel,
            source=contact.consent_source[:100] or "known before",
            granted=True,
            key=f"baseline:{contact.pk}:{channel}",
            at=min(at, contact.created_at),
        )


def _add(contact: Contact, channel: str, *, key: str, **values: object) -> None:
    ConsentChange.objects.get_or_create(
        key=f"{channel}:{key}"[:300], defaults={"contact": contact, "channel": channel, **values}
    )


def apply(contact: Contact, channel: str = EMAIL) -> bool:
    """Writes what follows from the history to the contact, if it differs; returns whether writing is allowed."""
    rows = list(contact.consent_history.filter(channel=channel).order_by("at", "pk"))
    answer = allowed(Said(row.at, row.granted, row.source, row.by_person) for row in rows)
    field = _FIELD[ConsentChange.Channel(channel)]
    wanted: dict[str, object] = {field: answer}
    yes = [row for row in rows if row.granted]
    if answer:
        wanted |= {"consent_source": (yes[-1].detail or yes[-1].source)[:500], "consent_at": yes[-1].at}
    if channel == EMAIL:
        wanted |= _status(contact, rows, answer)
    changed = [name for name, value in wanted.items() if getattr(contact, name) != value]
    for name in changed:
        setattr(contact, name, wanted[name])
    if changed:
        contact.save(update_fields=changed)
    return answer


def begin(contact: Contact) -> None:
    """Notes a yes from before anything was noted here, where there is one, before others' words come to stand beside
    it."""
    for channel in (EMAIL, SMS):
        _baseline(contact, channel, before=getattr(contact, _FIELD[channel]))


def follow(contact: Contact) -> None:
    """Writes what follows from the history, where there is any: after rows of it were moved."""
    for channel in (EMAIL, SMS):
        if contact.consent_history.filter(channel=channel).exists():
            apply(contact, channel)


def _status(contact: Contact, rows: list[ConsentChange], answer: bool) -> dict[str, object]:
    if answer:
        if contact.status != ContactStatus.UNSUBSCRIBED:
            return {}
        # Only what was set here is lifted here: whoever wrote "Unsubscribed" by hand meant it.
        before = next((row.status_before for row in reversed(rows) if row.status_before), "")
        return {"status": before} if before else {}
    no = next((row for row in reversed(rows) if not row.granted), None)
    if no is None or contact.status not in _MAY_BECOME_UNSUBSCRIBED:
        return {}
    if not no.status_before:
        before = contact.status or ContactStatus.ACTIVE_LEAD
        ConsentChange.objects.filter(pk=no.pk).update(status_before=before)
    return {"status": ContactStatus.UNSUBSCRIBED}
