"""What a dry run would do, in lines that a person can read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from notion_sync.mapping import NotionMapping

if TYPE_CHECKING:
    from notion_sync.engine.apply import Meeting
    from notion_sync.engine.push import Change

_WIDTH = 60


class Plan:
    """Collects the lines of a plan."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        self.lines.append(line)


def plan_meetings(plan: Plan, mapping: type[NotionMapping], meetings: Sequence[Meeting]) -> None:
    for meeting in meetings:
        name = f"{mapping.title} “{meeting.row}”"
        if meeting.is_new:
            plan.add(f"create here  {name}")
            continue
        if meeting.first:
            plan.add(f"recognise    {name} as page {meeting.page['id']}")
        clashing = {conflict.field for conflict in meeting.conflicts}
        for attr in meeting.changed:
            word = "conflict" if attr in clashing else "pull"
            plan.add(_line(word, name, mapping, attr, meeting.local.get(attr), meeting.remote.get(attr)))
        for attr, value in meeting.requests.items():
            plan.add(_line("request", name, mapping, attr, meeting.local.get(attr), value))


def plan_change(plan: Plan, mapping: type[NotionMapping], change: Change) -> None:
    name = f"{mapping.title} “{change.row}”"
    if change.row.archived_at is not None:
        plan.add(f"trash in Notion  {name}")
    elif change.is_new:
        plan.add(f"create in Notion {name}")
    else:
        for attr, value in change.values.items():
            plan.add(_line("push", name, mapping, attr, change.tie.base.get(attr), value))


def _line(word: str, name: str, mapping: type[NotionMapping], attr: str, old: Any, new: Any) -> str:
    return f"{word:<12} {name}: {mapping.property(attr).name}: {_short(old)} → {_short(new)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"
