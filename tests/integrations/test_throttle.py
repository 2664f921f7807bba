"""Counting calls, and telling callers apart."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from higherself.core.addresses import client_address
from higherself.integrations.throttle import Rate, parse_rate, seconds_to_wait


@pytest.mark.parametrize(
    ("text", "rate"),
    [("30/min", Rate(30, 60)), ("5/s", Rate(5, 1)), ("1/hour", Rate(1, 3600)), ("9/d", Rate(9, 86400))],
)
def test_a_rate_is_written_as_drf_writes_it(text: str, rate: Rate):
    assert parse_rate(text) == rate


def test_an_empty_rate_is_no_limit():
    assert parse_rate("") is None
    assert [seconds_to_wait("x", None) for _ in range(5)] == [0] * 5


@pytest.mark.parametrize("text", ["30", "x/min", "30/fortnight", "/min"])
def test_a_rate_that_is_none_is_refused(text: str):
    with pytest.raises(ImproperlyConfigured, match="is not of the form 30/min"):
        parse_rate(text)


def test_calls_over_the_rate_wait_for_the_next_window():
    with time_machine.travel(datetime(2026, 11, 23, 12, 0, 20, tzinfo=timezone.utc), tick=False) as clock:
        rate = Rate(2, 60)
        assert [seconds_to_wait("a", rate) for _ in range(4)] == [0, 0, 41, 41]
        assert seconds_to_wait("b", rate) == 0
        clock.shift(40)
        assert seconds_to_wait("a", rate) == 0


def test_a_count_that_the_cache_dropped_begins_again(monkeypatch):
    monkeypatch.setattr(cache, "add", lambda *args, **kwargs: True)
    assert seconds_to_wait("a", Rate(1, 60)) == 0
    assert seconds_to_wait("a", Rate(1, 60)) > 0


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (3, "203.0.113.9", "203.0.113.9"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "x" * 100, "x" * 64),
    ],
)
def test_forwarded_addresses_are_believed_as_far_as_proxies_are_trusted(settings, proxies, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_address(RequestFactory(REMOTE_ADDR="192.0.2.1").get("/", headers=headers)) == address
