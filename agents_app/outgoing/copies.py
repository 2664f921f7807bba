"""Copies of contacts and workflow instances at Airtable, kept equal with what is here.

A record that has changed is told once with all that is copied of it, ten records a call; what changes between two looks
is told as it stands then. A record is found again there by our own id, so that it exists once whoever it is about, and
an erased person is emptied there, too. Airtable is only written to: its id of the row comes back, nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from agents_app.models import Copied, WorkflowInstance
from agents_app.outgoing import rules
from agents_app.services import catalog
from contacts.models import Contact
from higherself.core.jobs import job
from higherself.integrations import outbox
from higherself.integrations.models import OutboundCall
from higherself.integrations.registry import PROVIDERS

AIRTABLE, UPSERT = "airtable", "records.upsert"
# Airtable: update multiple records. So many are one request there.
AT_ONCE = 10
# Records of each kind in one look; the rest is done by the next one.
MOST = 500
JOB = "copy_to_airtable"
_CAME_TO_NOTHING = (OutboundCall.Status.CANCELLED, OutboundCall.Status.EXPIRED)


@dataclass(frozen=True)
class _Kind:
    name: str
    key: str
    rows: Callable[[], QuerySet[Any]]


KINDS = {
    "contacts": _Kind("contacts", "contact_id", lambda: Contact.objects.all()),
    "instances": _Kind("instances", "instance_id", lambda: WorkflowInstance.objects.select_related("workflow")),
}


@job(JOB, every_seconds=300)
def copy_to_airtable() -> int:
    """Hands over what has changed since the last look; returns how many records. Nothing while it is not wanted."""
    wanted: rules.Copies | None = catalog.current().rule(rules.AIRTABLE)
    if wanted is None or not outbox.is_configured(AIRTABLE):
        return 0
    return sum(_look(KINDS[name], copy) for name in KINDS if (copy := getattr(wanted, name)) is not None)


def _look(kind: _Kind, copy: rules.Copy) -> int:
    seen = Copied.objects.filter(kind=kind.name, object_id=OuterRef("pk"))
    # What an erasure of somebody else in the same call has cancelled, or what has expired; not what a person dropped.
    lost = OutboundCall.objects.filter(pk=OuterRef("call"), status__in=_CAME_TO_NOTHING, decided_by="")
    rows = kind.rows().annotate(
        seen_at=Subquery(seen.values("seen_at")[:1]),
        known=Subquery(seen.values("pk")[:1]),
        call=Subquery(seen.values("call_id")[:1]),
        lost=Exists(lost),
    )
    # Any other time is a change: of two writers at once, the one that began first may commit last.
    changed = Q(seen_at=None) | ~Q(seen_at=F("updated_at")) | Q(lost=True)
    news = rows.filter(Q(known=None, archived_at=None) | Q(known__isnull=False) & changed)
    found = list(news.order_by("pk")[:MOST])
    return sum(_hand_over(kind, copy, found[start : start + AT_ONCE]) for start in range(0, len(found), AT_ONCE))


@transaction.atomic
def _hand_over(kind: _Kind, copy: rules.Copy, rows: Sequence[Any]) -> int:
    """One call for those of which something has changed that is copied."""
    known = {row.object_id: row for row in Copied.objects.filter(kind=kind.name, object_id__in=[r.pk for r in rows])}
    marks = [known.get(row.pk) or Copied(kind=kind.name, object_id=row.pk) for row in rows]
    news = []
    for row, mark in zip(rows, marks, strict=True):
        fields = {there: _value(row, ours) for there, ours in copy.fields.items()}
        digest = digest_of(copy.table, fields)
        mark.seen_at = row.updated_at
        if mark.digest != digest or row.lost:
            mark.digest, mark.version = digest, mark.version + 1
            news.append((mark, fields))
    if news:
        names = repr([(mark.object_id, mark.version, mark.digest) for mark, _ in news])
        payload = {
            "table": copy.table,
            "merge_on": [copy.field_of(kind.key)],
            "records": [fields for _, fields in news],
            "refs": [f"{kind.name}:{mark.object_id}" for mark, _ in news],
        }
        key = f"{AIRTABLE}:{kind.name}:{hashlib.sha256(names.encode()).hexdigest()}"
        call = outbox.enqueue(AIRTABLE, UPSERT, payload, dedupe_key=key)
        for mark, _ in news:
            mark.call_id = call.pk
    columns = ("kind", "object_id", "seen_at", "call_id", "version", "digest")
    Copied.objects.bulk_create(
        [Copied(**{name: getattr(mark, name) for name in columns}) for mark in marks],
        update_conflicts=True,
        unique_fields=["kind", "object_id"],
        update_fields=columns[2:],
    )
    return len(news)


def digest_of(table: str, fields: dict[str, Any]) -> str:
    """Changes with the content, and with where it is written to."""
    base = PROVIDERS[AIRTABLE].options.get("base_id", "")
    content = json.dumps([base, table, fields], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()


def _value(row: Any, name: str) -> Any:
    """As Airtable takes it; what is empty here is emptied there."""
    value = (row.workflow.workflow_id if row.workflow else "") if name == "workflow_id" else getattr(row, name)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (bool, int, float)):
        return value
    return value or None


def done(call: OutboundCall) -> None:
    """Airtable has the rows: their ids come back. A call that was sent late, after a newer one, is made good."""
    ids, refs, records = call.result.get("ids") or [], call.payload.get("refs") or [], call.payload.get("records") or []
    for ref, found, fields in zip(refs, ids, records, strict=False):
        name, _colon, pk = str(ref).partition(":")
        if name not in KINDS or not found:
            continue
        rows = KINDS[name].rows().filter(pk=pk).exclude(airtable_record_id=found)
        for row in rows.select_for_update(of=("self",)):
            row.airtable_record_id = str(found)[:200]
            row.save(update_fields=["airtable_record_id"])
        digest = digest_of(call.payload.get("table", ""), fields)
        Copied.objects.filter(kind=name, object_id=pk).exclude(digest=digest).update(seen_at=None, digest="")
