"""What is refused at the door: counted for staff, at no cost to what is genuine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from higherself.core import metrics
from higherself.core.retention import clean_up
from higherself.integrations import refusals
from higherself.integrations.admin.refused import remedy, shut_out
from higherself.integrations.models import PULLED, InboundEvent, RefusedDelivery
from higherself.integrations.refusals import MOST_ADDRESSES, Count, Key, Tally
from higherself.integrations.registry import PROVIDERS
from tests.integrations.support import typeform_body, typeform_headers

pytestmark = pytest.mark.django_db
HOUR = timezone.now().replace(minute=0, second=0, microsecond=0)
MIB = 1024 * 1024


def send(slug: str = "typeform", body: bytes = b"{}", *, address: str = "203.0.113.7", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = Client(REMOTE_ADDR=address).post(f"/webhooks/{slug}", body, content_type="application/json", headers=named)
    return answer.status_code


def counted(*fields: str) -> list[tuple[Any, ...]]:
    return sorted(RefusedDelivery.objects.values_list(*(fields or ("provider", "reason", "number"))))


def wrong(slug: str = "typeform", times: int = 1, **given: Any) -> RefusedDelivery:
    now = timezone.now()
    values = {"reason": "wrong_proof", "address": "203.0.113.7", "hour": HOUR, "first_at": now, "last_at": now}
    return RefusedDelivery.objects.create(**{"provider": slug, "number": times, **values, **given})


@pytest.mark.parametrize(
    ("slug", "headers", "reason"),
    [
        ("typeform", {}, "no_proof"),
        ("typeform", {"Typeform_Signature": "sha256=AAAA"}, "wrong_proof"),
        ("typeform/some-token", {}, "no_proof"),
        ("woocommerce", {"X_WC_Webhook_Signature": "AAAA"}, "wrong_proof"),
        ("notion", {"X_Notion_Signature": "sha256=00"}, "wrong_proof"),
        ("airtable", {"X_Airtable_Content_MAC": "hmac-sha256=00"}, "wrong_proof"),
        ("snovio", {}, "no_proof"),
        ("snovio/not-the-secret", {}, "wrong_proof"),
        ("snovio", {"X_Webhook_Secret": "not-the-secret"}, "wrong_proof"),
        ("amelia", {"X_WP_Webhook_Signature": "AAAA"}, "wrong_proof"),
        ("tutorlm", {"X_TLAT_Signature": "00"}, "wrong_proof"),
        (
            "hubspot",
            {"X_HubSpot_Signature_v3": "AAAA", "X_HubSpot_Request_Timestamp": "{now}000"},
            "wrong_proof",
        ),
        ("hubspot", {"X_HubSpot_Signature_v3": "AAAA", "X_HubSpot_Request_Timestamp": "{long_ago}000"}, "stale"),
        ("beehiiv", {"svix_id": "m", "svix_signature": "v1,AAAA", "svix_timestamp": "{now}"}, "wrong_proof"),
        ("beehiiv", {"svix_id": "m", "svix_signature": "v1,AAAA", "svix_timestamp": "{long_ago}"}, "stale"),
        ("plaud", {"X_OpenPlaud_Signature": "t={now},v1=00"}, "wrong_proof"),
        ("plaud", {"X_OpenPlaud_Signature": "t={long_ago},v1=00"}, "stale"),
        ("plaud", {"Plaud_Signature": "00"}, "wrong_proof"),
    ],
)
def test_it_is_told_apart_why_a_delivery_is_not_genuine(settings: Any, slug: str, headers: dict[str, str], reason: str):
    provider = slug.partition("/")[0]
    secret = "whsec_c2VjcmV0LXNlY3JldA==" if provider == "beehiiv" else "c2VjcmV0LXNlY3JldA=="
    settings.PROVIDERS = {**settings.PROVIDERS, provider: {"webhook_secret": secret, "base_url": ""}}
    times = {"now": int(time.time()), "long_ago": int(time.time()) - 900}
    assert send(slug, b'{"a": 1}', **{name: value.format(**times) for name, value in headers.items()}) == 401
    assert counted() == [(provider, reason, 1)]


def test_every_other_refusal_has_its_reason(settings: Any, monkeypatch: pytest.MonkeyPatch):
    broken = b"{broken"
    assert send(body=broken, **typeform_headers(broken)) == 400
    assert send(body=b"x" * (MIB + 1)) == 413
    assert send("typefrom") == 404
    settings.WEBHOOK_SECRET = ""
    assert send("circle", b'{"a": 1}') == 503
    settings.WEBHOOK_THROTTLE = "1/min"
    assert [send("notion"), send("notion")] == [503, 429]
    settings.WEBHOOK_THROTTLE = ""
    monkeypatch.setattr("higherself.integrations.views.store", _away)
    body = typeform_body("t1")
    assert send(body=body, **typeform_headers(body)) == 503
    assert counted("provider", "reason", "detail") == [
        ("", "unknown", "No provider is called 'typefrom'."),
        ("circle", "not_configured", "Circle.so is not configured on this server."),
        ("notion", "flood", RefusedDelivery.objects.get(reason="flood").detail),
        ("notion", "not_configured", "Notion is not configured on this server."),
        ("typeform", "not_stored", ""),
        ("typeform", "too_large", f"The body is over {MIB} bytes."),
        ("typeform", "unreadable", RefusedDelivery.objects.get(reason="unreadable").detail),
    ]


def _away(*_args: Any, **_options: Any) -> None:
    raise OperationalError("the server closed the connection")


def test_what_the_websites_form_refuses_is_counted_as_the_websites(settings: Any):
    settings.FORM_THROTTLE = "1/min"
    submit = {"data": b"<x/>", "content_type": "text/xml"}
    assert [Client().post("/api/forms/submit", **submit).status_code for _ in range(2)] == [415, 429]
    assert counted() == [("website", "flood", 1), ("website", "unreadable", 1)]


def test_who_only_looks_whether_somebody_is_there_is_not_counted():
    assert Client().get("/webhooks/unknown").status_code == 404
    assert Client().put("/webhooks/unknown").status_code == 404
    assert counted() == []


def test_one_address_and_reason_is_one_row_an_hour():
    for _ in range(5):
        send(Typeform_Signature="sha256=AAAA", User_Agent="Typeform Webhooks")
    send(address="2001:db8:1:2:3:4:5:6")
    assert counted("address", "reason", "number", "agent") == [
        ("2001:db8:1:2::/64", "no_proof", 1, ""),
        ("203.0.113.7", "wrong_proof", 5, "Typeform Webhooks"),
    ]
    RefusedDelivery.objects.update(hour=HOUR - timedelta(hours=1))
    send(Typeform_Signature="sha256=AAAA")
    assert counted("number") == [(1,), (1,), (5,)]


def test_nothing_of_an_unproved_delivery_is_kept_and_no_secret_of_ours(settings: Any):
    settings.PROVIDERS = {**settings.PROVIDERS, "typeform": {"webhook_secret": "our-own-secret", "base_url": ""}}
    send(
        body=b'{"secret": "body"}',
        Typeform_Signature="sha256=SIGNED",
        User_Agent="bot our-own-secret \ud800 " + "x" * 999,
    )
    send("our-own-secret")
    rows = list(RefusedDelivery.objects.order_by("reason").values("provider", "detail", "agent"))
    assert rows == [
        {"provider": "", "detail": "No provider is called '***'.", "agent": ""},
        {
            "provider": "typeform",
            "detail": "The signature or secret is missing or wrong.",
            "agent": ("bot *** ? " + "x" * 999)[:150],
        },
    ]


def test_an_hour_names_so_many_addresses_and_counts_the_others_together():
    refused = {Key(HOUR, "typeform", "no_proof", f"a{number}"): _one() for number in range(MOST_ADDRESSES + 20)}
    refusals._write(refused)
    refusals._write(refused)
    assert RefusedDelivery.objects.count() == MOST_ADDRESSES + 1
    assert RefusedDelivery.objects.get(address="").number == 40
    assert set(RefusedDelivery.objects.exclude(address="").values_list("number", flat=True)) == {2}


def _one(detail: str = "") -> Count:
    return Count(1, HOUR, HOUR, detail)


def test_two_processes_add_up():
    key = Key(HOUR, "typeform", "no_proof", "a")
    later = HOUR + timedelta(minutes=5)
    refusals._write({key: Count(3, HOUR, HOUR, "first")})
    refusals._write({key: Count(4, later, later, "second")})
    assert counted("number", "first_at", "last_at", "detail") == [(7, HOUR, later, "second")]


class Writer:
    """Stands in for the database; ``error`` is what it says as long as there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.written: list[dict[Key, int]] = []
        self.done = threading.Event()

    def __call__(self, counts: dict[Key, Count]) -> None:
        if self.error:
            self.done.set()
            raise self.error
        self.written.append({key: count.number for key, count in counts.items()})
        self.done.set()


