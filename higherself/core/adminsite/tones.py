"""Which colour a word has. One table for the whole console, so that a word looks the same wherever it stands."""

from __future__ import annotations

from typing import Any

GOOD, BUSY, WARN, BAD, CALM = "good", "busy", "warn", "bad", "calm"

_WORDS: dict[str, tuple[str, ...]] = {
    GOOD: (
        *("active", "active client", "completed", "done", "healthy", "deployed", "live", "implemented", "ok", "sent"),
        *("processed", "resolved", "responded", "positive", "excellent", "validated", "met", "claimed", "approved"),
        *("ours", "linked", "cleared", "within sla"),
    ),
    BUSY: (
        *("waiting", "sending"),
        *("active lead", "qualified lead", "in progress", "in development", "in review", "under review", "scheduled"),
        *(
            "processing",
            "received",
            "queued",
            "waiting",
            "sending",
            "running",
            "new",
            "to do",
            "high",
            "testing",
            "under test",
            "monitoring",
        ),
        *("development", "coming soon", "creating", "pending", "pending validation", "trial"),
    ),
    WARN: (
        "unconfigured",
        *("on hold", "paused", "draft", "retrying", "mixed", "degraded", "unknown", "out of stock", "low", "planned"),
        *(
            "seasonal",
            "limited time",
            "auth failed",
            "silent",
            "unreachable",
            "not configured",
            "unconfigured",
            "suspended",
            "medium",
            "skipped",
            "printed",
        ),
    ),
    BAD: (
        "refused",
        *("error", "failed", "critical", "urgent", "quarantined", "do not contact", "unsubscribed", "negative"),
        *("overdue", "validation failed", "very low", "lost", "expired", "rejected", "refused"),
    ),
}
# Words that mean one thing as a state and another as a priority or a quality.
_BY_FIELD: dict[str, dict[str, str]] = {
    "priority": {"low": CALM, "medium": BUSY, "high": WARN, "urgent": BAD, "critical": BAD, "nice to have": CALM},
    "quality_level": {"excellent": GOOD, "high": GOOD, "medium": BUSY, "low": WARN, "very low": BAD, "unknown": CALM},
}
_TONES = {word: tone for tone, words in _WORDS.items() for word in words}


def tone_of(value: Any, field: str = "") -> str:
    """The tone of a word; calm for words that people have made up."""
    word = str(value or "").casefold()
    return _BY_FIELD.get(field, {}).get(word) or _TONES.get(word, CALM)
