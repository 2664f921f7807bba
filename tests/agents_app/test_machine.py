from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents_app.workflow import guards
from agents_app.workflow.definitions import SOURCES, load
from agents_app.workflow.diagram import mermaid
from agents_app.workflow.machine import (
    ACTIVE,
    ERROR,
    ON_HOLD,
    STATUS_ACTIONS,
    BrokenDefinition,
    IllegalTransition,
    Position,
    as_rows,
    parse,
)

DOOR: dict[str, Any] = {
    "id": "WF-DOOR",
    "name": "Door",
    "initial": "closed",
    "states": {
        "closed": {"label": "Closed"},
        "open": {"label": "Open"},
        "removed": {"label": "Removed", "status": "Completed"},
    },
    "transitions": [
        {"event": "fitted", "from": [], "to": "closed"},
        {"event": "push", "from": ["closed"], "to": "open", "guard": "is_paid", "manual": True},
        {"event": "pull", "from": ["open"], "to": "closed"},
        {"event": "remove", "from": ["*"], "to": "removed"},
    ],
}


def changed(**parts: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DOOR), **parts}


def problems_of(data: dict[str, Any]) -> list[str]:
    with pytest.raises(BrokenDefinition) as caught:
        parse(data)
    return caught.value.problems


def test_the_next_state_follows_the_event_and_its_guard():
    door = parse(DOOR)
    assert door.next("closed", "push", {"paid": True}).to == "open"
    assert door.next("closed", "remove").to == "removed"


def test_a_refused_event_names_the_reason_and_what_is_possible():
    with pytest.raises(IllegalTransition) as caught:
        parse(DOOR).next("closed", "push", {"paid": False})
    assert caught.value.allowed == ["remove"]
    assert str(caught.value) == (
        "“push” is not possible in state “closed”: the condition is_paid is not met. Possible: remove."
    )


def test_the_first_transition_whose_guard_holds_wins():
    lead = load("WF-LEAD-CAPTURE")
    reached = {level: lead.next("new_lead", "scored", {"quality": level}).to for level in ("Excellent", "Low")}
    assert reached == {"Excellent": "qualified", "Low": "nurturing"}
    assert lead.next("new_lead", "scored", {"quality": "Very Low"}).to == "unqualified"


def test_the_start_is_the_transition_from_nowhere():
    assert parse(DOOR).start_transition.event == "fitted"
    unnamed = changed(transitions=DOOR["transitions"][1:])
    assert parse(unnamed).start_transition.event == "started"


@pytest.mark.parametrize("workflow_id", SOURCES)
def test_a_shipped_definition_is_sound(workflow_id: str):
    definition = load(workflow_id)
    assert definition.id == workflow_id
    assert definition.start_transition.to == definition.initial
    assert [name for name, state in definition.states.items() if state.terminal] != []


def test_there_are_eight_flows():
    assert list(SOURCES) == [
        "WF-LEAD-CAPTURE",
        "WF-RETREAT-BOOKING",
        "WF-ART-SALE",
        "WF-MKTG-CAMP",
        "WF-TASK-MGMT",
        "WF-COMMUNITY",
        "WF-CONT-CYCLE",
        "WF-AUDIENCE",
    ]


def test_every_problem_of_a_definition_is_listed():
    broken = changed(
        initial="nowhere",
        transitions=[
            {"event": "push", "from": ["closed"], "to": "garden", "guard": "is_sunny"},
            {"event": "pull", "from": ["attic"], "to": "closed"},
            {"event": "hold", "from": ["open"], "to": "closed"},
            {"event": "undo", "from": ["removed"], "to": "closed"},
        ],
    )
    found = problems_of(broken)
    assert [text for text in found if "is_sunny" in text] == [
        f"transition 1 (push): unknown guard “is_sunny” (known: {', '.join(sorted(guards.GUARDS))})"
    ]
    assert [text for text in found if "is_sunny" not in text] == [
        "initial state “nowhere” is not among the states",
        "transition 1 (push) leads to the unknown state “garden”",
        "transition 2 (pull) starts in the unknown state “attic”",
        "transition 3 (hold) uses a reserved word; hold, resume, fail, retry change the status only",
        "transition 4 (undo) leaves the end state “removed”",
        "state “closed” can never be reached from “nowhere”",
        "state “closed” has no way to an end",
        "state “open” can never be reached from “nowhere”",
        "state “open” has no way to an end",
        "state “removed” can never be reached from “nowhere”",
    ]


def test_a_transition_that_can_never_fire_is_a_problem():
    transitions = [*DOOR["transitions"], {"event": "pull", "from": ["open"], "to": "removed", "guard": "is_paid"}]
    assert problems_of(changed(transitions=transitions)) == [
        "transition 5 (pull from “open”) can never fire: an earlier one always comes first"
    ]


def test_a_workflow_without_an_end_is_a_problem():
    states = {name: {"label": name} for name in DOOR["states"]}
    assert problems_of(changed(states=states)) == [
        "no state ends the workflow (give one the status Completed or Cancelled)"
    ]


def test_wrong_types_are_listed_with_their_place():
    found = problems_of(changed(states={"closed": {"label": "", "tasks": [{"key": "Bad Key", "name": "x"}]}}))
    assert [text.split(":")[0] for text in found] == ["states.closed.label", "states.closed.tasks.0.key"]


def test_a_task_that_completes_an_unknown_event_is_a_problem():
    states = copy.deepcopy(DOOR["states"])
    states["open"]["tasks"] = [{"key": "oil", "name": "Oil the hinge", "completes": "oiled", "when": "interest"}]
    assert problems_of(changed(states=states)) == [
        "task “oil” of state “open” completes the unknown event “oiled”",
        "task “oil” of state “open”: guard “interest” needs a word behind a colon, such as “interest:…”",
    ]


