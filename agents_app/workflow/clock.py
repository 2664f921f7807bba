"""What time does to workflows: transitions, tasks and messages that are due by the clock.

Each instance knows when it has to be looked at next (``next_timer_at``, set with every move), so one indexed question
finds those whose time has come, however many wait.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from agents_app.models import Approval, WorkflowInstance
from agents_app.workflow import approved, engine, timers
from agents_app.workflow.machine import ACTIVE, IllegalTransition
from higherself.core.errors import Conflict, Permanent

logger = logging.getLogger(__name__)

ACTOR = "Clock"
LIMIT = 500
# More steps than any definition has states.
STEPS = 20
# What a guard, an approval or a broken definition holds back is looked at again after this time.
LATER = timedelta(hours=1)


def fire_due(now: datetime | None = None) -> int:
    """Does everything whose time has come, for at most `LIMIT` instances; returns how many transitions, tasks and
    messages that were."""
    moment = now or timezone.now()
    due = WorkflowInstance.objects.live().filter(status=ACTIVE, next_timer_at__lte=moment)
    pks = list(due.order_by("next_timer_at", "pk").values_list("pk", flat=True)[:LIMIT])
    return sum(_look(pk, moment) for pk in pks)


def _look(pk: int, now: datetime) -> int:
    try:
        with transaction.atomic():
            rows = WorkflowInstance.objects.select_for_update(of=("self",)).select_related("contact")
            instance = rows.get(pk=pk)
            if instance.status != ACTIVE or instance.next_timer_at is None or instance.next_timer_at > now:
                # Somebody moved it since it was found.
                return 0
            return _pass_time(instance, now)
    except (Permanent, Conflict) as reason:
        logger.warning("the clock leaves workflow instance %s alone: %s", pk, reason)
        _look_again(pk, now + LATER)
        return 0


def _pass_time(instance: WorkflowInstance, now: datetime) -> int:
    run = engine.Run(instance, actor=ACTOR, now=now)
    held = _asked_for(run)
    fired = 0
    while fired < STEPS and (event := _due(run, held, now)):
        try:
            run.fire(event, note=_title(run, event))
            fired += 1
        except IllegalTransition as reason:
            # A guard or an approval stands against it, and is right.
            logger.info("%s: the clock leaves it: %s", instance.instance_id, reason)
            held.add(event)
    made = _timed(run, now)
    run.make_timed(made)
    instance.timers_seen_at = now
    run.save()
    if instance.next_timer_at is not None and instance.next_timer_at <= now:
        _look_again(instance.pk, now + LATER)
    return fired + len(made)


def _asked_for(run: engine.Run) -> set[str]:
    """The events that have been asked for in this state: what a person has refused, or has yet to decide, is not
    asked for again."""
    instance = run.instance
    guarded = [item.event for item in run.definition.leaving(instance.current_state) if item.timer and item.approval]
    if not guarded:
        return set()
    rows = Approval.objects.filter(
        subject_model=approved.LABEL, subject_id=instance.pk, created_at__gte=instance.last_transition_date
    )
    return {event for event in rows.values_list("payload__event", flat=True) if event in guarded}


def _due(run: engine.Run, held: set[str], now: datetime) -> str | None:
    facts = engine.facts_of(run.instance)
    if run.instance.status != ACTIVE:
        return None
    found = timers.transitions(run.instance, run.definition, facts)
    due = sorted((at, item.event) for at, item in found if at <= now and item.event not in held)
    return due[0][1] if due else None


def _title(run: engine.Run, event: str) -> str:
    return next(item.title() for item in run.definition.leaving(run.instance.current_state) if item.event == event)


def _timed(run: engine.Run, now: datetime) -> list[timers.Item]:
    """What is due in the state that it has come to. Of several reminders that are due at once, the last one is told."""
    if run.instance.status != ACTIVE:
        return []
    found = [
        item for item in timers.items(run.instance, run.definition, engine.facts_of(run.instance)) if item.at <= now
    ]
    latest = {item.notice.template: item.at for item in sorted(found, key=_moment) if item.notice is not None}
    return [item for item in found if item.notice is None or latest[item.notice.template] == item.at]


def _moment(item: timers.Item) -> datetime:
    return item.at


def _look_again(pk: int, at: datetime) -> None:
    # The plain manager: this is no news for Notion.
    WorkflowInstance._base_manager.filter(pk=pk).update(next_timer_at=at)
