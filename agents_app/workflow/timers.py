"""When something is due by the clock: transitions, and the tasks and messages of a state that have a moment. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone

from agents_app.models import WorkflowInstance
from agents_app.services import catalog
from agents_app.workflow.due import moment
from agents_app.workflow.guards import Facts
from agents_app.workflow.machine import ACTIVE, Definition, Notice, TaskTemplate, Timer, Transition


@dataclass(frozen=True)
class Item:
    """A task or a message of a state, and the moment that it is meant for."""

    at: datetime
    task: TaskTemplate | None = None
    notice: Notice | None = None


def at(timer: Timer, instance: WorkflowInstance, facts: Facts) -> datetime | None:
    """The moment that a timer means, or None when its date is not known.

    Whole days around a date are counted on the calendar there, so that a change of the clocks moves no reminder.
    """
    offset = timedelta(hours=timer.hours)
    if timer.base is None:
        entered = instance.last_transition_date
        return None if entered is None else entered + offset
    zone = _zone(instance, facts)
    base = moment(facts.get(timer.base), zone)
    if base is None:
        return None
    if timer.hours % 24:
        return base + offset
    return (base.astimezone(zone).replace(tzinfo=None) + offset).replace(tzinfo=zone)


def _zone(instance: WorkflowInstance, facts: Facts) -> ZoneInfo:
    """The clock of the place where it happens, else of the business."""
    try:
        named = str(facts.get("time_zone") or "")
        if named:
            return ZoneInfo(named)
    except (ZoneInfoNotFoundError, ValueError):
        pass
    entity = catalog.current().entity_with_pk(instance.business_entity_id)
    return entity.zone if entity else ZoneInfo(timezone.get_default_timezone_name())


def transitions(
    instance: WorkflowInstance, definition: Definition, facts: Facts
) -> Iterator[tuple[datetime, Transition]]:
    """What the clock may fire from here, with its moment."""
    for item in definition.leaving(instance.current_state):
        due = at(item.timer, instance, facts) if item.timer is not None else None
        if due is not None:
            yield due, item


def items(instance: WorkflowInstance, definition: Definition, facts: Facts) -> Iterator[Item]:
    """The timed tasks and messages of the present state that the clock has not been past yet."""
    state = definition.states.get(instance.current_state)
    if state is None:
        return
    seen = instance.timers_seen_at or instance.start_date
    for task in state.tasks:
        due = at(task.after, instance, facts) if task.after is not None else None
        if due is not None and (seen is None or due > seen):
            yield Item(due, task=task)
    for notice in state.notify:
        due = at(notice.after, instance, facts) if notice.after is not None else None
        if due is not None and (seen is None or due > seen):
            yield Item(due, notice=notice)


def next_look(instance: WorkflowInstance, definition: Definition, facts: Facts) -> datetime | None:
    """When the clock has to look at the instance next; None when time changes nothing about it."""
    if instance.status != ACTIVE:
        return None
    moments = [due for due, _ in transitions(instance, definition, facts)]
    return min([*moments, *(item.at for item in items(instance, definition, facts))], default=None)
