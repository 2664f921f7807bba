"""Erasing a person everywhere: here, in Notion, and at every service that may know them; with a receipt.

Here it is done at once. Notion's pages follow with the synchronisation. A service that can erase is asked through the
outbox; where none can, a person does it, and says so. What is needed to find the person there is kept with the call, or
with the place, until it is settled, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agents_app.choices import OPEN_TASK, TaskCategory, TaskSource, TaskStatus
from agents_app.models import Approval, Task, WorkflowInstance
from agents_app.services import approvals
from bookings.models import Booking, Order
from contacts import erased
from contacts import personal as here
from contacts.models import Contact, Erasure, ErasurePlace
from higherself.core import history, personal
from higherself.core.errors import Permanent
from higherself.core.history import recording
from higherself.core.jobs import job
from higherself.core.personal import Person
from higherself.core.signals import record_pulled
from higherself.integrations import outbox
from higherself.integrations.client import ERASE
from higherself.integrations.models import OutboundCall
from higherself.integrations.personal import heard_from
from higherself.integrations.registry import PROVIDERS
from higherself.integrations.relay import LEASE
from higherself.integrations.signals import call_done

HERE, NOTION = "here", "notion"
# What is asked of an Owner where somebody wants to be forgotten elsewhere.
ACTION = "person.erase"
# Whom no call can erase: the service offers none, or the books need what it holds. What a person does there.
BY_HAND: dict[str, Any] = {
    "amelia": gettext_lazy("In WordPress: Amelia, Customers; delete the customer."),
    "snovio": gettext_lazy("In Snov.io: Prospects; delete the prospect from all lists, and its replies."),
    "tutorlm": gettext_lazy("In WordPress: Tools, Erase Personal Data; then delete the student's account."),
    "userfeedback": gettext_lazy("In WordPress: UserFeedback, Results; delete the person's responses."),
    "woocommerce": gettext_lazy(
        "In WordPress: Tools, Erase Personal Data. WooCommerce takes the person out of orders and keeps the sums."
    ),
    "plaud": gettext_lazy("In Plaud: delete the recordings in which the person speaks or is spoken of."),
}
VALID = timedelta(days=365)
Status = ErasurePlace.Status
Call = OutboundCall.Status
_ON_ITS_WAY = (Call.WAITING, Call.SENDING, Call.RETRYING)


@dataclass(frozen=True)
class Foreseen:
    """What will become of one place, before anything is done. ``ids`` are those that the person has there."""

    place: str
    label: str
    status: str
    reason: str = ""
    ids: tuple[str, ...] = ()


def foresee(person: Person) -> list[Foreseen]:
    """Every service that may know the person, and how it is reached."""
    known, told = _ids(person), heard_from(person)
    found = []
    for slug, provider in sorted(PROVIDERS.items()):
        ids = tuple(sorted(known.get(slug, ())))
        trace = bool(ids) or slug in told
        operations = provider.client_class.operations if provider.client_class else {}
        if ERASE in operations:
            if provider.can_call or trace:
                found.append(Foreseen(slug, provider.label, Status.ASKED, ids=ids))
            else:
                found.append(Foreseen(slug, provider.label, Status.UNCONFIGURED))
        elif slug in BY_HAND:
            status = Status.PERSON if trace else Status.NOTHING
            reason = str(BY_HAND[slug]) if trace else _("The service has never told of this person.")
            found.append(Foreseen(slug, provider.label, status, reason, ids))
    return found


def _ids(person: Person) -> dict[str, set[str]]:
    """Ids by service, as contacts, instances, bookings and orders know them."""
    found: dict[str, set[str]] = {}
    pairs = set(person.ids)
    for hubspot, airtable in WorkflowInstance._base_manager.filter(contact__in=person.pks).values_list(
        "hubspot_contact_id", "airtable_record_id"
    ):
        pairs |= {("hubspot", hubspot), ("airtable", airtable)}
    for model in (Booking, Order):
        rows = model._base_manager.filter(contact__in=person.pks).values_list("system", "customer_id")
        pairs |= {(system.lower(), name) for system, name in rows}
    for service, name in pairs:
        if name:
            found.setdefault(service, set()).add(name)
    return found


# -- doing it -------------------------------------------------------------------------------------------------------
@transaction.atomic
def erase(contact: Contact, actor: str, *, reason: str = "") -> Erasure:
    """Erases the person here, and asks for it everywhere else. Erasing again asks again wherever that is needed."""
    contact = Contact._base_manager.select_for_update().get(pk=contact.pk)
    person = here.person_of(contact)
    foreseen = foresee(person)
    # A call that is on the wire cannot be stopped: what it leaves behind is erased after it.
    on_the_wire = OutboundCall.objects.filter(status=Call.SENDING).exists()
    done = here.erase(person, actor)
    row = Erasure.objects.create(
        contact=contact,
        contact_ref=contact.contact_id,
        actor=actor[:200],
        reason=reason[:200],
        counts=done.counts,
        records=done.records,
    )
    erased.remember(row, person.emails)
    now = timezone.now()
    row.places.create(
        place=HERE, label=_("This server"), status=Status.DONE, found=sum(done.counts.values()), settled_at=now
    )
    row.places.create(place=NOTION, label="Notion", status=Status.ASKED)
    for item in foreseen:
        _reach(row, item, person, delay=LEASE if on_the_wire else timedelta(0))
    _ask_a_person(row)
    requests = Approval.objects.filter(action=ACTION, subject_model=person.label, subject_id__in=person.pks)
    approvals.withdraw(requests, _("The person was erased: %(id)s.") % {"id": row.erasure_id})
    refresh(row)
    return row


def _ask_a_person(row: Erasure) -> None:
    labels = list(row.places.filter(status=Status.PERSON).values_list("label", flat=True))
    if not labels:
        return
    now = timezone.now()
    Task.objects.create(
        task_key=f"{row.erasure_id}:by-hand",
        task_name=f"Erase a person by hand: {', '.join(labels)}"[:200],
        description=f"{row.erasure_id}: these services offer no call for it. The page of the erasure says how each is "
        "done and by what the person is found there. Confirm each place there when it is done.",
        due_date=now + timedelta(days=14),
        assignee_text="owner",
        priority="Urgent",
        category=TaskCategory.ADMIN,
        created_by=row.actor,
        created_date=now,
        source=TaskSource.AGENT,
    )


def _reach(row: Erasure, item: Foreseen, person: Person, *, delay: timedelta) -> None:
    place = ErasurePlace(erasure=row, place=item.place, label=item.label, status=item.status, reason=item.reason)
    if item.status == Status.ASKED and not (person.emails or item.ids):
        place.status, place.reason = Status.NOTHING, _("Neither an address nor an id is known to look for.")
    elif item.status == Status.ASKED:
        place.call_key = f"erase:{row.erasure_id}:{item.place}"
        wanted = {"emails": list(person.emails), "ids": list(item.ids)}
        outbox.enqueue(item.place, ERASE, wanted, dedupe_key=place.call_key, valid=VALID, delay=delay)
    elif item.status == Status.PERSON:
        # The ids say it all where there are any; they mean nothing outside of the service.
        place.handle = ", ".join(item.ids or person.emails)
    if place.status in (Status.NOTHING, Status.UNCONFIGURED):
        place.settled_at = timezone.now()
    place.save()


@approvals.carries_out(ACTION)
def erase_approved(approval: Approval) -> str:
    contact = Contact._base_manager.filter(pk=approval.subject_id or 0).first()
    if contact is None:
        raise Permanent(_("The contact is not there any more."))
    row = erase(contact, approval.decided_by, reason=f"{approval.requested_by} ({approval.approval_id})")
    # The request itself named the person, and is held in memory by whoever decides.
    approval.refresh_from_db()
    return _("Erased: %(id)s says how far it is at each service.") % {"id": row.erasure_id}


# -- following it ---------------------------------------------------------------------------------------------------
def refresh(row: Erasure) -> None:
    """Writes down how far each place is by now, and whether all are settled."""
    for place in row.places.filter(settled_at__isnull=True):
        if place.place == NOTION:
            _look_at_notion(row, place)
        elif place.call_key:
            _look_at_call(place)
    if not row.places.filter(status=Status.PERSON).exists():
        for task in Task.objects.filter(task_key=f"{row.erasure_id}:by-hand", status__in=OPEN_TASK):
            task.status = TaskStatus.DONE
            task.save(update_fields=["status"])
    if row.settled_at is None and not row.places.filter(settled_at__isnull=True).exists():
        row.settled_at = timezone.now()
        row.save(update_fields=["settled_at"])


def _look_at_notion(row: Erasure, place: ErasurePlace) -> None:
    known = personal.followed(NOTION, row.records)
    came_in_again = row.contact is not None and not here.is_erased(row.contact)
    place.found = known.total
    if known.waiting:
        place.status = Status.FAILED if known.why else Status.ASKED
        waiting = ngettext(
            "%(n)d page waits for the synchronisation.", "%(n)d pages wait for the synchronisation.", known.waiting
        )
        place.reason = known.why or waiting % {"n": known.waiting}
    elif came_in_again:
        place.status = Status.FAILED
        place.reason = _("Somebody has written about the person on the contact's page again: erase once more.")
    else:
        place.status, place.reason = (Status.DONE if known.total else Status.NOTHING), ""
        place.settled_at = timezone.now()
    place.save()


def _look_at_call(place: ErasurePlace) -> None:
    call = OutboundCall.objects.filter(dedupe_key=place.call_key).first()
    if call is None:
        place.status, place.reason = Status.FAILED, _("The call is gone: erase once more.")
    elif call.status == Call.DONE:
        _settle_by(place, call)
        return
    elif call.status in _ON_ITS_WAY:
        place.status, place.reason = Status.ASKED, call.error
    else:
        place.status, place.reason = Status.FAILED, call.error or str(call.get_status_display())
    place.save()


def _settle_by(place: ErasurePlace, call: OutboundCall) -> None:
    place.found = int(call.result.get("erased") or 0)
    # Where an attempt before had its effect and lost its answer, the last one finds nothing any more.
    place.status = Status.DONE if place.found or call.attempts > 1 else Status.NOTHING
    place.reason, place.settled_at = "", call.finished_at or timezone.now()
    place.save()


@receiver(call_done)
def call_was_done(sender: type[OutboundCall], call: OutboundCall, **_kwargs: Any) -> None:
    """In the transaction that marks the call done: the proof outlives the call, which is cleared away some day."""
    if call.operation != ERASE:
        return
    place = ErasurePlace.objects.filter(call_key=call.dedupe_key, settled_at__isnull=True).first()
    if place is not None:
        _settle_by(place, call)
        refresh(place.erasure)


@job("follow_erasures", every_seconds=60)
def follow_erasures() -> int:
    """Looks after erasures that are still open somewhere; returns how many are."""
    rows = list(Erasure.objects.filter(settled_at__isnull=True).order_by("at")[:200])
    for row in rows:
        with transaction.atomic():
            refresh(row)
    return len(rows)


# -- entered again --------------------------------------------------------------------------------------------------
@receiver(record_pulled, sender=Contact)
def contact_was_pulled(sender: type[Contact], pk: Any, changed: Mapping[str, Any], **kwargs: Any) -> None:
    """Somebody has made a page in Notion, or written another address on one."""
    if not changed or "email" in changed:
        contact = Contact.objects.filter(pk=pk).first()
        if contact is not None:
            _entered_again(contact, str(kwargs.get("actor") or "Notion"))


@receiver(post_save, sender=Contact)
def contact_was_saved(sender: type[Contact], instance: Contact, raw: bool = False, **_kwargs: Any) -> None:
    """Somebody has entered a contact in the console, or brought it in with a file."""
    if not raw and recording.origin() in (history.PERSON, history.IMPORT):
        _entered_again(instance, _("staff"))


def _entered_again(contact: Contact, by: str) -> None:
    """Staff may have a reason, such as a new request of the person; that it happened is not left unnoticed."""
    row = erased.find(contact.email)
    if row is None or row.back_at is not None:
        return
    erased.came_back(row, by)
    now = timezone.now()
    Task.objects.get_or_create(
        task_key=f"{row.erasure.erasure_id}:entered-again:{contact.contact_id}",
        defaults={
            "task_name": f"Somebody who was erased has been entered again: {contact.contact_id}",
            "description": f"The address of {contact.contact_id} belongs to somebody who was erased on "
            f"{row.at.date().isoformat()} ({row.erasure.erasure_id}). It was entered by {by}. Unless the person has "
            "asked for it since, erase the contact again.",
            "due_date": now + timedelta(days=1),
            "assignee_text": "owner",
            "priority": "Urgent",
            "category": TaskCategory.ADMIN,
            "related_contact": contact,
            "created_by": by,
            "created_date": now,
            "source": TaskSource.AGENT,
        },
    )


# -- what people do about it ----------------------------------------------------------------------------------------
def send_again(places: Iterable[ErasurePlace], who: str) -> int:
    """Has failed calls made again; returns how many."""
    keys = [place.call_key for place in places if place.call_key and not place.is_settled]
    return outbox.replay(OutboundCall.objects.filter(dedupe_key__in=keys), who)


def settle_by_hand(place: ErasurePlace, who: str) -> bool:
    """Somebody has erased the person there. What it took to find them is no longer needed, nor is a call."""
    if place.is_settled or place.place == NOTION:
        return False
    with transaction.atomic():
        if place.call_key:
            outbox.cancel(OutboundCall.objects.filter(dedupe_key=place.call_key), who)
        place.status, place.handle, place.reason = Status.DONE, "", ""
        place.settled_at, place.settled_by = timezone.now(), who[:200]
        place.save()
        refresh(place.erasure)
    return True


def receipt(row: Erasure) -> dict[str, Any]:
    """The proof, for the person or an authority. It names nobody: a digest tells whether an address is meant."""
    return {
        "erasure": row.erasure_id,
        "contact": row.contact_ref,
        "erased_at": row.at.isoformat(),
        "erased_by": row.actor,
        "asked_for": row.reason,
        "settled_everywhere_at": row.settled_at.isoformat() if row.settled_at else None,
        "addresses_hmac_sha256": sorted(row.addresses.values_list("digest", flat=True)),
        "rows_changed_here": row.counts,
        "places": [_line(place) for place in row.places.all()],
    }


def _line(place: ErasurePlace) -> Mapping[str, Any]:
    return {
        "place": place.label,
        "status": place.status,
        "erased": place.found,
        "settled_at": place.settled_at.isoformat() if place.settled_at else None,
        "settled_by": place.settled_by or None,
        "reason": place.reason or None,
    }
