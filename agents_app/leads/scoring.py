"""How promising a lead is: a table of rules, 0 to 12 points, and a level for people."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from agents_app.leads.schema import Lead


def _words(*words: str) -> re.Pattern[str]:
    """Whole words, in the plural and in the usual verb forms too."""
    return re.compile(r"\b(?:" + "|".join(words) + r")(?:s|es|d|ed|ing)?\b", re.IGNORECASE)


def _says(pattern: re.Pattern[str]) -> Callable[[Lead], bool]:
    return lambda lead: pattern.search(lead.message) is not None


INTENT = _words("consultation", "retreat", "workshop", "booking", "appointment", "schedule", "hire", "purchase")
CURIOSITY = _words("interested", "learn more", "information", "detail", "pricing")
URGENCY = _words("urgent", "soon", "asap", "immediately", "today", "this week", "quickly")
BUDGET = _words("budget", "price", "cost", "afford", "invest", "investment", "payment")
TOPIC = _words("art", "artwork", "gallery", "wellness", "healing", "yoga", "meditation", "consultancy", "consulting")
ORGANISATION = _words("company", "organisation", "organization", "business", "team")


@dataclass(frozen=True)
class Rule:
    """Within one ``about``, the first rule that applies gives its points and the others none."""

    about: str
    points: int
    reason: str
    applies: Callable[[Lead], bool]


RULES: tuple[Rule, ...] = (
    # A Lead exists only with a valid address, so the lower step of this rule can only come from elsewhere.
    Rule("email", 2, "has a valid email address", lambda lead: bool(lead.email)),
    Rule("message", 3, "wants to book, hire or buy", _says(INTENT)),
    Rule("message", 2, "asks for more", _says(CURIOSITY)),
    Rule("message", 1, "wrote something", lambda lead: bool(lead.message)),
    Rule("phone", 2, "gave a telephone number", lambda lead: bool(lead.phone)),
    Rule("urgency", 2, "is in a hurry", _says(URGENCY)),
    Rule("budget", 1, "speaks of money", _says(BUDGET)),
    Rule("topic", 1, "names one of our fields", _says(TOPIC)),
    Rule("company", 1, "comes for an organisation", lambda lead: bool(lead.company) or _says(ORGANISATION)(lead)),
)
LEVELS: tuple[tuple[int, str], ...] = (
    (8, "Excellent"),
    (6, "High"),
    (4, "Medium"),
    (2, "Low"),
    (0, "Very Low"),
)


@dataclass(frozen=True)
class Score:
    points: int
    level: str
    reasons: tuple[str, ...]


def score(lead: Lead) -> Score:
    """Points, level and the reasons for them, in the order of the table."""
    given: dict[str, Rule] = {}
    for rule in RULES:
        if rule.about not in given and rule.applies(lead):
            given[rule.about] = rule
    points = sum(rule.points for rule in given.values())
    return Score(points, level(points), tuple(f"{rule.reason} (+{rule.points})" for rule in given.values()))


def level(points: int) -> str:
    return next(name for least, name in LEVELS if points >= least)