def _key(address: str = "a") -> Key:
    return Key(HOUR, "typeform", "no_proof", address)


def test_a_thousand_refusals_are_one_write():
    writer = Writer()
    tally = Tally(writer, pause=0.2)
    for _ in range(1000):
        tally.add(_key(), _one())
    assert writer.done.wait(10)
    assert writer.written == [{_key(): 1000}]
    tally.flush()
    assert len(writer.written) == 1


def test_a_process_remembers_no_more_addresses_than_it_may_name():
    writer = Writer()
    tally = Tally(writer, pause=60)
    for number in range(MOST_ADDRESSES + 50):
        tally.add(_key(f"a{number}"), _one())
    tally.flush()
    tally.forget()
    assert len(writer.written[0]) == MOST_ADDRESSES + 1
    assert writer.written[0][_key("")] == 50


def test_what_the_database_cannot_take_is_kept_and_written_when_it_is_back():
    writer = Writer(OperationalError("away"))
    tally = Tally(writer, pause=0.01, retry=0.05)
    tally.add(_key(), _one())
    assert writer.done.wait(10)
    tally.add(_key(), _one())
    writer.error = None
    writer.done.clear()
    assert writer.done.wait(10)
    assert writer.written == [{_key(): 2}]


def test_what_the_database_will_never_take_is_dropped(caplog: Any):
    tally = Tally(Writer(DataError("out of range")), pause=60)
    tally.add(_key(), _one())
    tally.flush()
    tally.forget()
    assert [record.getMessage() for record in caplog.records] == [
        "refused deliveries could not be counted and were dropped"
    ]


