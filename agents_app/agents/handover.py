"""One agent hands something to another, as the Agent Communication Patterns allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import BaseModel

from agents_app.agents.base import BaseAgent, Context, Outcome, SwitchedOff, WorkKind
from agents_app.agents.running import work_on
from agents_app.services import catalog
from higherself.core.errors import Permanent

_known: dict[str, BaseAgent] = {}


def introduce(agents: Mapping[str, BaseAgent]) -> None:
    """The registry tells who there is: agents cannot import it."""
    _known.update(agents)


def hand_over(target: str, kind: WorkKind, data: BaseModel, context: Context) -> Outcome:
    """Lets ``target`` do its part in the caller's transaction, with a run of its own.

    Raises `Permanent` when no active pattern allows it, and `SwitchedOff` when the target is not deployed: then the
    whole event waits until it is.
    """
    known = catalog.current()
    if not known.may_hand_over(context.actor, target, kind.value):
        raise Permanent(
            f"No active communication pattern lets {context.actor} tell {target} “{kind.value}”. Set one to Active in "
            "Agent Communication Patterns and replay the event."
        )
    if not known.is_on(target):
        raise SwitchedOff([target])
    outcome, run = work_on(_known[target], data, replace(context, kind=kind, actor=target))
    run.save()
    return outcome
