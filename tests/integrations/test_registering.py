"""Registering webhooks at providers: once, with a secret that is stored first and shown nowhere."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from higherself.core.errors import Permanent, Retryable
from higherself.integrations import registering
from higherself.integrations.models import RegisteredWebhook
from higherself.integrations.providers.woocommerce.client import TOPICS
from higherself.integrations.registry import PROVIDERS
from tests.standins.server import StandIns

pytestmark = pytest.mark.django_db
HUB = "https://hub.example.org"
SECRET = "configured-secret-0001"


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("higherself.integrations.gate.time.sleep", lambda _seconds: None)


@pytest.fixture
def configured(settings: Any, standins: StandIns) -> StandIns:
    settings.WEBHOOK_SECRET = ""
    settings.PROVIDERS = {slug: {**row, "webhook_secret": SECRET} for slug, row in settings.PROVIDERS.items()}
    return standins


def changes(slug: str, **options: Any) -> list[str]:
    return [hook.change for hook in registering.register(slug, HUB, **options)]


def test_typeform_gets_a_webhook_for_every_form_once(configured: StandIns):
    assert (changes("typeform"), changes("typeform")) == (["created"], ["unchanged"])
    hook = configured["typeform"].hooks["abc123/higherself"]
    assert (hook["url"], hook["secret"], hook["enabled"]) == (f"{HUB}/webhooks/typeform", SECRET, True)
    hook["enabled"] = False
    assert changes("typeform") == ["updated"]
    assert configured["typeform"].hooks["abc123/higherself"]["enabled"] is True


def test_the_shop_gets_a_webhook_for_each_topic_and_a_switched_off_one_is_switched_on(configured: StandIns):
    assert changes("woocommerce") == ["created"] * len(TOPICS)
    hooks = configured["woocommerce"].hooks
    assert sorted(hook["topic"] for hook in hooks.values()) == sorted(TOPICS)
    assert {(hook["delivery_url"], hook["secret"]) for hook in hooks.values()} == {
        (f"{HUB}/webhooks/woocommerce", SECRET)
    }
    next(iter(hooks.values()))["status"] = "disabled"
    assert sorted(changes("woocommerce")) == ["unchanged"] * (len(TOPICS) - 1) + ["updated"]
    assert {hook["status"] for hook in hooks.values()} == {"active"}
    assert len(hooks) == len(TOPICS)


def test_beehiiv_proves_itself_by_the_secret_in_the_address(configured: StandIns):
    assert (changes("beehiiv"), changes("beehiiv")) == (["created"], ["unchanged"])
    (hook,) = configured["beehiiv"].hooks.values()
    assert hook["url"] == f"{HUB}/webhooks/beehiiv/{SECRET}"


def test_a_new_secret_in_the_address_changes_the_webhook_and_adds_none(configured: StandIns, settings):
    changes("beehiiv")
    settings.PROVIDERS = {**settings.PROVIDERS, "beehiiv": {**settings.PROVIDERS["beehiiv"], "webhook_secret": "new"}}
    assert changes("beehiiv") == ["updated"]
    assert [hook["url"] for hook in configured["beehiiv"].hooks.values()] == [f"{HUB}/webhooks/beehiiv/new"]


@pytest.mark.parametrize("slug", registering.providers())
def test_without_a_secret_one_is_made_stored_and_believed(configured: StandIns, settings, slug: str):
    without = {**settings.PROVIDERS[slug], "webhook_secret": ""}
    settings.PROVIDERS = {**settings.PROVIDERS, slug: without}
    assert not PROVIDERS[slug].configured
    changes(slug)
    assert PROVIDERS[slug].configured
    (secret,) = PROVIDERS[slug].secrets
    assert (len(secret) >= 32) != PROVIDERS[slug].client_class.makes_secrets
    changes(slug)
    assert PROVIDERS[slug].secrets == [secret]


@pytest.mark.parametrize("slug", registering.providers())
def test_an_interrupted_registration_is_completed_and_makes_nothing_twice(configured: StandIns, slug: str):
    changes(slug)
    expected = configured[slug].snapshot()
    fresh = type(configured[slug])()
    configured.services[slug] = fresh
    RegisteredWebhook.objects.all().delete()
    for number in range(40):
        fresh.faults.clear()
        fresh.after(number, "lost")
        try:
            changes(slug)
        except Retryable:  # the answer that was lost
            continue
        if fresh.faults:
            break
    assert len(fresh.hooks) == len(configured[slug].hooks)
    assert str(fresh.snapshot()).count(HUB) == str(expected).count(HUB)


def test_only_some_can_be_registered(configured: StandIns):
    assert changes("woocommerce", only=["order.updated"]) == ["created"]
    assert [hook["topic"] for hook in configured["woocommerce"].hooks.values()] == ["order.updated"]


def test_the_command_shows_no_secret(configured: StandIns):
    out = StringIO()
    call_command("register_webhooks", "beehiiv", "--url", HUB, stdout=out)
    assert out.getvalue().splitlines() == [
        "created    all events: https://hub.example.org/webhooks/beehiiv/***",
        "1 webhooks; 1 changed.",
    ]


def test_an_address_that_nobody_sends_to_is_refused(configured: StandIns):
    with pytest.raises(Permanent, match="no https address"):
        registering.register("typeform", "http://hub.example.org")
    with pytest.raises(CommandError, match="by hand"):
        call_command("register_webhooks", "userfeedback", "--url", HUB)
    with pytest.raises(CommandError, match="Say where"):
        call_command("register_webhooks", "typeform", "--url", "")
