"""State machines as data: what a workflow may do, without a database and without Django.

A definition is plain JSON (a row of the Workflows Library, or a file in `definitions`)::

    {"id": "WF-X", "name": "…", "version": "1.0.0", "initial": "new",
     "states": [{"name": "new", "label": "New", "tasks": […], "notify": […]},
                {"name": "done", "label": "Done", "status": "Completed"}],
     "transitions": [{"event": "opened", "from": [], "to": "new"},
                     {"event": "finish", "from": ["new"], "to": "done", "guard": "is_paid", "manual": true}]}

A transition from nowhere (``"from": []``) names the event that starts an instance; ``"from": ["*"]`` means every
state that is not an end. ``states`` may also be an object by name, whose order a database may lose. On Hold and
Error are no states but statuses *beside* the state, see `STATUS_ACTIONS`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from agents_app.workflow import guards

ACTIVE, ON_HOLD, ERROR, COMPLETED, CANCELLED = "Active", "On Hold", "Error", "Completed", "Cancelled"
END_STATUSES = (COMPLETED, CANCELLED)
START_EVENT = "started"

# What people and agents may do to the status while the state stays: {action: {status before: status after}}.
STATUS_ACTIONS: dict[str, dict[str, str]] = {
    "hold": {ACTIVE: ON_HOLD, ERROR: ON_HOLD},
    "resume": {ON_HOLD: ACTIVE},
    "fail": {ACTIVE: ERROR, ON_HOLD: ERROR, ERROR: ERROR},
    "retry": {ERROR: ACTIVE},
}

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Action = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z_]*\.[a-z][a-z_]*)?$", max_length=100)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
# An option of a select in Notion: at most 100 characters, and no comma.
Option = Annotated[str, StringConstraints(pattern=r"^[^,]*$", max_length=100)]
# Ten years either way: beyond that no calendar goes with every offset.
Days = Annotated[int, Field(ge=-3_660, le=3_660)]
Hours = Annotated[int, Field(ge=-87_840, le=87_840)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Due(_Data):
    """When a task is due: an offset from now, or from a date among the facts (``base``)."""

    days: Days = 0
    hours: Hours = 0
    base: Name | None = None


class Timer(_Data):
    """A moment: so many hours after the state was entered, or around a date among the facts."""

    hours: Hours
    base: Name | None = None


class TaskTemplate(_Data):
    """A task that is made when a state is entered, or by the clock at the moment that ``after`` names.

    ``key`` is part of the task's idempotency key: entering the state again makes no second task unless ``repeat``.
    ``role`` names who does it; ``completes`` is the event that is fired when somebody sets the task Done.
    With an ``approval`` (such as ``booking.refund``) the task is made once a person with the right has allowed it. A
    task that ``lapses`` is cancelled when the state is left before it is done. ``needs`` are the keys of tasks that
    have to be done before this one begins.
    """

    key: Name
    name: Text
    description: Annotated[str, StringConstraints(max_length=5_000)] = ""
    role: Option = ""
    priority: Literal["Low", "Medium", "High", "Urgent"] = "Medium"
    category: Option = "Follow Up"
    tags: tuple[Option, ...] = ()
    estimated_minutes: int = Field(default=30, ge=0, le=100_000)
    due: Due | None = None
    when: str = ""
    completes: Name | None = None
    repeat: bool = False
    approval: Action = ""
    after: Timer | None = None
    lapses: bool = False
    needs: tuple[Name, ...] = ()


class Notice(_Data):
    """A notification template that is used when a state is entered, or by the clock at the moment of ``after``."""

    template: Name
    to: Literal["team", "contact", "assignee"]
    when: str = ""
    after: Timer | None = None


class State(_Data):
    label: Text
    status: Literal["Completed", "Cancelled"] | None = None
    tasks: tuple[TaskTemplate, ...] = ()
    notify: tuple[Notice, ...] = ()

    @property
    def terminal(self) -> bool:
        return self.status is not None


class Transition(_Data):
    event: Name
    sources: tuple[str, ...] = Field(alias="from")
    to: Name
    guard: str = ""
    label: str = ""
    permission: str = ""
    manual: bool = False
    timer: Timer | None = None
    # What a person with the right has to allow first, such as "campaign.activate"; empty: nobody has to.
    approval: Action = ""
    # What is a fact from then on, whoever has fired it.
    facts: dict[Name, bool | str | int] = Field(default_factory=dict)

    @property
    def starts(self) -> bool:
        return not self.sources

    def title(self) -> str:
        return self.label or self.event.replace("_", " ").capitalize()


class IllegalTransition(Exception):
    """The event is not possible from here. Nothing has been changed.

    ``allowed`` lists the events that are possible, ``reason`` says what stands against this one.
    """

    def __init__(self, event: str, state: str, allowed: list[str], reason: str = "") -> None:
        self.event, self.state, self.allowed = event, state, allowed
        self.reason = reason or "no such transition from here"
        choice = ", ".join(allowed) or "nothing, it has ended"
        super().__init__(f"“{event}” is not possible in state “{state}”: {self.reason}. Possible: {choice}.")


class Held(IllegalTransition):
    """The event needs a person's approval, which has been asked for: the state stays until somebody decides.

    It is an `IllegalTransition`, so that whoever only knows those leaves the instance where it is.
    """

    def __init__(self, event: str, state: str, allowed: list[str], action: str, approval: object) -> None:
        self.action, self.approval = action, approval
        super().__init__(event, state, allowed, f"it waits for an approval ({action})")
        self.args = (
            f"“{event}” waits in state “{state}” for an approval ({action}, {approval}): "
            "once somebody with the right allows it, it goes on by itself.",
        )


class BrokenDefinition(ValueError):
    """A definition cannot be used; ``problems`` lists everything that is wrong with it, not only the first."""

    def __init__(self, name: str, problems: list[str]) -> None:
        self.name, self.problems = name, problems
        super().__init__(f"Workflow {name} cannot be used: " + "; ".join(problems))


class Position(NamedTuple):
    """Where an instance stands: its state and the status beside it."""

    state: str
    status: str


class Definition(_Data):
    """One version of one workflow. Made by `parse`, which refuses what could go wrong at run time."""

    id: Text
    name: Text
    version: Text = "1.0.0"
    description: str = ""
    initial: Name
    states: dict[Name, State]
    transitions: tuple[Transition, ...]

    @field_validator("states", mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            return value
        names = [item.get("name") if isinstance(item, Mapping) else None for item in value]
        if None in names or len(set(map(str, names))) != len(names):
            raise ValueError("every state of the list needs a name of its own")
        return {item["name"]: {key: part for key, part in item.items() if key != "name"} for item in value}

    def state(self, name: str) -> State:
        return self.states[name]

    def status_in(self, state: str) -> str:
        """The status that an instance gets when it enters this state."""
        return self.states[state].status or ACTIVE

    @property
    def start_transition(self) -> Transition:
        for transition in self.transitions:
            if transition.starts:
                return transition
        return Transition.model_validate({"event": START_EVENT, "from": (), "to": self.initial, "label": "Started"})

    def leaving(self, state: str) -> Iterator[Transition]:
        """Every transition that starts here, in the order of the definition, whatever its guard says."""
        if state not in self.states or self.states[state].terminal:
            return
        for transition in self.transitions:
            if state in transition.sources or "*" in transition.sources:
                yield transition

    def allowed(self, state: str, facts: guards.Facts | None = None) -> list[Transition]:
        """The transitions that may be fired now; without facts, guards are not looked at."""
        found: dict[str, Transition] = {}
        for transition in self.leaving(state):
            if facts is None or guards.holds(transition.guard, facts):
                found.setdefault(transition.event, transition)
        return list(found.values())

    def next(self, state: str, event: str, facts: guards.Facts | None = None) -> Transition:
        """The transition that this event causes here; raises `IllegalTransition` when there is none."""
        known = facts or {}
        refused = []
        for transition in self.leaving(state):
            if transition.event != event:
                continue
            if guards.holds(transition.guard, known):
                return transition
            refused.append(transition.guard)
        reason = f"the condition {' or '.join(refused)} is not met" if refused else ""
        raise IllegalTransition(event, state, [item.event for item in self.allowed(state, known)], reason)

    def step(self, position: Position, event: str, facts: guards.Facts | None = None) -> Position:
        """Where an instance stands after an event or a status action (`STATUS_ACTIONS`)."""
        if event in STATUS_ACTIONS:
            return Position(position.state, self._next_status(position, event))
        target = self.next(position.state, event, facts).to
        ended = self.states[target].status
        # Being on hold is a person's decision: an event from outside moves the state and does not lift the hold.
        return Position(target, ended or (ON_HOLD if position.status == ON_HOLD else ACTIVE))

    def _next_status(self, position: Position, action: str) -> str:
        terminal = self.states[position.state].terminal
        after = None if terminal else STATUS_ACTIONS[action].get(position.status)
        if after is None:
            allowed = [item.event for item in self.allowed(position.state)]
            raise IllegalTransition(action, position.state, allowed, f"its status is {position.status}")
        return after


def parse(data: Mapping[str, Any]) -> Definition:
    """A definition from plain data; raises `BrokenDefinition` with every problem found."""
    name = str(data.get("id") or data.get("name") or "(without an id)")
    try:
        definition = Definition.model_validate(data)
    except ValidationError as error:
        raise BrokenDefinition(name, [_readable(item) for item in error.errors()]) from error
    found = problems(definition)
    if found:
        raise BrokenDefinition(name, found)
    return definition


def as_rows(source: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The states of a definition in the form that keeps their order in every database: a list."""
    return [{"name": name, **state} for name, state in source["states"].items()]


