"""Named conditions that a workflow definition may use: pure predicates over the facts about one instance.

A definition names a guard as ``"name"`` or ``"name:argument"`` (``"quality_in:Excellent|High"``), so that people can
write conditions in the Workflows Library without writing code. Facts are plain values such as the answers of a
form, the score of a lead or the dates of a booking; a missing fact never satisfies a condition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Facts = Mapping[str, Any]
Predicate = Callable[[Facts, str], bool]


@dataclass(frozen=True)
class Guard:
    """``argument`` says what the part behind the colon means; an empty text: the guard takes none."""

    holds: Predicate
    meaning: str
    argument: str = ""


def _number(facts: Facts, name: str) -> float | None:
    value = facts.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value)


def _words(value: Any) -> list[str]:
    items = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    return [str(item).casefold() for item in items if item not in (None, "")]


def _any_contains(facts: Facts, name: str, needle: str) -> bool:
    return any(needle.casefold() in word for word in _words(facts.get(name)))


def _one_of(facts: Facts, name: str, options: str) -> bool:
    return bool({part.strip().casefold() for part in options.split("|")} & set(_words(facts.get(name))))


def _flag(name: str) -> Predicate:
    return lambda facts, argument: facts.get(name) is True


def _lacks(name: str) -> Predicate:
    return lambda facts, argument: not facts.get(name)


def _at_least(name: str) -> Predicate:
    def holds(facts: Facts, argument: str) -> bool:
        value = _number(facts, name)
        return value is not None and value >= float(argument)

    return holds


def _below(name: str) -> Predicate:
    def holds(facts: Facts, argument: str) -> bool:
        value = _number(facts, name)
        return value is not None and value < float(argument)

    return holds


GUARDS: dict[str, Guard] = {
    "quality_in": Guard(
        lambda facts, argument: _one_of(facts, "quality", argument), "the lead's quality level is one of", "levels"
    ),
    "interest": Guard(
        lambda facts, argument: _any_contains(facts, "interests", argument), "an interest contains", "a word"
    ),
    "source_in": Guard(lambda facts, argument: _one_of(facts, "source", argument), "the source is one of", "sources"),
    "entity_is": Guard(
        lambda facts, argument: _one_of(facts, "entity", argument), "the business entity is one of", "entity keys"
    ),
    "platform": Guard(
        lambda facts, argument: _one_of(facts, "platforms", argument), "a platform is one of", "platforms"
    ),
    "is_paid": Guard(_flag("paid"), "money has been received"),
    "balance_due": Guard(_flag("balance_due"), "a part of the price has been paid and the rest is open"),
    "is_art": Guard(_flag("art"), "the order holds an art piece"),
    "media_required": Guard(_flag("media_required"), "the content needs pictures or sound"),
    "starts_later": Guard(_flag("starts_later"), "the planned start lies in the future"),
    "by_hand": Guard(_flag("by_hand"), "a person has entered it"),
    "not_by_hand": Guard(_lacks("by_hand"), "it came by itself"),
    "invited": Guard(_flag("invited"), "the person has yet to join"),
    "not_invited": Guard(_lacks("invited"), "the person has joined"),
    "no_text": Guard(_lacks("text"), "there is no text yet"),
    "new_segments": Guard(_flag("new_segments"), "a segment was evaluated for the first time"),
    "partly_failed": Guard(_flag("partly_failed"), "some of the work failed"),
    "score_at_least": Guard(_at_least("engagement_score"), "the engagement score is at least", "a number"),
    "open_rate_below": Guard(_below("open_rate"), "the open rate (0 to 1) is below", "a number"),
}


def split(name: str) -> tuple[str, str]:
    """``"interest:retreat"`` -> ``("interest", "retreat")``."""
    guard, _, argument = name.partition(":")
    return guard.strip(), argument.strip()


def problem(name: str) -> str | None:
    """Why this guard cannot be used, or None when it can."""
    key, argument = split(name)
    guard = GUARDS.get(key)
    if guard is None:
        return f"unknown guard “{key}” (known: {', '.join(sorted(GUARDS))})"
    if guard.argument and not argument:
        return f"guard “{key}” needs {guard.argument} behind a colon, such as “{key}:…”"
    if argument and not guard.argument:
        return f"guard “{key}” takes nothing behind a colon"
    if guard.argument == "a number" and not _is_number(argument):
        return f"guard “{key}” needs a number, got “{argument}”"
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def holds(name: str, facts: Facts) -> bool:
    """Whether the named condition is met. An empty name is always met.

    Raises KeyError for an unknown guard: definitions are checked with `problem` before they run.
    """
    if not name:
        return True
    key, argument = split(name)
    return GUARDS[key].holds(facts, argument)
