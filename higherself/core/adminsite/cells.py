"""Cells of lists and facts of record pages: chips, times, links, people, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.admin import display
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from higherself.core.adminsite.tones import BAD, tone_of

NOTHING = "–"
LONGEST_JSON = 200_000
Cell = Callable[[Any, Any], Any]


# -- pieces of HTML -------------------------------------------------------------------------------------------------
def chip(text: Any, tone: str = "calm", *, href: str = "", title: str = "", new_tab: bool = False) -> SafeString:
    """A word on a coloured ground."""
    if not href:
        return format_html('<span class="hs-chip hs-{}" title="{}">{}</span>', tone, title, text)
    target = ' target="_blank" rel="noopener noreferrer"' if new_tab else ""
    return format_html('<a class="hs-chip hs-{}" href="{}" title="{}"' + target + ">{}</a>", tone, href, title, text)


def link(href: str, text: Any, *, new_tab: bool = False) -> SafeString:
    if not new_tab:
        return format_html('<a class="hs-link" href="{}">{}</a>', href, text)
    return format_html(
        '<a class="hs-link" href="{}" target="_blank" rel="noopener noreferrer">{}'
        ' <span aria-hidden="true">↗</span></a>',
        href,
        text,
    )


def web_link(url: str, text: Any = "") -> Any:
    """A link to a page elsewhere. Only http addresses become links: what people type may be anything."""
    if not url:
        return NOTHING
    shown = text or Truncator(url).chars(60)
    return link(url, shown, new_tab=True) if url.startswith(("https://", "http://")) else shown


def change_url(model: type[models.Model] | str, pk: Any) -> str:
    """The record's page in the console; empty when the model has none. ``model``: a class or ``app.model``."""
    label = model if isinstance(model, str) else model._meta.label_lower
    app, _dot, name = label.partition(".")
    try:
        return reverse(f"admin:{app}_{name}_change", args=[pk])
    except NoReverseMatch:
        return ""


def list_url(model: type[models.Model] | str, query: str = "") -> str:
    label = model if isinstance(model, str) else model._meta.label_lower
    app, _dot, name = label.partition(".")
    return reverse(f"admin:{app}_{name}_changelist") + (f"?{query}" if query else "")


def record_link(obj: models.Model | None) -> Any:
    """The record's name, leading to its page."""
    if obj is None:
        return NOTHING
    url = change_url(type(obj), obj.pk)
    return link(url, Truncator(str(obj)).chars(60)) if url else str(obj)


def json_block(value: Any) -> Any:
    """JSON as people read it: indented, in the order in which it is stored."""
    if value in (None, {}, [], ""):
        return NOTHING
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return text_block(text)


def text_block(text: str) -> SafeString:
    """Plain text in a box that scrolls; very long text is cut, and says so."""
    if len(text) > LONGEST_JSON:
        text = text[:LONGEST_JSON] + "\n" + _("… cut here, %(size)d characters in all") % {"size": len(text)}
    return format_html('<pre class="hs-code">{}</pre>', text)


def advice(text: str) -> SafeString:
    """A sentence in a list: it wraps instead of pushing the columns beside it out of sight."""
    return format_html('<span class="hs-advice">{}</span>', text or NOTHING)


def lines(items: list[Any]) -> Any:
    return format_html_join("", "<div>{}</div>", ((item,) for item in items)) if items else NOTHING


def created(items: Any) -> Any:
    """The records that a run or an event has made (``{"model", "id", "label"}``), each leading to its page."""
    found = []
    for item in items if isinstance(items, list) else []:
        url = change_url(str(item.get("model", "")), item.get("id"))
        label = str(item.get("label") or item.get("id"))
        found.append(link(url, label) if url else label)
    return lines(found)


def created_first(items: Any) -> Any:
    """The first of them, and how many more there are: for lists."""
    if not isinstance(items, list) or not items:
        return NOTHING
    rest = format_html(' <span class="hs-quiet">+{}</span>', len(items) - 1) if len(items) > 1 else ""
    return format_html('<span class="hs-nowrap">{}{}</span>', created(items[:1]), rest)


