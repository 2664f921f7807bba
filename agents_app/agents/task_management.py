"""Flow 5: tasks out of workflow states, and workflows moved on by tasks that are done."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from pydantic import BaseModel, ConfigDict

from agents_app.agents.base import MADE, BaseAgent, Context, Created, Outcome, RecordEdited, Result, WorkKind
from agents_app.models import Task, WorkflowInstance
from agents_app.services import catalog, upkeep, work
from agents_app.workflow import engine
from agents_app.workflow.machine import END_STATUSES, IllegalTransition
from higherself.core.errors import Conflict, Permanent

logger = logging.getLogger(__name__)


class StateEntered(BaseModel):
    """An instance stands in a state whose tasks have not been made yet."""

    model_config = ConfigDict(frozen=True)

    instance_pk: int


class TaskDone(BaseModel):
    """Somebody set a task to Done."""

    model_config = ConfigDict(frozen=True)

    task_pk: int


class TaskManagementAgent(BaseAgent):
    name = "Task Management Agent"
    description = "Makes tasks from workflow templates and moves workflows on when the tasks are done."
    capabilities = ("Task Creation", "Task Management", "Workflow Management", "Workflow Orchestration")
    apis = ("NOTION_API", "HUBSPOT_API")
    consumes = {
        WorkKind.STATE_ENTERED: StateEntered,
        WorkKind.TASK_DONE: TaskDone,
        WorkKind.RECORD_EDITED: RecordEdited,
    }
    watches = {
        "contacts.businessentity": (MADE, "integration_status"),
        "agents_app.task": ("status", "notes"),
    }

    def handle(self, data: Any, context: Context) -> Outcome:
        if isinstance(data, RecordEdited):
            of_entity = data.model == "contacts.businessentity"
            return upkeep.entity(data, context) if of_entity else upkeep.task(data, context)
        if isinstance(data, TaskDone):
            return self._done(data, context)
        return self._entered(data, context)

    def _entered(self, data: StateEntered, context: Context) -> Outcome:
        """Makes the tasks of the state in which the instance stands now; those that are there stay as they are."""
        instance = WorkflowInstance.objects.filter(pk=data.instance_pk).first()
        if instance is None:
            return Outcome(Result.NOTHING, "The workflow instance is gone.")
        entry = work.Entry(
            instance,
            engine.definition_of(instance),
            instance.current_state,
            engine.facts_of(instance),
            catalog.current().entity_with_pk(instance.business_entity_id),
        )
        tasks = work.create([entry], context.now)
        message = f"{len(tasks)} tasks for {instance.instance_id} in “{instance.current_state}”."
        return Outcome(Result.DONE if tasks else Result.NOTHING, message, tuple(Created.of(task) for task in tasks))

    def _done(self, data: TaskDone, context: Context) -> Outcome:
        task = Task.objects.select_related("related_workflow_instance").filter(pk=data.task_pk).first()
        instance = task.related_workflow_instance if task else None
        if task is None or instance is None:
            return Outcome(Result.NOTHING, "The task belongs to no workflow instance.")
        try:
            return _move_on(task, instance, context)
        except (IllegalTransition, Permanent, Conflict) as refusal:
            # The task is done all the same; the history says why the workflow stays where it is.
            logger.info("task %s is done and moves nothing: %s", task.task_id, refusal)
            if instance.status not in END_STATUSES:
                _remark(task, instance, context, str(refusal))
            return Outcome(Result.NOTHING, f"Task {task.task_id} is done; {refusal}")


def _move_on(task: Task, instance: WorkflowInstance, context: Context) -> Outcome:
    template = work.template_of(task, engine.definition_of(instance))
    if template is None or not template.completes:
        _remark(task, instance, context, "")
        return Outcome(Result.NOTHING, f"Task {task.task_id} is done and moves nothing on.")
    taken = engine.advance(
        instance,
        template.completes,
        actor=context.actor,
        note=f"Task done: {task.task_name}",
        data={"task": task.task_id},
    )
    return Outcome(Result.DONE, f"{instance.instance_id} went to “{taken.to}”: task {task.task_id} is done.")


def _remark(task: Task, instance: WorkflowInstance, context: Context, refusal: str) -> None:
    text = f"Task done: {task.task_name}" + (f" ({refusal})" if refusal else "")
    try:
        with transaction.atomic():
            engine.note(instance, text, actor=context.actor, event="task_done", data={"task": task.task_id})
    except Permanent as error:
        logger.warning("the history of %s cannot be written: %s", instance.instance_id, error)
