"""When a task is due, in the time zone of the business that it belongs to."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from agents_app.workflow.guards import Facts
from agents_app.workflow.machine import Due

# A task that is due "on a day" is due at the end of that working day, and late in the evening at midnight.
END_OF_WORK = time(18, 0)
END_OF_DAY = time(23, 59)


def due_at(due: Due | None, now: datetime, zone: ZoneInfo, facts: Facts) -> datetime | None:
    """The moment a task is due, or None when it has no due date or its base date is not known."""
    if due is None:
        return None
    if due.base is None:
        return _from_now(due, now, zone)
    base = moment(facts.get(due.base), zone)
    return None if base is None else _around(base, due, now, zone)


def _from_now(due: Due, now: datetime, zone: ZoneInfo) -> datetime:
    if due.hours:
        return now + timedelta(days=due.days, hours=due.hours)
    return _on_day((now.astimezone(zone) + timedelta(days=due.days)).date(), now, zone)


def _around(base: datetime, due: Due, now: datetime, zone: ZoneInfo) -> datetime:
    """The offset from the base; when that is past already, the day before the base; when that is too, now."""
    offset = timedelta(days=due.days, hours=due.hours)
    for candidate in (offset, timedelta(days=-1)) if offset < timedelta(0) else (offset,):
        # Whole days are counted on the calendar there, so that a change of the clocks moves no appointment.
        found = (base.astimezone(zone).replace(tzinfo=None) + candidate).replace(tzinfo=zone)
        if found > now:
            return found
    return now


def _on_day(day: date, now: datetime, zone: ZoneInfo) -> datetime:
    found = datetime.combine(day, END_OF_WORK, zone)
    return found if found > now else datetime.combine(day, END_OF_DAY, zone)


def moment(value: Any, zone: ZoneInfo) -> datetime | None:
    """A date or time among the facts as a moment; a bare date is its midnight in the zone, anything else None."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return datetime.combine(value, time.min, zone)
    return None