# -- times ----------------------------------------------------------------------------------------------------------
def span(seconds: float) -> str:
    """A length of time in its largest unit: ``12 s``, ``5 min``, ``3 h``, ``4 d``."""
    whole = int(abs(seconds))
    if whole < 60:
        return _("%d s") % whole
    if whole < 3600:
        return _("%d min") % (whole // 60)
    if whole < 86400:
        return _("%d h") % (whole // 3600)
    return _("%d d") % (whole // 86400)


def ago(moment: datetime | date | None) -> str:
    """``5 min ago`` or ``in 3 d``; the date itself when that is more than 30 days away."""
    if moment is None:
        return NOTHING
    if not isinstance(moment, datetime):
        return date_format(moment, "DATE_FORMAT")
    seconds = (timezone.now() - moment).total_seconds()
    if abs(seconds) > timedelta(days=30).total_seconds():
        return date_format(timezone.localtime(moment), "DATE_FORMAT")
    if 0 <= seconds < 2:
        return _("just now")
    return _("%s ago") % span(seconds) if seconds > 0 else _("in %s") % span(seconds)


def moment(value: datetime | date | None) -> Any:
    """A time as `ago` says it, with the exact one when the mouse rests on it."""
    if value is None:
        return NOTHING
    exact = date_format(timezone.localtime(value), "DATETIME_FORMAT") if isinstance(value, datetime) else str(value)
    return format_html('<time class="hs-time" title="{}">{}</time>', exact, ago(value))


# -- columns: made from a field's name, for the body of an admin class -----------------------------------------------
def _title(field: str, given: Any) -> Any:
    return given or gettext_lazy(field.replace("__", " ").replace("_", " "))


def status(field: str, description: Any = None) -> Cell:
    """A column (or fact) that shows the field as a coloured chip."""

    @display(description=_title(field, description), ordering=field)
    def show(_admin: Any, obj: models.Model) -> Any:
        value = getattr(obj, field)
        text = _label(obj, field, value)
        return chip(text, tone_of(value, field)) if value else NOTHING

    return show


def _label(obj: models.Model, field: str, value: Any) -> Any:
    try:
        choices = obj._meta.get_field(field).choices  # type: ignore[union-attr]
    except FieldDoesNotExist:
        choices = None
    return dict(choices).get(value, value) if choices else value


def when(field: str, description: Any = None) -> Cell:
    """A column that shows a time relative to now."""

    @display(description=_title(field, description), ordering=field)
    def show(_admin: Any, obj: models.Model) -> Any:
        return moment(getattr(obj, field))

    return show


def related(field: str, description: Any = None) -> Cell:
    """A column that links to the record a foreign key points at; name the key in ``list_select_related``."""

    @display(description=_title(field, description), ordering=field)
    def show(_admin: Any, obj: models.Model) -> Any:
        return record_link(getattr(obj, field))

    return show


def people(field: str, description: Any = None) -> Cell:
    """Notion users by name. They are chosen in Notion: only Notion knows who may be."""

    @display(description=_title(field, description))
    def show(_admin: Any, obj: models.Model) -> Any:
        value = getattr(obj, field) or []
        found = [str(item.get("name") or item.get("id")) for item in value if isinstance(item, dict)]
        return ", ".join(found) or NOTHING

    return show


def names(field: str, description: Any = None) -> Cell:
    """The options of a multi-select as chips."""

    @display(description=_title(field, description))
    def show(_admin: Any, obj: models.Model) -> Any:
        value = getattr(obj, field) or []
        return format_html_join(" ", "{}", ((chip(item),) for item in value)) or NOTHING

    return show


def pretty(field: str, description: Any = None) -> Cell:
    """A JSON field, indented."""

    @display(description=_title(field, description))
    def show(_admin: Any, obj: models.Model) -> Any:
        return json_block(getattr(obj, field))

    return show


def short(field: str, description: Any = None, length: int = 80) -> Cell:
    """The beginning of a long text."""

    @display(description=_title(field, description), ordering=field)
    def show(_admin: Any, obj: models.Model) -> Any:
        value = str(getattr(obj, field) or "")
        return format_html('<span title="{}">{}</span>', value[:1000], Truncator(value).chars(length)) or NOTHING

    return show


def share(field: str, description: Any = None) -> Cell:
    """A number from 0 to 1 as per cent."""

    @display(description=_title(field, description), ordering=field)
    def show(_admin: Any, obj: models.Model) -> Any:
        value = getattr(obj, field)
        return NOTHING if value is None else f"{value:.0%}"

    return show


def due(field: str, description: Any = None) -> Cell:
    """A time that is red once it has passed, as long as the record is open (``is_overdue``)."""

    @display(description=_title(field, description), ordering=field)
    def show(_admin: Any, obj: Any) -> Any:
        value = getattr(obj, field)
        return chip(ago(value), BAD, title=str(value)) if value and obj.is_overdue else moment(value)

    return show


def counted(number: int, one: str, many: str) -> str:
    """``1 record`` or ``3 records``."""
    return f"{number:,} {ngettext(one, many, number)}"