def _readable(item: Any) -> str:
    place = ".".join(str(part) for part in item["loc"])
    return f"{place}: {item['msg']}"


def problems(definition: Definition) -> list[str]:
    """Everything that would go wrong at run time, in the order in which a reader meets it."""
    return [
        *_unknown_names(definition),
        *_repeated_transitions(definition),
        *_starts(definition),
        *_template_problems(definition),
        *_dead_ends(definition),
    ]


def _unknown_names(definition: Definition) -> Iterator[str]:
    states = definition.states
    if definition.initial not in states:
        yield f"initial state “{definition.initial}” is not among the states"
    if not any(state.terminal for state in states.values()):
        yield "no state ends the workflow (give one the status Completed or Cancelled)"
    for number, transition in enumerate(definition.transitions, 1):
        place = f"transition {number} ({transition.event})"
        for source in transition.sources:
            if source != "*" and source not in states:
                yield f"{place} starts in the unknown state “{source}”"
            elif source != "*" and states[source].terminal:
                yield f"{place} leaves the end state “{source}”"
        if transition.to not in states:
            yield f"{place} leads to the unknown state “{transition.to}”"
        if transition.event in STATUS_ACTIONS:
            yield f"{place} uses a reserved word; {', '.join(STATUS_ACTIONS)} change the status only"
        if transition.guard and (problem := guards.problem(transition.guard)):
            yield f"{place}: {problem}"


