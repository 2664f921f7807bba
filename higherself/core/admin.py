"""The one door to the admin's building blocks: everything that registers a model imports them from here.

So the look (django-unfold) can be changed in one place.
"""

from __future__ import annotations

from higherself.core.access.sensitive import ask as ask_password
from higherself.core.access.sensitive import is_fresh
from higherself.core.adminsite import boards, cells
from higherself.core.adminsite import schedules as _schedules  # noqa: F401 - registers a page
from higherself.core.adminsite import system as _system  # noqa: F401 - registers the kernel's own rows
from higherself.core.adminsite.actions import Answer, Refused, RowAction, who
from higherself.core.adminsite.attention import (
    Figure,
    Listing,
    Matter,
    Notice,
    bounded,
    charts,
    figures,
    listings,
    matters,
    notices,
)
from higherself.core.adminsite.base import ModelAdmin, ReadOnlyAdmin
from higherself.core.adminsite.boards import Card, Column, Move
from higherself.core.adminsite.charts import Chart, by_day
from higherself.core.adminsite.filters import Due, options
from higherself.core.adminsite.pages import page, shown, staff_page
from higherself.core.adminsite.panels import BOTTOM, TOP, Panel, panel, table
from higherself.core.adminsite.records import (
    ARCHIVE,
    PAUSE,
    RESTORE,
    RESUME,
    Bridge,
    RecordAdmin,
    set_archive_gate,
    set_bridge,
)
from higherself.core.adminsite.scope import Business, Scope, businesses, chosen, switch
from higherself.core.adminsite.story import Moment, edits, story, story_panel, until
from higherself.core.adminsite.tones import tone_of
from higherself.core.exchange import admin as _exchange  # noqa: F401 - registers import and export
from higherself.core.history import admin as _history  # noqa: F401 - registers the history

__all__ = [
    "ARCHIVE",
    "BOTTOM",
    "PAUSE",
    "RESTORE",
    "RESUME",
    "TOP",
    "Answer",
    "Bridge",
    "Business",
    "Card",
    "Chart",
    "Column",
    "Due",
    "Figure",
    "Listing",
    "Matter",
    "ModelAdmin",
    "Moment",
    "Move",
    "Notice",
    "Panel",
    "ReadOnlyAdmin",
    "RecordAdmin",
    "Refused",
    "RowAction",
    "Scope",
    "ask_password",
    "boards",
    "bounded",
    "businesses",
    "by_day",
    "cells",
    "charts",
    "chosen",
    "edits",
    "figures",
    "is_fresh",
    "listings",
    "matters",
    "notices",
    "options",
    "page",
    "panel",
    "set_archive_gate",
    "set_bridge",
    "shown",
    "staff_page",
    "story",
    "story_panel",
    "switch",
    "table",
    "tone_of",
    "until",
    "who",
]
