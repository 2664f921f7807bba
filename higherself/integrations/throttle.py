"""How often one address may call."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Rate:
    """So many calls in a window of so many seconds."""

    calls: int
    seconds: int


def parse_rate(text: str) -> Rate | None:
    """``30/min`` as DRF writes rates; empty means no limit. Raises `ImproperlyConfigured`."""
    if not text:
        return None
    calls, _, period = text.partition("/")
    try:
        return Rate(int(calls), _SECONDS[period.strip()[:1]])
    except (ValueError, KeyError):
        raise ImproperlyConfigured(f"the rate {text!r} is not of the form 30/min") from None


def seconds_to_wait(name: str, rate: Rate | None) -> int:
    """Counts one call; 0 where it is within the rate, else the seconds until the window ends.

    A window counts in the cache: per process with the local cache, for all processes with Redis.
    """
    if rate is None:
        return 0
    now = time.time()
    window = int(now // rate.seconds)
    key = f"throttle:{name}:{window}"
    cache.add(key, 0, timeout=rate.seconds * 2)
    try:
        calls = cache.incr(key)
    except ValueError:  # the cache dropped the key in between: a new count begins
        cache.set(key, 1, timeout=rate.seconds * 2)
        calls = 1
    return 0 if calls <= rate.calls else max(1, int((window + 1) * rate.seconds - now) + 1)
