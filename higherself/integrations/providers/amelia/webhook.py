"""Amelia: appointments, events and packages are booked, moved and canceled.

Source of all rules here: Amelia's webhook documentation and source. A body names no action: the address does
(``?action=bookingAdded``). Amelia signs nothing and never repeats a delivery. The plug-in "WP Webhooks" can send the
same instead, signed, and with the action in a header.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from higherself.integrations import verify
from higherself.integrations.base import Delivery, FollowUp, Ignore, SharedSecretProvider, Unreadable, digest
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.models import InboundEvent
from higherself.integrations.providers.amelia import bookings, packages
from higherself.integrations.providers.amelia.client import AmeliaClient
from higherself.integrations.providers.amelia.clock import site_zone
from higherself.integrations.providers.amelia.schemas import Booking, Payload, Reservation
from higherself.integrations.providers.amelia.state import state_of
from higherself.integrations.reading import object_of, peek, plain_name, read, text

TYPES = ("appointment", "event", "package")
ADDED, MOVED, CANCELED, STATUS, PAYMENT = "added", "moved", "canceled", "status", "payment"
BOUGHT, RETURNED = "bought", "returned"
# By the name without case and signs. The second line is WP Webhooks'; the third is not in Amelia's source, but in use.
_ACTIONS = {
    **{"bookingadded": ADDED, "bookingtimeupdated": MOVED, "bookingcanceled": CANCELED, "bookingstatusupdated": STATUS},
    **{"amlbookingadded": ADDED, "amlappointmentrescheduled": MOVED, "amlbookingstatusupdated": STATUS},
    **{"bookingapproved": STATUS, "bookingrejected": STATUS, "bookingrescheduled": MOVED, "bookingcancelled": CANCELED},
    **{"paymentupdated": PAYMENT, "bookingpaymentupdated": PAYMENT, "paymentstatusupdated": PAYMENT},
    **{"packagepurchased": BOUGHT, "packagecanceled": RETURNED, "packagecancelled": RETURNED},
}
_KINDS = {
    ADDED: EventKind.BOOKING_CREATED,
    MOVED: EventKind.BOOKING_RESCHEDULED,
    CANCELED: EventKind.BOOKING_CANCELED,
    STATUS: EventKind.BOOKING_STATUS_CHANGED,
    PAYMENT: EventKind.PAYMENT_UPDATED,
}
_OFF = {"canceled", "rejected"}
# A toggled booking comes back to a state that it had: only within this time is the same body a repeat.
REPEAT_SECONDS = 600


class Amelia(SharedSecretProvider):
    slug = "amelia"
    label = "Amelia"
    source = "Amelia"
    client_class = AmeliaClient
    follows = (EventKind.BOOKING_CREATED, EventKind.BOOKING_STATUS_CHANGED, EventKind.BOOKING_RESCHEDULED)

    def follow_up(self, event: Event) -> FollowUp | None:
        """Who booked, where a release does not send the customer along; asked once for each booking."""
        told = event.data
        kind, name = text(told.get("reservation_type")), text(told.get("reservation_id"))
        customer = told.get("customer")
        if not name or kind not in {"appointment", "event"} or (isinstance(customer, dict) and customer.get("email")):
            return None
        return FollowUp("booking.read", {f"{kind}_id": name}, f"{kind}:{name}:{text(told.get('booking_id'))}")

    proofs = (*SharedSecretProvider.proofs, "x-wp-webhook-signature")
    keeps = ("x-wp-webhook-name",)

    def verify(self, delivery: Delivery) -> bool:
        """The shared secret, or the signature that WP Webhooks makes: base64 over the raw body."""
        given = delivery.headers.get("x-wp-webhook-signature", "")
        return super().verify(delivery) or verify.hmac_base64(delivery.body, given, self.secrets)

    def delivery_key(self, delivery: Delivery) -> str:
        """Action, reservation, its state, and the body within ten minutes; what we read ourselves by its state."""
        body = peek(delivery)
        state = state_of(found) if isinstance(found := body.get(_type(body)), dict) else ""
        if delivery.pulled:
            return f"{_type(body)}:{_thing(body)}:{state}:{delivery.received_at:%Y-%m-%dT%H:%M}"
        window = int(delivery.received_at.timestamp()) // REPEAT_SECONDS
        said = digest(_action_name(delivery, body), delivery.body)
        return f"{_type(body)}:{_thing(body)}:{state}:{said}:{window}"

    def was_told(self, fetched: Delivery, earlier: Sequence[InboundEvent]) -> bool:
        """Where the newest delivery about the reservation told the same state, the calendar has no news."""
        newest = max(earlier, key=lambda row: (row.received_at, row.pk), default=None)
        mine = self.delivery_key(fetched).split(":")[:3]
        return newest is not None and newest.delivery_key.split(":")[:3] == mine

    def event_type(self, delivery: Delivery) -> str:
        body = peek(delivery)
        return ".".join(part for part in (_type(body), _action_name(delivery, body)) if part)

    def ordering_key(self, delivery: Delivery) -> str:
        body = peek(delivery)
        return f"{_type(body)}:{_thing(body)}" if _thing(body) else ""

    def parse(self, delivery: Delivery) -> list[Event]:
        """One event for each booking that is concerned, or one for a package."""
        body = object_of(delivery)
        name = _action_name(delivery, body)
        action = _ACTIONS.get(plain_name(name), "")
        if name and not action:
            raise Ignore(f"Amelia's action {name[:100]!r} is not one that is acted upon.")
        payload, problems = read(Payload, body)
        if _type(body) == "package" or action in {BOUGHT, RETURNED}:
            return [self._package(payload, problems, name, delivery)]
        return self._bookings(payload, problems, name, action, delivery)

    def _bookings(
        self, payload: Payload, problems: list[str], name: str, action: str, delivery: Delivery
    ) -> list[Event]:
        kind = "event" if payload.event else "appointment"
        reservation, more = read(Reservation, payload.event or payload.appointment)
        if not (reservation.id or payload.bookings):
            raise Unreadable("Amelia's delivery holds neither an appointment, an event, nor a package.")
        action = action or (MOVED if reservation.is_rescheduled and not payload.bookings else "")
        zone = site_zone(self.options.get("time_zone", ""))
        found = [booking for booking in _concerned(payload, reservation, action) if booking.id]
        if not found:
            raise _nobody(payload, reservation)
        return [
            event(
                _kind(action, booking),
                bookings.material(booking, reservation, kind, name, zone, problems + more),
                source=self.source,
                source_id=booking.id,
                occurred_at=delivery.received_at,
                key=f"{kind}:{reservation.id or booking.appointment_id}",
            )
            for booking in found
        ]

    def _package(self, payload: Payload, problems: list[str], name: str, delivery: Delivery) -> Event:
        material = packages.material(payload, name, problems)
        returned = _ACTIONS.get(plain_name(name)) == RETURNED or (not name and material.status == "canceled")
        return event(
            EventKind.PACKAGE_CANCELED if returned else EventKind.PACKAGE_PURCHASED,
            material,
            source=self.source,
            source_id=material.purchase_id or material.package_id,
            occurred_at=delivery.received_at,
            key=f"package:{material.package_id}",
        )


def _concerned(payload: Payload, reservation: Reservation, action: str) -> list[Booking]:
    """The bookings that the delivery lists. A moved reservation lists none and concerns all who still come."""
    if payload.bookings:
        return [bookings.completed(booking, reservation) for booking in payload.bookings]
    if action == MOVED:
        return [booking for booking in reservation.bookings if booking.status not in _OFF]
    return reservation.bookings


def _nobody(payload: Payload, reservation: Reservation) -> Ignore | Unreadable:
    if payload.bookings or reservation.bookings:
        left = all(booking.id for booking in [*payload.bookings, *reservation.bookings])
        return Ignore("All bookings of it are canceled.") if left else Unreadable("Amelia's bookings have no ids.")
    return Ignore("Nobody has booked it.")


def _kind(action: str, booking: Booking) -> EventKind:
    """Releases differ in whether an administrator's cancellation is a change of status: the status decides."""
    if action in {STATUS, ""} and booking.status in _OFF:
        return EventKind.BOOKING_CANCELED
    return _KINDS.get(action, EventKind.BOOKING_STATUS_CHANGED)


def _action_name(delivery: Delivery, body: dict[str, Any]) -> str:
    return (
        text(delivery.params.get("action"))
        or text(body.get("action"))
        or text(delivery.headers.get("x-wp-webhook-name"))
    )


def _type(body: dict[str, Any]) -> str:
    return next((name for name in TYPES if isinstance(body.get(name), dict) and body[name]), "")


def _thing(body: dict[str, Any]) -> str:
    found = body.get(_type(body))
    return text(found.get("id") or found.get("packageId")) if isinstance(found, dict) else ""
