"""One agent hands something to another, as the Agent Communication Patterns allow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from django.utils import timezone
from pydantic import BaseModel

from agents_app.agents.base import BaseAgent, Context, Outcome, Result, SwitchedOff, WorkKind
from agents_app.choices import RunOutcome
from agents_app.models import AgentRun
from agents_app.services import catalog
from higherself.core.errors import Permanent

_known: dict[str, BaseAgent] = {}
_OUTCOMES = {
    Result.DONE: RunOutcome.DONE,
    Result.DUPLICATE: RunOutcome.DUPLICATE,
    Result.NOTHING: RunOutcome.IGNORED,
}


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
        raise SwitchedOff(
            f"Waiting: {target} is not Deployed in the Agent Registry. It goes on when the status is Deployed."
        )
    began, started_at = time.perf_counter(), timezone.now()
    outcome = _known[target].handle(data, replace(context, kind=kind, actor=target))
    AgentRun.objects.create(
        agent_id=target,
        event_kind=kind.value,
        inbound_event=context.event_id or None,
        started_at=started_at,
        finished_at=timezone.now(),
        duration_ms=round((time.perf_counter() - began) * 1000),
        outcome=_OUTCOMES[outcome.result],
        message=outcome.message,
        created=[row.as_dict() for row in outcome.created],
    )
    return outcome
