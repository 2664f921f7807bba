"""Looking for a delivery by its ids, or by words in what came, as far back as is worth reading."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from higherself.integrations.registry import PROVIDERS

# Bodies have no index: so many of the newest are read, among those that the filters leave.
NEWEST = 5000
SHORTEST = 3


def search(events: QuerySet[Any], term: str) -> QuerySet[Any]:
    """An id or a delivery key finds its event however old it is; words find the newest that hold them."""
    term = term.strip()
    if not term:
        return events
    exact = events.filter(Q(pk=_as_id(term)) | Q(provider__in=PROVIDERS, delivery_key=term))
    if len(term) < SHORTEST or exact.exists():
        return exact
    newest = events.order_by("-received_at").values("pk")[:NEWEST]
    held = [(f"{_held()} > 0", spelling) for spelling in _spellings(term)]
    sql = " OR ".join([*(where for where, _spelling in held), "event_type = %s", "ordering_key = %s"])
    parameters = [*(spelling for _where, spelling in held), term, term]
    return events.filter(pk__in=newest).extra(where=[f"({sql})"], params=parameters)  # noqa: S610 - our own SQL


def _as_id(term: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(term)
    except ValueError:
        return None


def _held() -> str:
    """The SQL for "where in the bytes is it", 0 when it is not."""
    return "instr(body, %s)" if connection.vendor == "sqlite" else "position(%s::bytea in body)"


def _spellings(term: str) -> list[bytes]:
    """As it may stand in a body: as it is, in small letters, and as JSON escapes what is no ASCII."""
    words = {term, term.lower()}
    return sorted({form.encode("utf-8", "replace") for word in words for form in (word, json.dumps(word)[1:-1])})
