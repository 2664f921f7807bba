"""One line of the script, and the people who come in several stories."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Happening:
    """One delivery: on which day, by which provider, with which body, query and headers."""

    day: int
    provider: str
    body: dict[str, Any]
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def email(number: int) -> str:
    return f"person{number}@example.com"
