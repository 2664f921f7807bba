from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents_app.workflow.due import due_at, moment
from agents_app.workflow.machine import Due

NEW_YORK = ZoneInfo("America/New_York")
# Ten in the evening of 3 March in New York, three in the morning of the 4th in UTC.
LATE = datetime(2026, 3, 4, 3, 0, tzinfo=timezone.utc)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=NEW_YORK)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        (None, None),
        (Due(days=0), local(2026, 3, 3, 23, 59)),
        (Due(days=1), local(2026, 3, 4, 18, 0)),
        (Due(days=7), local(2026, 3, 10, 18, 0)),
        (Due(hours=4), LATE + timedelta(hours=4)),
        (Due(days=1, base="start"), None),
    ],
)
def test_a_task_is_due_by_the_clock_of_its_business(due: Due | None, expected: datetime | None):
    assert due_at(due, LATE, NEW_YORK, {}) == expected


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (local(2026, 4, 1, 9, 0), local(2026, 3, 25, 9, 0)),
        (local(2026, 3, 8, 9, 0), local(2026, 3, 7, 9, 0)),
        (local(2026, 3, 4, 8, 0), LATE),
    ],
)
def test_preparation_falls_a_week_before_or_a_day_before_or_now(start: datetime, expected: datetime):
    assert due_at(Due(days=-7, base="start"), LATE, NEW_YORK, {"start": start.isoformat()}) == expected


def test_a_change_of_the_clocks_moves_no_appointment():
    # The clocks go forward on 8 March 2026 in New York.
    start = local(2026, 3, 14, 9, 0)
    assert due_at(Due(days=-7, base="start"), LATE, NEW_YORK, {"start": start}) == local(2026, 3, 7, 9, 0)


@given(st.integers(946_684_800, 4_102_444_800), st.integers(0, 60))
def test_a_day_offset_is_never_overdue_at_birth_and_lands_on_that_day(seconds: int, days: int):
    now = datetime.fromtimestamp(seconds, timezone.utc)
    found = due_at(Due(days=days), now, NEW_YORK, {})
    assert found is not None
    assert found.astimezone(NEW_YORK).date() == now.astimezone(NEW_YORK).date() + timedelta(days=days)
    assert found >= now - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-04", local(2026, 3, 4)),
        (date(2026, 3, 4), local(2026, 3, 4)),
        ("2026-03-04T03:00:00Z", LATE),
        ("2026-03-04T08:00", local(2026, 3, 4, 8)),
        ("soon", None),
        (None, None),
        (7, None),
    ],
)
def test_a_fact_is_read_as_a_moment_or_not_at_all(value: Any, expected: datetime | None):
    assert moment(value, NEW_YORK) == expected
