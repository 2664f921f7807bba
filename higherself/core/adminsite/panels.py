"""Parts of a record's page that another app contributes: the Notion panel, the workflow's buttons, related records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.http import HttpRequest

TOP, BOTTOM = "top", "bottom"


@dataclass(frozen=True)
class Panel:
    """One card on a record's page. ``place`` is above or below the form."""

    title: Any
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    place: str = BOTTOM
    order: int = 50
    icon: str = ""


@dataclass(frozen=True)
class Line:
    """One line of a card of related records."""

    cells: tuple[Any, ...]


def table(title: Any, heads: list[Any], rows: list[tuple[Any, ...]], *, more: str = "", **options: Any) -> Panel:
    """A card with a small table; ``more`` is the address of the whole list."""
    context = {"heads": heads, "rows": rows, "more": more}
    return Panel(title, "console/panel_table.html", context, **options)


PanelMaker = Callable[[HttpRequest, Any], Panel | None]
_makers: list[tuple[type[models.Model], PanelMaker]] = []


def panel(model: type[models.Model]) -> Callable[[PanelMaker], PanelMaker]:
    """Registers a function that makes a card for the pages of a model, or of all models derived from it."""

    def register(maker: PanelMaker) -> PanelMaker:
        _makers.append((model, maker))
        return maker

    return register


def panels_for(request: HttpRequest, obj: models.Model) -> list[Panel]:
    found = [maker(request, obj) for model, maker in _makers if isinstance(obj, model)]
    return sorted((item for item in found if item is not None), key=lambda item: item.order)
