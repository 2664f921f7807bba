"""The sandbox's time: the real one until a test moves or stops it."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class Clock:
    """`now()` is seconds since the epoch. `set` and `freeze` stop the clock, `resume` lets it run on."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen: float | None = None

    def now(self) -> float:
        return self._frozen if self._frozen is not None else time.time() + self._offset

    def set(self, moment: str | float | datetime) -> None:
        """Stops the clock at a moment: ISO 8601 text, a datetime with a zone, or epoch seconds."""
        self._frozen = epoch(moment)

    def advance(self, seconds: float) -> None:
        if self._frozen is not None:
            self._frozen += seconds
        else:
            self._offset += seconds

    def freeze(self) -> None:
        self._frozen = self.now()

    def resume(self) -> None:
        """Runs on from the present moment of the sandbox."""
        if self._frozen is not None:
            self._offset = self._frozen - time.time()
            self._frozen = None

    def reset(self) -> None:
        self._offset, self._frozen = 0.0, None


def epoch(moment: str | float | datetime) -> float:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.timestamp()
    return float(moment)


def minute_iso(moment: float) -> str:
    """Pages, data sources, blocks and comments: rounded down to the minute."""
    return time.strftime("%Y-%m-%dT%H:%M:00.000Z", time.gmtime(moment))


def millisecond_iso(moment: float) -> str:
    """Databases and webhook events of databases: `2026-07-04T09:13:00.290+00:00`."""
    return datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="milliseconds")


def millisecond_z(moment: float) -> str:
    return millisecond_iso(moment).replace("+00:00", "Z")
