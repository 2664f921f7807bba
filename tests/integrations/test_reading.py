"""Reading foreign payloads without tripping."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from higherself.integrations import reading
from higherself.integrations.events import EventKind
from higherself.integrations.kinds import MATERIAL

UTC = timezone.utc
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.datetimes()


class Inner(reading.Part):
    amount: reading.Amount = None


class Outer(reading.Part):
    wanted: ClassVar[tuple[str, ...]] = ("id",)

    id: reading.Text = ""
    count: reading.Whole = None
    inner: Inner = Inner()
    many: Annotated[list[Inner], reading.Objects] = []
    named: reading.Named = {}


def test_every_kind_from_outside_has_a_model_of_its_data():
    own = {"LEAD_SUBMITTED", "LEAD_PARTIAL", "NOTION_PAGE_CHANGED", "NOTION_PAGE_GONE", "NOTION_SCHEMA_CHANGED"}
    assert {kind.name for kind in EventKind} - {kind.name for kind in MATERIAL} == own


def test_unknown_fields_are_kept_and_wrong_ones_reported_without_their_values():
    raw = {"id": ["secret"], "count": "3.0", "inner": {"amount": "x"}, "many": [{"amount": "1.5"}, "secret"], "new": 1}
    found, problems = reading.read(Outer, raw)
    assert (found.id, found.count, found.inner.amount) == ("", 3, None)
    assert [item.amount for item in found.many] == [Decimal("1.5")]
    assert found.model_extra == {"new": 1}
    assert problems == [
        "Outer.id: Value error, is no text",
        "Inner.amount: Value error, is no amount",
        "many: an item is no object",
        "Outer.id: not given",
    ]


def test_a_default_is_not_shared_between_two_readings():
    first, _ = reading.read(Outer, {"named": None, "many": 7})
    first.named["a"] = 1
    first.many.append(Inner())
    assert (reading.read(Outer, {"named": None, "many": 7})[0].named, Outer().many) == ({}, [])


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ([1, 2], [1, 2]),
        ({"1": "b", "0": "a", "10": "c"}, ["a", "b", "c"]),
        ({}, []),
        ({"a": 1}, None),
        ("ab", None),
        (None, None),
    ],
)
def test_a_list_may_be_an_object_with_number_keys(value: Any, items: Any):
    assert reading.as_list(value) == items


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23 10:00:00 UTC", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23T12:00:00+0200", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23T10:00:00.1234567Z", datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        (1666800076, datetime(2022, 10, 26, 16, 1, 16, tzinfo=UTC)),
        ("1666800076", datetime(2022, 10, 26, 16, 1, 16, tzinfo=UTC)),
        (1462216307945, datetime(2016, 5, 2, 19, 11, 47, 945_000, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-23:00", None),
        (10**400, None),
        ("soon", None),
        (True, None),
        (None, None),
    ],
)
def test_times_of_every_writing_are_moments(value: Any, moment: datetime | None):
    assert reading.time_of(value) == moment


def test_a_time_without_an_offset_is_the_zones():
    zone = ZoneInfo("Europe/Madrid")
    assert reading.time_of("2026-07-01 10:00:00", zone) == datetime(2026, 7, 1, 8, tzinfo=UTC)
    assert reading.time_of("2026-07-01T10:00:00Z", zone) == datetime(2026, 7, 1, 10, tzinfo=UTC)


@given(ANYTHING)
def test_no_value_breaks_the_readers_of_single_values(value: Any):
    moment, amount, number = reading.time_of(value), reading.decimal(value), reading.whole(value)
    assert moment is None or moment.tzinfo == UTC
    assert amount is None or amount.is_finite()
    assert number is None or number == amount
    assert isinstance(reading.text(value), str)


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year > 1))
def test_a_written_moment_is_read_back(moment: datetime):
    assert reading.time_of(moment.isoformat()) == moment


def test_what_is_looked_for_is_found_nearest_to_the_top_and_by_the_first_name():
    body = {"data": {"prospectEmail": "inner"}, "list": [{"Email": "deep"}], "email": ""}
    assert reading.find(body, "prospect_email", "email") == "inner"
    assert reading.find(body, "email") == "deep"
    assert reading.find(body, "phone") is None
    assert reading.found_text({"name": {"a": 1}, "title": 7}, "name", "title") == "7"


@pytest.mark.parametrize(
    ("value", "number"),
    [("12", 12), (2**31 - 1, 2**31 - 1), (2**31, None), (-(2**31), None), (10**30, None), (1.5, None)],
)
def test_a_count_is_a_whole_number_that_a_column_holds(value: Any, number: int | None):
    assert reading.count(value) == number
