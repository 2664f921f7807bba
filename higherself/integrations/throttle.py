"""How often one address may call, and which address is calling."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

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


def client_address(request: HttpRequest) -> str:
    """Who is calling. ``X-Forwarded-For`` is believed as far as there are trusted proxies, from its right end."""
    address = request.META.get("REMOTE_ADDR", "")
    proxies = settings.TRUSTED_PROXIES
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if proxies and forwarded:
        address = forwarded[-min(proxies, len(forwarded))]
    return _network(address)


def _network(address: str) -> str:
    """An IPv6 customer holds at least a /64, so that is what counts as one address."""
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return address[:64]
    if parsed.version == 6:
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
