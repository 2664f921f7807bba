"""Reading HubSpot's deliveries."""

from __future__ import annotations

from typing import Any

import pytest

from higherself.integrations.base import Ignore
from higherself.integrations.delivery import Unreadable
from higherself.integrations.events import EventKind
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.support import RECEIVED, one, read, told, utc
from tests.integrations.support import json_delivery, payload, raw

HUBSPOT = PROVIDERS["hubspot"]


def change(type_: str = "contact.creation", **fields: Any) -> dict[str, Any]:
    return {
        "subscriptionType": type_,
        "objectId": 7,
        "portalId": 33,
        "occurredAt": 1462216307945,
        "eventId": 1,
    } | fields


def test_the_published_batch_is_two_changes_of_two_contacts():
    first, second = read("hubspot", payload("hubspot/batch.json"))
    assert [event.kind for event in (first, second)] == [EventKind.CONTACT_CHANGED] * 2
    assert (first.source, first.source_id, first.key) == ("HubSpot", "1246965", "contact:1246965")
    assert first.occurred_at == utc(2016, 5, 2, 19, 11, 47, 945_000)
    assert told(first) == {
        "record_type": "contact",
        "record_id": "1246965",
        "change": "propertyChange",
        "change_id": first.data["change_id"],
        "property": "lifecyclestage",
        "value": "subscriber",
        "origin": "ACADEMY",
        "account_id": "33",
    }
    assert (second.source_id, second.data["change"], second.data["origin"]) == ("1246978", "creation", "IMPORT")


def test_the_published_creation_and_change_are_read():
    created = one("hubspot", raw("hubspot/contact.creation.raw"))
    assert (created.kind, created.source_id, created.data["change"]) == (EventKind.CONTACT_CHANGED, "123", "creation")
    changed = one("hubspot", payload("hubspot/contact.propertyChange.json"))
    assert (changed.source_id, changed.data["property"], changed.data["value"]) == (
        "847297356",
        "passport_number",
        "REDACTED",
    )
    assert changed.data["origin_id"] == "userId:882761034"


@pytest.mark.parametrize(
    ("fields", "kind", "record"),
    [
        (change("contact.deletion"), EventKind.CONTACT_DELETED, "7"),
        (change("contact.privacyDeletion"), EventKind.CONTACT_FORGOTTEN, "7"),
        (change("contact.restore"), EventKind.CONTACT_CHANGED, "7"),
        (change("contact.merge", primaryObjectId=7, mergedObjectIds=[8], newObjectId=9), EventKind.CONTACT_MERGED, "9"),
        (change("contact.associationChange", objectId=None, fromObjectId=5), EventKind.CONTACT_CHANGED, "5"),
        (change("deal.propertyChange"), EventKind.DEAL_CHANGED, "7"),
        (change("deal.deletion"), EventKind.DEAL_DELETED, "7"),
        (change("object.creation", objectTypeId="0-1"), EventKind.CONTACT_CHANGED, "7"),
        (change("object.propertyChange", objectTypeId="0-3"), EventKind.DEAL_CHANGED, "7"),
    ],
)
def test_each_change_is_an_event_about_the_record_that_is_left(fields: dict[str, Any], kind: EventKind, record: str):
    event = one("hubspot", [fields])
    assert (event.kind, event.source_id) == (kind, record)


def test_changes_come_in_the_order_in_which_they_happened():
    later, earlier = change(occurredAt=2000, objectId=1), change(occurredAt=1000, objectId=2)
    assert [event.source_id for event in read("hubspot", [later, earlier])] == ["2", "1"]


def test_what_nobody_needs_is_left_out_of_a_batch_and_ignored_alone():
    (event,) = read("hubspot", [change("company.creation"), change("contact.creation"), "noise"])
    assert event.kind == EventKind.CONTACT_CHANGED
    with pytest.raises(Ignore, match=r"HubSpot's changes \(company.creation, no type\) are none that are acted upon"):
        read("hubspot", [change("company.creation"), {"a": 1}])


@pytest.mark.parametrize("body", [[], ["x"], None, 7])
def test_what_is_no_list_of_changes_is_unreadable(body: Any):
    with pytest.raises(Unreadable, match="no list of changes"):
        read("hubspot", body)


def test_a_change_of_no_record_is_unreadable():
    with pytest.raises(Unreadable, match=r"contact.creation names no record"):
        read("hubspot", [change(objectId=[1])])


def test_a_time_that_is_none_is_reported_and_the_arrival_stands_in():
    event = one("hubspot", [change(occurredAt=None)])
    assert (event.occurred_at, event.data["problems"]) == (RECEIVED, ["Change.occurred_at: not given"])


def test_the_attempt_and_the_order_make_no_other_delivery():
    one_, two = change(objectId=1), change(objectId=2)
    first = json_delivery([one_ | {"attemptNumber": 0}, two | {"attemptNumber": 0}])
    again = json_delivery([two | {"attemptNumber": 1}, one_ | {"attemptNumber": 1}])
    assert HUBSPOT.delivery_key(first) == HUBSPOT.delivery_key(again)
    keys = {
        HUBSPOT.delivery_key(json_delivery([change(**{name: 5})])) for name in ("eventId", "occurredAt", "objectId")
    }
    assert len(keys) == 3


def test_order_is_kept_for_one_record_only():
    assert HUBSPOT.ordering_key(json_delivery([change(), change("contact.deletion")])) == "contact:7"
    assert HUBSPOT.ordering_key(json_delivery([change(), change(objectId=8)])) == ""
    assert (
        HUBSPOT.event_type(json_delivery([change(), change("contact.deletion")]))
        == "contact.creation, contact.deletion"
    )
