"""Tasks that belong to no workflow: what an agent asks a person to do, once for its occasion."""

from __future__ import annotations

from datetime import timedelta

from agents_app.agents.base import Context
from agents_app.choices import TaskSource
from agents_app.models import Task
from agents_app.text import one_line
from contacts.models import BusinessEntity, Contact


def errand(
    key: str,
    name: str,
    description: str,
    context: Context,
    *,
    entity: BusinessEntity | None = None,
    contact: Contact | None = None,
    due: timedelta = timedelta(days=1),
    **fields: object,
) -> tuple[Task, bool]:
    """A task that belongs to no workflow, once for its key."""
    values = {
        "task_name": one_line(name, 200),
        "description": description,
        "due_date": context.now + due,
        "assigned_to": list(entity.default_assignee) if entity else [],
        "assignee_text": "community",
        "related_business_entity": entity,
        "related_contact": contact,
        "created_by": context.actor,
        "created_date": context.now,
        "source": TaskSource.AGENT,
        **fields,
    }
    return Task.objects.get_or_create(task_key=key[:300], defaults=values)
