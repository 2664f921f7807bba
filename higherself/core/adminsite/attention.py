"""What needs a person, and what everybody should know. Each app adds its own; home, badges and banners show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from higherself.core.adminsite.charts import Chart
from higherself.core.adminsite.days import counted_anew, forget_old
from higherself.core.adminsite.scope import Scope, all_businesses
from higherself.core.jobs import job

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
    icon: str = "cloud_off"


@dataclass(frozen=True)
class Figure:
    """One figure of today. ``money`` is what it is worth, said; ``tone`` colours it where it is no good news."""

    title: str
    value: int
    url: str
    hint: str = ""
    icon: str = ""
    permission: str = ""
    money: str = ""
    tone: str = ""
    order: int = 50

    @property
    def shown(self) -> str:
        return f"{ENOUGH:,}+" if self.value > ENOUGH else f"{self.value:,}"


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
Figures = Callable[[Scope], Iterable[Figure]]
Listings = Callable[[Scope], Iterable[Listing]]
Charts = Callable[[Scope], Iterable[Chart]]

_matters: list[Matters] = []
_notices: list[Notices] = []
_figures: list[Figures] = []
_listings: list[Listings] = []
_charts: list[Charts] = []


def matters(maker: Matters) -> Matters:
    """Registers a function that says what waits for a person; nothing that is zero."""
    _matters.append(maker)
    return maker


def notices(maker: Notices) -> Notices:
    """Registers a function that says what everybody should know at the moment."""
    _notices.append(maker)
    return maker


def figures(maker: Figures) -> Figures:
    """Registers a function that counts today, for the chosen business."""
    _figures.append(maker)
    return maker


def listings(maker: Listings) -> Listings:
    """Registers a function that makes short lists for the home page."""
    _listings.append(maker)
    return maker


def charts(maker: Charts) -> Charts:
    """Registers a function that counts the last thirty days. What it asks must be bounded by an index."""
    _charts.append(maker)
    return maker


def current_matters() -> list[Matter]:
    return _kept("console.matters", _matters)


def current_notices() -> list[Notice]:
    return _kept("console.notices", _notices)


def current_figures(scope: Scope) -> list[Figure]:
    return sorted(_kept_for("console.figures", _figures, scope), key=lambda item: item.order)


def current_listings(scope: Scope) -> list[Listing]:
    return sorted(_kept_for("console.listings", _listings, scope), key=lambda item: item.order)


def current_charts(scope: Scope) -> list[Chart]:
    return sorted(_kept_for("console.charts", _charts, scope), key=lambda item: item.order)


@job("count_days", every_seconds=3600)
def count_days() -> int:
    """Counts the charts' days that are over, for all businesses and for each; returns how many charts there are."""
    scopes = [Scope(), *(Scope(business.pk) for business in all_businesses())]
    with counted_anew():
        done = sum(len(list(maker(scope))) for scope in scopes for maker in _charts)
    forget_old()
    return done


def _kept(key: str, makers: list[Any]) -> list[Any]:
    found: list[Any] | None = cache.get(key)
    if found is None:
        found = [item for maker in makers for item in maker()]
        cache.set(key, found, KEPT_SECONDS)
    return found


def _kept_for(key: str, makers: list[Any], scope: Scope) -> list[Any]:
    full_key = f"{key}.{scope.entity_id or 'all'}"
    found: list[Any] | None = cache.get(full_key)
    if found is None:
        found = [item for maker in makers for item in maker(scope)]
        cache.set(full_key, found, KEPT_SECONDS)
    return found
