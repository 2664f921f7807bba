"""What people edit, in Notion or in the console, becomes work for the agents that watch those fields.

An edit is kept as a waiting run in the transaction that stores it. So it is lost neither when a process dies nor while
its agent is switched off, and it never fails the edit itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import DatabaseError, transaction
from django.utils import timezone

from agents_app.agents.base import MADE, Context, RecordEdited, WorkKind
from agents_app.agents.registry import AGENTS
from agents_app.agents.running import work_on
from agents_app.choices import RunOutcome
from agents_app.models import AgentRun
from agents_app.services import catalog
from agents_app.text import clean
from higherself.core import history, jobs
from higherself.core.errors import Conflict, Retryable
from higherself.core.history.models import ChangeSet

logger = logging.getLogger(__name__)

JOB = "heed_edits"
# A page that is older than this was there before we looked: it is known now, and is no news.
NEWS = timedelta(days=2)
VALUE_LIMIT = 200


def in_notion(model: type[Any], pk: Any, changed: Mapping[str, tuple[Any, Any]], by: str, made_at: Any = None) -> int:
    """Keeps a person's edit in Notion; returns for how many agents."""
    is_new = isinstance(made_at, datetime) and timezone.now() - made_at < NEWS
    return _keep(model._meta.label_lower, pk, changed, is_new, by)


def in_the_console(notes: Sequence[ChangeSet]) -> int:
    """Keeps what persons did in the console, as the history has noted it. An import of many rows is no news."""
    return sum(
        _keep(note.model, note.record_id, _pairs(note), note.kind == ChangeSet.Kind.CREATED, note.actor)
        for note in notes
        if note.origin == history.PERSON
    )


def _pairs(note: ChangeSet) -> dict[str, tuple[Any, Any]]:
    return {name: (pair[0], pair[1]) for name, pair in note.changes.items() if isinstance(pair, list)}


def _keep(model: str, pk: int, changed: Mapping[str, tuple[Any, Any]], is_new: bool, by: str) -> int:
    rows = [
        AgentRun(
            agent_id=agent_id,
            event_kind=WorkKind.RECORD_EDITED.value,
            created=[{"model": model, "id": pk, "label": "", "edit": data.model_dump(mode="json")}],
        )
        for agent_id, data in _for_agents(model, pk, changed, is_new, by)
    ]
    if rows:
        AgentRun.objects.bulk_create(rows)
        jobs.wake(JOB)
    return len(rows)


def _for_agents(
    model: str, pk: int, changed: Mapping[str, tuple[Any, Any]], is_new: bool, by: str
) -> Iterator[tuple[str, RecordEdited]]:
    for agent_id, agent in AGENTS.items():
        watched = agent.watches.get(model, ())
        told = {name: (_short(pair[0]), _short(pair[1])) for name, pair in changed.items() if name in watched}
        news = is_new and MADE in watched
        if told or news:
            yield (
                agent_id,
                RecordEdited(model=model, pk=pk, changed=told, is_new=news, by=by, occasion=uuid4().hex[:12]),
            )


def _short(value: Any) -> Any:
    """What decides, and no more: the words themselves stand in the record, from which they can be erased."""
    return f"{value[:1]}…" if isinstance(value, str) and len(value) > VALUE_LIMIT else value


def heed(limit: int = 200) -> int:
    """Hands what waits to its agents, those that are switched off excepted; returns how many edits that were."""
    on = [agent_id for agent_id in AGENTS if catalog.current().is_on(agent_id)]
    waiting = AgentRun.objects.filter(event_kind=WorkKind.RECORD_EDITED.value, outcome="")
    return sum(_heed(pk) for pk in waiting.filter(agent_id__in=on).order_by("pk").values_list("pk", flat=True)[:limit])


def _heed(pk: int) -> int:
    try:
        with transaction.atomic():
            run = AgentRun.objects.select_for_update().filter(pk=pk, outcome="").first()
            if run is None:
                return 0
            _hand_over(run)
    except DatabaseError:
        raise
    except (Conflict, Retryable) as reason:
        logger.info("an edit waits for the next look (agent run %s): %s", pk, reason)
        return 0
    except Exception as error:
        # One edit that an agent stumbles over must not hold up the others; the run says what it was.
        logger.exception("an edit could not be worked on (agent run %s)", pk)
        message = clean(f"{type(error).__name__}: {error}")[:2000]
        _note_failure(pk, message)
    return 1


def _note_failure(pk: int, message: str) -> None:
    """The run keeps which record it was about, and not what was in it."""
    run = AgentRun.objects.get(pk=pk)
    run.created = [{name: value for name, value in item.items() if name != "edit"} for item in run.created]
    run.outcome, run.message, run.finished_at = RunOutcome.FAILED, message, timezone.now()
    run.save()


def _hand_over(run: AgentRun) -> None:
    agent = AGENTS[run.agent_id]
    data = RecordEdited.model_validate(run.created[0]["edit"])
    with history.by(agent.agent_id, history.AGENT):
        _outcome, done = work_on(agent, data, Context(kind=WorkKind.RECORD_EDITED, actor=agent.agent_id))
    run.outcome, run.message, run.created = done.outcome, done.message, done.created
    run.finished_at, run.duration_ms = done.finished_at, done.duration_ms
    run.save()
