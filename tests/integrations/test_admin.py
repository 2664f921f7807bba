"""The inbox in the console."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from higherself.integrations.models import InboundEvent
from tests.factories import make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("owner", password="a-long-password"))
    return client


def _event(**given: Any) -> InboundEvent:
    number = InboundEvent.objects.count()
    values = {"provider": "typeform", "delivery_key": f"d{number}", "body": b"{}", "content_type": "application/json"}
    return InboundEvent.objects.create(**values | given)


def _page(client: Client, event: InboundEvent) -> str:
    answer = client.get(reverse("admin:integrations_inboundevent_change", args=[event.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_json_body_is_shown_indented(owner: Client):
    page = _page(owner, _event(body=b'{"a":{"b":"<script>"}}'))

    assert "{\n  &quot;a&quot;: {\n    &quot;b&quot;: &quot;&lt;script&gt;&quot;\n  }\n}" in page


@pytest.mark.parametrize(
    ("body", "content_type", "shown"),
    [
        (b"a=1&b=2", "application/x-www-form-urlencoded", "&quot;a&quot;: ["),
        (b"plain words", "text/plain", "plain words"),
        (b"{broken", "application/json", "{broken"),
        (b"\xff\xfe\x00", "application/octet-stream", "ff fe 00"),
        (b'{"a": "\\ud800"}', "application/json", "&quot;a&quot;"),
        (b"[" * 5000, "application/json", "[[["),
        (b"", "application/json", "hs-code"),
    ],
)
def test_every_body_can_be_looked_at(owner: Client, body: bytes, content_type: str, shown: str):
    assert shown in _page(owner, _event(body=body, content_type=content_type))


def test_a_packed_body_is_unpacked(owner: Client):
    event = _event(body=gzip.compress(json.dumps({"word": "hello"}).encode()), headers={"content-encoding": "gzip"})

    assert "&quot;word&quot;: &quot;hello&quot;" in _page(owner, event)


def test_proofs_and_our_own_secrets_are_masked(owner: Client, settings: Any):
    secret = settings.WEBHOOK_SECRET
    event = _event(
        body=json.dumps({"echo": secret}).encode(),
        headers={"typeform-signature": "sha256=0123456789abcdef0123456789abcdef", "user-agent": "Typeform Webhooks"},
        query=f"token={secret}",
    )

    page = _page(owner, event)

    assert secret not in page
    assert "0123456789abcdef0123456789abcdef" not in page
    assert "Typeform Webhooks" in page


def test_what_an_event_has_made_is_a_click_away(owner: Client):
    contact = make_contact()
    event = _event(created=[{"model": "contacts.contact", "id": contact.pk, "label": "Jane"}, {"id": 1}])

    assert reverse("admin:contacts_contact_change", args=[contact.pk]) in _page(owner, event)


def test_an_event_is_replayed_with_the_name_of_who_asked(owner: Client):
    event = _event(status="quarantined", error="broken", attempts=8, next_attempt_at=None)

    owner.post(reverse("admin:integrations_inboundevent_do", args=[event.pk, "replay"]))

    event.refresh_from_db()
    assert (event.status, event.attempts, event.error, event.replayed_by) == ("received", 0, "", "owner")


def test_many_are_replayed_and_those_in_work_are_left_alone(owner: Client):
    failed = _event(status="quarantined", next_attempt_at=None)
    busy = _event(status="processing", next_attempt_at=timezone.now() + timezone.timedelta(minutes=1))

    owner.post(
        reverse("admin:integrations_inboundevent_changelist"),
        {"action": "replay", "_selected_action": [str(failed.pk), str(busy.pk)]},
    )

    statuses = {row.pk: row.status for row in InboundEvent.objects.all()}
    assert statuses == {failed.pk: "received", busy.pk: "processing"}


def test_whoever_may_only_look_cannot_replay(client: Client):
    user = User.objects.create_user("viewer", password="a-long-password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_inboundevent"))
    client.force_login(user)
    event = _event(status="quarantined", next_attempt_at=None)

    assert client.get(reverse("admin:integrations_inboundevent_change", args=[event.pk])).status_code == 200
    assert client.post(reverse("admin:integrations_inboundevent_do", args=[event.pk, "replay"])).status_code == 403
    listed = client.get(reverse("admin:integrations_inboundevent_changelist"))
    assert (
        [name for name, _label in listed.context["action_form"].fields["action"].choices] == [""]
        if listed.context["action_form"]
        else True
    )


def test_an_event_is_found_by_its_id(owner: Client):
    event, _other = _event(), _event()

    found = owner.get(reverse("admin:integrations_inboundevent_changelist"), {"q": str(event.pk)}).context["cl"]

    assert [row.pk for row in found.result_list] == [event.pk]


# -- looking for and replaying --------------------------------------------------------------------------------------
def _found(client: Client, term: str, **filters: str) -> list[Any]:
    answer = client.get(reverse("admin:integrations_inboundevent_changelist"), {"q": term, **filters})
    return sorted(row.delivery_key for row in answer.context["cl"].result_list)


def test_events_are_found_by_id_by_key_and_by_words_of_what_came(owner: Client):
    first = _event(body='{"name": "Lucía", "email": "lucia@example.org"}'.encode())
    escaped = _event(body=b'{"name": "Luc\\u00eda"}')
    _event(body=b'{"name": "Somebody"}', event_type="form_response")

    assert _found(owner, str(first.pk)) == [first.delivery_key]
    assert _found(owner, escaped.delivery_key) == [escaped.delivery_key]
    assert _found(owner, "lucia@example.org") == [first.delivery_key]
    assert _found(owner, "Lucía") == [first.delivery_key, escaped.delivery_key]
    assert _found(owner, "form_response") == ["d2"]
    assert _found(owner, "100%_'\"") == []


def test_words_are_looked_for_in_the_newest_that_the_filters_leave(owner: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("higherself.integrations.admin.searching.NEWEST", 1)
    old = _event(body=b"needle", received_at=timezone.now() - timedelta(days=1), provider="amelia")
    _event(body=b"hay")

    assert _found(owner, "needle") == []
    assert _found(owner, "needle", provider="amelia") == [old.delivery_key]


def test_events_are_replayed_by_provider_state_and_time_after_a_look(owner: Client):
    now = timezone.now()
    wanted = _event(status="quarantined", next_attempt_at=None, received_at=now - timedelta(hours=2), error="broken")
    _event(status="quarantined", next_attempt_at=None, received_at=now - timedelta(days=2))
    _event(status="quarantined", next_attempt_at=None, provider="amelia", received_at=now - timedelta(hours=2))
    _event(status="processed", next_attempt_at=None, received_at=now - timedelta(hours=2))
    url = reverse("admin:replay_events")
    since = f"{now - timedelta(days=1):%Y-%m-%dT%H:%M}"
    query = {"status": "quarantined", "provider": "typeform", "since": since, "until": "", "event_type": ""}

    look = owner.get(url, query)
    assert (look.context["number"], [event.pk for event in look.context["first"]]) == (1, [wanted.pk])
    assert InboundEvent.objects.filter(status="received").count() == 0

    owner.post(url, query)
    (replayed,) = InboundEvent.objects.filter(status="received")
    assert (replayed.pk, replayed.error, replayed.replayed_by) == (wanted.pk, "", "owner")


def test_replaying_by_filter_needs_the_right_to_change_events(client: Client):
    user = User.objects.create_user("viewer", password="a-long-password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_inboundevent"))
    client.force_login(user)

    assert client.get(reverse("admin:replay_events")).status_code == 403


def test_an_event_that_is_tried_in_vain_is_put_aside_with_the_last_reason_kept(owner: Client):
    waiting = _event(status="retrying", attempts=3, error="Notion was away")
    done = _event(status="processed", next_attempt_at=None)
    for event in (waiting, done):
        owner.post(reverse("admin:integrations_inboundevent_do", args=[event.pk, "quarantine"]))

    waiting.refresh_from_db()
    done.refresh_from_db()
    assert (waiting.status, waiting.next_attempt_at) == ("quarantined", None)
    assert waiting.error == "Stopped by owner. Before that: Notion was away"
    assert done.status == "processed"
