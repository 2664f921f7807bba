"""A record's story on one time line: each app adds what it knows, newest first."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from higherself.core.adminsite import cells
from higherself.core.adminsite.panels import TOP, Panel
from higherself.core.history.models import PERSON, ChangeSet

SHOWN = 25
# The others are folded away, so that the form is not far.
UNFOLDED = 6


@dataclass(frozen=True)
class Moment:
    """One thing that happened. ``what`` may hold HTML made by `cells`; ``kind`` is the word on its chip."""

    at: datetime
    kind: Any
    what: Any
    icon: str = "circle"
    who: str = ""
    url: str = ""
    note: str = ""
    tone: str = "calm"

    @property
    def when(self) -> Any:
        return cells.moment(self.at)


# Gets the record, the instant before which to look (None: now) and how many are wanted; the newest come first.
Teller = Callable[[Any, datetime | None, int], Iterable[Moment]]
_tellers: list[tuple[type[models.Model], Teller]] = []


def story(model: type[models.Model]) -> Callable[[Teller], Teller]:
    """Registers a function that tells a part of the story of a model's records. One query, at most ``limit`` rows."""

    def register(teller: Teller) -> Teller:
        _tellers.append((model, teller))
        return teller

    return register


def told(obj: models.Model, before: datetime | None = None, limit: int = SHOWN) -> tuple[list[Moment], bool]:
    """The newest moments before an instant, and whether there are earlier ones."""
    parts = [list(teller(obj, before, limit + 1)) for model, teller in _tellers if isinstance(obj, model)]
    merged = heapq.merge(*parts, key=lambda moment: moment.at, reverse=True)
    found = list(islice(merged, limit + 1))
    return found[:limit], len(found) > limit


def until(rows: Any, field: str, before: datetime | None, limit: int) -> Any:
    """The newest ``limit`` rows before the instant."""
    return (rows.filter(**{f"{field}__lt": before}) if before else rows).order_by(f"-{field}", "-pk")[:limit]


def story_panel(request: HttpRequest, obj: models.Model, order: int = 12) -> Panel:
    """The card for the record's page, above its form; ``?before=`` turns back the time."""
    before = parse_datetime(request.GET.get("before", "").replace(" ", "+"))
    moments, more = told(obj, before)
    context = {
        "first": moments[:UNFOLDED],
        "rest": moments[UNFOLDED:],
        "earlier": moments[-1].at.isoformat() if more and moments else "",
        "turned": before is not None,
    }
    return Panel(gettext_lazy("Time line"), "console/timeline.html", context, place=TOP, order=order, icon="history")


_TONES = {PERSON: "busy"}


def edits(obj: models.Model, before: datetime | None, limit: int) -> list[Moment]:
    """What was changed in the record's fields, by whom, and from which side."""
    mine = ChangeSet.objects.filter(model=obj._meta.label_lower, record_id=obj.pk)
    rows = until(mine.exclude(kind=ChangeSet.Kind.CREATED), "at", before, limit)
    return [
        Moment(
            row.at,
            _("changed"),
            ", ".join(_label(type(obj), name) for name in row.changes) or row.get_kind_display(),
            "edit",
            f"{row.actor or _('the server')} ({row.get_origin_display()})",
            note="; ".join(filter(None, (_from_to(value) for value in list(row.changes.values())[:3]))),
            tone=_TONES.get(row.origin, "calm"),
        )
        for row in rows
    ]


def _label(model: type[models.Model], name: str) -> str:
    try:
        return str(getattr(model._meta.get_field(name), "verbose_name", name))
    except FieldDoesNotExist:
        return name


def _from_to(value: Any) -> str:
    """``111 → 222``; relations are told in the history below."""
    if not isinstance(value, list) or len(value) != 2 or any(isinstance(side, (dict, list)) for side in value):
        return ""
    old, new = (Truncator("–" if side in (None, "") else str(side)).chars(60) for side in value)
    return f"{old} → {new}"
