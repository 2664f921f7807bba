"""What else has to be written when an instance enters a state: rows of upper layers, such as calls to other services.

A workflow's definition says which tasks and messages follow from a state. What is no task and no message is a function
that registers here for its workflow. It runs inside the transaction of the move and touches no network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents_app.workflow.run import Run

# Takes the run, whose instance is stored by now, and the states that were entered, in their order.
Effect = Callable[["Run", Sequence[str]], None]
_effects: dict[str, list[Effect]] = defaultdict(list)


def after(*workflow_ids: str) -> Callable[[Effect], Effect]:
    """Registers a function that is called whenever an instance of these workflows was saved."""

    def register(effect: Effect) -> Effect:
        for workflow_id in workflow_ids:
            _effects[workflow_id].append(effect)
        return effect

    return register


def run(done: Run, entered: Sequence[str]) -> None:
    for effect in _effects.get(done.definition.id, ()):
        effect(done, entered)
