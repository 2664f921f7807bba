"""Airtable's notification (webhooks overview), which rings, and what is fetched then (list webhook payloads)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from higherself.integrations import reading
from higherself.integrations.reading import Part, Text, Texts, Whole


class Named(Part):
    id: Text = ""


class Ping(Part):
    wanted: ClassVar[tuple[str, ...]] = ("timestamp",)

    base: Named = Named()
    webhook: Named = Named()
    timestamp: Text = ""


class Pulled(Part):
    """What we have fetched: a payload of a webhook, or a record."""

    base: Named = Named()
    webhook: Named = Named()
    table: Named = Named()
    position: Whole = None
    payload: reading.Named = {}
    record: reading.Named = {}


class Camel(Part):
    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)


class Changes(Camel):
    """One payload. ``error`` is set where Airtable could not make it, with a code."""

    timestamp: Text = ""
    base_transaction_number: Text = ""
    action_metadata: reading.Named = {}
    changed_tables_by_id: reading.Named = {}
    error: Any = None
    code: Text = ""


class Change(Camel):
    """What changed in one table. Cells are by field id."""

    created_records_by_id: reading.Named = {}
    changed_records_by_id: reading.Named = {}
    destroyed_record_ids: Texts = []


class Record(Part):
    id: Text = ""
    fields: reading.Named = {}
