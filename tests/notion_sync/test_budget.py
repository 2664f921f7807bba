"""The shared pace of requests, on a clock that the tests move."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from higherself.core.errors import Retryable
from notion_sync.budget import BURST, FAILURES_TO_OPEN, Budget, Lane
from notion_sync.client import NotAuthorised, NotionApi, NotionUnreachable, NotShared, Refused
from notion_sync.models import RequestBudget
from notion_sync.sandbox import Sandbox

pytestmark = pytest.mark.django_db
PER_MINUTE = 180


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def make(clock: Clock, per_minute: int = PER_MINUTE) -> Budget:
    return Budget("token", per_minute, clock=clock, sleep=clock.sleep)


def most_in_any_minute(times: list[float]) -> int:
    return max(sum(start <= at < start + 60 for at in times) for start in times)


def test_a_single_lead_is_not_slowed_down() -> None:
    clock = Clock()
    budget, began = make(clock), clock.now
    for _ in range(BURST):
        budget.acquire(Lane.STAFF, 0)
    assert clock.now == began


def test_no_minute_ever_holds_more_than_the_permitted_number_and_work_uses_95_percent_of_it() -> None:
    clock = Clock()
    one, other = make(clock), make(clock)
    times = []
    while clock.now < 1_000_600.0:
        (one if len(times) % 2 else other).acquire(Lane.STAFF, 100)
        times.append(clock.now)
    assert most_in_any_minute(times) <= PER_MINUTE
    assert len(times) >= 0.95 * PER_MINUTE * 10


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 90)), min_size=1, max_size=6))
def test_bursts_after_any_pauses_never_exceed_a_minutes_number(demand: list[tuple[int, float]]) -> None:
    RequestBudget.objects.all().delete()
    clock = Clock()
    budget = make(clock, 30)
    times = []
    for number, pause in demand:
        for _ in range(number):
            budget.acquire(Lane.AGENT, 1000)
            times.append(clock.now)
        clock.sleep(pause)
    assert most_in_any_minute(times) <= 30


def test_what_is_asked_to_wait_makes_every_process_wait() -> None:
    clock = Clock()
    one, other = make(clock), make(clock)
    one.pause(25, "public_api_request_rate_limit")
    began = clock.now
    other.acquire(Lane.STAFF, 60)
    assert clock.now - began == pytest.approx(25)


def test_a_caller_without_patience_is_told_how_long_it_would_be() -> None:
    clock = Clock()
    budget = make(clock)
    budget.pause(25, "rate limit")
    with pytest.raises(Retryable) as caught:
        budget.acquire(Lane.STAFF, 10)
    assert caught.value.retry_after == pytest.approx(25)


def test_a_later_lane_leaves_the_burst_to_those_before_it() -> None:
    clock = Clock()
    budget, began = make(clock), clock.now
    for _ in range(BURST - Lane.SWEEP):
        budget.acquire(Lane.SWEEP, 100)
    assert clock.now == began
    budget.acquire(Lane.STAFF, 0)
    assert clock.now == began
    budget.acquire(Lane.SWEEP, 100)
    assert clock.now > began


def test_enough_failures_in_a_row_leave_notion_alone_for_a_while_and_one_success_ends_it() -> None:
    clock = Clock()
    budget = make(clock)
    for _ in range(FAILURES_TO_OPEN):
        assert budget.resting() == 0
        budget.failed("connection refused")
    assert budget.resting() == pytest.approx(5)
    assert budget.row().unreachable_since is not None
    budget.succeeded()
    assert (budget.resting(), budget.row().unreachable_since) == (0, None)


# -- the client over HTTP -----------------------------------------------------------------------------------------


def test_a_blocked_request_is_never_repeated(notion: Sandbox, api: NotionApi) -> None:
    notion.faults.add("blocked", path="/v1/users/me")
    with pytest.raises(Refused, match="never to repeat it"):
        api.me()
    assert notion.requests.count_of("GET", "/v1/users/me") == 1


def test_a_rate_limit_is_obeyed_and_the_request_sent_again(notion: Sandbox, settings: Any) -> None:
    asked: list[float] = []
    notion.faults.add("rate_limited", path="/v1/users/me")

    def sleep(_seconds: float) -> None:
        asked.append(client.budget.row().paused_until - time.time())
        RequestBudget.objects.update(paused_until=0)
        client.budget._paused_seen = 0

    with NotionApi(sleep=sleep, patience=60) as client:
        assert client.me()["object"] == "user"
    assert client.rate_limited == 1
    assert 0 < asked[0] <= 60


@pytest.mark.parametrize("fault", ["bad_gateway", "internal_error", "overload", "gateway_timeout", "drop_before"])
def test_a_read_is_repeated_until_notion_is_well_again(notion: Sandbox, api: NotionApi, fault: str) -> None:
    notion.faults.add(fault, path="/v1/users/me", times=2)
    assert api.me()["object"] == "user"


def test_a_notion_that_stays_away_is_named_and_left_alone(notion: Sandbox, api: NotionApi) -> None:
    notion.faults.add("bad_gateway", times=50)
    with pytest.raises(NotionUnreachable):
        api.me()
    assert api.budget.resting() > 0


def test_a_wrong_token_is_told_apart_from_a_missing_page(notion: Sandbox, api: NotionApi) -> None:
    with NotionApi(auth="wrong") as stranger, pytest.raises(NotAuthorised):
        stranger.me()
    with pytest.raises(NotShared):
        api.page("c0a70af6-15e2-4846-8092-f7ee2ca0bd8b")


def test_a_query_that_is_too_large_to_answer_is_asked_in_smaller_pieces(notion: Sandbox) -> None:
    for number in range(12):
        notion.person.create("Contacts & Profiles", {"Full Name": f"Person {number}"})
    source = notion.data_source_id("Contacts & Profiles")
    notion.faults.add("gateway_timeout", path=f"/v1/data_sources/{source}/query", times=8)
    with NotionApi(sleep=lambda _seconds: None, patience=100) as client:
        sizes = [len(pages) for pages, _ in client.query(source, {})]
    assert (max(sizes), sum(sizes)) == (6, 12)


def test_a_secret_in_an_error_never_reaches_its_text(notion: Sandbox, api: NotionApi, settings: Any) -> None:
    settings.NOTION_API_TOKEN = "wrong-token-123456"
    with NotionApi(auth="wrong-token-123456") as stranger, pytest.raises(NotAuthorised) as caught:
        stranger.me()
    assert "wrong-token-123456" not in str(caught.value)
