"""Errors that carry a decision: try again, give up, or ask a person."""

from __future__ import annotations


class Retryable(Exception):
    """Worth another try later. ``retry_after`` is in seconds, where the other side named a time."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Permanent(Exception):
    """Will fail again however often it is tried: somebody has to change the input or the configuration."""


class Conflict(Exception):
    """The other side holds something else than was expected; read it again before deciding."""
