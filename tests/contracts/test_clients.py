"""What every operation at every provider must do: its effect exists exactly once, whatever goes wrong on the way.

To add a provider: a stand-in in ``tests/standins/<slug>.py`` with a case for each operation.
"""

from __future__ import annotations

import copy
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from higherself.core.logs import HARMLESS
from higherself.integrations import outbox, relay
from higherself.integrations.client import Once
from higherself.integrations.models import OutboundCall, ProviderGate
from higherself.integrations.registry import PROVIDERS
from tests.standins.server import Case, Service, StandIns
from tests.standins.services import SERVICES

pytestmark = pytest.mark.django_db
CLIENTS = {slug: provider.client_class for slug, provider in PROVIDERS.items() if provider.client_class}
Status = OutboundCall.Status
CASES = [
    pytest.param(service.slug, case, id=f"{service.slug}-{case.operation}-{number}")
    for service in SERVICES
    for number, case in enumerate(service.cases)
]
EFFECTS = [param for param in CASES if CLIENTS[param.values[0]].operations[param.values[1].operation].once != Once.READ]


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a turn, a wake-up or a rest here."""
    monkeypatch.setattr("higherself.core.jobs.wake", lambda _name: None)
    monkeypatch.setattr("higherself.core.jobs.wake_in", lambda _name, _seconds: None)
    for client in CLIENTS.values():
        monkeypatch.setattr(client, "per_second", 0.0)


def want(slug: str, case: Case, key: str = "k1", **more: Any) -> OutboundCall:
    return outbox.enqueue(slug, case.operation, {**case.payload, **more}, dedupe_key=key)


def send_all() -> None:
    """Sends until nothing is left, without waiting for back-offs and rests."""
    for _ in range(2 * relay.MAX_ATTEMPTS):
        ProviderGate.objects.update(paused_until=None, next_at=0)
        unsent = OutboundCall.objects.filter(next_attempt_at__isnull=False)
        unsent.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
        if not relay.send_one("test"):
            return


def fresh(call: OutboundCall) -> OutboundCall:
    return OutboundCall.objects.get(pk=call.pk)


def state(service: Service) -> Any:
    return copy.deepcopy(service.snapshot())


def after_one_clean_run(slug: str, case: Case) -> Any:
    """What exists when nothing goes wrong: in a server of its own."""
    with StandIns([type_of(slug)()]) as other:
        case.given(other[slug])
        before = state(other[slug])
        with PROVIDERS[slug].client_class(slug, slug, other.options(slug)) as client:
            declared = client.operations[case.operation]
            content = declared.payload.model_validate(case.payload)
            declared.run(client, content, relay.Attempt(dedupe_key="k1", created_at=timezone.now()))
        after = state(other[slug])
        assert (after == before) == (declared.once == Once.READ)
        return after


def type_of(slug: str) -> type[Service]:
    return next(service for service in SERVICES if service.slug == slug)


def test_every_client_has_a_stand_in_and_every_operation_a_case():
    assert sorted(service.slug for service in SERVICES) == sorted(CLIENTS)
    tried = {(param.values[0], param.values[1].operation) for param in CASES}
    assert tried == {(slug, name) for slug, client in CLIENTS.items() for name in client.operations}


@pytest.mark.parametrize(("slug", "case"), CASES)
def test_an_operation_has_its_effect(standins: StandIns, slug: str, case: Case):
    case.given(standins[slug])
    expected = after_one_clean_run(slug, case)
    call = want(slug, case)
    assert call.status == Status.WAITING
    send_all()
    done = fresh(call)
    assert (done.status, done.error, done.attempts) == (Status.DONE, "", 1)
    assert state(standins[slug]) == expected


@pytest.mark.parametrize(("slug", "case"), CASES)
def test_the_same_key_is_the_same_call(standins: StandIns, slug: str, case: Case):
    case.given(standins[slug])
    first = want(slug, case)
    send_all()
    before = state(standins[slug])
    assert want(slug, case).pk == first.pk
    send_all()
    assert (OutboundCall.objects.count(), state(standins[slug])) == (1, before)


@pytest.mark.parametrize(("slug", "case"), EFFECTS)
def test_a_call_whose_mark_was_lost_with_its_worker_has_its_effect_once(standins: StandIns, slug: str, case: Case):
    case.given(standins[slug])
    call = want(slug, case)
    send_all()
    expected = state(standins[slug])
    # What the mark takes away is still there without it.
    OutboundCall.objects.filter(pk=call.pk).update(
        status=Status.SENDING,
        worker="dead",
        finished_at=None,
        result={},
        next_attempt_at=timezone.now(),
        payload=call.payload,
        record=call.record,
    )
    send_all()
    assert (fresh(call).status, state(standins[slug])) == (Status.DONE, expected)


@pytest.mark.parametrize(("slug", "case"), EFFECTS)
@pytest.mark.parametrize("kind", ["lost", "drop", 500, 503, 429])
def test_whichever_request_fails_the_effect_exists_once(standins: StandIns, slug: str, case: Case, kind: Any):
    """The fault moves through the operation's requests, one after the other, until it finds none any more."""
    expected = after_one_clean_run(slug, case)
    for number in range(12):
        standins.services[slug] = service = type_of(slug)()
        OutboundCall.objects.all().delete()
        ProviderGate.objects.all().delete()
        case.given(service)
        service.after(number, kind)
        call = want(slug, case)
        send_all()
        assert (fresh(call).status, state(service)) == (Status.DONE, expected), f"request {number + 1}"
        if service.faults:
            return
    pytest.fail("an operation of more than twelve requests")


