"""What edits of rows set in motion: tasks that are done, agents switched on, catalogue edits that cannot run."""

from __future__ import annotations

import logging
from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from agents_app import dispatch
from agents_app.choices import AgentStatus, TaskStatus
from agents_app.leads import fieldmap
from agents_app.models import Agent, DataTransformation, Task, Workflow
from agents_app.services import catalog
from agents_app.workflow import machine
from higherself.core import jobs
from higherself.core.signals import record_pulled
from higherself.integrations.intake import JOB as DRAIN_INBOX

logger = logging.getLogger(__name__)

for _model in catalog.MODELS:
    post_save.connect(catalog.stale, sender=_model, dispatch_uid=f"catalog.saved.{_model.__name__}")
    post_delete.connect(catalog.stale, sender=_model, dispatch_uid=f"catalog.deleted.{_model.__name__}")


@receiver(post_save, sender=Task)
def task_was_saved(sender: type[Task], instance: Task, raw: bool = False, **_kwargs: Any) -> None:
    """A task set Done in the admin or the API moves its workflow on; it never fails the save for that."""
    if not raw and (instance.status == TaskStatus.DONE or instance.completed_date is not None):
        dispatch.task_saved(instance)


@receiver(post_save, sender=Agent)
def agent_was_saved(sender: type[Agent], instance: Agent, raw: bool = False, **_kwargs: Any) -> None:
    if not raw and instance.status == AgentStatus.DEPLOYED:
        jobs.wake(DRAIN_INBOX)
        jobs.wake("sweep")


@receiver(record_pulled)
def record_was_pulled(sender: type[Any], pk: Any, changed: dict[str, tuple[Any, Any]], **kwargs: Any) -> None:
    """A person's edit in Notion. Rows may have been written without `save`, so signals of it may be missing."""
    if sender in catalog.MODELS:
        catalog.stale()
    if sender is Task and "status" in changed:
        _task_pulled(pk)
    elif sender is Workflow and {"states", "transitions", "initial_state"} & set(changed):
        _refuse_broken(Workflow, pk, changed, ("states", "transitions", "initial_state"))
    elif sender is DataTransformation and "transformation_logic" in changed:
        _refuse_broken(DataTransformation, pk, changed, ("transformation_logic",))
    elif sender is Agent and changed.get("status", ("", ""))[1] == AgentStatus.DEPLOYED:
        jobs.wake(DRAIN_INBOX)
        jobs.wake("sweep")


def _task_pulled(pk: Any) -> None:
    task = Task.objects.filter(pk=pk).first()
    if task is not None:
        dispatch.task_saved(task)


def _refuse_broken(
    model: type[Workflow] | type[DataTransformation],
    pk: Any,
    changed: dict[str, tuple[Any, Any]],
    fields: tuple[str, ...],
) -> None:
    """Puts back what ran before when the edit cannot run; the change back is carried to Notion."""
    row = model.objects.filter(pk=pk).first()
    if row is None:
        return
    problem = problem_of(row)
    if problem:
        previous = {name: changed[name][0] for name in fields if name in changed}
        model.objects.filter(pk=pk).update(**previous)
        logger.warning("the edit of %s in Notion was put back, it cannot run: %s", row, problem)


def problem_of(row: Workflow | DataTransformation) -> str:
    """Why this row cannot run as it stands; empty when it can. Drafts are nobody's business yet."""
    try:
        if isinstance(row, Workflow):
            if row.status in catalog.RUNNING:
                machine.parse(catalog.definition_data(row))
        elif row.transformation_logic:
            fieldmap.parse(row.transformation_logic)
    except (machine.BrokenDefinition, fieldmap.BrokenMap) as error:
        return str(error)
    return ""
