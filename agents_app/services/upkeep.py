"""What people do to businesses and tasks that somebody has to know of."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from agents_app.agents.base import Context, Created, Outcome, RecordEdited, Result
from agents_app.choices import TaskStatus
from agents_app.models import Task
from agents_app.services import catalog, errands, messages
from contacts.choices import IntegrationStatus
from contacts.models import BusinessEntity

ALERT = "record_alert"


def entity(edit: RecordEdited, context: Context) -> Outcome:
    """A new business has to be set up; one whose integrations fail has to be looked into."""
    row = BusinessEntity.objects.live().filter(pk=edit.pk).first()
    if row is None:
        return Outcome(Result.NOTHING, "The business is gone.")
    if edit.is_new:
        task, _ = errands.errand(
            f"{row.entity_key}:set_up",
            f"Set up the business: {row}",
            "Name its time zone, sender address, default assignee and who does which role's tasks; connect its "
            "services; say which forms belong to it in the Data Transformations. Then set it to Active.",
            context,
            entity=row,
            due=timedelta(days=3),
            assignee_text="technical team",
            category="Admin",
        )
        return Outcome(Result.DONE, f"{row} has to be set up.", (Created.of(task),))
    if edit.became("integration_status") != IntegrationStatus.ERROR:
        return Outcome(Result.NOTHING, f"Nothing follows from {row} being {row.integration_status}.")
    task, _ = errands.errand(
        f"{row.entity_key}:error:{edit.occasion}",
        f"Look into the integrations of {row}",
        f"{edit.by} has set them to Error.",
        context,
        entity=row,
        priority="High",
        assignee_text="technical team",
        category="Technical",
        tags=["Technical"],
    )
    alert(f"{row.entity_key}:{edit.occasion}", f"The integrations of {row} fail", f"Set by {edit.by}.", task)
    return Outcome(Result.DONE, f"The integrations of {row} fail: the team knows.", (Created.of(task),))


def alert(key: str, title: str, text: str, task: Task | None = None) -> None:
    """A word to the team about one record."""
    template = catalog.current().templates.get(ALERT)
    if template is not None:
        occasion = messages.Occasion(key, {"alert_title": title, "alert_text": text}, task=task)
        messages.queue(messages.compose(template, "team", occasion), may_exist=True)


def task(edit: RecordEdited, context: Context) -> Outcome:
    """A task that a person cancels without a word asks for one."""
    row = Task.objects.live().filter(pk=edit.pk).first()
    if row is None or row.status != TaskStatus.CANCELLED or edit.became("status") != TaskStatus.CANCELLED:
        return Outcome(Result.NOTHING, "No task was cancelled.")
    if edit.became("notes"):
        return Outcome(Result.NOTHING, f"{row.task_id} says why it was cancelled.")
    line = f"{timezone.now():%Y-%m-%d %H:%M} UTC: cancelled by {edit.by}. Why? Please write the reason here."
    row.notes = f"{row.notes}\n{line}".strip()
    row.save(update_fields=["notes"])
    return Outcome(Result.DONE, f"{row.task_id} asks for the reason.")
