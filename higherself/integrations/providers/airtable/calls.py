"""What may be wanted of Airtable."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from higherself.integrations.client import Payload

# Airtable: update multiple records.
MOST_FIELDS_TO_MERGE_ON = 3


class Records(Payload):
    """Rows of one table, found again by the values of ``merge_on``. ``table`` is its id or name; fields are named as
    there. With ``typecast`` Airtable makes texts into what the field holds, such as a new option of a select.
    ``refs`` are the caller's own names of the records; they are kept with the call and not sent.
    """

    table: str = Field(min_length=1)
    merge_on: list[str] = Field(min_length=1, max_length=MOST_FIELDS_TO_MERGE_ON)
    records: list[dict[str, Any]] = Field(min_length=1, max_length=1000)
    typecast: bool = True
    base_id: str = ""
    refs: list[str] = []


class Ring(Payload):
    """The bell has rung: what is new at this webhook is to be fetched."""

    base_id: str = Field(min_length=1)
    webhook_id: str = Field(min_length=1)
