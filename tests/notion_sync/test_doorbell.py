"""Notion's webhooks, from the delivery to the row."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from agents_app.tasks import drain_inbox
from contacts.models import Contact
from higherself.integrations.models import InboundEvent
from notion_sync import doorbell
from notion_sync.client import NotionApi
from notion_sync.engine.counts import Counts
from notion_sync.engine.lease import hold
from notion_sync.models import NotionChange, NotionDatabase, NotionPage, PendingDelete, WebhookToken
from notion_sync.sandbox import Sandbox
from tests.factories import make_contact

CONTACTS = "Contacts & Profiles"
TOKEN = "secret_of-the-subscription"
BOT = "11111111-2222-4333-8444-555555555555"
Sync = Callable[..., Counts]


@pytest.fixture(autouse=True)
def _subscribed(settings: Any) -> None:
    settings.PROVIDERS = settings.PROVIDERS | {"notion": {"webhook_secret": TOKEN}}


def ring(kind: str, entity: str, *, authors: tuple[str, ...] = ("person",), event_id: str = "") -> Any:
    """A delivery as Notion signs it."""
    database = NotionDatabase.objects.get(key="contacts_profiles")
    body = json.dumps(
        {
            "id": event_id or str(uuid.uuid4()),
            "timestamp": "2026-11-23T10:00:00.000Z",
            "integration_id": BOT,
            "type": kind,
            "authors": [{"id": BOT if author == "bot" else str(uuid.uuid4()), "type": author} for author in authors],
            "attempt_number": 1,
            "entity": {"id": entity, "type": kind.split(".")[0]},
            "data": {"parent": {"id": database.database_id, "data_source_id": database.data_source_id}},
        }
    ).encode()
    return post(body, sign(body))


def sign(body: bytes, token: str = TOKEN) -> str:
    return "sha256=" + hmac.new(token.encode(), body, hashlib.sha256).hexdigest()


def post(body: bytes, signature: str = "") -> Any:
    headers = {"X-Notion-Signature": signature} if signature else {}
    return Client().post("/webhooks/notion", body, content_type="application/json", headers=headers)


def page_of(contact: Contact) -> str:
    return str(NotionPage.objects.get(database_id="contacts_profiles", object_id=contact.pk).page_id)


def hear(api: NotionApi) -> Counts:
    """Takes in what was delivered, waits until it is quiet (by moving the words back), and reads."""
    drain_inbox()
    for change in NotionChange.objects.all():
        NotionChange.objects.filter(pk=change.pk).update(last_at=change.last_at - doorbell.QUIET)
    with hold() as held:
        assert held is not None
        return doorbell.read(api, held)


def reads(notion: Sandbox) -> list[str]:
    return [
        f"{method} {path.rsplit('/', 1)[-1] if path.endswith('query') else 'page'}"
        for method, path, _ in notion.requests
    ]


def test_ten_edits_of_one_page_are_one_read(notion: Sandbox, sync: Sync, api: NotionApi) -> None:
    contact = make_contact()
    sync()
    notion.person.update(page_of(contact), {"Phone": "+441632960000"})
    notion.requests.clear()
    assert [ring("page.properties_updated", page_of(contact)).status_code for _ in range(10)] == [202] * 10
    hear(api)
    contact.refresh_from_db()
    assert (contact.phone, reads(notion)) == ("+441632960000", ["GET page"])


def test_nothing_is_read_while_the_edits_go_on(notion: Sandbox, sync: Sync, api: NotionApi) -> None:
    contact = make_contact()
    sync()
    ring("page.properties_updated", page_of(contact))
    drain_inbox()
    assert doorbell.due() == []
    change = NotionChange.objects.get()
    NotionChange.objects.update(first_at=change.first_at - doorbell.AT_LATEST - timedelta(seconds=1))
    assert doorbell.due() == [change]


def test_a_burst_over_many_pages_is_one_query(notion: Sandbox, sync: Sync, api: NotionApi) -> None:
    contacts = [make_contact() for _ in range(30)]
    sync()
    for contact in contacts:
        notion.person.update(page_of(contact), {"City": "Leeds"})
        ring("page.properties_updated", page_of(contact))
    notion.requests.clear()
    hear(api)
    assert reads(notion) == ["POST query"]
    assert Contact.objects.filter(city="Leeds").count() == 30


def test_a_trashed_page_is_archived_and_an_undeleted_one_comes_back(
    notion: Sandbox, sync: Sync, api: NotionApi
) -> None:
    contact = make_contact()
    sync()
    notion.person.trash(page_of(contact))
    ring("page.deleted", page_of(contact))
    hear(api)
    contact.refresh_from_db()
    assert contact.is_archived
    notion.person.restore(page_of(contact))
    ring("page.undeleted", page_of(contact))
    hear(api)
    contact.refresh_from_db()
    assert not contact.is_archived


def test_many_deletions_at_once_wait_for_a_person(notion: Sandbox, sync: Sync, api: NotionApi) -> None:
    contacts = [make_contact() for _ in range(10)]
    sync()
    for contact in contacts[:8]:
        notion.person.trash(page_of(contact))
        ring("page.deleted", page_of(contact))
    hear(api)
    assert PendingDelete.objects.count() == 8
    assert Contact.objects.live().count() == 10


def test_a_delivery_in_the_wrong_order_does_no_harm(notion: Sandbox, sync: Sync, api: NotionApi) -> None:
    contact = make_contact()
    sync()
    ring("page.deleted", page_of(contact))
    ring("page.properties_updated", page_of(contact))
    hear(api)
    contact.refresh_from_db()
    assert not contact.is_archived


def test_our_own_echo_is_not_read(notion: Sandbox, sync: Sync, api: NotionApi) -> None:
    contact = make_contact()
    sync()
    ring("page.properties_updated", page_of(contact), authors=("bot",))
    notion.requests.clear()
    hear(api)
    assert reads(notion) == []
    assert InboundEvent.objects.get().status == InboundEvent.Status.IGNORED


def test_an_edit_by_a_person_beside_ours_is_read(notion: Sandbox, sync: Sync, api: NotionApi) -> None:
    contact = make_contact()
    sync()
    notion.person.update(page_of(contact), {"City": "Leeds"})
    ring("page.properties_updated", page_of(contact), authors=("bot", "person"))
    hear(api)
    contact.refresh_from_db()
    assert contact.city == "Leeds"


def test_a_new_page_becomes_a_row(notion: Sandbox, sync: Sync, api: NotionApi) -> None:
    page = notion.person.create(CONTACTS, {"Full Name": "Grace Hopper"})
    ring("page.created", page["id"])
    hear(api)
    assert Contact.objects.get().full_name == "Grace Hopper"


def test_a_changed_structure_is_noticed_at_once(notion: Sandbox, sync: Sync, api: NotionApi) -> None:
    sync()
    notion.person.delete_property(CONTACTS, "Phone")
    ring("data_source.schema_updated", NotionDatabase.objects.get(key="contacts_profiles").data_source_id)
    hear(api)
    assert NotionDatabase.objects.get(key="contacts_profiles").state == NotionDatabase.State.PAUSED


@pytest.mark.parametrize(
    "kind", ["comment.created", "page.locked", "file_upload.completed", "view.updated", "something.new", "page"]
)
def test_every_other_event_is_kept_and_answered(notion: Sandbox, kind: str) -> None:
    assert ring(kind, str(uuid.uuid4())).status_code == 202
    drain_inbox()
    assert InboundEvent.objects.get().status == InboundEvent.Status.IGNORED


def test_the_same_delivery_again_is_a_duplicate(notion: Sandbox) -> None:
    event_id = str(uuid.uuid4())
    first = ring("page.created", str(uuid.uuid4()), event_id=event_id)
    again = ring("page.created", str(uuid.uuid4()), event_id=event_id)
    assert (again.status_code, again.json()) == (200, {"event_id": first.json()["event_id"], "status": "duplicate"})


def test_the_hand_shake_is_kept_for_an_operator_and_trusts_nobody(
    db: None, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.PROVIDERS = settings.PROVIDERS | {"notion": {"webhook_secret": ""}}
    body = json.dumps({"verification_token": "secret_new"}).encode()
    assert post(body).status_code == 200
    assert InboundEvent.objects.count() == 0
    assert WebhookToken.objects.get().token == "secret_new"
    signed = json.dumps({"id": "1", "type": "page.created"}).encode()
    assert post(signed, sign(signed, "secret_new")).status_code == 503
    call_command("notion_webhook_token")
    assert capsys.readouterr().out.split()[-1] == "NOTION_WEBHOOK_TOKEN=secret_new"


def test_a_hand_shake_cannot_replace_a_token_that_is_set(db: None) -> None:
    body = json.dumps({"verification_token": "secret_of-somebody-else"}).encode()
    assert post(body).status_code == 200
    assert (WebhookToken.objects.get().token, InboundEvent.objects.count()) == ("secret_of-somebody-else", 0)
    signed = json.dumps({"id": "1", "type": "page.created"}).encode()
    assert post(signed, sign(signed, "secret_of-somebody-else")).status_code == 401
    assert post(signed, sign(signed)).status_code == 202


def test_a_hand_shake_with_the_token_that_is_set_says_nothing_new(db: None, settings: Any) -> None:
    token = settings.PROVIDERS["notion"]["webhook_secret"]
    assert post(json.dumps({"verification_token": token}).encode()).status_code == 200
    assert (WebhookToken.objects.count(), InboundEvent.objects.count()) == (0, 0)


@pytest.mark.parametrize("token", ["a\u0000b", "\ud800", "x" * 5000])
def test_a_hand_shake_of_a_stranger_breaks_nothing(db: None, settings: Any, token: str) -> None:
    settings.PROVIDERS = settings.PROVIDERS | {"notion": {"webhook_secret": ""}}
    assert post(json.dumps({"verification_token": token}).encode()).status_code == 200
    assert WebhookToken.objects.count() == 1
