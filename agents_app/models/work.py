"""The tasks of people and agents."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents_app import choices
from agents_app.models.ids import new_task_id
from agents_app.models.registry import Agent
from agents_app.models.workflows import WorkflowInstance
from campaigns.models import Feedback
from contacts.models import BusinessEntity, Contact
from higherself.core.fields import NameListField, PeopleField, SelectField
from higherself.core.models import Record


class Task(Record):
    """Something to do. ``task_key`` names its occasion, so that a replayed event makes no second task."""

    task_name = models.CharField(_("task name"), max_length=500)
    task_id = models.CharField(_("task ID"), max_length=60, unique=True, default=new_task_id, editable=False)
    task_key = models.CharField(_("task key"), max_length=300, blank=True, editable=False)
    status = SelectField(_("status"), options=choices.TaskStatus.values, default=choices.TaskStatus.TO_DO)
    description = models.TextField(_("description"), blank=True)
    notes = models.TextField(_("notes"), blank=True)
    priority = SelectField(_("priority"), options=choices.Priority.values, default=choices.Priority.MEDIUM)
    category = SelectField(_("category"), options=choices.TaskCategory.values)
    due_date = models.DateTimeField(_("due"), null=True, blank=True)
    assigned_to = PeopleField(_("assigned to"))
    assignee_text = models.CharField(
        _("assignee (text)"), max_length=500, blank=True, help_text=_("A role, while no Notion user is known for it.")
    )
    assigned_agent = models.ForeignKey(
        Agent,
        verbose_name=_("assigned agent"),
        related_name="tasks",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    related_workflow_instance = models.ForeignKey(
        WorkflowInstance,
        verbose_name=_("workflow instance"),
        related_name="related_tasks",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    related_business_entity = models.ForeignKey(
        BusinessEntity,
        verbose_name=_("business entity"),
        related_name="tasks",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    related_contact = models.ForeignKey(
        Contact,
        verbose_name=_("contact"),
        related_name="tasks",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    related_feedback = models.ForeignKey(
        Feedback,
        verbose_name=_("feedback"),
        related_name="action_items",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    created_by = models.CharField(_("created by"), max_length=500, blank=True)
    created_date = models.DateTimeField(_("created date"), null=True, blank=True, default=timezone.now)
    completed_date = models.DateTimeField(_("completed"), null=True, blank=True)
    # Whether everybody was told that it is Done. The date cannot say so: people may enter it themselves.
    done_told = models.BooleanField(default=False, editable=False)
    tags = NameListField(_("tags"), options=choices.TASK_TAGS)
    source = SelectField(_("source"), options=choices.TaskSource.values, default=choices.TaskSource.MANUAL)
    estimated_time = models.IntegerField(_("estimated time"), null=True, blank=True, help_text=_("In minutes."))
    actual_time = models.IntegerField(_("actual time"), null=True, blank=True, help_text=_("In minutes."))
    dependencies = models.ManyToManyField(
        "self", verbose_name=_("dependencies"), symmetrical=False, related_name="blocks", blank=True
    )
    parent = models.ForeignKey(
        "self",
        verbose_name=_("parent"),
        related_name="subtasks",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )

    # Follows from the status.
    unnoted = frozenset({"completed_date", "done_told"})

    class Meta(Record.Meta):
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        ordering = ["due_date", "-pk"]
        indexes = [
            *Record.Meta.indexes,
            models.Index(fields=["status", "due_date"]),
            models.Index(fields=["due_date"]),
            models.Index(fields=["completed_date"]),
            models.Index(
                fields=["id"],
                name="task_done_untold",
                condition=models.Q(status=choices.TaskStatus.DONE, done_told=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["task_key"],
                condition=~models.Q(task_key=""),
                name="task_key_once",
                violation_error_message=_("This occasion has its task already."),
            )
        ]

    def __str__(self) -> str:
        return self.task_name or self.task_id

    @property
    def is_open(self) -> bool:
        return self.status in choices.OPEN_TASK

    @property
    def is_overdue(self) -> bool:
        return self.is_open and self.due_date is not None and self.due_date < timezone.now()

    @property
    def days_until_due(self) -> int | None:
        """Whole days left, negative when it is late."""
        if self.due_date is None:
            return None
        left = self.due_date - timezone.now()
        return left // timedelta(days=1) if left >= timedelta() else -(-left // timedelta(days=1))

    @property
    def completion_time(self) -> int | None:
        """Whole hours from creation to completion."""
        if self.completed_date is None or self.created_date is None:
            return None
        return (self.completed_date - self.created_date) // timedelta(hours=1)