@pytest.mark.django_db(transaction=True)
def test_a_refusal_asks_the_database_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(refusals, "_tally", Tally(refusals._write, pause=600))
    send(Typeform_Signature="sha256=AAAA")  # looks the registered webhooks up, once in ten seconds
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert {send(Typeform_Signature="sha256=AAAA") for _ in range(30)} == {401}
    assert len(queries) == 0
    assert counted() == []
    refusals.flush()
    refusals.forget()
    assert counted() == [("typeform", "wrong_proof", 31)]


def test_old_counts_are_cleared_away(settings: Any):
    wrong(last_at=timezone.now() - timedelta(days=31))
    wrong("notion")
    assert clean_up() == {"refused deliveries": 1}
    assert counted("provider") == [("notion",)]


# -- in the console -------------------------------------------------------------------------------------------------
def test_the_list_says_who_why_how_often_and_what_to_do(staff: Callable[..., Client]):
    wrong(times=12, agent="<b>Typeform</b>")
    page = staff("Viewer").get(reverse("admin:integrations_refuseddelivery_changelist")).content.decode()
    for text in (
        "Typeform",
        "signature or secret is not ours",
        "203.0.113.7",
        ">12<",
        "compare TYPEFORM_WEBHOOK_SECRET with the secret in the webhook&#x27;s settings at Typeform",
    ):
        assert text in page


