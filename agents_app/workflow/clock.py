"""What time does to workflows: transitions that are due by the clock."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef
from django.utils import timezone

from agents_app.models import Approval, Workflow, WorkflowInstance
from agents_app.services import catalog
from agents_app.workflow import approved, engine
from agents_app.workflow.due import moment
from agents_app.workflow.machine import ACTIVE, IllegalTransition, Transition
from higherself.core.errors import Conflict, Permanent

logger = logging.getLogger(__name__)

ACTOR = "Clock"
LIMIT = 500


def fire_due(now: datetime | None = None) -> int:
    """Fires every transition whose time has come, at most `LIMIT` a state; returns how many."""
    at = now or timezone.now()
    return sum(_fire(instance, transition) for instance, transition in _due(at))


def _due(now: datetime) -> Iterator[tuple[WorkflowInstance, Transition]]:
    for row in catalog.current().workflows.values():
        try:
            definition = catalog.definition(row)
        except Permanent as error:
            logger.warning("%s", error)
            continue
        for name in definition.states:
            timed = [item for item in definition.leaving(name) if item.timer is not None]
            if timed:
                yield from _due_in(row, name, timed, now)


def _due_in(
    row: Workflow, state: str, timed: list[Transition], now: datetime
) -> Iterator[tuple[WorkflowInstance, Transition]]:
    waiting: Any = WorkflowInstance.objects.live().filter(workflow=row, current_state=state, status=ACTIVE)
    if all(item.timer is not None and item.timer.base is None for item in timed):
        shortest = min(item.timer.hours for item in timed if item.timer is not None)
        waiting = waiting.filter(last_transition_date__lte=now - timedelta(hours=shortest))
    held = [item.event for item in timed if item.approval]
    if held:
        # Asked once for each stay in a state: what a person has refused, or has yet to decide, is not asked again.
        asked = Approval.objects.filter(
            subject_model=approved.LABEL,
            subject_id=OuterRef("pk"),
            payload__event__in=held,
            created_at__gte=OuterRef("last_transition_date"),
        )
        waiting = waiting.annotate(asked=Exists(asked))
    for instance in waiting.order_by("last_transition_date", "pk")[:LIMIT]:
        open_to_clock = [item for item in timed if not (item.approval and getattr(instance, "asked", False))]
        found = next((item for item in open_to_clock if _is_due(instance, item, now)), None)
        if found is not None:
            yield instance, found


def _is_due(instance: WorkflowInstance, transition: Transition, now: datetime) -> bool:
    timer = transition.timer
    if timer is None:
        return False
    if timer.base is None:
        base = instance.last_transition_date
    else:
        entity = catalog.current().entity_with_pk(instance.business_entity_id)
        zone = entity.zone if entity else ZoneInfo(timezone.get_default_timezone_name())
        base = moment(engine.facts_of(instance).get(timer.base), zone)
    return base is not None and base + timedelta(hours=timer.hours) <= now


def _fire(instance: WorkflowInstance, transition: Transition) -> int:
    try:
        engine.advance(instance, transition.event, actor=ACTOR, note=transition.title())
    except (IllegalTransition, Conflict) as reason:
        # Somebody moved it since it was read, or a guard holds it back: both are right.
        logger.info("%s: the clock leaves it: %s", instance.instance_id, reason)
        return 0
    return 1
