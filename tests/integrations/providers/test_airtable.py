"""Reading Airtable's notifications."""

from __future__ import annotations

import pytest

from higherself.integrations.delivery import Unreadable
from higherself.integrations.events import EventKind
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.support import RECEIVED, one, read, utc
from tests.integrations.support import json_delivery, payload, raw

AIRTABLE = PROVIDERS["airtable"]


@pytest.mark.parametrize("file", ["ping.json", "ping.signed.raw"])
def test_a_ping_is_a_doorbell_with_ids_only(file: str):
    event = one("airtable", raw(f"airtable/{file}"))
    assert (event.kind, event.source, event.source_id) == (EventKind.RECORD_CHANGED, "Airtable", "ach00000000000000")
    assert (event.occurred_at, event.key) == (
        utc(2022, 2, 1, 21, 25, 5, 663_000),
        "app00000000000000:ach00000000000000",
    )
    assert event.data == {"problems": [], "base_id": "app00000000000000", "webhook_id": "ach00000000000000"}


def test_a_repeat_has_the_same_time_and_a_ping_without_one_is_never_a_repeat():
    body = payload("airtable/ping.json")
    first, again = json_delivery(body), json_delivery(body | {"more": 1})
    assert AIRTABLE.delivery_key(first) == AIRTABLE.delivery_key(again)
    assert AIRTABLE.ordering_key(first) == "app00000000000000:ach00000000000000"
    timeless = body | {"timestamp": None}
    one_, two = json_delivery(timeless, received_at=RECEIVED), json_delivery(timeless)
    assert AIRTABLE.delivery_key(one_) != AIRTABLE.delivery_key(two)
    assert one("airtable", timeless).occurred_at == RECEIVED


@pytest.mark.parametrize("part", ["base", "webhook"])
def test_a_ping_that_names_no_base_or_webhook_is_unreadable(part: str):
    with pytest.raises(Unreadable, match="there is nothing to fetch from"):
        read("airtable", payload("airtable/ping.json") | {part: "x"})
