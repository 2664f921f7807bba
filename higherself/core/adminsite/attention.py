"""What needs a person, and what everybody should know. Each app adds its own; home, badges and banners show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

# The navigation shows these figures on every page; nobody needs them fresher than this, in seconds.
KEPT_SECONDS = 5
# Counting stops here: "more than that" is enough to know.
ENOUGH = 1000


@dataclass(frozen=True)
class Matter:
    """Something that waits for a person. ``name`` ties it to an entry of the navigation; ``url`` is its remedy."""

    name: str
    title: str
    count: int
    url: str
    tone: str = "warn"
    hint: str = ""
    icon: str = "error"
    permission: str = ""

    @property
    def shown(self) -> str:
        return f"{ENOUGH:,}+" if self.count > ENOUGH else f"{self.count:,}"


@dataclass(frozen=True)
class Notice:
    """A sentence on every page, as long as it is true."""

    text: str
    tone: str = "warn"
    url: str = ""
    link: str = ""


@dataclass(frozen=True)
class Figure:
    """One figure of today."""

    title: str
    value: int
    url: str
    hint: str = ""
    icon: str = ""
    permission: str = ""


@dataclass(frozen=True)
class Listing:
    """A short list on the home page: lines of (text, address, remark), and where the whole list is."""

    title: str
    lines: tuple[tuple[Any, str, Any], ...]
    url: str
    empty: str
    order: int = 50
    permission: str = ""


def bounded(rows: Any) -> int:
    """How many rows there are, counted no further than is worth knowing."""
    return int(rows.order_by()[: ENOUGH + 1].count())


Matters = Callable[[], Iterable[Matter]]
Notices = Callable[[], Iterable[Notice]]
Figures = Callable[[], Iterable[Figure]]
Listings = Callable[[], Iterable[Listing]]

_matters: list[Matters] = []
_notices: list[Notices] = []
_figures: list[Figures] = []
_listings: list[Listings] = []


def matters(maker: Matters) -> Matters:
    """Registers a function that says what waits for a person; nothing that is zero."""
    _matters.append(maker)
    return maker


def notices(maker: Notices) -> Notices:
    _notices.append(maker)
    return maker


def figures(maker: Figures) -> Figures:
    _figures.append(maker)
    return maker


def listings(maker: Listings) -> Listings:
    _listings.append(maker)
    return maker


def current_matters() -> list[Matter]:
    return _kept("console.matters", _matters)


def current_notices() -> list[Notice]:
    return _kept("console.notices", _notices)


def current_figures() -> list[Figure]:
    return _kept("console.figures", _figures)


def current_listings() -> list[Listing]:
    return sorted(_kept("console.listings", _listings), key=lambda item: item.order)


def _kept(key: str, makers: list[Any]) -> list[Any]:
    found: list[Any] | None = cache.get(key)
    if found is None:
        found = [item for maker in makers for item in maker()]
        cache.set(key, found, KEPT_SECONDS)
    return found
