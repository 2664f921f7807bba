"""One instance on the move: any number of steps in memory, then one statement for each table.

Only `engine` and the agents make a `Run`; pages and jobs use the functions of `engine`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from agents_app.choices import AgentStatus
from agents_app.models import AgentRun, Approval, Notification, Task, Workflow, WorkflowInstance, WorkflowTransition
from agents_app.services import approvals, catalog, messages, work
from agents_app.text import one_line
from agents_app.workflow import approved, effects, guards, timers
from agents_app.workflow.machine import (
    CANCELLED,
    END_STATUSES,
    ERROR,
    ON_HOLD,
    Definition,
    Held,
    Notice,
    Position,
    Transition,
)
from contacts.models import BusinessEntity
from higherself.core.errors import Conflict, Permanent

# Notion: reference/request-limits. One rich-text item holds 2000 characters; some room is left for line ends.
TAIL_LIMIT = 1900
NOTE_IN_TAIL = 300
STATE_ENTERED = "workflow.state_entered"
ON_HOLD_TEMPLATE = "workflow_on_hold"
MOVED = (
    "current_state",
    "status",
    "last_transition_date",
    "end_date",
    "error_message",
    "history_tail",
    "key_data",
    "priority",
    "next_timer_at",
    "timers_seen_at",
)


@dataclass
class Followed:
    """What a run has brought about."""

    tasks: list[Task] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    approvals: list[Approval] = field(default_factory=list)
    cancelled_tasks: int = 0


def definition_of(instance: WorkflowInstance) -> Definition:
    """The definition that this instance runs on; raises `Permanent` when its workflow is gone or broken."""
    if instance.workflow_id is None:
        raise Permanent(f"{instance.instance_id} ({instance}) has no workflow: choose one for it first.")
    row = catalog.current().workflows.get(instance.workflow_id)
    return catalog.definition(row or Workflow.objects.get(pk=instance.workflow_id))


def facts_of(instance: WorkflowInstance, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What guards may ask about an instance: its key data, what came with the event, and its entity."""
    entity = catalog.current().entity_with_pk(instance.business_entity_id)
    stored = instance.key_data if isinstance(instance.key_data, dict) else {}
    return {**stored, **(data or {}), "entity": entity.entity_key if entity else ""}


