"""Reading Plaud's transcriptions, in the shapes in which they may come."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import pytest

from higherself.integrations.base import Ignore
from higherself.integrations.delivery import Delivery, Unreadable
from higherself.integrations.events import EventKind
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.support import RECEIVED, material, one, read, told, utc
from tests.integrations.support import json_delivery, payload

PLAUD = PROVIDERS["plaud"]
SIGNED = (
    b'{"event":"transcription.completed","timestamp":"2026-05-21T15:30:00Z","data":{"transcription_id":"task_abc",'
    b'"file_id":"file_xyz","language":"en","duration":120,"word_count":240}}'
)


def test_a_completed_transcription_is_to_be_fetched():
    event = one("plaud", payload("plaud/transcription.completed.json"))
    assert (event.kind, event.source, event.source_id) == (EventKind.TRANSCRIPT_COMPLETED, "Plaud", "file_xyz")
    assert (event.occurred_at, event.key) == (utc(2026, 5, 21, 15, 30), "file:file_xyz")
    assert told(event) == {
        "file_id": "file_xyz",
        "transcription_id": "task_abc",
        "language": "en",
        "duration_seconds": "120",
        "words": 240,
    }


def test_a_failed_transcription_says_why():
    event = one("plaud", payload("plaud/transcription.failed.json"))
    assert (event.kind, event.data["error"]) == (EventKind.TRANSCRIPT_FAILED, "string: string")


def test_zapiers_fields_bring_the_text_itself():
    event = one("plaud", payload("plaud/zapier.json"))
    found = material(event)
    assert (event.kind, event.source_id, found.title) == (EventKind.TRANSCRIPT_COMPLETED, "rec_1", "Standup")
    assert (found.transcript, found.summary) == ("Alex: Hi", "## Summary\n\nA greeting.")
    assert found.content_hash == hashlib.sha256(b"Alex: Hi\x1f## Summary\n\nA greeting.").hexdigest()
    assert found.recorded_at == utc(2026, 9, 15, 15)


def test_other_spellings_and_a_recording_within_are_read():
    found = material(one("plaud", {"event": "transcription.completed", "data": {"transcriptionId": "t1"}}))
    assert (found.transcription_id, found.file_id) == ("t1", "")
    body = {
        "event": "transcription.completed",
        "delivered_at": "2026-05-06T12:05:00.000Z",
        "data": {"recording": {"id": "abc123", "name": "Walk", "duration_ms": 1500}, "transcript_preview": "Well,"},
    }
    event = one("plaud", body)
    found = material(event)
    assert (found.file_id, found.title, found.preview) == ("abc123", "Walk", "Well,")
    assert (found.duration_seconds, event.occurred_at) == (Decimal("1.5"), utc(2026, 5, 6, 12, 5))


def test_a_new_text_of_a_recording_is_another_delivery_and_the_same_one_is_not():
    def key(**changes: Any) -> str:
        return PLAUD.delivery_key(json_delivery(payload("plaud/zapier.json") | changes))

    assert key() == key(more=1)
    assert key() != key(transcript="Alex: Hello")
    assert PLAUD.ordering_key(json_delivery(payload("plaud/zapier.json"))) == "file:rec_1"


def test_devices_are_ignored_and_nameless_deliveries_unreadable():
    with pytest.raises(Ignore, match=r"event 'device.battery_low' is not one that is acted upon"):
        read("plaud", {"event": "device.battery_low", "data": {"id": 1}})
    for body in ({}, {"title": "x"}, {"event": "transcription.completed", "data": {"file_id": [1]}}):
        with pytest.raises(Unreadable, match="names no recording and holds no text"):
            read("plaud", body)
    assert one("plaud", {"transcript": "Hi"}).occurred_at == RECEIVED


@pytest.mark.parametrize(
    "signature",
    [
        "sha256=bdbb1e7ddec7c88c96440e5941841cfee80c9ae1fdf9baa004b685aa460de4a1",
        "33ee7a9a3f4890d1dc80a14534ffc764da7610791006d32a707937dd4eafec59",
    ],
)
def test_both_signatures_of_the_partner_pages_prove_a_delivery(settings, signature: str):
    settings.PROVIDERS = {"plaud": {"webhook_secret": "whsec_test_secret_value"}}
    headers = {"Plaud-Signature": signature, "Plaud-Timestamp": "2026-05-21T15:30:00Z"}
    assert PLAUD.verify(Delivery(SIGNED, headers)) is True
    assert PLAUD.verify(Delivery(SIGNED + b" ", headers)) is False


def test_openplauds_signature_is_valid_for_five_minutes(settings, monkeypatch):
    settings.PROVIDERS = {"plaud": {"webhook_secret": "whsec_example"}}
    body = b'{"event":"transcription.completed","delivered_at":"2026-05-06T12:05:00.000Z","data":{"id":"abc123"}}'
    mac = "t=1778078610,v1=50dc35c7bfdbad50806c900797751daee25db9a1097ce5ac5a5c1b84f3dfe162"
    delivery = Delivery(body, {"X-OpenPlaud-Signature": mac})
    for seconds, genuine in ((0, True), (300, True), (301, False), (-301, False)):
        monkeypatch.setattr("time.time", lambda seconds=seconds: 1778078610 + seconds)
        assert PLAUD.verify(delivery) is genuine
    assert PLAUD.verify(Delivery(body, {"X-OpenPlaud-Signature": "t=²,v1=x"})) is False
