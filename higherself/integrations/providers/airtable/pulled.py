"""What we fetch from Airtable ourselves, as deliveries, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from higherself.integrations.base import digest
from higherself.integrations.delivery import Delivery
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import RecordMaterial
from higherself.integrations.providers.airtable.schemas import Change, Changes, Pulled, Record
from higherself.integrations.reading import read, text, time_of, whole

K = EventKind
# Kind, table, record, values and previous values.
Changed = tuple[EventKind, str, str, dict[str, Any], dict[str, Any]]


def changes(base: str, webhook: str, payloads: list[dict[str, Any]], cursor: int, operation: str) -> list[Delivery]:
    """One delivery for each payload. Its place in the webhook's list, which starts at 1 and has no gaps, names it."""
    return [
        _delivery(
            {"base": {"id": base}, "webhook": {"id": webhook}, "position": cursor + number, "payload": item}, operation
        )
        for number, item in enumerate(payloads)
    ]


def row(base: str, table: str, record: Mapping[str, Any]) -> Delivery:
    return _delivery({"base": {"id": base}, "table": {"id": table}, "record": record}, "backfill")


def again(base: str, webhook: str, cursor: int) -> Delivery:
    """A ring of our own: there is more to fetch."""
    return _delivery(
        {"base": {"id": base}, "webhook": {"id": webhook}, "timestamp": f"cursor-{cursor}"}, "payloads.read"
    )


def key(body: Mapping[str, Any]) -> str:
    """The delivery key of what we fetched; empty for anything else. Never raises."""
    found, _ = read(Pulled, body)
    if found.payload and found.position is not None:
        return f"{found.base.id}:{found.webhook.id}:{found.position}"
    if found.record:
        return f"{found.base.id}:{found.table.id}:{text(found.record.get('id'))}:{digest(_json(found.record))}"
    return ""


def events(body: Mapping[str, Any], delivery: Delivery, source: str) -> list[Event]:
    """One for each record that it concerns."""
    found, problems = read(Pulled, body)
    if found.record:
        record, more = read(Record, found.record)
        item: Changed = (K.RECORD_UPDATED, found.table.id, record.id, record.fields, {})
        return [_event(item, found, delivery.received_at, Changes(), problems + more, source)]
    told, more = read(Changes, found.payload)
    moment = time_of(told.timestamp) or delivery.received_at
    return [_event(item, found, moment, told, problems + more, source) for item in _changed(told)]


def _changed(told: Changes) -> Iterator[Changed]:
    for table, item in sorted(told.changed_tables_by_id.items()):
        if not isinstance(item, dict):
            continue
        change, _ = read(Change, item)
        for record, value in sorted(change.created_records_by_id.items()):
            yield K.RECORD_CREATED, table, record, _cells(value), {}
        for record, value in sorted(change.changed_records_by_id.items()):
            current, previous = (value.get("current"), value.get("previous")) if isinstance(value, dict) else ({}, {})
            yield K.RECORD_UPDATED, table, record, _cells(current), _cells(previous)
        for record in change.destroyed_record_ids:
            yield K.RECORD_DELETED, table, record, {}, {}


def _event(
    item: Changed,
    found: Pulled,
    moment: datetime,
    told: Changes,
    problems: list[str],
    source: str,
) -> Event:
    kind, table, record, values, previous = item
    user = (told.action_metadata.get("sourceMetadata") or {}) if isinstance(told.action_metadata, dict) else {}
    person = user.get("user") if isinstance(user, dict) else {}
    material = RecordMaterial(
        base_id=found.base.id,
        table_id=table,
        record_id=record,
        change=kind.value.partition(".")[2],
        values=values,
        previous=previous,
        transaction=whole(told.base_transaction_number),
        origin=text(told.action_metadata.get("source")),
        actor=text(person.get("email")) if isinstance(person, dict) else "",
        problems=problems,
    )
    return event(kind, material, source=source, source_id=record, occurred_at=moment, key=f"{found.base.id}:{record}")


def _cells(value: Any) -> dict[str, Any]:
    cells = value.get("cellValuesByFieldId") if isinstance(value, dict) else None
    return cells if isinstance(cells, dict) else {}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _delivery(body: Mapping[str, Any], operation: str) -> Delivery:
    return Delivery(_json(body).encode("utf-8", "replace"), content_type="application/json", pulled=operation)