class Run:
    """One instance on the move. Nothing is written before `save`, which must stand inside a transaction."""

    def __init__(
        self,
        instance: WorkflowInstance,
        *,
        actor: str,
        inbound_event: UUID | str | None = None,
        now: datetime | None = None,
        requester: Any = None,
        approval: Approval | None = None,
    ) -> None:
        """``requester`` is the account of the person who acts, if it is one; ``approval`` allows a move that waited."""
        self.instance = instance
        self.definition = definition_of(instance)
        self.actor = actor
        self.inbound_event = inbound_event
        self.now = now or timezone.now()
        self.requester, self.approval = requester, approval
        self.new = instance.pk is None
        self._state_in_database = instance.current_state
        self._lines: list[WorkflowTransition] = []
        self._entered: list[tuple[str, dict[str, Any]]] = []
        self._asked: list[Approval] = []
        self._left: list[str] = []
        self._revisited = False
        self._timed: list[timers.Item] = []

    # -- steps -------------------------------------------------------------------------------------------------
    def begin(self, note: str = "", data: Mapping[str, Any] | None = None) -> Transition:
        """Enters the initial state; only for an instance that is not stored yet."""
        first = self.definition.start_transition
        self.instance.start_date = self.now
        self._enter("", first, note, data)
        return first

    def fire(self, event: str, *, note: str = "", data: Mapping[str, Any] | None = None) -> Transition:
        """Takes the transition that this event causes; raises `IllegalTransition` and changes nothing otherwise.

        Raises `Held` when a person has to allow it first. The request for that is written by `save`, so save the run
        all the same.
        """
        found = self.definition.next(self.instance.current_state, event, facts_of(self.instance, data))
        if found.approval and not approved.grants(self.approval, self.instance, found):
            raise self._hold(found, note, data)
        self._enter(self.instance.current_state, found, note, data)
        return found

    def _hold(self, wanted: Transition, note: str, data: Mapping[str, Any] | None) -> Held:
        request = approvals.pending(approved.key_of(self.instance, wanted.event))
        if request is None:
            request = approved.for_transition(
                self.instance,
                wanted,
                actor=self.actor,
                requester=self.requester,
                note=note,
                data=data,
                inbound_event=self.inbound_event,
            )
            self._asked.append(request)
            remark = f"“{wanted.title()}” waits for {request.approval_id}" + (f": {note}" if note else "")
            self.note("approval_requested", remark, {"approval": request.approval_id, "event": wanted.event})
        possible = [item.event for item in self.definition.allowed(self.instance.current_state)]
        return Held(wanted.event, self.instance.current_state, possible, wanted.approval, request.approval_id)

    def change_status(self, action: str, *, note: str = "") -> None:
        """``hold``, ``resume``, ``fail`` or ``retry``: the state stays, the status beside it changes."""
        before = Position(self.instance.current_state, self.instance.status)
        after = self.definition.step(before, action)
        self.instance.status = after.status
        self.instance.error_message = note if after.status == ERROR else ""
        self._log(after.state, after.state, action, note, None)

    def note(self, event: str, note: str, data: Mapping[str, Any] | None = None) -> None:
        """A line in the history without a change of state."""
        self._log(self.instance.current_state, self.instance.current_state, event, note, data)

    def revisit(self) -> None:
        """More is known of the instance than when it entered its state: what the state makes is looked at again."""
        self._revisited = True

    def forget_past_timers(self) -> None:
        """Its dates have changed: what would have been due before now around the new ones is not made up for."""
        self.instance.timers_seen_at = self.now

    def make_timed(self, items: Sequence[timers.Item]) -> None:
        """Makes what the clock found due in this state."""
        self._timed += items

    def _enter(self, source: str, taken: Transition, note: str, data: Mapping[str, Any] | None) -> None:
        instance = self.instance
        entered = self.definition.status_in(taken.to)
        ends = entered in END_STATUSES
        instance.current_state = taken.to
        if taken.facts:
            stored = instance.key_data if isinstance(instance.key_data, dict) else {}
            instance.key_data = {**stored, **taken.facts}
        # Being on hold is a person's decision: only that person, or the end, lifts it.
        if ends or not source or instance.status != ON_HOLD:
            instance.status = entered
        instance.last_transition_date = self.now
        instance.end_date = self.now if ends else None
        instance.error_message = ""
        self._entered.append((taken.to, facts_of(instance, data)))
        if source:
            self._left.append(source)
        self._log(source, taken.to, taken.event, note, data)

    def _log(self, source: str, target: str, event: str, note: str, data: Mapping[str, Any] | None) -> None:
        line = WorkflowTransition(
            instance=self.instance,
            at=self.now,
            actor=one_line(self.actor, 200),
            from_state=source,
            to_state=target,
            event=event,
            note=note,
            data=dict(data or {}),
            inbound_event=self.inbound_event,
        )
        self._lines.append(line)
        self.instance.history_tail = tail(self.instance.history_tail, line)

    # -- writing -----------------------------------------------------------------------------------------------
    def save(self) -> Followed:
        """Writes everything. Raises `Conflict` when somebody else moved the instance meanwhile."""
        self.instance.next_timer_at = timers.next_look(self.instance, self.definition, facts_of(self.instance))
        if self.new:
            self.instance.save(force_insert=True)
        else:
            self._update()
        for line in self._lines:
            line.instance = self.instance
        WorkflowTransition.objects.bulk_create(self._lines)
        followed = self._follow()
        effects.run(self, [state for state, _ in self._entered])
        self._lines, self._entered, self._asked = [], [], []
        self._left, self._timed, self._revisited = [], [], False
        self._state_in_database = self.instance.current_state
        return followed

    def _update(self) -> None:
        # Comparing the old state makes two workers who moved the same instance impossible, on every database.
        rows = WorkflowInstance.objects.filter(pk=self.instance.pk, current_state=self._state_in_database)
        if not rows.update(**{name: getattr(self.instance, name) for name in MOVED}):
            raise Conflict(
                f"{self.instance.instance_id} is no longer in “{self._state_in_database}”: read it again and decide."
            )

    def _follow(self) -> Followed:
        followed = Followed()
        if self._entered or self._revisited or self._timed:
            followed.tasks = self._tasks()
            followed.notifications = messages.queue(self._messages(), may_exist=not self.new)
        followed.notifications += messages.queue(self._held_up(), may_exist=True)
        followed.approvals = self._approvals()
        if self._left and not self.new:
            work.lapse(self.instance, self.definition, set(self._left) - {self.instance.current_state})
        # Only the step that ends it: a remark that comes later must not cancel what the end has asked for.
        if self._entered and self.instance.status == CANCELLED and not self.new:
            followed.cancelled_tasks = work.cancel_open(self.instance, keep=followed.tasks)
        if any(line.event == "fail" for line in self._lines):
            number = WorkflowTransition.objects.filter(instance=self.instance, event="fail").count()
            task = work.failure(self.instance, self.instance.error_message, number)
            followed.tasks += [task] if task else []
        return followed

    @property
    def _entity(self) -> BusinessEntity | None:
        return catalog.current().entity_with_pk(self.instance.business_entity_id)

    def _approvals(self) -> list[Approval]:
        """Stores what has to be allowed by a person, and ends what was asked for in a state that has been left."""
        if not self.new and self.instance.current_state != self._state_in_database:
            approved.left(self.instance, self.definition, self._state_in_database)
        asked = [
            *self._asked,
            *(
                approved.for_task(self.instance, entry.state, template, self.actor)
                for entry in self._entries()
                for template in work.held(entry)
            ),
        ]
        entered = {state for state, _ in self._entered}
        if self.instance.current_state not in entered and asked:
            # Looked at again: what was asked for once, and perhaps refused, is not asked for again.
            told = set(Approval.objects.filter(key__in=[row.key for row in asked]).values_list("key", flat=True))
            asked = [row for row in asked if row.key not in told or row in self._asked]
        for request in asked:
            request.subject_id = self.instance.pk
        return [approvals.store(request, self.instance) for request in asked]

    def _entries(self) -> list[work.Entry]:
        """The states that were entered, and the present one where it is to be looked at again or something is timed.

        What was only passed on the way to a cancellation makes nothing.
        """
        here, timed = self.instance.current_state, tuple(item.task for item in self._timed if item.task)
        cancelled = self.instance.status == CANCELLED
        states = [(state, facts) for state, facts in self._entered if state == here or not cancelled]
        if (self._revisited or timed) and here not in (state for state, _ in states):
            states.append((here, facts_of(self.instance)))
        return [
            work.Entry(
                self.instance,
                self.definition,
                state,
                facts,
                self._entity,
                self.new,
                passing=state != here,
                timed=timed if state == here else (),
            )
            for state, facts in states
        ]

    def _tasks(self) -> list[Task]:
        entries = self._entries()
        if not any(work.wanted(entry) for entry in entries):
            return []
        known = catalog.current()
        if not known.may_hand_over(self.actor, work.AGENT, STATE_ENTERED):
            reason = f"No active communication pattern lets {self.actor} tell {work.AGENT} “{STATE_ENTERED}”."
            self._postpone("ignored", f"{reason} No tasks were made for {self.instance.instance_id}.")
            return []
        if not known.is_on(work.AGENT):
            # The sweep makes them as soon as the agent is on again.
            self._postpone("", f"Waiting: {work.AGENT} is not {AgentStatus.DEPLOYED} in the Agent Registry.")
            return []
        return work.create(entries, self.now)

    def _postpone(self, outcome: str, message: str) -> None:
        instance = {"model": "agents_app.workflowinstance", "id": self.instance.pk, "label": str(self.instance)}
        AgentRun.objects.create(
            agent_id=work.AGENT,
            event_kind=STATE_ENTERED,
            inbound_event=self.inbound_event,
            started_at=self.now,
            finished_at=self.now if outcome else None,
            outcome=outcome,
            message=message,
            created=[instance],
        )

    def _messages(self) -> list[Notification]:
        known, made = catalog.current(), []
        for notice, key, facts in self._notices():
            template = known.templates.get(notice.template)
            # A template that people have switched off, or never made, is a decision: nothing is sent.
            if template is not None and guards.holds(notice.when, facts):
                values = messages.values_for(self.instance, self._entity, facts)
                occasion = messages.Occasion(key, values, self.instance.contact, self.instance)
                made += messages.compose(template, notice.to, occasion)
        return made

    def _held_up(self) -> list[Notification]:
        """The team is told when something is put on hold: nothing reminds of it by itself any more."""
        line = next((line for line in self._lines if line.event == "hold"), None)
        template = catalog.current().templates.get(ON_HOLD_TEMPLATE)
        if line is None or template is None:
            return []
        facts = {"state": self.definition.state(line.to_state).label, "reason": line.note, "on_hold_by": line.actor}
        values = {**messages.values_for(self.instance, self._entity, facts_of(self.instance)), **facts}
        key = f"{self.instance.instance_id}:hold:{self.now:%Y-%m-%dT%H:%M:%S}"
        return messages.compose(template, "team", messages.Occasion(key, values, instance=self.instance))

    def _notices(self) -> Iterator[tuple[Notice, str, dict[str, Any]]]:
        """What is to be told, under which key, with which facts. A timed notice is told once for each moment."""
        for entry in self._entries():
            for notice in self.definition.state(entry.state).notify:
                if notice.after is None:
                    yield notice, f"{self.instance.instance_id}:{entry.state}", dict(entry.facts)
        for item in self._timed:
            if item.notice is not None:
                yield item.notice, f"{self.instance.instance_id}:{item.at:%Y-%m-%dT%H:%M}", facts_of(self.instance)


def tail(existing: str, line: WorkflowTransition) -> str:
    """The last lines of the history, newest last, within `TAIL_LIMIT` characters."""
    arrow = line.to_state if line.from_state == line.to_state else f"{line.from_state or '·'}→{line.to_state}"
    remark = one_line(line.note, NOTE_IN_TAIL)
    parts = [f"{line.at:%Y-%m-%d %H:%M}", one_line(line.actor, 60), arrow, *([remark] if remark else [])]
    lines = [*existing.splitlines(), " · ".join(parts)]
    while sum(len(item) + 1 for item in lines) > TAIL_LIMIT and len(lines) > 1:
        lines.pop(0)
    return "\n".join(lines)
