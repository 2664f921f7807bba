"""Connection checks: what a service says, in the catalogue, on the console and at the command line."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from agents_app.models import ApiIntegration
from agents_app.services import integrations
from higherself.integrations import checks, silence
from higherself.integrations.models import InboundEvent, ProviderGate
from higherself.integrations.registry import PROVIDERS
from notion_sync.sandbox import Sandbox
from tests.standins.server import StandIns

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("higherself.core.jobs.wake", lambda _name: None)
    monkeypatch.setattr("higherself.integrations.gate.time.sleep", lambda _seconds: None)


@pytest.fixture
def rows() -> dict[str, ApiIntegration]:
    return {
        slug: ApiIntegration.objects.create(integration_name=slug, api_platform=integrations.platform_of(slug))
        for slug in checks.slugs()
    }


def result(slug: str) -> tuple[str, bool]:
    row = ApiIntegration.objects.get(api_platform=integrations.platform_of(slug))
    return row.last_result, row.last_tested is not None


def command(*names: str, **options: Any) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("check_integrations", *names, stdout=out, **options)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_every_service_of_the_catalogue_can_be_checked():
    assert sorted(checks.slugs()) == sorted(slug for slug, item in PROVIDERS.items() if item.takes_webhooks)


def test_all_services_that_let_us_in_are_ok(standins: StandIns, notion: Sandbox, rows: Any):
    code, out = command(format="json")
    told = json.loads(out)["integrations"]
    assert (code, {item["result"] for item in told.values()}, sorted(told)) == (0, {"OK"}, sorted(rows))
    assert {result(slug) for slug in rows} == {("OK", True)}
    assert ApiIntegration.objects.filter(local_change_at__isnull=True).count() == 0, "Notion hears of it"


def test_each_way_to_fail_has_its_word_and_ends_with_1(standins: StandIns, settings: Any, rows: Any):
    wrong = {"access_token": "wrong-0123456789"}
    settings.PROVIDERS = {
        **settings.PROVIDERS,
        "hubspot": {**settings.PROVIDERS["hubspot"], **wrong},
        "circle": {**settings.PROVIDERS["circle"], "base_url": "http://127.0.0.1:9"},
        "beehiiv": {"webhook_secret": "x" * 20},
    }
    standins["tutorlm"].fail(403)
    code, out = command("hubspot", "circle", "beehiiv", "tutorlm", "airtable", format="json")
    told = json.loads(out)["integrations"]
    assert (code, {slug: item["result"] for slug, item in told.items()}) == (
        1,
        {
            "hubspot": "Auth Failed",
            "circle": "Unreachable",
            "beehiiv": "Not Configured",
            "tutorlm": "Auth Failed",
            "airtable": "OK",
        },
    )
    assert told["beehiiv"]["message"].startswith("Its webhooks are taken; to call it, set BEEHIIV_")
    assert "wrong-0123456789" not in out
    assert (result("hubspot"), result("snovio")) == (("Auth Failed", True), ("", False))


def test_what_nobody_has_configured_is_no_failure(settings: Any):
    settings.PROVIDERS = {}
    code, out = command("circle", "plaud")
    assert (code, "Not Configured" in out, "CIRCLE_API_TOKEN" in out) == (0, True, True)


def test_an_unknown_name_ends_with_2():
    with pytest.raises(CommandError, match=r"No service is called nobody\. There are typeform") as caught:
        call_command("check_integrations", "nobody")
    assert caught.value.returncode == 2


def test_notion_is_checked_through_its_own_door(notion: Sandbox, settings: Any):
    assert checks.check("notion").result == checks.Result.OK
    settings.NOTION_API_TOKEN = "secret_wrong-0123456789"
    cache.clear()
    assert checks.check("notion").result == checks.Result.AUTH_FAILED


def test_a_service_that_asks_for_a_pause_is_not_asked_and_says_so(standins: StandIns):
    standins["circle"].fail(429, headers={"Retry-After": "60"})
    assert checks.check("circle").result == checks.Result.OK
    again = checks.check("circle")
    assert (again.result, "left alone for another" in again.message) == (checks.Result.UNREACHABLE, True)
    assert len(standins["circle"].requests) == 1
    ProviderGate.objects.update(paused_until=None)
    assert checks.check("circle").ok


def test_the_button_tests_the_connection_and_shows_the_answer(standins: StandIns, rows: Any):
    User.objects.create_superuser("ada", password="a-long-password")
    client = Client()
    client.login(username="ada", password="a-long-password")
    page = client.get(reverse("admin:agents_app_apiintegration_change", args=[rows["circle"].pk])).content.decode()
    assert "Test connection" in page
    url = reverse("admin:agents_app_apiintegration_do", args=[rows["circle"].pk, "test"])
    shown = client.post(url, follow=True).content.decode()
    assert "Circle.so: OK. Circle.so answers and accepts our credentials." in shown
    assert result("circle") == ("OK", True)


def test_a_service_that_answers_but_has_fallen_silent_says_so_in_its_row(standins: StandIns, settings: Any, rows: Any):
    options = {**settings.PROVIDERS["circle"], "webhook_secret": "s3cret-of-circle"}
    settings.PROVIDERS = {**settings.PROVIDERS, "circle": options}
    now = datetime.now(timezone.utc)
    for number in range(10):
        moment = now - timedelta(days=4 + number)
        InboundEvent.objects.create(provider="circle", delivery_key=str(number), body=b"{}", received_at=moment)
    silence.observe(now)
    assert integrations.check("circle").ok
    assert (result("circle"), integrations.write_silence()) == (("Silent", True), 0)
    assert [item.split(" has")[0] for item in integrations.now_silent()] == ["Circle.so"]
    InboundEvent.objects.create(provider="circle", delivery_key="new", body=b"{}")
    silence.observe()
    assert (integrations.write_silence(), result("circle")) == (1, ("OK", True))


def test_the_home_page_names_what_cannot_be_used_and_who_is_silent(settings: Any, rows: Any):
    ApiIntegration.objects.filter(pk=rows["hubspot"].pk).update(last_result="Auth Failed")
    from agents_app.admin.home import what_waits

    told = {item.name: (item.count, str(item.title)) for item in what_waits()}
    assert told["connections"] == (1, "service cannot be used")
