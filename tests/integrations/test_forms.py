"""The website's form: fields, repeats, bots, floods, and pages of other origins."""

from __future__ import annotations

from datetime import datetime, timezone
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client

from higherself.integrations import inbox
from higherself.integrations.events import Event, EventKind
from higherself.integrations.models import InboundEvent
from tests.integrations.support import payload

pytestmark = pytest.mark.django_db
URL = "/api/forms/submit"
FORM = "application/x-www-form-urlencoded"
ADA = {"email": "ada@example.com", "first_name": "Ada"}


def submit(data: Any, content_type: str = "application/json", client: Client | None = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return (client or Client()).post(URL, data, content_type=content_type, headers=named)


def only_event() -> Event:
    (event,) = inbox.read(InboundEvent.objects.get())
    return event


def test_a_form_in_json_is_accepted_and_read_as_a_lead(woken):
    answer = submit(
        ADA
        | {"email": " Ada@Example.COM ", "interests": ["Yoga"], "consent": True, "form_id": "contact", "shoe_size": 38}
    )
    stored = InboundEvent.objects.get()
    assert (answer.status_code, answer.json()) == (202, {"event_id": str(stored.pk), "status": "accepted"})
    assert (stored.provider, stored.event_type, stored.ordering_key) == ("website", "form.submitted", "ada@example.com")
    event = only_event()
    assert (event.kind, event.source, event.key) == (EventKind.LEAD_SUBMITTED, "Website", "ada@example.com")
    assert event.data == {
        "form_id": "contact",
        "form_title": "",
        "answers": [],
        "hidden": {},
        "fields": {"email": "ada@example.com", "first_name": "Ada", "interests": ["Yoga"], "shoe_size": 38},
        "submitted_at": stored.received_at.isoformat(),
        "consent": {"marketing": True},
    }
    assert woken == ["drain_inbox"]


@pytest.mark.parametrize("url", ["/api/forms/submit", "/api/forms/submit/"])
def test_a_form_in_form_encoding_is_accepted(url: str):
    body = (
        "email=ada%40example.com&interests[]=Yoga&interests[]=Art&consent=on&utm[source]=news&utm_medium=mail&x=1&x=2"
    )
    assert Client().post(url, body, content_type=FORM).status_code == 202
    data = only_event().data
    assert data["fields"] == {"email": "ada@example.com", "interests": ["Yoga", "Art"], "x": ["1", "2"]}
    assert data["hidden"] == {"utm_source": "news", "utm_medium": "mail"}
    assert data["consent"] == {"marketing": True}


def test_a_form_in_multipart_is_accepted():
    assert Client().post(URL, {"email": "ada@example.com", "message": "Grüße"}).status_code == 202
    assert only_event().data["fields"] == {"email": "ada@example.com", "message": "Grüße"}


def test_the_nested_shape_of_the_sites_script_is_accepted():
    assert submit(payload("website/form_submit.json")).status_code == 202
    event = only_event()
    assert event.occurred_at == datetime(2026, 11, 23, 10, 15, 30, tzinfo=timezone.utc)
    assert event.source_id == "4b8f2c0e-1f0a-4f6e-9a51-2b7c5b9d1e77"
    assert event.data == {
        "form_id": "contact",
        "form_title": "",
        "answers": [],
        "hidden": {
            "utm_source": "newsletter",
            "utm_medium": "email",
            "utm_campaign": "autumn",
            "page_url": "https://www.example.com/contact?utm_source=newsletter",
            "referrer": "https://www.google.com/",
        },
        "fields": {
            "email": "ada@example.com",
            "first_name": "Ada",
            "last_name": "Lovelace",
            "phone": "+441632960961",
            "message": "I would like to join the next course.",
        },
        "submitted_at": "2026-11-23T10:15:30+00:00",
        "consent": {"marketing": True, "text": "I agree to receive e-mails.", "version": "2026-11"},
    }


def test_a_page_that_sends_plain_text_to_avoid_a_preflight_is_understood():
    assert submit(b'{"email": "ada@example.com"}', "text/plain").status_code == 202


@pytest.mark.parametrize(
    ("consent", "expected"),
    [
        ("yes", {"marketing": True}),
        ("1", {"marketing": True}),
        (False, {"marketing": False}),
        ("off", {"marketing": False, "text": "off"}),
        ("I agree to everything", {"marketing": False, "text": "I agree to everything"}),
        ({"marketing": "true", "text": "ok"}, {"marketing": True, "text": "ok"}),
        ({"text": "ok"}, {"marketing": False, "text": "ok"}),
        (None, None),
    ],
)
def test_only_a_plain_yes_is_consent(consent: Any, expected: Any):
    assert submit(ADA | {"consent": consent}).status_code == 202
    assert only_event().data["consent"] == expected


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        ({}, "email", "This field is required."),
        ({"email": ""}, "email", "This field may not be blank."),
        ({"email": None}, "email", "This field may not be null."),
        ({"email": "ada"}, "email", "An email address must have an @-sign."),
        ({"email": ["ada@example.com"]}, "email", "Not a valid string."),
        (ADA | {"first_name": "x" * 151}, "first_name", "Ensure this field has no more than 150 characters."),
        (ADA | {"phone": {"a": 1}}, "phone", "Not a valid string."),
        (ADA | {"message": "a\x00b"}, "message", "Null characters are not allowed."),
        (ADA | {f"f{n}": n for n in range(100)}, "non_field_errors", "The form has too many fields."),
    ],
)
def test_field_errors_are_named(data: dict[str, Any], field: str, message: str):
    answer = submit(data)
    assert (answer.status_code, answer.json()) == (400, {field: [message]})
    assert InboundEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b"email=%FF", FORM, 400),
        (b"<a/>", "application/xml", 415),
        (b'{"email": "a@example.com", "message": "' + b"x" * 65536 + b'"}', "application/json", 413),
    ],
)
def test_what_is_no_form_is_refused_with_the_reason(body: bytes, content_type: str, status: int):
    answer = submit(body, content_type)
    assert (answer.status_code, list(answer.json())) == (status, ["detail"])
    assert InboundEvent.objects.count() == 0


