"""What came in and goes out about people: the deliveries themselves are the fullest record of all."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.db import connection
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from higherself.core import personal
from higherself.core.personal import Person
from higherself.integrations.client import ERASE
from higherself.integrations.inbox import EMPTIED
from higherself.integrations.models import InboundEvent, OutboundCall

Status = InboundEvent.Status
# The ordering keys of deliveries about a person, which are all that some of them name the person by.
_KEYS = {
    "hubspot": "contact:{}",
    "beehiiv": "{}",
    "circle": "member:{}",
    "tutorlm": "student:{}",
    "woocommerce": "customer:{}",
}


def heard_from(person: Person) -> set[str]:
    """The providers that have told of the person."""
    return set(_events(person).order_by().values_list("provider", flat=True).distinct())


def _events(person: Person) -> QuerySet[Any]:
    """Deliveries in which an address of the person stands, as it is or as forms write it; and those about the person,
    by the address or by the id that they have at the service.

    Every body is searched: slow, and rare.
    """
    column = (
        "position(%s in lower(encode(body, 'escape')))"
        if connection.vendor == "postgresql"
        else ("instr(lower(CAST(body AS TEXT)), %s)")
    )
    found = Q()
    for number, text in enumerate(sorted({form for mail in person.emails for form in (mail, quote(mail).lower())})):
        found |= Q(pk__in=InboundEvent.objects.filter(RawSQL(f"{column} > 0", [text], BooleanField())).values("pk"))  # noqa: S611 - a fixed text with a parameter
        assert number < 1000
    found |= Q(ordering_key__in=person.emails)
    for service, name in person.ids:
        if service in _KEYS:
            found |= Q(provider=service, ordering_key=_KEYS[service].format(name))
    return InboundEvent.objects.filter(found)


def _unwork(event: InboundEvent) -> None:
    if event.next_attempt_at is not None or event.status == Status.QUARANTINED:
        event.status, event.next_attempt_at, event.worker = Status.IGNORED, None, ""
        event.error = "The person was erased."


def _calls(person: Person) -> QuerySet[Any]:
    found = Q(about_model=person.label, about_id__in=[str(pk) for pk in person.pks])
    found |= personal.mentions(person, "payload", "result", "error")
    # A call that erases must know whom until it is done; it forgets by itself.
    return OutboundCall.objects.filter(found).exclude(operation=ERASE)


def _uncall(call: OutboundCall) -> None:
    done = {OutboundCall.Status.DONE, OutboundCall.Status.EXPIRED, OutboundCall.Status.CANCELLED}
    if call.status not in done:
        call.status, call.next_attempt_at = OutboundCall.Status.CANCELLED, None
        call.error = "The person was erased."


personal.holder(
    "deliveries",
    _events,
    clear=EMPTIED,
    before=_unwork,
)
personal.holder("calls", _calls, clear={"payload": dict, "result": dict, "record": ""}, before=_uncall)
