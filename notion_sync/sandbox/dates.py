"""Date values: checked, cut to the minute, compared by the minute (Notion: reference/page-property-values).

Read back, a date-time carries its offset and `time_zone` is always null.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from . import checks
from .errors import invalid, validation

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?\Z", re.IGNORECASE)
_ISO = "a valid ISO 8601 date string"


def parse(value: Any, path: str) -> dict[str, str | None]:
    """The stored form: `{"start", "end"}`, already as it is read back."""
    value = checks.an_object(value, path)
    checks.only_keys(value, ("start", "end", "time_zone"), path)
    zone = _zone(value.get("time_zone"), f"{path}.time_zone")
    start = _moment(checks.required(value, "start", path), f"{path}.start", zone)
    end = None
    if value.get("end") is not None:
        end = _moment(value["end"], f"{path}.end", zone)
        _check_order(start, end, path)
    return {"start": start, "end": end}


def _check_order(start: str, end: str, path: str) -> None:
    if is_date_only(start) != is_date_only(end):
        raise validation(f"body failed validation: {path}.start and end must both have a time or neither.")
    if instant(end) < instant(start):
        raise validation(f"body failed validation: {path}.end should be on or after start.")


def _zone(name: Any, path: str) -> ZoneInfo | None:
    if name is None:
        return None
    if not isinstance(name, str) or name not in available_timezones():
        raise invalid(path, "a valid IANA time zone", name)
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError as error:
        raise invalid(path, "a valid IANA time zone", name) from error


def _moment(text: Any, path: str, zone: ZoneInfo | None) -> str:
    if not isinstance(text, str):
        raise invalid(path, _ISO, text)
    if _DATE.match(text):
        return _date_only(text, path, zone)
    if not _TIME.match(text):
        raise invalid(path, _ISO, text)
    moment = _read(text, path)
    if moment.tzinfo is not None and zone is not None:
        raise validation(f"body failed validation: {path} should not have a UTC offset when time_zone is set.")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone or timezone.utc)
    return moment.replace(second=0, microsecond=0).isoformat(timespec="milliseconds")


def _date_only(text: str, path: str, zone: ZoneInfo | None) -> str:
    if zone is not None:
        raise validation(f"body failed validation: {path} should have a time when time_zone is set.")
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise invalid(path, _ISO, text) from error
    return text


def _read(text: str, path: str) -> datetime:
    """`fromisoformat` of Python 3.10 knows three or six digits of a second and no bare offset."""
    head, _, tail = text.upper().replace("Z", "+00:00").partition("T")
    clock, sign, offset = re.match(r"([\d:.]+)([+-]?)(.*)\Z", tail).groups()  # type: ignore[union-attr]
    clock = clock.split(".", 1)[0]
    if sign and ":" not in offset:
        offset = f"{offset[:2]}:{offset[2:]}"
    try:
        return datetime.fromisoformat(f"{head}T{clock}{sign}{offset}")
    except ValueError as error:
        raise invalid(path, _ISO, text) from error


def is_date_only(text: str) -> bool:
    return len(text) == 10


def instant(text: str) -> datetime:
    """A stored or filter date as a moment in UTC; a date alone is its midnight."""
    if is_date_only(text):
        return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    return datetime.fromisoformat(text).astimezone(timezone.utc)


def filter_bounds(text: Any, path: str) -> tuple[datetime, datetime]:
    """First and last minute that a filter's date stands for: a whole day, or one minute."""
    stored = _moment(text, path, None)
    first = instant(stored)
    return (first, first + timedelta(hours=23, minutes=59)) if is_date_only(stored) else (first, first)


def show(stored: dict[str, str | None] | None) -> dict[str, str | None] | None:
    if stored is None:
        return None
    return {"start": stored["start"], "end": stored["end"], "time_zone": None}


def relative_bounds(name: str, now: datetime) -> tuple[datetime, datetime]:
    """Bounds of past_week, next_month and their kin around now."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    end_of_today = today + timedelta(hours=23, minutes=59)
    if name == "this_week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=6, hours=23, minutes=59)
    days = timedelta(days={"week": 7, "month": 30, "year": 365}[name.split("_")[1]])
    if name.startswith("past_"):
        return today - days, end_of_today
    return today, end_of_today + days