def test_a_repeat_with_the_same_idempotency_key_is_a_duplicate_even_if_it_says_more():
    first = submit(ADA, Idempotency_Key="k1")
    again = submit(ADA | {"message": "by the way"}, Idempotency_Key="k1")
    assert (again.status_code, again.json()) == (200, first.json() | {"status": "duplicate"})
    assert submit(ADA, Idempotency_Key="k2").status_code == 202


def test_a_fixed_idempotency_key_does_not_lose_the_next_visitor():
    assert submit(ADA, Idempotency_Key="fixed").status_code == 202
    assert submit({"email": "grace@example.com"}, Idempotency_Key="fixed").status_code == 202


def test_a_repeat_with_the_same_submission_id_is_a_duplicate():
    assert submit(ADA | {"submission_id": "s1"}).status_code == 202
    assert submit(ADA | {"submission_id": "s1", "message": "x"}).status_code == 200
    assert submit(ADA | {"submission_id": "s2"}).status_code == 202


def test_the_same_content_within_ten_minutes_is_a_duplicate():
    # Three minutes before a window of the key ends, so that the repeat falls into the next one.
    with time_machine.travel(datetime(2026, 11, 23, 12, 7, tzinfo=timezone.utc), tick=False) as clock:
        first = submit(ADA)
        clock.shift(599)
        again = submit(ADA | {"submitted_at": "2026-11-23T12:16:59Z"})
        assert (again.status_code, again.json()) == (200, first.json() | {"status": "duplicate"})
        clock.shift(2)
        assert submit(ADA).status_code == 202
        assert submit(ADA).status_code == 200


def test_the_same_content_in_another_encoding_is_the_same_form():
    assert submit(ADA).status_code == 202
    assert submit("first_name=Ada&email=ada%40example.com", FORM).status_code == 200


def test_a_filled_honeypot_is_answered_like_others_and_kept_for_a_person(woken):
    answer = submit(ADA | {"website": "https://spam.example"})
    stored = InboundEvent.objects.get()
    assert (answer.status_code, answer.json()) == (202, {"event_id": str(stored.pk), "status": "accepted"})
    assert (stored.status, stored.next_attempt_at) == ("ignored", None)
    assert stored.error == "The hidden field was filled in, as bots do. If this was a person, replay it."
    assert woken == []
    assert submit({"website": "x", "email": "nonsense"}).status_code == 202
    inbox.replay(InboundEvent.objects.filter(pk=stored.pk), "ada")
    (event,) = inbox.read(stored)
    assert event.data["fields"] == ADA


def test_a_trapped_form_with_a_broken_address_says_so_when_it_is_read():
    submit({"website": "x", "email": "nonsense"})
    with pytest.raises(Exception, match="The form cannot be used: email: An email address must have an @-sign"):
        only_event()


