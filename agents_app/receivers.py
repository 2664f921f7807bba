"""What edits of rows set in motion: tasks that are done, agents switched on, catalogue edits that cannot run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from agents_app import dispatch, edited
from agents_app.choices import AgentStatus, TaskStatus
from agents_app.models import Agent, Task
from agents_app.services import catalog, dependencies, edits
from higherself.core import jobs
from higherself.core.signals import changes_noted, record_pulled, value_refused
from higherself.integrations.intake import JOB as DRAIN_INBOX

for _model in catalog.MODELS:
    post_save.connect(catalog.stale, sender=_model, dispatch_uid=f"catalog.saved.{_model.__name__}")
    post_delete.connect(catalog.stale, sender=_model, dispatch_uid=f"catalog.deleted.{_model.__name__}")


@receiver(post_save, sender=Task)
def task_was_saved(sender: type[Task], instance: Task, raw: bool = False, **_kwargs: Any) -> None:
    """A task set Done in the admin or the API moves its workflow on; it never fails the save for that."""
    if not raw and (instance.status == TaskStatus.DONE or instance.done_told):
        dispatch.task_saved(instance)


@receiver(post_save, sender=Agent)
def agent_was_saved(sender: type[Agent], instance: Agent, raw: bool = False, **_kwargs: Any) -> None:
    if not raw and instance.status == AgentStatus.DEPLOYED:
        _wake_what_waited()


def _wake_what_waited() -> None:
    for name in (DRAIN_INBOX, "sweep", edited.JOB):
        jobs.wake(name)


@receiver(changes_noted)
def changes_were_noted(sender: type[Any], notes: Sequence[Any], **_kwargs: Any) -> None:
    """What people do in the console."""
    edited.in_the_console(notes)


@receiver(record_pulled)
def record_was_pulled(sender: type[Any], pk: Any, changed: dict[str, tuple[Any, Any]], **kwargs: Any) -> None:
    """A person's edit in Notion. Rows may have been written without `save`, so signals of it may be missing."""
    actor = str(kwargs.get("actor") or "Notion")
    edited.in_notion(sender, pk, changed, actor, kwargs.get("made_at"))
    if sender in catalog.MODELS:
        catalog.stale()
    if sender is Task and kwargs.get("made_at") is not None:
        # What was done, with its date, before the server knew of it is history.
        known = Task._base_manager.filter(pk=pk, status=TaskStatus.DONE, completed_date__isnull=False)
        known.update(done_told=True)
    elif sender is Task and "status" in changed:
        _task_pulled(pk, str(changed["status"][0]), actor)
    elif sender in edits.RUNS:
        edits.pulled(sender, pk, changed, actor)
    elif sender is Agent and changed.get("status", ("", ""))[1] == AgentStatus.DEPLOYED:
        _wake_what_waited()


@receiver(value_refused)
def value_was_refused(sender: type[Any], pk: Any, refused: dict[str, str], actor: str, **_kwargs: Any) -> None:
    """What somebody wrote in Notion is no JSON: whoever wrote it reads so beside it."""
    if sender in edits.RUNS:
        edits.unreadable(sender, pk, refused, actor)


def _task_pulled(pk: Any, before: str, actor: str) -> None:
    task = Task.objects.filter(pk=pk).first()
    if task is not None and not dependencies.put_back(task, before, actor):
        dispatch.task_saved(task)
