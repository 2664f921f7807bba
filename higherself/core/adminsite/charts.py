"""Bars over the last days, drawn as SVG on the server. Pure, but for the queries of `by_day`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from higherself.core.adminsite.days import Number, over

DAYS = 30
HEIGHT, STEP, GAP = 56, 10, 2
Days = tuple[tuple[date, Number], ...]


@dataclass(frozen=True)
class Chart:
    """``days``: oldest first, without holes. ``unit`` follows the numbers: a currency, or nothing."""

    title: str
    days: Days
    url: str = ""
    unit: str = ""
    permission: str = ""
    order: int = 50

    @property
    def total(self) -> str:
        return said(sum((number for _day, number in self.days), start=Decimal(0)), self.unit)

    @property
    def summary(self) -> str:
        """The picture in a sentence, for those who do not see it."""
        most = max(self.days, key=lambda item: item[1], default=None)
        if most is None or not most[1]:
            return _("%(title)s: none in %(days)d days") % {"title": self.title, "days": len(self.days)}
        text = _("%(title)s: %(total)s in %(days)d days, most on %(day)s (%(most)s), today %(today)s")
        return text % {
            "title": self.title,
            "total": self.total,
            "days": len(self.days),
            "day": date_format(most[0], "MONTH_DAY_FORMAT"),
            "most": said(most[1], self.unit),
            "today": said(self.days[-1][1], self.unit),
        }

    @property
    def svg(self) -> SafeString:
        return bars(self.days, self.summary, self.unit)

    @property
    def first(self) -> date:
        return self.days[0][0]

    @property
    def rows(self) -> list[tuple[date, str]]:
        """The same as a table, the newest day first."""
        return [(day, said(number, self.unit)) for day, number in reversed(self.days)]


def said(number: Number, unit: str = "") -> str:
    """``1,240.00 USD``, or ``17``."""
    return f"{number:,.2f} {unit}" if unit else f"{int(number):,}"


def bars(days: Days, summary: str, unit: str = "") -> SafeString:
    """One bar a day; the day and its number show when the mouse rests on it."""
    top = max((number for _day, number in days), default=0) or 1
    shapes = []
    for index, (day, number) in enumerate(days):
        height = max(round(float(number / top) * HEIGHT, 1), 1.5 if number else 0.75)
        label = f"{date_format(day, 'MONTH_DAY_FORMAT')}: {said(number, unit)}"
        kind = "today" if index == len(days) - 1 else "some" if number else "none"
        shapes.append((kind, index * STEP, round(HEIGHT - height, 1), STEP - GAP, height, label))
    return format_html(
        '<svg class="hs-bars" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        len(days) * STEP - GAP,
        HEIGHT,
        summary,
        format_html_join(
            "",
            '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="1"><title>{}</title></rect>',
            shapes,
        ),
    )


def filled(found: dict[date, Number], days: int = DAYS, today: date | None = None) -> Days:
    """Every day of the span, with 0 where nothing was found."""
    last = today or timezone.localdate()
    span: Sequence[date] = [last - timedelta(days=back) for back in range(days - 1, -1, -1)]
    return tuple((day, found.get(day, 0)) for day in span)


def by_day(rows: QuerySet[Any], field: str, days: int = DAYS, of: Any = None) -> Days:
    """How many rows fall on each of the last days by ``field``, which needs an index; ``of``: another aggregate.

    Days that are over are counted once an hour for all processes; today always.
    """
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)

    def count(since: datetime, until: datetime) -> dict[date, Number]:
        lately = rows.filter(**{f"{field}__gte": since, f"{field}__lt": until}).order_by()
        by_date = lately.annotate(_day=TruncDate(field)).values("_day").annotate(_n=of or Count("pk"))
        return {row["_day"]: row["_n"] or 0 for row in by_date}

    try:
        question = _digest(rows, field, days, of)
    except EmptyResultSet:
        return filled({}, days)
    found = over(question, midnight - timedelta(days=days - 1), midnight, count)
    return filled({**found, **count(midnight, midnight + timedelta(days=1))}, days)


def _digest(rows: QuerySet[Any], field: str, days: int, of: Any) -> str:
    asked = f"{rows.query} {field} {days} {of} {timezone.get_current_timezone_name()}"
    return hashlib.sha256(asked.encode()).hexdigest()[:40]