@st.composite
def walks(draw: st.DrawFn) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
    """A shipped workflow and any events, known and unknown, with any facts."""
    workflow_id = draw(st.sampled_from(list(SOURCES)))
    events = [item.event for item in load(workflow_id).transitions] + [*STATUS_ACTIONS, "no_such_event"]
    facts = st.fixed_dictionaries(
        {
            "quality": st.sampled_from(["Excellent", "High", "Medium", "Low", "Very Low", None]),
            "paid": st.booleans(),
            "engagement_score": st.integers(-5, 120) | st.none(),
            "partly_failed": st.booleans(),
        }
    )
    return workflow_id, draw(st.lists(st.tuples(st.sampled_from(events), facts), max_size=40))


@given(walks())
def test_no_sequence_of_events_leaves_the_declared_states_and_ends_stay_ends(walk):
    workflow_id, events = walk
    definition = load(workflow_id)
    position = Position(definition.initial, ACTIVE)
    for event, facts in events:
        before = position
        with contextlib.suppress(IllegalTransition):
            position = definition.step(position, event, facts)
        assert position.state in definition.states
        if definition.state(before.state).terminal:
            assert position == before
        if definition.state(position.state).terminal:
            assert position.status == definition.state(position.state).status
        else:
            assert position.status in {ACTIVE, ON_HOLD, ERROR}


@given(walks())
def test_what_is_allowed_is_exactly_what_can_be_fired(walk):
    workflow_id, events = walk
    definition = load(workflow_id)
    for state in definition.states:
        for event, facts in events:
            allowed = {item.event for item in definition.allowed(state, facts)}
            try:
                definition.next(state, event, facts)
            except IllegalTransition:
                assert event not in allowed
            else:
                assert event in allowed


def test_a_hold_survives_an_event_and_ends_with_the_workflow():
    door = parse(DOOR)
    held = door.step(Position("open", ACTIVE), "hold")
    assert held == Position("open", ON_HOLD)
    assert door.step(held, "pull") == Position("closed", ON_HOLD)
    assert door.step(held, "remove") == Position("removed", "Completed")
    assert door.step(held, "resume") == Position("open", ACTIVE)


def test_a_failed_step_keeps_the_state_and_a_retry_returns_to_it():
    door = parse(DOOR)
    failed = door.step(Position("open", ACTIVE), "fail")
    assert failed == Position("open", ERROR)
    assert door.step(failed, "retry") == Position("open", ACTIVE)
    with pytest.raises(IllegalTransition):
        door.step(Position("open", ACTIVE), "retry")


@pytest.mark.parametrize(
    ("name", "facts", "met"),
    [
        ("", {}, True),
        ("quality_in:Excellent|High", {"quality": "High"}, True),
        ("quality_in:Excellent|High", {"quality": "Low"}, False),
        ("interest:retreat", {"interests": ["Yoga", "Weekend Retreats"]}, True),
        ("interest:retreat", {"interests": []}, False),
        ("is_paid", {"paid": "yes"}, False),
        ("score_at_least:80", {"engagement_score": 80}, True),
        ("score_at_least:80", {}, False),
        ("open_rate_below:0.15", {"open_rate": 0.1}, True),
        ("open_rate_below:0.15", {"open_rate": None}, False),
        ("no_text", {"text": "Hello."}, False),
        ("no_text", {}, True),
        ("not_by_hand", {"by_hand": True}, False),
        ("not_by_hand", {}, True),
        ("not_invited", {"invited": True}, False),
        ("not_invited", {"invited": False}, True),
    ],
)
def test_a_guard_holds_only_for_the_facts_it_names(name: str, facts: dict[str, Any], met: bool):
    assert guards.problem(name) is None or not name
    assert guards.holds(name, facts) is met


# These ask for the absence of a fact.
ABSENT = {"no_text", "not_by_hand", "not_invited"}


@given(
    st.sampled_from(sorted(guards.GUARDS.keys() - ABSENT)),
    st.text(max_size=5),
    st.dictionaries(st.text(max_size=8), st.none()),
)
def test_a_guard_without_its_facts_never_holds(name: str, argument: str, facts: dict[str, None]):
    full = f"{name}:{argument}"
    if guards.problem(full) is None:
        assert guards.holds(full, facts) is False


def test_the_diagram_shows_every_state_and_fills_the_current_one():
    assert mermaid(parse(DOOR), current="open", visited=("closed",)).splitlines() == [
        "stateDiagram-v2",
        "    direction LR",
        '    state "Closed" as closed',
        '    state "Open" as open',
        '    state "Removed" as removed',
        "    [*] --> closed : Fitted",
        "    closed --> open : Push (is_paid)",
        "    closed --> removed : Remove",
        "    open --> closed : Pull",
        "    open --> removed : Remove",
        "    removed --> [*]",
        "    classDef visited stroke:#1f6feb,stroke-width:2px",
        "    class closed visited",
        "    classDef current fill:#1f6feb,color:#ffffff,stroke:#0b3d91,stroke-width:2px",
        "    class open current",
    ]


def test_a_label_cannot_break_out_of_the_diagram():
    states = copy.deepcopy(DOOR["states"])
    states["open"]["label"] = 'Open"; click x "javascript:alert(1)"'
    line = mermaid(parse(changed(states=states))).splitlines()[3]
    assert line == '    state "Open click x javascript alert(1)" as open'


def test_states_may_be_a_list_which_keeps_its_order_in_every_database():
    listed = parse(changed(states=as_rows(DOOR)))
    assert listed == parse(DOOR)
    assert list(listed.states) == ["closed", "open", "removed"]
    assert problems_of(changed(states=[{"label": "Closed"}])) == [
        "states: Value error, every state of the list needs a name of its own"
    ]