def test_the_list_is_narrowed_by_provider_reason_and_time(staff: Callable[..., Client]):
    mine, now = wrong(), timezone.now()
    wrong("notion")
    wrong(reason="no_proof")
    wrong(address="old", last_at=now - timedelta(days=2))
    url = reverse("admin:integrations_refuseddelivery_changelist")
    query = {"provider": "typeform", "reason__exact": "wrong_proof", "since": "day"}
    assert list(staff("Operator").get(url, query).context["cl"].result_list) == [mine]
    assert list(staff("Owner").get(url, {"q": "old"}).context["cl"].result_list.values_list("address")) == [("old",)]


def test_a_record_shows_the_strangers_words_as_text(staff: Callable[..., Client]):
    row = wrong(agent="<script>alert(1)</script>")
    page = staff("Owner").get(reverse("admin:integrations_refuseddelivery_change", args=[row.pk])).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize("role", ["Marketing", "Community"])
def test_those_who_may_not_see_deliveries_do_not_see_these(staff: Callable[..., Client], role: str):
    assert staff(role).get(reverse("admin:integrations_refuseddelivery_changelist")).status_code == 403


def test_the_integrations_page_tells_of_each_and_of_those_that_went_astray(staff: Callable[..., Client]):
    wrong(times=7)
    wrong("", 1234, reason="unknown")
    page = staff("Owner").get(reverse("admin:integrations")).content.decode()
    assert "7 in 14 days" in page
    assert "?provider=typeform" in page
    assert "1,234 deliveries in 14 days went to an address" in page
    assert "?reason__exact=unknown" in page


def test_home_names_a_provider_none_of_whose_deliveries_is_let_in(staff: Callable[..., Client]):
    wrong(times=5)
    (matter,) = shut_out()
    assert (matter.count, matter.title) == (5, "deliveries of Typeform were refused")
    assert matter.url == reverse("admin:integrations_refuseddelivery_changelist") + "?provider=typeform"
    assert "deliveries of Typeform were refused" in staff("Owner").get(reverse("admin:index")).content.decode()
    assert "were refused" not in staff("Marketing").get(reverse("admin:index")).content.decode()


def _let_in(at: Any, **headers: str) -> None:
    InboundEvent.objects.create(provider="typeform", delivery_key=f"k{at}", body=b"{}", received_at=at, headers=headers)


def test_home_is_quiet_once_a_delivery_is_let_in_and_not_for_what_we_fetched_ourselves():
    now = timezone.now()
    wrong(times=5, first_at=now - timedelta(hours=2))
    _let_in(now - timedelta(hours=1), **{PULLED: "backfill"})
    assert [matter.count for matter in shut_out()] == [5]
    _let_in(now - timedelta(minutes=50))
    assert shut_out() == []
    wrong(times=3, address="another", first_at=now - timedelta(minutes=10))
    assert [matter.count for matter in shut_out()] == [3]


@pytest.mark.parametrize(
    "given",
    [
        {"times": 2},
        {"reason": "flood", "times": 50},
        {"slug": "circle", "times": 50},
        {"times": 50, "last_at": timezone.now() - timedelta(hours=25)},
    ],
)
def test_home_is_quiet_about_stray_callers(given: dict[str, Any], settings: Any):
    settings.WEBHOOK_SECRET = ""
    wrong(**given)
    assert shut_out() == []


@pytest.mark.parametrize("slug", sorted(slug for slug, item in PROVIDERS.items() if item.takes_webhooks))
@pytest.mark.parametrize("reason", sorted(set(refusals.Reason.values) - {"unknown"}))
def test_each_reason_of_each_provider_has_its_remedy(slug: str, reason: str):
    text = remedy(slug, reason)
    assert text.endswith(".")
    assert "%(" not in text


def test_the_metrics_count_a_day_of_refusals():
    wrong(times=4)
    wrong("", 2, reason="unknown")
    wrong("notion", last_at=timezone.now() - timedelta(days=2))
    families = {family.name: family for family in metrics.registry().collect()}
    found = {tuple(s.labels.values()): s.value for s in families["higherself_refused_deliveries"].samples}
    assert found == {("typeform", "wrong_proof"): 4.0, ("unknown", "unknown"): 2.0}
