"""Messages to people: made from templates in the transaction that has the reason for them, sent by a job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from agents_app.choices import Channel, NotificationStatus
from agents_app.models import Notification, NotificationTemplate, Task, WorkflowInstance
from agents_app.text import clean, one_line
from contacts.choices import ContactStatus
from contacts.models import BusinessEntity, Contact
from higherself.core import jobs

JOB = "send_notifications"
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
SUBJECT_LIMIT = 200
BODY_LIMIT = 20_000


@dataclass(frozen=True)
class Occasion:
    """Why messages are written, and what their placeholders stand for. ``key`` makes each of them unique."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)
    contact: Contact | None = None
    instance: WorkflowInstance | None = None
    task: Task | None = None


class UnknownPlaceholder(ValueError):
    """A template speaks of something that this occasion does not know."""


def placeholders(text: str) -> list[str]:
    """The names that a template speaks of, in their order."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))


def render(text: str, values: Mapping[str, Any]) -> str:
    """Replaces ``{{name}}``. Raises `UnknownPlaceholder`: a gap in a letter is worse than a letter that waits."""
    unknown = sorted(name for name in placeholders(text) if name not in values)
    if unknown:
        known = ", ".join(sorted(values))
        raise UnknownPlaceholder(f"the template uses {', '.join(unknown)}; known here are {known}")
    return _PLACEHOLDER.sub(lambda match: _shown(values[match.group(1)]), text)


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(clean(item) for item in value)
    return clean(value)


def values_for(instance: WorkflowInstance, entity: BusinessEntity | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The placeholders that every message about an instance may use."""
    name = instance.client_lead_name or instance.client_lead_email
    return {
        "business_name": entity.name if entity else settings.DEFAULT_FROM_EMAIL.partition("<")[0].strip(),
        "client_name": name,
        "client_email": instance.client_lead_email,
        "client_phone": instance.client_lead_phone,
        "lead_name": name,
        "lead_email": instance.client_lead_email,
        "lead_phone": instance.client_lead_phone,
        "lead_interest": facts.get("interests") or "not given",
        "lead_source": facts.get("source") or instance.source_system,
        "lead_message": facts.get("message") or "none",
        "lead_quality": facts.get("quality") or "not scored",
        "instance_id": instance.instance_id,
        "instance_name": instance.instance_name,
        **{name: facts.get(name) or "" for name in BOOKING_FACTS},
    }


BOOKING_FACTS = ("service_name", "booking_date", "booking_time", "order_number", "tracking")


def team_addresses() -> list[str]:
    return list(dict.fromkeys(address.strip() for address in settings.TEAM_EMAILS if address.strip()))


def compose(template: NotificationTemplate, to: str, occasion: Occasion) -> list[Notification]:
    """The messages of one template for one occasion, not yet stored; `to` is ``team``, ``contact`` or ``assignee``.

    Whoever may not be written to, and every channel that is not connected, gets a row that says so.
    """
    recipients = _recipients(to, occasion)
    subject, body, problem = _written(template, occasion.values)
    status, reason = _decide(template, to, occasion.contact, problem)
    made = []
    for recipient in recipients:
        row = Notification(
            key=f"{occasion.key}:{template.template_id}:{recipient or to}"[:300],
            template=template,
            channel=template.channel,
            recipient=recipient,
            subject=subject,
            body=body,
            contact=occasion.contact,
            instance=occasion.instance,
            task=occasion.task,
            status=status,
            error=reason,
        )
        if not recipient and status == NotificationStatus.QUEUED:
            row.status, row.error = NotificationStatus.SKIPPED, _no_recipient(to)
        if row.status != NotificationStatus.QUEUED:
            row.next_attempt_at = None
        made.append(row)
    return made


def _recipients(to: str, occasion: Occasion) -> list[str]:
    if to == "contact":
        return [occasion.contact.email if occasion.contact else ""]
    # Notion does not tell us the addresses of its users: what is for an assignee goes to the team.
    return team_addresses() or [""]


def _written(template: NotificationTemplate, values: Mapping[str, Any]) -> tuple[str, str, str]:
    try:
        subject = one_line(render(template.subject_template, values), SUBJECT_LIMIT)
        return subject, render(template.content_template, values)[:BODY_LIMIT], ""
    except UnknownPlaceholder as error:
        return template.subject_template, template.content_template, f"Not sent: {error}."


def _decide(template: NotificationTemplate, to: str, contact: Contact | None, problem: str) -> tuple[str, str]:
    if problem:
        return NotificationStatus.FAILED, problem
    if template.channel != Channel.EMAIL:
        return NotificationStatus.SKIPPED, f"The channel {template.channel} is not connected: nothing was sent."
    if to == "contact" and contact is not None:
        if contact.status == ContactStatus.DO_NOT_CONTACT:
            return NotificationStatus.SKIPPED, "The contact asked not to be contacted."
        if template.is_marketing and not contact.accepts_email_marketing:
            return NotificationStatus.SKIPPED, "The contact has not opted in to marketing email."
    return NotificationStatus.QUEUED, ""


def _no_recipient(to: str) -> str:
    if to == "contact":
        return "The contact has no email address."
    return "No team address is known: set TEAM_EMAILS."


def queue(rows: Iterable[Notification], *, may_exist: bool) -> list[Notification]:
    """Stores messages and wakes the sender. ``may_exist``: their keys may be there already, and are left alone."""
    made = list(rows)
    if may_exist and made:
        known = set(Notification.objects.filter(key__in=[row.key for row in made]).values_list("key", flat=True))
        made = [row for row in made if row.key not in known]
    if made:
        Notification.objects.bulk_create(made)
    if any(row.status == NotificationStatus.QUEUED for row in made):
        jobs.wake(JOB)
    return made
