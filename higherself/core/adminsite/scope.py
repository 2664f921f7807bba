"""What the home page and the boards are about: all businesses or one of them, and the present day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

KEY = "entity"
_IN_SESSION = "console_entity"


@dataclass(frozen=True)
class Business:
    """One of those that a person can switch to."""

    pk: int
    name: str


@dataclass(frozen=True)
class Scope:
    """``entity_id``: the business that was chosen, None for all of them."""

    entity_id: int | None = None

    @property
    def start(self) -> datetime:
        """The midnight that today began with, where the server is."""
        return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=1)

    def of(self, field: str) -> dict[str, Any]:
        """What narrows a query down to the chosen business; ``field`` is its foreign key."""
        return {} if self.entity_id is None else {field: self.entity_id}


_businesses: list[Callable[[], list[Business]]] = []


def businesses(maker: Callable[[], list[Business]]) -> Callable[[], list[Business]]:
    """Registers the function that lists the businesses."""
    _businesses.append(maker)
    return maker


def all_businesses() -> list[Business]:
    return [item for maker in _businesses for item in maker()]


def chosen(request: HttpRequest) -> Scope:
    """The business that the address names, else the one that this person chose last."""
    known = {str(item.pk): item.pk for item in all_businesses()}
    session: Any = getattr(request, "session", {})
    wanted = request.GET.get(KEY)
    if wanted is not None and session.get(_IN_SESSION, "") != wanted and (wanted in known or not wanted):
        session[_IN_SESSION] = wanted
    return Scope(known.get(session.get(_IN_SESSION, "") if wanted is None else wanted))


def switch(request: HttpRequest, scope: Scope) -> list[dict[str, Any]]:
    """The links of the switch: all, then each business. Nothing where there is no choice."""
    names = all_businesses()
    if len(names) < 2:
        return []
    query = request.GET.copy()
    found = []
    for pk, name in [(None, ""), *((item.pk, item.name) for item in names)]:
        query[KEY] = "" if pk is None else str(pk)
        found.append({"name": name, "url": f"?{query.urlencode()}", "current": pk == scope.entity_id})
    return found
