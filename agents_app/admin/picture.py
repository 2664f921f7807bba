"""A workflow drawn as SVG on the server: states in columns by their distance from the start. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from agents_app.workflow.machine import Definition, Transition

WIDTH, HEIGHT = 138, 36
GAP_X, GAP_Y = 44, 18
MARGIN = 10
LABEL_LENGTH = 19


@dataclass(frozen=True)
class Box:
    x: float
    y: float

    @property
    def middle(self) -> float:
        return self.y + HEIGHT / 2

    @property
    def center(self) -> float:
        return self.x + WIDTH / 2


def columns(definition: Definition) -> list[list[str]]:
    """The states by the number of steps it takes to reach them; those that are never reached come last."""
    depth = {definition.initial: 0}
    waiting = [definition.initial]
    while waiting:
        name = waiting.pop(0)
        for transition in definition.leaving(name):
            if transition.to not in depth:
                depth[transition.to] = depth[name] + 1
                waiting.append(transition.to)
    last = max(depth.values())
    found: list[list[str]] = [[] for _ in range(last + 1)]
    for name in definition.states:
        found[depth.get(name, last)].append(name)
    for column in found:
        # The way that goes on stays on top; ends hang below it.
        column.sort(key=lambda name: definition.state(name).terminal)
    return found


def places(definition: Definition) -> dict[str, Box]:
    return {
        name: Box(MARGIN + x * (WIDTH + GAP_X), MARGIN + y * (HEIGHT + GAP_Y))
        for x, column in enumerate(columns(definition))
        for y, name in enumerate(column)
    }


def svg(definition: Definition, current: str = "", visited: Collection[str] = ()) -> SafeString:
    """The drawing: the current state filled, those that were passed outlined. Each arrow says its event on hovering."""
    boxes = places(definition)
    arrows = _arrows(definition)
    width = max(box.x for box in boxes.values()) + WIDTH + MARGIN + 24
    below = sum(_is_back(boxes[source], boxes[target]) for source, target in arrows)
    height = max(box.y for box in boxes.values()) + HEIGHT + MARGIN + (26 if below else 0)
    return format_html(
        '<svg viewBox="0 0 {} {}" width="{}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg">'
        '<defs><marker id="hs-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="head" d="M0 0 8 4 0 8z"/></marker></defs>{}{}</svg>',
        width,
        height,
        width,
        definition.name,
        format_html_join(
            "",
            '<path class="{}" d="{}" marker-end="url(#hs-head)"><title>{}</title></path>',
            (
                (
                    "been" if {source, target} <= {current, *visited} else "",
                    _curve(boxes[source], boxes[target]),
                    ", ".join(item.title() for item in events),
                )
                for (source, target), events in arrows.items()
            ),
        ),
        format_html_join("", "{}", ((_node(definition, name, boxes[name], current, visited),) for name in boxes)),
    )


def _arrows(definition: Definition) -> dict[tuple[str, str], list[Transition]]:
    """One arrow for each pair of states, however many events lead along it."""
    found: dict[tuple[str, str], list[Transition]] = {}
    for name in definition.states:
        for transition in definition.leaving(name):
            if transition.to != name:
                found.setdefault((name, transition.to), []).append(transition)
    return found


def _node(definition: Definition, name: str, box: Box, current: str, visited: Collection[str]) -> SafeString:
    state = definition.state(name)
    classes = ["now"] if name == current else ["been"] if name in visited else []
    classes += ["end"] if state.terminal else []
    label = state.label if len(state.label) <= LABEL_LENGTH else state.label[: LABEL_LENGTH - 1] + "…"
    return format_html(
        '<g class="{}"><title>{}</title><rect x="{}" y="{}" width="{}" height="{}" rx="8"/>'
        '<text x="{}" y="{}" text-anchor="middle" dominant-baseline="central">{}</text></g>',
        " ".join(classes),
        state.label,
        box.x,
        box.y,
        WIDTH,
        HEIGHT,
        box.center,
        box.middle,
        label,
    )


def _is_back(source: Box, target: Box) -> bool:
    return target.x < source.x


def _curve(source: Box, target: Box) -> str:
    if target.x > source.x:
        bend = (target.x - source.x - WIDTH) / 2 + 6
        start, end = source.x + WIDTH, target.x - 2
        first, second = f"{start + bend} {source.middle}", f"{end - bend} {target.middle}"
        return f"M{start} {source.middle}C{first} {second} {end} {target.middle}"
    if target.x == source.x and abs(target.y - source.y) > HEIGHT + GAP_Y:
        # Around the boxes between them.
        side, out = source.x + WIDTH, source.x + WIDTH + 30
        return f"M{side} {source.middle}C{out} {source.middle} {out} {target.middle} {side + 2} {target.middle}"
    if target.x == source.x:
        down = target.y > source.y
        start, end = (source.y + HEIGHT, target.y - 2) if down else (source.y, target.y + HEIGHT + 2)
        return f"M{source.center} {start}L{target.center} {end}"
    low = max(source.y, target.y) + HEIGHT + 24
    return (
        f"M{source.center} {source.y + HEIGHT}C{source.center} {low} {target.center} {low} "
        f"{target.center} {target.y + HEIGHT + 2}"
    )