def test_a_flood_from_one_address_is_held_back_but_not_a_server_that_knows_the_secret(settings):
    settings.FORM_THROTTLE = "2/h"
    assert [submit({"email": f"a{n}@example.com"}).status_code for n in range(3)] == [202, 202, 429]
    refused = submit(ADA)
    assert 1 <= int(refused["Retry-After"]) <= 3601
    assert submit(ADA, X_Webhook_Secret="wrong").status_code == 429
    assert submit(ADA, X_Webhook_Secret=settings.WEBHOOK_SECRET).status_code == 202
    assert submit(ADA, client=Client(REMOTE_ADDR="192.0.2.9")).status_code == 200


def test_without_a_configured_secret_no_secret_lifts_the_limit(settings):
    settings.FORM_THROTTLE, settings.WEBHOOK_SECRET = "1/h", ""
    assert [submit(ADA, X_Webhook_Secret="").status_code for _ in range(2)] == [202, 429]


def test_behind_trusted_proxies_the_limit_is_the_visitors(settings):
    settings.FORM_THROTTLE, settings.TRUSTED_PROXIES = "1/h", 1
    assert submit({"email": "a@example.com"}, X_Forwarded_For="203.0.113.1").status_code == 202
    assert submit({"email": "b@example.com"}, X_Forwarded_For="203.0.113.2").status_code == 202
    assert submit({"email": "c@example.com"}, X_Forwarded_For="6.6.6.6, 203.0.113.2").status_code == 429


def test_a_listed_origin_may_send_and_read_the_answer(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://www.example.com"]
    asked = Client().options(URL, headers={"Origin": "https://www.example.com"})
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked["Access-Control-Allow-Origin"] == "https://www.example.com"
    assert asked["Access-Control-Allow-Methods"] == "POST, OPTIONS"
    assert asked["Access-Control-Allow-Headers"] == "Content-Type, Idempotency-Key"
    for data, status in ((ADA, 202), ({}, 400)):
        answer = submit(data, Origin="https://www.example.com")
        assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (status, "https://www.example.com")
        assert "Origin" in answer["Vary"]


@pytest.mark.parametrize("origin", ["https://evil.example", "https://www.example.com.evil.example", "null", ""])
def test_another_origin_gets_no_leave_to_read(settings, origin: str):
    settings.CORS_ALLOWED_ORIGINS = ["https://www.example.com"]
    asked = Client().options(URL, headers={"Origin": origin})
    sent = submit(ADA, Origin=origin)
    assert (asked.status_code, sent.status_code) == (204, 202)
    assert ("Access-Control-Allow-Origin" in asked, "Access-Control-Allow-Origin" in sent) == (False, False)


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_other_methods_are_not_allowed(method: str):
    assert getattr(Client(), method)(URL).status_code == 405


def test_a_database_that_cannot_store_is_a_503(monkeypatch):
    def insert(rows: Any) -> Any:
        raise OperationalError("database is locked")

    monkeypatch.setattr("higherself.integrations.intake._insert", insert)
    answer = submit(ADA, Idempotency_Key="k")
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")


def test_a_form_with_its_own_key_costs_one_statement_and_one_without_two(django_assert_num_queries):
    with django_assert_num_queries(1):
        submit(ADA, Idempotency_Key="k")
    with django_assert_num_queries(2):
        submit(ADA)


def test_a_person_who_sends_a_trapped_form_again_properly_is_no_repeat():
    assert submit(ADA | {"website": "filled in by the browser"}, Idempotency_Key="k1").status_code == 202
    again = submit(ADA, Idempotency_Key="k1")
    assert (again.status_code, again.json()["status"]) == (202, "accepted")
    assert submit(ADA | {"website": "x"}, Idempotency_Key="k1").json()["status"] == "duplicate"


@pytest.mark.parametrize("depth", [41, 300, 900, 30_000])
def test_a_form_that_is_nested_too_deeply_is_refused(depth: int):
    answer = submit(b'{"email": "ada@example.com", "x": ' + b"[" * depth + b"]" * depth + b"}")
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])
    assert answer.json()["detail"].endswith("nested too deeply to be read.")
    assert InboundEvent.objects.count() == 0


def test_a_form_that_was_cut_off_on_its_way_is_refused():
    body = b"email=ada%40example.com&message=Please+do+not"
    came = {"CONTENT_LENGTH": "55", "wsgi.input": BytesIO(body)}
    answer = Client().post(URL, body, content_type=FORM, **came)
    assert (answer.status_code, answer.json()) == (400, {"detail": "The body ended after 45 of 55 bytes."})
    assert InboundEvent.objects.count() == 0


def test_optional_fields_may_be_empty():
    empty = {"submitted_at": "", "interests": "", "consent": "", "phone": "", "page_url": None}
    assert submit(ADA | empty).status_code == 202
    assert only_event().data["fields"] == ADA
