"""From a stored delivery to the agents that take it, and what is written about it afterwards.

One delivery is one transaction: the agents' work, their runs and the mark "processed" are kept together or not at
all. What went wrong is written after the rollback, so it survives.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, DataError, IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from pydantic import BaseModel, ValidationError

from agents_app.agents.base import AnyKind, BaseAgent, Context, SwitchedOff, WorkKind
from agents_app.agents.registry import AGENTS, LEFT_ALONE, takers
from agents_app.agents.running import work_on
from agents_app.agents.task_management import StateEntered, TaskDone
from agents_app.choices import RunOutcome, TaskStatus
from agents_app.models import AgentRun, Task
from agents_app.services import catalog, reminders, work
from agents_app.text import clean
from contacts.erased import WasErased
from higherself.core import history
from higherself.core.errors import Permanent
from higherself.integrations import inbox
from higherself.integrations.base import Ignore
from higherself.integrations.events import Event, listeners
from higherself.integrations.models import InboundEvent

logger = logging.getLogger(__name__)

# Two events about the same new person meet at a unique constraint; the second one finds the first one's rows.
TRIES = 3
OFF_SECONDS = 30.0
# What fails every minute for the same reason is noted once in so long.
QUIET = timedelta(hours=6)


@dataclass(frozen=True)
class Assignment:
    """One event for one agent."""

    agent: BaseAgent
    data: BaseModel
    context: Context


def process(inbound: InboundEvent) -> None:
    """Works on one claimed delivery and records what became of it. Raises only when the database is away."""
    at_work: list[Assignment] = []
    try:
        _work(inbound, at_work)
    except Ignore as reason:
        inbox.mark_ignored(inbound, str(reason))
    except SwitchedOff as reason:
        inbox.postpone(inbound, str(reason), OFF_SECONDS)
    except inbox.LeaseLost:
        logger.warning("event %s went to another worker; nothing of this attempt was kept", inbound.pk)
    except Exception as caught:
        # Whatever an agent stumbled over, the event is kept, tried again and shown; the worker goes on.
        error = _lasting(caught)
        _log(inbound, error)
        inbox.mark_failed(inbound, error)
        _record_failure(inbound, at_work, error)


def _lasting(error: Exception) -> Exception:
    """A value that does not fit today will not fit in an hour either: a person is to see it at once."""
    if isinstance(error, (DataError, OverflowError, RecursionError)):
        said = next(iter(str(error).splitlines()), type(error).__name__)
        problem = f"The delivery holds a value that cannot be stored or read: {said}"
        return Permanent(problem).with_traceback(error.__traceback__)
    return error


def _log(inbound: InboundEvent, error: Exception) -> None:
    if isinstance(error, Permanent):
        logger.info("event %s of %s needs a person: %s", inbound.pk, inbound.provider, error)
    else:
        logger.exception("event %s of %s failed in attempt %d", inbound.pk, inbound.provider, inbound.attempts)


def _record_failure(inbound: InboundEvent, at_work: list[Assignment], error: Exception) -> None:
    """The run that the rollback has taken away, with its reason. What needs a person is no failure of the agent."""
    for item in at_work:
        AgentRun.objects.create(
            agent_id=item.agent.agent_id,
            event_kind=item.context.kind.value,
            inbound_event=inbound.pk,
            started_at=item.context.now,
            finished_at=timezone.now(),
            outcome=RunOutcome.IGNORED if isinstance(error, Permanent) else RunOutcome.FAILED,
            message=clean(f"{type(error).__name__}: {error}")[:2000],
        )


def _work(inbound: InboundEvent, at_work: list[Assignment]) -> None:
    """``at_work`` holds the assignment that is being worked on, for whoever has to say where it went wrong."""
    events = inbox.read(inbound)
    assignments = assign(events, inbound)
    refused: list[AgentRun] = []
    while True:
        try:
            return _tried(inbound, assignments, events, at_work, refused)
        except WasErased as reason:
            # Nothing of that assignment was kept. The others are worked on without it.
            item = at_work.pop()
            assignments = [other for other in assignments if other is not item]
            refused.append(_refused(item, inbound, reason))


def _tried(
    inbound: InboundEvent,
    assignments: list[Assignment],
    events: list[Event],
    at_work: list[Assignment],
    refused: list[AgentRun],
) -> None:
    for _ in range(TRIES - 1):
        with contextlib.suppress(IntegrityError):
            return _hand_over(inbound, assignments, events, at_work, refused)
    return _hand_over(inbound, assignments, events, at_work, refused)


def _refused(item: Assignment, inbound: InboundEvent, reason: WasErased) -> AgentRun:
    return AgentRun(
        agent_id=item.agent.agent_id,
        event_kind=item.context.kind.value,
        inbound_event=inbound.pk,
        started_at=item.context.now,
        finished_at=timezone.now(),
        outcome=RunOutcome.IGNORED,
        message=str(reason),
    )


def assign(events: list[Event], inbound: InboundEvent) -> list[Assignment]:
    """Who does what. Raises `Ignore` when nobody takes any of it, `SwitchedOff`, or `Permanent` for unknown shapes."""
    wanted = [(event, agent) for event in events for agent in takers(event.kind)]
    if not wanted and not any(listeners(event) for event in events):
        raise Ignore(_why_nobody(events))
    known = catalog.current()
    off = sorted({agent.agent_id for _, agent in wanted if not known.is_on(agent.agent_id)})
    if off:
        raise SwitchedOff(off)
    return [Assignment(agent, _input(agent, event), _context(agent, event, inbound)) for event, agent in wanted]


def _why_nobody(events: list[Event]) -> str:
    """The decision that stands behind it, where there is one."""
    decided = dict.fromkeys(LEFT_ALONE[event.kind] for event in events if event.kind in LEFT_ALONE)
    if decided:
        return " ".join(decided)
    kinds = ", ".join(sorted({event.kind.value for event in events})) or "such"
    return f"No agent takes {kinds} events yet: the delivery is kept and can be replayed later."


def _input(agent: BaseAgent, event: Event) -> BaseModel:
    try:
        return agent.consumes[event.kind].model_validate(event.data)
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:10])
        raise Permanent(f"{agent.agent_id} cannot read this {event.kind.value}: {places}") from error


def _context(agent: BaseAgent, event: Event, inbound: InboundEvent) -> Context:
    return Context(
        kind=event.kind,
        actor=agent.agent_id,
        source=event.source,
        source_id=event.source_id,
        event_id=str(inbound.pk),
        occurred_at=event.occurred_at,
    )


@transaction.atomic
def _hand_over(
    inbound: InboundEvent,
    assignments: list[Assignment],
    events: list[Event],
    at_work: list[Assignment],
    refused: list[AgentRun],
) -> None:
    for event in events:
        for listener in listeners(event):
            listener(event)
    runs = []
    for item in assignments:
        at_work[:] = [item]
        runs.append(_run(item, inbound.pk))
    at_work.clear()
    AgentRun.objects.bulk_create([*runs, *refused])
    if refused and not runs:
        inbox.mark_ignored(inbound, refused[0].message)
    else:
        inbox.mark_processed(inbound, [row for run in runs for row in run.created])
    if refused or any(run.about_erased for run in runs):
        inbox.forget(inbound)


def _run(item: Assignment, event_id: Any = None) -> AgentRun:
    """Lets the agent work and returns the record of it, not yet stored."""
    with history.by(item.agent.agent_id, history.AGENT, event_id=event_id):
        return work_on(item.agent, item.data, item.context)[1]


# -- what happens inside the server ---------------------------------------------------------------------------------
def tell(kind: AnyKind, data: BaseModel, agent_id: str = work.AGENT, *, keep_nothing: bool = True) -> AgentRun:
    """Hands something that happened inside the server to the agent for it, in a transaction of its own.

    Without ``keep_nothing`` a run that found nothing to do leaves no record, as suits what asks every minute.
    """
    agent = AGENTS[agent_id]
    context = Context(kind=kind, actor=agent.agent_id)
    with transaction.atomic():
        run = _run(Assignment(agent, data, context))
        if keep_nothing or run.outcome != RunOutcome.IGNORED:
            run.save(force_insert=True)
    return run


def tell_if_on(kind: AnyKind, data: BaseModel, agent_id: str) -> AgentRun | None:
    """As `tell`, for what the clock asks again and again. While the agent is switched off nothing is done; what fails
    is kept as a failed run and does not stop the caller's other work."""
    if not catalog.current().is_on(agent_id):
        return None
    started = timezone.now()
    try:
        return tell(kind, data, agent_id, keep_nothing=False)
    except DatabaseError:
        raise
    except SwitchedOff as reason:
        # It hands something on to an agent that is off: no failure of either, and asked again in a minute.
        logger.info("%s waits with %s: %s", agent_id, kind.value, reason)
        return None
    except Exception as error:
        logger.exception("%s failed over %s", agent_id, kind.value)
        message = clean(f"{type(error).__name__}: {error}")[:2000]
        same = AgentRun.objects.filter(agent_id=agent_id, event_kind=kind.value, outcome=RunOutcome.FAILED)
        if same.filter(message=message, started_at__gte=started - QUIET).exists():
            return None
        return AgentRun.objects.create(
            agent_id=agent_id,
            event_kind=kind.value,
            started_at=started,
            finished_at=timezone.now(),
            outcome=RunOutcome.FAILED,
            message=message,
        )


