"""From what only points at something to the thing itself, through inbox, outbox and inbox."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents_app.tasks import drain_inbox
from higherself.integrations import relay
from higherself.integrations.models import InboundEvent, OutboundCall
from higherself.integrations.registry import PROVIDERS
from tests.integrations import support
from tests.seeds import planted
from tests.standins.airtable import BASE
from tests.standins.airtable import SECRET as MAC_SECRET
from tests.standins.server import StandIns

pytestmark = pytest.mark.django_db
SECRET = "webhook-secret-of-the-tests"


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch, settings: Any, standins: StandIns, db: None) -> None:
    planted()
    monkeypatch.setattr("higherself.core.jobs.wake", lambda _name: None)
    monkeypatch.setattr("higherself.core.jobs.wake_in", lambda _name, _seconds: None)
    settings.PROVIDERS = {slug: {**row, "webhook_secret": SECRET} for slug, row in settings.PROVIDERS.items()}
    for slug in ("circle", "snovio", "plaud", "airtable"):
        monkeypatch.setattr(PROVIDERS[slug].client_class, "per_second", 0.0)


def sent(slug: str, body: Any, query: str = "") -> InboundEvent:
    url = f"/webhooks/{slug}/{SECRET}" + (f"?{query}" if query else "")
    answer = Client().post(url, json.dumps(body), content_type="application/json")
    assert answer.status_code == 202
    return InboundEvent.objects.get(pk=answer.json()["event_id"])


def carried_out() -> OutboundCall:
    OutboundCall.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    assert relay.send_one("test")
    assert not relay.send_one("test")
    return OutboundCall.objects.get()


def test_a_nudge_of_circle_brings_the_member(standins: StandIns):
    standins["circle"].join("ada@example.org", "Ada")
    nudge = sent("circle", {"type": "member_joined", "data": {"community_member_id": 77}})
    drain_inbox()
    nudge.refresh_from_db()
    assert nudge.status == InboundEvent.Status.PROCESSED
    call = carried_out()
    assert (call.operation, call.result) == ("member.read", {"found": True, "member_id": "77"})
    (fetched,) = InboundEvent.objects.exclude(pk=nudge.pk)
    assert (fetched.delivery().pulled, fetched.ordering_key) == ("member.read", "member:77")
    (event,) = PROVIDERS["circle"].parse(fetched.delivery())
    assert (event.kind.value, event.data["email"]) == ("member.read", "ada@example.org")
    drain_inbox()
    assert OutboundCall.objects.count() == 1, "what was read asks for nothing more"


def test_a_ping_of_snovio_brings_the_prospect(standins: StandIns):
    standins["snovio"].prospects["ada@example.org"] = {"id": "p1==", "name": "Ada"}
    sent("snovio", {"prospectEmail": "ada@example.org", "campaignId": 9}, "event=campaign_reply.received")
    drain_inbox()
    # Who replies is a lead, which HubSpot is told; that is another story.
    OutboundCall.objects.filter(provider="hubspot").delete()
    assert carried_out().result == {"found": True, "id": "p1==", "status": "active"}


def test_a_transcription_of_plaud_without_its_text_is_completed(standins: StandIns):
    data = {"text": "Hello.", "language": "en"}
    standins["plaud"].transcriptions["t1"] = {"transcription_id": "t1", "status": "SUCCESS", "data": data}
    sent("plaud", {"event": "transcription.completed", "data": {"transcription_id": "t1", "file_id": "f1"}})
    drain_inbox()
    carried_out()
    newest = InboundEvent.objects.order_by("-received_at")[0]
    (event,) = PROVIDERS["plaud"].parse(newest.delivery())
    assert (event.data["transcript"], event.data["file_id"]) == ("Hello.", "f1")
    drain_inbox()
    assert OutboundCall.objects.count() == 1


def test_the_bell_of_airtable_brings_the_records(standins: StandIns, settings: Any):
    standins["airtable"].hook("https://hub.example.com/webhooks/airtable", "ach1")
    standins["airtable"].payload("ach1", "rec1", {"fldName": "Ada"})
    body = json.dumps({"base": {"id": BASE}, "webhook": {"id": "ach1"}, "timestamp": "2026-11-23T10:00:00Z"}).encode()
    options = {**settings.PROVIDERS["airtable"], "webhook_secret": MAC_SECRET}
    settings.PROVIDERS = {**settings.PROVIDERS, "airtable": options}
    proof = support.airtable(body, MAC_SECRET, "")
    answer = Client().post("/webhooks/airtable", body, content_type="application/json", headers=proof.headers)
    assert answer.status_code == 200
    drain_inbox()
    assert carried_out().result == {"cursor": 2, "payloads": 1}
    keys = InboundEvent.objects.order_by("received_at").values_list("delivery_key", flat=True)
    assert list(keys)[1:] == [f"{BASE}:ach1:1"]


def test_a_nudge_that_is_replayed_reads_nothing_twice(standins: StandIns):
    standins["circle"].join("ada@example.org", "Ada")
    nudge = sent("circle", {"type": "member_joined", "data": {"community_member_id": 77}})
    for _ in range(2):
        drain_inbox()
        InboundEvent.objects.filter(pk=nudge.pk).update(
            status=InboundEvent.Status.RECEIVED, next_attempt_at=timezone.now(), attempts=0
        )
    assert OutboundCall.objects.count() == 1


def test_without_credentials_a_nudge_asks_for_nothing(settings: Any):
    settings.PROVIDERS = {"circle": {"webhook_secret": SECRET}}
    nudge = sent("circle", {"type": "event_published", "data": {"event_id": 5}})
    drain_inbox()
    nudge.refresh_from_db()
    assert (nudge.status, OutboundCall.objects.count()) == (InboundEvent.Status.PROCESSED, 0)