@pytest.mark.parametrize(("slug", "case"), EFFECTS)
def test_an_answer_that_never_comes_is_not_waited_for(settings, standins: StandIns, slug: str, case: Case):
    expected = after_one_clean_run(slug, case)
    settings.PROVIDER_TIMEOUT_SECONDS = 0.3
    case.given(standins[slug])
    standins[slug].fail("silence")
    call = want(slug, case)
    relay.send_one("test")
    late = fresh(call)
    assert (late.status, late.attempts) == (Status.RETRYING, 1)
    assert "did not answer" in late.error
    settings.PROVIDER_TIMEOUT_SECONDS = 20.0
    send_all()
    assert (fresh(call).status, state(standins[slug])) == (Status.DONE, expected)


@pytest.mark.parametrize(("slug", "case"), CASES)
def test_a_provider_that_asks_for_a_pause_gets_it_and_the_attempt_does_not_count(
    standins: StandIns, slug: str, case: Case
):
    case.given(standins[slug])
    standins[slug].fail(429, headers={"Retry-After": "40"})
    call, other = want(slug, case), want(slug, case, "k2")
    asked = timezone.now() + timedelta(seconds=40)
    assert relay.send_one("test")
    waiting = fresh(call)
    assert (waiting.status, waiting.attempts) == (Status.RETRYING, 0)
    assert waiting.next_attempt_at >= asked
    requests = len(standins[slug].requests)
    assert not relay.send_one("test"), "the other calls of the provider wait, too"
    assert (len(standins[slug].requests), fresh(other).attempts) == (requests, 0)
    send_all()
    assert {fresh(call).status, fresh(other).status} == {Status.DONE}


