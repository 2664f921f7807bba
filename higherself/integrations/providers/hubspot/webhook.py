"""HubSpot: records changed. One delivery holds several changes, of several records, in no promised order.

Source of all rules here: HubSpot's webhooks guide and "validating requests". A change names the record and at most
one property: what matters is read from the record itself. HubSpot repeats a delivery for 24 hours, up to ten times.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from higherself.integrations import verify
from higherself.integrations.base import Delivery, Ignore, Provider, Unreadable, digest
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import CrmMaterial
from higherself.integrations.models import InboundEvent
from higherself.integrations.providers.hubspot.client import HubSpotClient
from higherself.integrations.providers.hubspot.schemas import Change
from higherself.integrations.reading import content_of, read, time_of

_RECORDS = {"0-1": "contact", "0-2": "company", "0-3": "deal", "0-5": "ticket", "0-7": "product", "0-8": "line_item"}
_CHANGES = ("creation", "propertyChange", "restore", "associationChange")
_KINDS = {
    **{("contact", change): EventKind.CONTACT_CHANGED for change in _CHANGES},
    ("contact", "merge"): EventKind.CONTACT_MERGED,
    ("contact", "deletion"): EventKind.CONTACT_DELETED,
    ("contact", "privacyDeletion"): EventKind.CONTACT_FORGOTTEN,
    **{("deal", change): EventKind.DEAL_CHANGED for change in (*_CHANGES, "merge")},
    ("deal", "deletion"): EventKind.DEAL_DELETED,
}


class HubSpot(Provider):
    slug = "hubspot"
    label = "HubSpot"
    source = "HubSpot"
    signs = True
    proofs = ("x-hubspot-signature-v3",)
    keeps = ("x-hubspot-request-timestamp",)
    client_class = HubSpotClient

    @property
    def secrets(self) -> list[str]:
        """HubSpot signs with the app's client secret; a webhook secret of its own stands in where it is set."""
        return [*super().secrets, *verify.split_secrets(self.options.get("client_secret", ""))]

    def verify(self, delivery: Delivery) -> bool:
        """Version 3 only, five minutes valid: versions 1 and 2 carry no time."""
        return verify.hubspot_v3(
            delivery.body,
            method=delivery.method,
            uri=delivery.url,
            timestamp=delivery.headers.get("x-hubspot-request-timestamp", ""),
            given=delivery.headers.get("x-hubspot-signature-v3", ""),
            secrets=self.secrets,
            now=time.time(),
        )

    def is_stale(self, delivery: Delivery) -> bool:
        stamp = delivery.headers.get("x-hubspot-request-timestamp", "")
        return verify.is_off(stamp[:-3], time.time(), verify.HUBSPOT_TOLERANCE)

    def delivery_key(self, delivery: Delivery) -> str:
        """The changes in it, whatever their order and however often they were tried."""
        changes = _peek(delivery)
        if not changes:
            return super().delivery_key(delivery)
        return f"changes:{digest(*sorted(_change_id(change, delivery) for change, _ in changes))}"

    def event_type(self, delivery: Delivery) -> str:
        """The type, or all of a batch."""
        return ", ".join(sorted({change.type for change, _ in _peek(delivery) if change.type}))[:100]

    def ordering_key(self, delivery: Delivery) -> str:
        """The record, where the delivery is about one. (A batch about several waits for none of them: HubSpot promises
        no order, and what counts is read from the record.)"""
        records = {_record_key(change) for change, _ in _peek(delivery)}
        return records.pop() if len(records) == 1 else ""

    def parse(self, delivery: Delivery) -> list[Event]:
        """Earliest first. Changes that nobody here needs are left out; only such raise `Ignore`."""
        changes = _changes(delivery)
        known = [(change, problems) for change, problems in changes if _kind(change) and change.record_id]
        if not known:
            raise _nothing_in(changes)
        return sorted((_event(*item, delivery) for item in known), key=lambda found: found.occurred_at)

    def was_told(self, fetched: Delivery, earlier: Sequence[InboundEvent]) -> bool:
        """A webhook about the record that came since its last change told of it: records are read at the latest."""
        times = [moment for change, _ in _peek(fetched) if (moment := time_of(change.occurred_at))]
        return bool(times) and any(row.received_at >= max(times) for row in earlier)


def _changes(delivery: Delivery) -> list[tuple[Change, list[str]]]:
    if "changes" not in delivery.findings:
        delivery.findings["changes"] = _read_changes(delivery)
    return delivery.findings["changes"]


def _read_changes(delivery: Delivery) -> list[tuple[Change, list[str]]]:
    content = content_of(delivery)
    items = content if isinstance(content, list) else [content]
    found = [read(Change, item) for item in items if isinstance(item, dict)]
    if not found:
        raise Unreadable("HubSpot's delivery is no list of changes.")
    return found


def _peek(delivery: Delivery) -> list[tuple[Change, list[str]]]:
    try:
        return _changes(delivery)
    except Unreadable:
        return []


def _nothing_in(changes: list[tuple[Change, list[str]]]) -> Ignore | Unreadable:
    nameless = [change for change, _ in changes if _kind(change)]
    if nameless:
        return Unreadable(f"HubSpot's {nameless[0].type} names no record: objectId is missing or no text.")
    types = ", ".join(sorted({change.type[:60] or "no type" for change, _ in changes})[:5])
    return Ignore(f"HubSpot's changes ({types}) are none that are acted upon.")


def _event(change: Change, problems: list[str], delivery: Delivery) -> Event:
    kind = _kind(change)
    assert kind is not None
    return event(
        kind,
        _material(change, problems, delivery),
        source=HubSpot.source,
        source_id=change.record_id,
        occurred_at=time_of(change.occurred_at) or delivery.received_at,
        key=_record_key(change),
    )


def _material(change: Change, problems: list[str], delivery: Delivery) -> CrmMaterial:
    record_type, word = _split(change)
    return CrmMaterial(
        record_type=record_type,
        record_id=change.record_id,
        change=word,
        change_id=_change_id(change, delivery),
        property=change.property_name,
        value=change.property_value,
        merged_ids=change.merged_object_ids,
        associated_from=change.from_object_id,
        associated_to=change.to_object_id,
        association_removed=change.association_removed,
        origin=change.change_source,
        origin_id=change.source_id,
        account_id=change.portal_id,
        properties=change.properties,
        problems=problems,
    )


def _kind(change: Change) -> EventKind | None:
    return _KINDS.get(_split(change))


def _split(change: Change) -> tuple[str, str]:
    record_type, _, word = change.type.partition(".")
    return (_RECORDS.get(change.object_type_id, record_type) if record_type == "object" else record_type), word


def _change_id(change: Change, delivery: Delivery) -> str:
    """Without ``attemptNumber``, which differs between repeats. What names nothing is known by its bytes."""
    if not (change.record_id and change.type):
        return digest(delivery.body)
    names: tuple[Any, ...] = (change.portal_id, change.type, change.object_type_id, change.record_id)
    return digest(*names, change.event_id, change.occurred_at, change.property_name, change.to_object_id)


def _record_key(change: Change) -> str:
    return f"{_split(change)[0]}:{change.record_id}" if change.record_id else ""
