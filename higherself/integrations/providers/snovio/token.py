"""Snov.io's access tokens: they last an hour and are not refreshed but asked for again.

Kept in the cache, so that all threads (and, with Redis, all processes) use one; never stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from django.core.cache import cache

# Snov.io: expires_in 3600. A token that ends in the middle of a call helps nobody. Seconds.
USED_FOR = 55 * 60


def _key(options: Mapping[str, str]) -> str:
    given = "\x1f".join(options.get(name, "") for name in ("base_url", "client_id", "client_secret"))
    return f"snovio.token.{hashlib.sha256(given.encode()).hexdigest()[:24]}"


def kept(options: Mapping[str, str]) -> str:
    """The token in use; empty where there is none."""
    return cache.get(_key(options)) or ""


def keep(options: Mapping[str, str], token: str, seconds: float) -> None:
    cache.set(_key(options), token, max(min(seconds - 300, USED_FOR), 30))


def forget(options: Mapping[str, str], token: str) -> None:
    """The token was refused; one that came meanwhile stays."""
    if kept(options) == token:
        cache.delete(_key(options))
