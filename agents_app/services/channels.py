"""The ways on which a message leaves: e-mail through Django's backend, and Slack through an incoming webhook.

A way says honestly what it did: mail that a development backend prints or throws away has reached nobody.
Slack: api.slack.com/messaging/webhooks (a POST of ``{"text": …}``, answered by 200 and ``ok``; 429 with Retry-After).
"""

from __future__ import annotations

import hashlib
from email.utils import make_msgid
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from agents_app.choices import Channel, NotificationStatus
from agents_app.models import Notification
from agents_app.services import catalog
from higherself.core.errors import Conflict, Permanent, Retryable
from higherself.core.http import LOOPBACK, Http

# The only host (and, for tests, this machine) that a Slack message may go to.
SLACK_HOSTS = {"hooks.slack.com", *LOOPBACK}
SLACK_SECONDS = 10.0
SLACK_LIMIT = 3000
# Backends that write mail down instead of sending it, and what they do with it.
_NOWHERE = {
    "django.core.mail.backends.console.EmailBackend": "printed on the server's own output",
    "django.core.mail.backends.filebased.EmailBackend": "written to a file on the server",
    "django.core.mail.backends.dummy.EmailBackend": "thrown away by the dummy backend",
}


def connected(channel: str) -> str:
    """Why this channel cannot be used; empty when it can."""
    if channel == Channel.EMAIL:
        return ""
    if channel == Channel.SLACK:
        return "" if settings.SLACK_WEBHOOK_URL else "Slack is not configured: set SLACK_WEBHOOK_URL."
    return f"The channel {channel} is not connected: nothing was sent."


def deliver(row: Notification, connection: BaseEmailBackend) -> tuple[str, str]:
    """Sends it on its channel; returns the status and a remark.

    Raises `Permanent`, `Retryable`, or what the mail backend raises.
    """
    reason = connected(row.channel)
    if reason:
        raise Permanent(reason)
    return slack(row) if row.channel == Channel.SLACK else mail(row, connection)


def mail(row: Notification, connection: BaseEmailBackend) -> tuple[str, str]:
    """Hands the message to the mail backend; returns the status and a remark. Raises what the backend raises."""
    # The same key gives the same id, so that a mail system can recognise the repeat of an uncertain sending.
    digest = hashlib.sha256(row.key.encode()).hexdigest()[:32]
    message_id = f"<{digest}@{make_msgid().rpartition('@')[2]}"
    EmailMessage(
        subject=row.subject,
        body=row.body,
        from_email=_sender(row),
        to=[row.recipient],
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
        connection=connection,
    ).send()
    nowhere = _NOWHERE.get(settings.EMAIL_BACKEND)
    if nowhere:
        return NotificationStatus.PRINTED, f"It was {nowhere}: nobody has been reached. Set EMAIL_URL to send mail."
    return NotificationStatus.SENT, ""


def _sender(row: Notification) -> str | None:
    """The address of the business that it is about; None for the server's own."""
    entity = catalog.current().entity_with_pk(row.instance.business_entity_id if row.instance else None)
    if entity is None or not entity.sender_email:
        return None
    name = entity.name.replace('"', "").replace("<", "").replace(">", "")
    return f'"{name}" <{entity.sender_email}>'


def slack(row: Notification) -> tuple[str, str]:
    """Posts to the team's channel. Raises `Retryable` or `Permanent`."""
    address = urlsplit(settings.SLACK_WEBHOOK_URL)
    if not address.hostname:
        raise Permanent("Slack is not configured: set SLACK_WEBHOOK_URL")
    if address.hostname not in SLACK_HOSTS:
        raise Permanent(f"SLACK_WEBHOOK_URL leads to {address.hostname}, which is not Slack")
    text = f"*{_escaped(row.subject)}*\n{_escaped(row.body)}" if row.subject else _escaped(row.body)
    if len(text) > SLACK_LIMIT:
        text = text[: SLACK_LIMIT - 1] + "…"
    with Http("Slack", f"{address.scheme}://{address.netloc}", seconds=SLACK_SECONDS) as service:
        try:
            service.post(address.path, json={"text": text})
        except Retryable as error:
            raise Retryable(_without(address.path, error), error.retry_after) from None
        except (Permanent, Conflict) as error:
            raise Permanent(_without(address.path, error)) from None
    return NotificationStatus.SENT, ""


def _without(path: str, error: Exception) -> str:
    """The error's words without the address: whoever knows it can write into the channel."""
    return str(error).replace(path, "/…").replace(path.lstrip("/"), "…")


def _escaped(text: str) -> str:
    """Slack reads these three characters as its own markup (docs: formatting text, escaping)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
