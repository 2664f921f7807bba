"""An agent at work on one thing, and the record of it."""

from __future__ import annotations

import time
from typing import Any

from django.utils import timezone

from agents_app.agents.base import BaseAgent, Context, Outcome, Result
from agents_app.choices import RunOutcome
from agents_app.models import AgentRun

_OUTCOMES = {
    Result.DONE: RunOutcome.DONE,
    Result.DUPLICATE: RunOutcome.DUPLICATE,
    Result.NOTHING: RunOutcome.IGNORED,
}


def work_on(agent: BaseAgent, data: Any, context: Context) -> tuple[Outcome, AgentRun]:
    """Lets the agent work; returns what it answered, and the record of it, not yet stored."""
    began, started_at = time.perf_counter(), timezone.now()
    outcome = agent.handle(data, context)
    run = AgentRun(
        agent_id=agent.agent_id,
        event_kind=context.kind.value,
        inbound_event=context.event_id or None,
        started_at=started_at,
        finished_at=timezone.now(),
        duration_ms=round((time.perf_counter() - began) * 1000),
        outcome=_OUTCOMES[outcome.result],
        message=outcome.message,
        created=[row.as_dict() for row in outcome.created],
    )
    run.about_erased = outcome.about_erased
    return outcome, run
