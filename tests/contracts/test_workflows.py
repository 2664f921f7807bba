"""What every workflow that ships owes: something that exists fires each event, and nothing else is possible."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents_app.agents.registry import AGENTS
from agents_app.management.commands.draw_workflows import drawn
from agents_app.seeds.workflows import WORKFLOWS
from agents_app.workflow.definitions import SOURCES, load
from agents_app.workflow.machine import Definition, IllegalTransition, Transition

ROOT = Path(__file__).resolve().parents[2]
CODE = [path for path in (ROOT / "agents_app").rglob("*.py") if "definitions" not in path.parts]
TEXTS = [path.read_text(encoding="utf-8") for path in CODE]
# Facts with which every condition is met that can be met at the same time; others are tried one by one.
FACTS = {
    **dict.fromkeys(
        ("paid", "art", "media_required", "starts_later", "partly_failed", "balance_due", "new_segments"), True
    ),
    "engagement_score": 100,
    "open_rate": 0.0,
}
QUALITIES = ("Excellent", "High", "Medium", "Low", "Very Low")

# A flow whose agent does not work yet fires nothing, and says so by its status.
ACTIVE = [row["workflow_id"] for row in WORKFLOWS if row["status"] == "Active"]
every_active_workflow = pytest.mark.parametrize("workflow_id", ACTIVE)
every_workflow = pytest.mark.parametrize("workflow_id", SOURCES)


def emitted(workflow_id: str) -> set[str]:
    """What agents say that they fire."""
    return {event for agent in AGENTS.values() for event in agent.emits.get(workflow_id, ())}


def is_fired(definition: Definition, transition: Transition, source: str) -> bool:
    """Whether a person, the clock, a task or an agent causes this transition from this state."""
    by_task = any(task.completes == transition.event for task in definition.state(source).tasks)
    by_agent = transition.event in emitted(definition.id)
    return transition.manual or transition.timer is not None or by_task or by_agent


@every_active_workflow
def test_every_state_is_reached_by_what_something_fires(workflow_id: str) -> None:
    definition = load(workflow_id)
    reached, waiting = {definition.initial}, [definition.initial]
    while waiting:
        state = waiting.pop()
        for transition in definition.leaving(state):
            if transition.to not in reached and is_fired(definition, transition, state):
                reached.add(transition.to)
                waiting.append(transition.to)
    assert set(definition.states) - reached == set()


@every_active_workflow
def test_every_event_is_fired_by_something(workflow_id: str) -> None:
    definition = load(workflow_id)
    silent = {
        transition.event
        for state in definition.states
        for transition in definition.leaving(state)
        if not any(
            is_fired(definition, other, source)
            for source in definition.states
            for other in definition.leaving(source)
            if other.event == transition.event
        )
    }
    assert silent == set()


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_what_an_agent_says_that_it_fires_exists_and_stands_in_the_code(agent) -> None:
    for workflow_id, events in agent.emits.items():
        definition = load(workflow_id)
        known = {transition.event for transition in definition.transitions}
        assert set(events) - known == set()
        # Once where it is declared, and once where it is fired.
        unused = [event for event in events if sum(text.count(f'"{event}"') for text in TEXTS) < 2]
        assert unused == []


@every_workflow
def test_every_pair_of_state_and_event_does_what_the_definition_says_and_nothing_else(workflow_id: str) -> None:
    definition = load(workflow_id)
    events = {transition.event for transition in definition.transitions}
    for state in definition.states:
        legal = {transition.event for transition in definition.leaving(state)}
        for event in events:
            reached = _reached(definition, state, event)
            assert bool(reached) is (event in legal), (state, event)
            assert reached <= {item.to for item in definition.leaving(state) if item.event == event}


def _reached(definition: Definition, state: str, event: str) -> set[str]:
    found = set()
    for quality in QUALITIES:
        try:
            found.add(definition.next(state, event, {**FACTS, "quality": quality}).to)
        except IllegalTransition:
            continue
    return found


# What the two flows of sales allow, written by hand: {state: {event: state after}}.
BEFORE = {"canceled": "canceled", "rejected": "canceled"}
SETTLING = {"payment_received": "payment_confirmed", "nothing_to_pay": "booking_confirmed"}
REFUND = {"refunded": "refunded"}
EXPECTED: dict[str, dict[str, dict[str, str]]] = {
    "WF-RETREAT-BOOKING": {
        "new_booking": {
            **SETTLING,
            **BEFORE,
            "booking_processed": "payment_pending",
            "approved": "payment_pending",
        },
        "payment_pending": {**SETTLING, **BEFORE, "payment_timeout": "canceled"},
        "payment_confirmed": {**BEFORE, "confirmation_sent": "booking_confirmed"},
        "booking_confirmed": {
            **BEFORE,
            "approaching_service_date": "preparation",
            "service_started": "service_delivery",
            "no_show": "canceled",
        },
        "preparation": {
            **BEFORE,
            "rescheduled": "booking_confirmed",
            "service_started": "service_delivery",
            "no_show": "canceled",
        },
        "service_delivery": {
            "rescheduled": "booking_confirmed",
            "service_completed": "follow_up",
            "no_show": "canceled",
        },
        "follow_up": {
            "follow_up_complete": "feedback_collection",
            "feedback_received": "completed",
            "no_show": "canceled",
        },
        "feedback_collection": {"feedback_received": "completed", "feedback_window_passed": "completed"},
        "completed": {},
        "canceled": {},
    },
    "WF-ART-SALE": {
        "order_received": {
            **REFUND,
            "payment_received": "payment_confirmed",
            "payment_failed": "payment_failed",
            "canceled": "canceled",
        },
        "payment_failed": {**REFUND, "payment_received": "payment_confirmed", "canceled": "canceled"},
        "payment_confirmed": {
            **REFUND,
            "refund_granted": "refunded",
            "packing_started": "packaging",
            "fulfilled": "delivered",
            "canceled": "canceled",
        },
        "packaging": {
            **REFUND,
            "refund_granted": "refunded",
            "item_shipped": "shipped",
            "fulfilled": "delivered",
            "canceled": "canceled",
        },
        "shipped": {
            **REFUND,
            "refund_granted": "refunded",
            "delivery_confirmed": "delivered",
            "fulfilled": "delivered",
            "return_requested": "returned",
        },
        "delivered": {
            **REFUND,
            "refund_granted": "refunded",
            "follow_up_sent": "follow_up",
            "feedback_received": "completed",
            "return_requested": "returned",
        },
        "follow_up": {**REFUND, "feedback_received": "completed", "feedback_window_passed": "completed"},
        "returned": {**REFUND, "return_approved": "refunded"},
        "completed": {},
        "refunded": {},
        "canceled": {},
    },
}


@pytest.mark.parametrize("workflow_id", EXPECTED)
def test_a_flow_of_sales_allows_exactly_this(workflow_id: str) -> None:
    definition = load(workflow_id)
    found = {
        state: {transition.event: transition.to for transition in definition.leaving(state)}
        for state in definition.states
    }
    assert found == EXPECTED[workflow_id]


def test_the_pictures_of_the_documentation_are_those_of_the_definitions() -> None:
    text = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")
    assert drawn(text) == text, "old: run `manage.py draw_workflows --write`"