def _repeated_transitions(definition: Definition) -> Iterator[str]:
    taken: dict[tuple[str, str], set[str]] = defaultdict(set)
    for number, transition in enumerate(definition.transitions, 1):
        for source in transition.sources:
            for state in definition.states if source == "*" else [source]:
                seen = taken[state, transition.event]
                # "*" fills in where a state has no transition of its own, so it may come after one.
                if source != "*" and (transition.guard in seen or "" in seen):
                    yield (
                        f"transition {number} ({transition.event} from “{state}”) can never fire: "
                        "an earlier one always comes first"
                    )
                seen.add(transition.guard)


def _starts(definition: Definition) -> Iterator[str]:
    starts = [transition for transition in definition.transitions if transition.starts]
    if len(starts) > 1:
        yield "more than one transition starts an instance: " + ", ".join(item.event for item in starts)
    for transition in starts:
        if transition.to != definition.initial:
            yield f"the start “{transition.event}” leads to “{transition.to}”, not to the initial state"


def _template_problems(definition: Definition) -> Iterator[str]:
    tasks = {task.key for state in definition.states.values() for task in state.tasks}
    events = {transition.event for transition in definition.transitions if not transition.starts}
    for name, state in definition.states.items():
        keys: set[tuple[str, str]] = set()
        for task in state.tasks:
            place = f"task “{task.key}” of state “{name}”"
            if (task.key, task.when) in keys:
                yield f"{place} is there twice"
            keys.add((task.key, task.when))
            if task.completes and task.completes not in events:
                yield f"{place} completes the unknown event “{task.completes}”"
            if missing := [key for key in task.needs if key not in tasks or key == task.key]:
                yield f"{place} needs {', '.join(missing)}, which is no other task of this workflow"
            if task.when and (problem := guards.problem(task.when)):
                yield f"{place}: {problem}"
        for notice in state.notify:
            if notice.when and (problem := guards.problem(notice.when)):
                yield f"notification “{notice.template}” of state “{name}”: {problem}"


def _dead_ends(definition: Definition) -> Iterator[str]:
    forward: dict[str, set[str]] = defaultdict(set)
    backward: dict[str, set[str]] = defaultdict(set)
    for name in definition.states:
        for transition in definition.leaving(name):
            forward[name].add(transition.to)
            backward[transition.to].add(name)
    ends = [name for name, state in definition.states.items() if state.terminal]
    reachable = _spread([definition.initial], forward)
    ending = _spread(ends, backward)
    for name in definition.states:
        if name not in reachable:
            yield f"state “{name}” can never be reached from “{definition.initial}”"
        if ends and name not in ending:
            yield f"state “{name}” has no way to an end"


def _spread(start: list[str], edges: Mapping[str, set[str]]) -> set[str]:
    seen, waiting = set(start), list(start)
    while waiting:
        for name in edges.get(waiting.pop(), ()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return seen
