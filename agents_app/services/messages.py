"""Messages to people: made from templates in the transaction that has the reason for them, sent by a job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from agents_app.choices import Channel, NotificationStatus
from agents_app.models import Notification, NotificationTemplate, Task, WorkflowInstance
from agents_app.services import channels
from agents_app.text import clean, one_line
from contacts.choices import ContactStatus
from contacts.models import BusinessEntity, Contact
from higherself.core import jobs

JOB = "send_notifications"
# The recipient of a message to Slack: the channel that its webhook belongs to.
TEAM_CHANNEL = "team channel"
_BRACES = re.compile(r"\{\{[^{}]{0,60}\}?\}?|\}\}")
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


def known_placeholders(template_id: str) -> set[str]:
    """What a template may speak of: what every workflow's message knows, and what its own occasion adds."""
    return set(SAMPLE) | set(BOOKING_FACTS) | set(OCCASIONS.get(template_id, ()))


def preview(template: NotificationTemplate) -> str:
    """The message with sample values, as people see it before it is sent; or why it could not be written."""
    values = {**SAMPLE, **{name: f"[{name}]" for name in known_placeholders(template.template_id) - set(SAMPLE)}}
    try:
        subject, body = render(template.subject_template, values), render(template.content_template, values)
    except UnknownPlaceholder as error:
        return f"{error}."
    return f"{subject}\n\n{body}".strip()[:BODY_LIMIT]


def broken_braces(text: str) -> str:
    """What is wrong with braces that mean a placeholder and are none; empty when nothing is."""
    rest = _PLACEHOLDER.sub("", text)
    found = _BRACES.search(rest)
    return f"“{found.group(0)}” is no placeholder: write {{{{name}}}}" if found else ""


# Sample values for every placeholder that a message about a workflow instance may use.
SAMPLE: dict[str, Any] = {
    "business_name": "The Connection Practice",
    "client_name": "Ada Lovelace",
    "client_email": "ada@example.org",
    "client_phone": "+44 1632 960961",
    "lead_name": "Ada Lovelace",
    "lead_email": "ada@example.org",
    "lead_phone": "+44 1632 960961",
    "lead_interest": "Retreat, Consultation",
    "lead_source": "Website",
    "lead_message": "Is there a place in June?",
    "lead_quality": "High",
    "instance_id": "INST-7K2M9QX4TB",
    "instance_name": "Retreat Booking: Ada Lovelace",
    "service_name": "Mountain Sanctuary",
    "booking_date": "12 June 2026",
    "booking_time": "15:00",
    "order_number": "1042",
    "tracking": "RM 1234 5678 9GB",
}
_TASK = ("task_name", "task_id", "task_priority", "task_due", "assignee")
# What the occasions beside workflows add, by template.
OCCASIONS: dict[str, tuple[str, ...]] = {
    "task_digest": ("task_count", "task_list"),
    "task_overdue": _TASK,
    "task_escalation": _TASK,
    "task_escalation_slack": _TASK,
    "task_ready": _TASK,
    "feedback_alert": ("feedback_title", "feedback_id", "feedback_rating", "feedback_content"),
    "record_alert": ("alert_title", "alert_text"),
    "workflow_on_hold": ("state", "reason", "on_hold_by"),
    "approval_requested": (*("approval_id", "approval_action", "approval_subject", "approval_reason", "requested_by"),),
}
BOOKING_FACTS = ("service_name", "booking_date", "booking_time", "order_number", "tracking")


def team_addresses() -> list[str]:
    return list(dict.fromkeys(address.strip() for address in settings.TEAM_EMAILS if address.strip()))


def compose(template: NotificationTemplate, to: str, occasion: Occasion) -> list[Notification]:
    """The messages of one template for one occasion, not yet stored; `to` is ``team``, ``contact`` or ``assignee``.

    Whoever may not be written to, and every channel that is not connected, gets a row that says so.
    """
    recipients = _recipients(template, to, occasion)
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


def _recipients(template: NotificationTemplate, to: str, occasion: Occasion) -> list[str]:
    if to == "contact":
        return [occasion.contact.email if occasion.contact else ""]
    if template.channel == Channel.SLACK:
        return [TEAM_CHANNEL]
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
    unconnected = channels.connected(template.channel)
    if unconnected:
        return NotificationStatus.SKIPPED, unconnected
    if template.channel == Channel.SLACK and to == "contact":
        return NotificationStatus.SKIPPED, "Slack reaches the team only: nothing was sent."
    objection = _objection(contact, marketing=template.is_marketing) if to == "contact" and contact else ""
    return (NotificationStatus.SKIPPED, objection) if objection else (NotificationStatus.QUEUED, "")


def _objection(contact: Contact, *, marketing: bool) -> str:
    if contact.status == ContactStatus.DO_NOT_CONTACT:
        return "The contact asked not to be contacted."
    if marketing and not contact.accepts_email_marketing:
        return "The contact has not opted in to marketing email."
    return ""


def objection(row: Notification) -> str:
    """Why a message that was queued may not go out any more; empty when it may. Between the two lie hours, or the days
    until somebody sends it again: who has said no meanwhile is not written to."""
    contact = row.contact
    if contact is None or row.recipient.lower() != contact.email:
        return ""
    return _objection(contact, marketing=row.template is not None and row.template.is_marketing)


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
