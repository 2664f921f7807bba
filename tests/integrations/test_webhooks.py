"""The webhooks' address: what senders get to hear, and what is in the inbox afterwards."""

from __future__ import annotations

import gzip
import json
import logging
from io import BytesIO
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from higherself.integrations.models import InboundEvent
from higherself.integrations.registry import PROVIDERS
from tests.integrations.support import raw, typeform_body, typeform_headers

pytestmark = pytest.mark.django_db
URL = "/webhooks/typeform"
MIB = 1024 * 1024


def send(body: bytes, *, url: str = URL, content_type: str = "application/json", **headers: str) -> Any:
    """Sends a body to Typeform's address with a right signature, unless the headers say otherwise."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client().post(url, body, content_type=content_type, headers=typeform_headers(body) | named)


def test_a_signed_delivery_is_accepted_and_a_repeat_is_a_duplicate():
    body = raw("typeform/form_response.signed.raw")
    first = send(body)
    event = InboundEvent.objects.get()
    assert (first.status_code, first.json()) == (202, {"event_id": str(event.pk), "status": "accepted"})
    again = send(body)
    assert (again.status_code, again.json()) == (200, {"event_id": str(event.pk), "status": "duplicate"})
    assert bytes(event.body) == body


@pytest.mark.parametrize("url", ["/webhooks/typeform/", "/webhooks/typeform/some-token", "/webhooks/typeform/x/"])
def test_a_trailing_slash_and_a_token_lead_to_the_same_place(url: str):
    assert send(typeform_body("t1"), url=url).status_code == 202
    assert send(typeform_body("t1")).status_code == 200


def test_the_query_string_is_kept_and_means_nothing_to_us():
    assert send(typeform_body("t1"), url=URL + "?format=xml&business_entity=the-7-space").status_code == 202
    assert InboundEvent.objects.get().query == "format=xml&business_entity=the-7-space"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense"])
def test_the_answer_is_json_whatever_the_sender_accepts(accept: str):
    answer = send(typeform_body("t1"), Accept=accept)
    assert (answer.status_code, answer["Content-Type"]) == (202, "application/json")


def test_a_wrong_signature_is_refused_stored_nowhere_and_logged(caplog):
    with caplog.at_level(logging.WARNING):
        answer = send(typeform_body("t1"), Typeform_Signature="sha256=AAAA")
    assert (answer.status_code, answer.json()) == (401, {"detail": "The signature or secret is missing or wrong."})
    assert InboundEvent.objects.count() == 0
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("higherself.integrations")]
    assert ours == ["refused a delivery to typeform from 127.0.0.1: not genuine"]


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "head"])
@pytest.mark.parametrize("slug", ["unknown", "website", "Typeform", "typeform%00"])
def test_an_unknown_provider_is_not_found_by_any_method(method: str, slug: str):
    answer = getattr(Client(), method)(f"/webhooks/{slug}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_other_methods_are_not_allowed(method: str):
    answer = getattr(Client(), method)(URL)
    assert answer.status_code == 405
    assert answer.json() == {"detail": f'Method "{method.upper()}" not allowed.'}
    assert answer["Allow"] == "GET, HEAD, POST"


def test_who_only_looks_hears_where_to_send():
    answer = Client().get(URL)
    assert (answer.status_code, answer.json()) == (
        200,
        {"provider": "typeform", "detail": "Send events here with POST."},
    )
    head = Client().head(URL)
    assert (head.status_code, head.content) == (200, b"")
    assert InboundEvent.objects.count() == 0


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_provider_without_a_secret_is_unavailable(settings, method: str):
    settings.PROVIDERS = settings.PROVIDERS | {"typeform": {"webhook_secret": ""}}
    answer = getattr(Client(), method)(URL)
    assert (answer.status_code, answer.json()) == (503, {"detail": "Typeform is not configured on this server."})
    assert answer["Retry-After"] == "3600"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"no json", "application/json; charset=utf-8"),
        (b'{"a": NaN}', "application/json"),
        (b"\xff\xfe", "application/vnd.api+json"),
        (b"a=\xff", "application/x-www-form-urlencoded"),
        (b"a=1", "multipart/form-data"),
    ],
)
def test_a_body_that_is_not_what_its_content_type_says_is_refused(body: bytes, content_type: str):
    answer = send(body, content_type=content_type)
    assert answer.status_code == 400
    assert list(answer.json()) == ["detail"]
    assert InboundEvent.objects.count() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"1",
        b'"text"',
        b"{}",
        b'{"event_type": "form_deleted"}',
        b'{"event_type": 7, "form_response": []}',
        b'{"event_type": "form_response", "form_response": {"form_id": {}, "token": null}}',
        b'{"event_type": "\\u0000\\ud800"}',
        b'{"n": ' + b"9" * 5000 + b"}",
        b'{"n": 1e999}',
        b'{"a": 1, "a": 2}',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
    ],
)
def test_a_signed_body_of_any_shape_is_stored(body: bytes):
    answer = send(body)
    assert answer.status_code == 202
    assert bytes(InboundEvent.objects.get().body) == body


def test_the_size_limit_counts_the_bytes_as_they_travel():
    body = b'"' + b"x" * (MIB - 2) + b'"'
    assert len(body) == MIB
    assert send(body).status_code == 202
    answer = send(body + b" ")
    assert (answer.status_code, answer.json()) == (413, {"detail": "The body is over 1048576 bytes."})


def test_an_announced_size_over_the_limit_is_refused_unread():
    answer = send(b"{}", Content_Length=str(8 * MIB + 1))
    assert answer.status_code == 413


def test_what_is_a_little_too_large_is_read_away_before_it_is_refused():
    class Source(BytesIO):
        largest = 0

        def read(self, size: int | None = -1) -> bytes:
            self.largest = max(self.largest, size or 0)
            return super().read(size)

    source = Source(b"x" * (MIB + 1))
    content = {"wsgi.input": source, "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(MIB + 1)}
    assert Client().generic("POST", URL, **content).status_code == 413
    assert (source.tell(), source.largest) == (MIB + 1, 64 * 1024)


@pytest.mark.parametrize(("length", "status"), [("x", 400), ("-1", 400), ("²", 400), ("", 401), ("9" * 5000, 413)])
def test_a_broken_content_length_is_no_failure_of_ours(length: str, status: int):
    assert send(typeform_body("t1"), Content_Length=length).status_code == status


def test_a_chunked_body_without_a_length_is_read():
    def stream(body: bytes) -> int:
        headers = typeform_headers(body) | {"Transfer-Encoding": "chunked", "Content-Length": ""}
        content = {"wsgi.input": BytesIO(body), "CONTENT_TYPE": "application/json"}
        return Client().generic("POST", URL, headers=headers, **content).status_code

    body = typeform_body("t1")
    assert stream(body) == 202
    assert bytes(InboundEvent.objects.get().body) == body
    assert stream(b'"' + b"x" * MIB + b'"') == 413


def test_a_compressed_body_is_verified_as_it_travelled_and_read_unpacked():
    plain = typeform_body("t1")
    packed = gzip.compress(plain)
    assert send(packed, Content_Encoding="gzip").status_code == 202
    event = InboundEvent.objects.get()
    assert (event.delivery_key, bytes(event.body)) == ("lT4Z3j:t1", packed)
    assert event.delivery().json == json.loads(plain)
    assert send(plain).status_code == 200
    wrong = send(packed, Content_Encoding="gzip", **typeform_headers(plain))
    assert wrong.status_code == 401


def test_a_compressed_body_that_unpacks_beyond_the_limit_is_too_large():
    assert send(gzip.compress(b" " * (MIB + 1)), Content_Encoding="gzip").status_code == 413


def test_what_is_no_gzip_is_refused():
    assert send(typeform_body("t1"), Content_Encoding="gzip").status_code == 400


def test_a_flood_is_held_back_with_the_time_to_wait(settings):
    settings.WEBHOOK_THROTTLE = "2/h"
    assert [send(typeform_body(f"t{n}")).status_code for n in range(3)] == [202, 202, 429]
    answer = send(typeform_body("t4"))
    assert 1 <= int(answer["Retry-After"]) <= 3601
    assert answer.json() == {"detail": f"Too many requests. Try again in {answer['Retry-After']} s."}
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    body = typeform_body("t5")
    assert elsewhere.post(URL, body, content_type="application/json", headers=typeform_headers(body)).status_code == 202


def test_a_database_that_cannot_store_is_a_503_and_not_a_lost_event(monkeypatch):
    def insert(rows: Any) -> Any:
        raise OperationalError("database is locked")

    monkeypatch.setattr("higherself.integrations.intake._insert", insert)
    answer = send(typeform_body("t1"))
    assert (answer.status_code, answer.json()) == (
        503,
        {"detail": "The database cannot store this now. Send it again."},
    )
    assert answer["Retry-After"] == "60"


def test_a_delivery_costs_one_statement(django_assert_num_queries):
    # Which secrets belong to registered webhooks is asked for every few seconds only.
    assert send(typeform_body("t0")).status_code == 202
    with django_assert_num_queries(1):
        assert send(typeform_body("t1")).status_code == 202


def test_a_session_and_a_csrf_token_are_not_asked_for():
    body = typeform_body("t1")
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(URL, body, content_type="application/json", headers=typeform_headers(body))
    assert answer.status_code == 202
    assert answer.cookies == {}


def test_a_provider_whose_payload_nobody_reads_yet_is_stored_and_says_so(settings, monkeypatch):
    monkeypatch.setattr(PROVIDERS["snovio"], "reads", False)
    settings.PROVIDERS = settings.PROVIDERS | {"snovio": {"webhook_secret": "a-secret-of-snovio"}}
    answer = Client().post("/webhooks/snovio/a-secret-of-snovio", {"x": 1}, content_type="application/json")
    assert answer.status_code == 202
    event = InboundEvent.objects.get()
    assert (event.status, event.next_attempt_at) == ("ignored", None)
    assert event.error == "There is no reader for Snov.io yet: the delivery is kept and can be replayed later."
    assert "a-secret-of-snovio" not in repr(event.__dict__)


def test_woocommerces_unsigned_ping_gets_a_200_and_stores_nothing(settings):
    settings.PROVIDERS = settings.PROVIDERS | {"woocommerce": {"webhook_secret": "wc"}}

    def ping(body: str, **headers: str) -> int:
        form = "application/x-www-form-urlencoded"
        return Client().post("/webhooks/woocommerce", body, content_type=form, headers=headers).status_code

    assert ping("webhook_id=142") == 200
    assert ping("webhook_id=142&x=1") == 401
    assert ping("webhook_id=142", **{"X-WC-Webhook-Signature": "AAAA"}) == 401
    assert InboundEvent.objects.count() == 0


@pytest.mark.parametrize("body", [b"", b"  ", b"null", b'{"body": null}'])
def test_circles_test_calls_get_a_200_and_store_nothing(settings, body: bytes):
    settings.PROVIDERS = settings.PROVIDERS | {"circle": {"webhook_secret": "c"}}
    client = Client()
    assert client.post("/webhooks/circle/c", body, content_type="application/json").status_code == 200
    assert [client.head("/webhooks/circle/c").status_code, client.get("/webhooks/circle/c").status_code] == [200, 200]
    assert client.post("/webhooks/circle/wrong", b'{"type": "x"}', content_type="application/json").status_code == 401
    assert InboundEvent.objects.count() == 0
