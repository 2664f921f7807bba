"""What the agents' side knows of a person's story: forms, workflow moves, tasks, messages, feedback."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from agents_app.admin.instances import state_label
from agents_app.models import Notification, Task, WorkflowInstance, WorkflowTransition
from contacts.models import Contact
from higherself.core.admin import Moment, cells, story, tone_of, until
from higherself.integrations.models import InboundEvent
from higherself.integrations.registry import PROVIDERS


@story(Contact)
def forms(contact: Contact, before: datetime | None, limit: int) -> list[Moment]:
    """The deliveries that moved this person's workflows: what they sent us, as it came."""
    moves = WorkflowTransition.objects.filter(instance__contact=contact, inbound_event__isnull=False)
    ids = until(moves, "at", before, 2 * limit).values_list("inbound_event", flat=True)
    wanted: set[UUID] = {item for item in ids if item}
    rows = InboundEvent.objects.filter(pk__in=wanted).defer("body", "headers")
    found = [_form(row) for row in rows if before is None or row.received_at < before]
    return sorted(found, key=lambda moment: moment.at, reverse=True)[:limit]


def _form(event: InboundEvent) -> Moment:
    provider = PROVIDERS.get(event.provider)
    label = provider.label if provider else event.provider
    return Moment(
        event.received_at,
        _("sent"),
        f"{label}: {event.event_type or _('delivery')}",
        "inbox",
        url=cells.change_url(InboundEvent, event.pk),
        tone=tone_of(event.status),
        note=event.error[:300],
    )


@story(Contact)
def moves(contact: Contact, before: datetime | None, limit: int) -> list[Moment]:
    rows = until(WorkflowTransition.objects.filter(instance__contact=contact), "at", before, limit)
    return [_move(row) for row in rows.select_related("instance")]


def _move(row: WorkflowTransition) -> Moment:
    there = state_label(row.instance, row.to_state)
    what = f"{row.instance}: {there}"
    if row.from_state and row.from_state != row.to_state:
        what = f"{row.instance}: {state_label(row.instance, row.from_state)} → {there}"
    url = cells.change_url(WorkflowInstance, row.instance_id)
    return Moment(row.at, _("workflow"), what, "route", row.actor, url, row.note[:300], "busy")


@story(Contact)
def tasks(contact: Contact, before: datetime | None, limit: int) -> list[Moment]:
    """A task twice at most: when it was made, and when it was done."""
    rows = Task.objects.filter(related_contact=contact, archived_at=None)
    made = until(rows.filter(created_date__isnull=False), "created_date", before, limit)
    done = until(rows.filter(completed_date__isnull=False), "completed_date", before, limit)
    found = [_task(row, _("task"), row.created_date, "calm") for row in made]
    found += [_task(row, _("task done"), row.completed_date, "good") for row in done]
    return sorted(found, key=lambda moment: moment.at, reverse=True)[:limit]


def _task(row: Task, kind: str, at: datetime | None, tone: str) -> Moment:
    assert at is not None
    who = row.assignee_text or ", ".join(str(item.get("name", "")) for item in row.assigned_to)
    return Moment(at, kind, row, "task_alt", who, cells.change_url(Task, row.pk), tone=tone)


@story(Contact)
def messages(contact: Contact, before: datetime | None, limit: int) -> list[Moment]:
    rows = until(Notification.objects.filter(contact=contact), "created_at", before, limit)
    return [
        Moment(
            row.sent_at or row.created_at,
            row.channel or _("message"),
            row.subject or _("(no subject)"),
            "mail",
            row.recipient,
            cells.change_url(Notification, row.pk),
            row.error[:300] or row.get_status_display(),
            tone_of(row.status),
        )
        for row in rows
    ]
