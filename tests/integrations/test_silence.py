"""Who is quieter than they ever were."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st

from higherself.core import health
from higherself.integrations import silence
from higherself.integrations.models import InboundEvent, Pulse

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _configured(settings: Any) -> None:
    settings.PROVIDERS = {slug: {"webhook_secret": "s3cret-of-the-tests"} for slug in ("typeform", "circle", "beehiiv")}


def sent(provider: str, *moments: datetime, **more: Any) -> None:
    known = InboundEvent.objects.count()
    InboundEvent.objects.bulk_create(
        InboundEvent(provider=provider, delivery_key=f"{provider}{known + number}", body=b"{}", received_at=at, **more)
        for number, at in enumerate(moments)
    )


def names(now: datetime = NOW) -> list[str]:
    cache.clear()
    return [item.provider for item in silence.silent(now)]


def test_a_daily_sender_is_silent_after_a_day_and_a_half(db: None):
    sent("typeform", *(NOW - timedelta(hours=30) - number * DAY for number in range(10)))
    assert silence.observe(NOW) == 10
    assert names() == []
    assert names(NOW + timedelta(hours=8)) == ["typeform"]


def test_a_busy_sender_is_not_silent_before_a_day_is_over(db: None):
    sent("typeform", *(NOW - timedelta(hours=23) - timedelta(minutes=7 * number) for number in range(200)))
    silence.observe(NOW)
    assert (names(), names(NOW + timedelta(hours=3))) == ([], ["typeform"])


def test_a_weekly_newsletter_with_hundreds_of_deliveries_in_an_hour_is_not_missed_every_day(db: None):
    for week in range(1, 7):
        start = NOW - timedelta(weeks=week, minutes=30)
        sent("beehiiv", *(start + timedelta(seconds=number) for number in range(200)))
    silence.observe(NOW)
    assert (names(), names(NOW + timedelta(days=4))) == ([], ["beehiiv"])


@pytest.mark.parametrize("number", [0, 1, 4])
def test_who_has_hardly_ever_sent_has_no_pattern(db: None, number: int):
    sent("typeform", *(NOW - timedelta(days=40 + number) for number in range(number)))
    silence.observe(NOW)
    assert names() == []


def test_what_we_fetched_ourselves_is_no_sign_of_life(db: None):
    sent("circle", *(NOW - timedelta(days=3 + number) for number in range(10)))
    sent("circle", NOW - timedelta(hours=1), headers={"x-higherself-pulled": "backfill"})
    silence.observe(NOW)
    assert names() == ["circle"]


def test_who_is_not_configured_any_more_is_not_missed(db: None, settings: Any):
    sent("typeform", *(NOW - timedelta(days=5 + number) for number in range(10)))
    silence.observe(NOW)
    assert names() == ["typeform"]
    settings.PROVIDERS = {}
    assert names() == []


def test_who_sends_again_is_silent_no_more_and_the_pattern_outlives_the_inbox(db: None):
    sent("typeform", *(NOW - timedelta(days=5 + number) for number in range(10)))
    silence.observe(NOW)
    InboundEvent.objects.all().delete()
    sent("typeform", NOW + timedelta(minutes=5))
    assert silence.observe(NOW + timedelta(hours=1)) == 1
    assert (len(Pulse.objects.get().hours), names(NOW + timedelta(hours=1))) == (11, [])


def test_looking_again_finds_nothing_new_and_forgets_the_oldest(db: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(silence, "REMEMBERED", 5)
    sent("typeform", *(NOW - timedelta(hours=number) for number in range(10)))
    silence.observe(NOW)
    assert silence.observe(NOW) == 0
    assert len(Pulse.objects.get().hours) == 5


def test_health_names_who_has_fallen_silent(db: None):
    now = datetime.now(timezone.utc)
    sent("typeform", *(now - timedelta(days=4 + number) for number in range(10)))
    silence.observe(now)
    cache.clear()
    part = health.report()[1]["providers"]
    assert part.status == health.DEGRADED
    assert (
        "Typeform has sent nothing for 4.0 days; by its own pattern it is never quiet for more than 36" in part.summary
    )
    told = part.facts["providers"]
    assert (told["typeform"]["silent"], told["circle"]["silent"]) == (True, False)


@given(st.lists(st.integers(0, 5000), max_size=60))
def test_nobody_is_called_silent_within_a_day_or_for_a_gap_that_is_usual(hours: list[int]):
    patience = silence.patience_of(hours)
    ordered = sorted(set(hours))
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(ordered))
    assert (patience is None) == (len(gaps) < silence.FEWEST_GAPS)
    if patience is not None:
        assert patience >= silence.SHORTEST
        assert patience >= timedelta(hours=gaps[len(gaps) // 2])