@pytest.mark.parametrize(("slug", "case"), CASES)
def test_refused_credentials_wait_for_a_person_and_go_on_with_new_ones(
    settings, standins: StandIns, slug: str, case: Case, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    case.given(standins[slug])
    secrets = {name: f"wrong-{slug}-{name}-0123456789" for name in CLIENTS[slug].needs if name not in HARMLESS}
    right = settings.PROVIDERS[slug]
    settings.PROVIDERS = {**settings.PROVIDERS, slug: {**right, **secrets}}
    call, other = want(slug, case), want(slug, case, "k2")
    assert relay.send_one("test")
    assert not relay.send_one("test"), "one refusal is enough to know"
    refused = fresh(call)
    assert (refused.status, refused.next_attempt_at) == (Status.REFUSED, None)
    assert any(status in refused.error for status in (" 401 ", " 403 ", "(401,"))
    assert "renew" in refused.error
    settings.PROVIDERS = {**settings.PROVIDERS, slug: right}
    outbox.settle()
    send_all()
    assert {fresh(call).status, fresh(other).status} == {Status.DONE}
    told = caplog.text + "".join(row.error + str(row.result) for row in OutboundCall.objects.all())
    told += "".join(row.reason for row in ProviderGate.objects.all()) + refused.error
    used = {*secrets.values(), *(right[name] for name in CLIENTS[slug].needs if name not in HARMLESS)}
    assert not [secret for secret in used if secret in told]


@pytest.mark.parametrize(("slug", "case"), CASES)
def test_what_the_provider_says_no_to_is_left_to_a_person_at_once(standins: StandIns, slug: str, case: Case):
    case.given(standins[slug])
    standins[slug].fail(400, times=9)
    call = want(slug, case)
    send_all()
    refused = fresh(call)
    assert (refused.status, refused.attempts) == (Status.QUARANTINED, 1)
    assert PROVIDERS[slug].label in refused.error
    standins[slug].faults.clear()
    assert outbox.replay(OutboundCall.objects.all(), "Ada") == 1
    send_all()
    assert (fresh(call).status, fresh(call).decided_by) == (Status.DONE, "Ada")


@pytest.mark.parametrize(("slug", "case"), CASES)
def test_a_provider_that_always_fails_is_left_to_a_person_in_the_end(standins: StandIns, slug: str, case: Case):
    case.given(standins[slug])
    standins[slug].fail(500, times=10_000)
    call = want(slug, case)
    send_all()
    assert (fresh(call).status, fresh(call).attempts) == (Status.QUARANTINED, relay.MAX_ATTEMPTS)


@pytest.mark.parametrize(("slug", "case"), CASES)
def test_without_configuration_a_call_waits_and_is_sent_once_there_is_one(
    settings, standins: StandIns, slug: str, case: Case
):
    right = settings.PROVIDERS[slug]
    settings.PROVIDERS = {**settings.PROVIDERS, slug: dict.fromkeys(right, "")}
    call = want(slug, case)
    assert (call.status, call.next_attempt_at) == (Status.UNCONFIGURED, None)
    assert f"{slug.upper()}_{CLIENTS[slug].needs[0].upper()}" in call.error
    outbox.settle()
    send_all()
    assert fresh(call).status == Status.UNCONFIGURED
    settings.PROVIDERS = {**settings.PROVIDERS, slug: right}
    case.given(standins[slug])
    outbox.settle()
    send_all()
    assert fresh(call).status == Status.DONE


@pytest.mark.parametrize("slug", sorted(CLIENTS))
def test_the_check_tells_right_credentials_from_wrong_ones(settings, standins: StandIns, slug: str):
    with PROVIDERS[slug].client() as client:
        client.check()
    wrong = dict.fromkeys(CLIENTS[slug].needs, "wrong-0123456789")
    settings.PROVIDERS = {**settings.PROVIDERS, slug: {**settings.PROVIDERS[slug], **wrong}}
    with PROVIDERS[slug].client() as client, pytest.raises(Exception) as caught:
        client.check()
    assert type(caught.value).__name__ in ("Unauthorised", "Forbidden")


@pytest.mark.parametrize("slug", sorted(CLIENTS))
def test_a_redirect_is_not_followed_and_no_other_host_is_called(standins: StandIns, slug: str):
    elsewhere = {"Location": "https://elsewhere.example/x"}
    with PROVIDERS[slug].client() as client:
        standins[slug].fail(302, headers=elsewhere)
        with pytest.raises(Exception, match=r"elsewhere\.example"):
            client.check()
        with pytest.raises(Exception, match=r"elsewhere\.example"):
            client.get("https://elsewhere.example/x")