def task_saved(task: Task) -> None:
    """Notices that a task has become Done, or is open again. Exactly one caller moves the workflow on.

    ``done_told`` is the mark: it is set here and only here. While the agent is switched off it is not, and the sweep
    comes back to the task. A completion date that a person has entered stays.
    """
    if task.status != TaskStatus.DONE:
        if task.done_told and Task.objects.filter(pk=task.pk).update(done_told=False, completed_date=None):
            task.done_told, task.completed_date = False, None
        return
    if task.done_told or not catalog.current().is_on(work.AGENT):
        return
    now = timezone.now()
    with transaction.atomic():
        rows = Task.objects.filter(pk=task.pk, status=TaskStatus.DONE, done_told=False)
        if not rows.update(done_told=True, completed_date=Coalesce("completed_date", Value(now))):
            return
        task.done_told, task.completed_date = True, task.completed_date or now
        reminders.ready(task)
        if task.related_workflow_instance_id is not None:
            tell(WorkKind.TASK_DONE, TaskDone(task_pk=task.pk))


def make_waiting_tasks(limit: int = 100) -> int:
    """Makes the tasks that waited for their agent to be switched on; returns how many waits have ended."""
    if not catalog.current().is_on(work.AGENT):
        return 0
    waiting = AgentRun.objects.filter(agent_id=work.AGENT, event_kind=WorkKind.STATE_ENTERED.value, outcome="")
    ended = 0
    for run in waiting.order_by("pk")[:limit]:
        with transaction.atomic():
            # The one who ends the wait makes the tasks.
            if not waiting.filter(pk=run.pk).update(outcome=RunOutcome.DONE, finished_at=timezone.now()):
                continue
            for row in run.created:
                tell(WorkKind.STATE_ENTERED, StateEntered(instance_pk=row["id"]))
            ended += 1
    return ended
