"""Rate limit: a fixed number of requests per 60-second window (Notion: reference/request-limits)."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from .errors import ApiError

WINDOW = 60


class RateLimit:
    """`per_minute` None switches it off. Windows start with the first request after the last one ended."""

    def __init__(self, now: Callable[[], float], per_minute: int | None = None) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._start = 0.0
        self.per_minute = per_minute
        self.used = 0
        self.refused = 0

    def reset(self) -> None:
        with self._lock:
            self._start, self.used, self.refused = 0.0, 0, 0

    def check(self) -> None:
        """Counts a request; beyond the budget it is a 429 with the seconds left in the window."""
        if self.per_minute is None:
            return
        with self._lock:
            now = self._now()
            if not 0 <= now - self._start < WINDOW:
                self._start, self.used = now, 0
            if self.used < self.per_minute:
                self.used += 1
                return
            self.refused += 1
            wait = str(max(1, math.ceil(self._start + WINDOW - now)))
        raise ApiError(
            429,
            "rate_limited",
            "You have been rate limited. Please try again in a few minutes.",
            {"rate_limit_reason": "public_api_request_rate_limit", "retry_after": wait},
            {"Retry-After": wait},
        )
