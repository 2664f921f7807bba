"""Health: every part says in words how it is. No part makes an outbound call for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.utils import timezone

from higherself.core.jobs import WORKER_HEARTBEAT
from higherself.core.models import Heartbeat

OK, DEGRADED, DOWN = "ok", "degraded", "down"
# The schedule wakes a worker every minute, so silence of this length means that none runs.
WORKER_SILENCE = timedelta(seconds=150)


@dataclass(frozen=True)
class Component:
    """How one part is. ``summary`` is a sentence for a person; ``facts`` are figures for a program."""

    status: str
    summary: str
    facts: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"status": self.status, "summary": self.summary, **self.facts}


_components: dict[str, Callable[[], Component]] = {}


def component(name: str) -> Callable[[Callable[[], Component]], Callable[[], Component]]:
    """Registers a function that reports on one part."""

    def register(function: Callable[[], Component]) -> Callable[[], Component]:
        _components[name] = function
        return function

    return register


@component("database")
def database() -> Component:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return Component(DOWN, f"The database cannot be reached: {str(error).splitlines()[0]}")
    return Component(OK, f"{connection.display_name} answers.", {"engine": connection.vendor})


@component("worker")
def worker() -> Component:
    seen = Heartbeat.objects.filter(name=WORKER_HEARTBEAT).values_list("at", flat=True).first()
    if seen is None:
        return Component(DEGRADED, "No worker has run yet: start one with `manage.py qcluster`.", {"last_seen": None})
    silent = timezone.now() - seen
    facts = {"last_seen": seen.isoformat(), "silent_seconds": round(silent.total_seconds())}
    if silent > WORKER_SILENCE:
        return Component(DEGRADED, f"No worker was seen for {facts['silent_seconds']} s; events wait.", facts)
    return Component(OK, "A worker is running.", facts)


def report() -> tuple[str, dict[str, Component]]:
    """The overall status and every component. Only the database takes the server down; the rest degrades it."""
    found = {"database": database()}
    if found["database"].status == DOWN:
        return DOWN, found
    for name, check in _components.items():
        if name not in found:
            found[name] = _guarded(name, check)
    worst = DEGRADED if any(part.status != OK for part in found.values()) else OK
    return worst, found


def _guarded(name: str, check: Callable[[], Component]) -> Component:
    try:
        return check()
    except DatabaseError as error:
        return Component(DEGRADED, f"The state of “{name}” cannot be read: {error}")
