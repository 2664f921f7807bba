"""How promising a lead is: a table of rules, 0 to 12 points, and a level for people.

The table is data, a row of the Data Transformations that staff edit in Notion::

    {"rules": [{"about": "message", "points": 3, "reason": "wants to book, hire or buy",
                "when": {"words": ["retreat", "booking"]}},
               {"about": "message", "points": 1, "reason": "wrote something", "when": {"has": "message"}}],
     "levels": [{"from": 8, "level": "Excellent"}, …, {"from": 0, "level": "Very Low"}]}

Within one ``about``, the first rule that applies gives its points and the others none. ``when`` names a field that is
there (``has``) or words of which the message holds one, in the plural and the usual verb forms too (``words``); with
both, either is enough.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from agents_app.leads.schema import Lead

HIGHEST = 12
# The Data Transformations row that holds the table is the one with this key.
KEY = "lead-scoring"


class BrokenTable(ValueError):
    """A table of scores cannot be used; the message lists why."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_Field = Literal["email", "phone", "message", "company", "job_title", "city", "country", "interests", "email_opt_in"]


class When(_Data):
    has: (
        Literal["email", "phone", "message", "company", "job_title", "city", "country", "interests", "email_opt_in"]
        | None
    ) = None
    words: tuple[str, ...] = Field(default=(), max_length=100)

    @model_validator(mode="after")
    def _says_something(self) -> When:
        if self.has is None and not self.words:
            raise ValueError("a condition names a field (“has”) or words (“words”)")
        if any(not word.strip() or len(word) > 60 for word in self.words):
            raise ValueError("each word has 1 to 60 characters")
        return self

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        words = "|".join(re.escape(word.strip()) for word in self.words)
        return re.compile(rf"\b(?:{words})(?:s|es|d|ed|ing)?\b", re.IGNORECASE)

    def applies(self, lead: Lead) -> bool:
        if self.has is not None and getattr(lead, self.has):
            return True
        return bool(self.words) and self._pattern.search(lead.message) is not None


class Rule(_Data):
    about: str = Field(min_length=1, max_length=60)
    points: int = Field(ge=0, le=HIGHEST)
    reason: str = Field(min_length=1, max_length=120)
    when: When


class Level(_Data):
    least: int = Field(alias="from", ge=0, le=HIGHEST)
    level: Literal["Excellent", "High", "Medium", "Low", "Very Low"]


class Table(_Data):
    rules: tuple[Rule, ...]
    levels: tuple[Level, ...]

    @field_validator("rules", mode="before")
    @classmethod
    def _some(cls, rules: Any) -> Any:
        if isinstance(rules, (list, tuple)) and not 0 < len(rules) <= 100:
            raise ValueError("a table has 1 to 100 rules")
        return rules

    @field_validator("levels")
    @classmethod
    def _from_high_to_none(cls, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        numbers = [item.least for item in levels]
        if not numbers or numbers[-1] != 0 or sorted(set(numbers), reverse=True) != numbers:
            raise ValueError("levels go from the highest to one from 0, each lower than the one before")
        return levels

    def level(self, points: int) -> str:
        return next(item.level for item in self.levels if points >= item.least)


@dataclass(frozen=True)
class Score:
    points: int
    level: str
    reasons: tuple[str, ...]


def parse(logic: Any) -> Table:
    """A table from the JSON of a Data Transformations row; raises `BrokenTable` with everything that is wrong."""
    try:
        return Table.model_validate(json.loads(logic) if isinstance(logic, str) else logic)
    except json.JSONDecodeError as error:
        raise BrokenTable(f"the table is not JSON: {error}") from error
    except ValidationError as error:
        listed = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'table'}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        )
        raise BrokenTable(listed) from error


def score(lead: Lead, table: Table | None = None) -> Score:
    """Points, level and the reasons for them, in the order of the table; more points than the highest do not count."""
    used = table or DEFAULT
    given: dict[str, Rule] = {}
    for rule in used.rules:
        if rule.about not in given and rule.when.applies(lead):
            given[rule.about] = rule
    points = min(sum(rule.points for rule in given.values()), HIGHEST)
    return Score(points, used.level(points), tuple(f"{rule.reason} (+{rule.points})" for rule in given.values()))


def level(points: int) -> str:
    return DEFAULT.level(points)


def _rule(about: str, points: int, reason: str, **when: Any) -> dict[str, Any]:
    return {"about": about, "points": points, "reason": reason, "when": when}


DEFAULT_LOGIC: dict[str, Any] = {
    "rules": [
        # A lead exists only with a valid address.
        _rule("email", 2, "has a valid email address", has="email"),
        _rule(
            "message",
            3,
            "wants to book, hire or buy",
            words=["consultation", "retreat", "workshop", "booking", "appointment", "schedule", "hire", "purchase"],
        ),
        _rule("message", 2, "asks for more", words=["interested", "learn more", "information", "detail", "pricing"]),
        _rule("message", 1, "wrote something", has="message"),
        _rule("phone", 2, "gave a telephone number", has="phone"),
        _rule(
            "urgency",
            2,
            "is in a hurry",
            words=["urgent", "soon", "asap", "immediately", "today", "this week", "quickly"],
        ),
        _rule(
            "budget",
            1,
            "speaks of money",
            words=["budget", "price", "cost", "afford", "invest", "investment", "payment"],
        ),
        _rule(
            "topic",
            1,
            "names one of our fields",
            words=[
                *("art", "artwork", "gallery", "wellness", "healing", "yoga", "meditation"),
                *("consultancy", "consulting"),
            ],
        ),
        _rule(
            "company",
            1,
            "comes for an organisation",
            has="company",
            words=["company", "organisation", "organization", "business", "team"],
        ),
    ],
    "levels": [
        {"from": 8, "level": "Excellent"},
        {"from": 6, "level": "High"},
        {"from": 4, "level": "Medium"},
        {"from": 2, "level": "Low"},
        {"from": 0, "level": "Very Low"},
    ],
}
DEFAULT = parse(DEFAULT_LOGIC)
