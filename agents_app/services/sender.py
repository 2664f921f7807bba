"""Sends what is queued, once per key: claimed before it is sent, recorded after, tried again with growing pauses."""

from __future__ import annotations

import hashlib
import logging
import smtplib
from datetime import timedelta
from email.utils import make_msgid

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from agents_app.choices import Channel, NotificationStatus
from agents_app.models import Notification
from agents_app.services import catalog
from higherself.core.errors import Permanent

logger = logging.getLogger(__name__)

BATCH = 50
# While one worker sends, others leave the message alone for so long.
LEASE = timedelta(minutes=3)
BACK_OFF = (30, 120, 600, 3600, 6 * 3600)
MAX_ATTEMPTS = len(BACK_OFF) + 1


def send_due(limit: int = BATCH) -> int:
    """Sends up to ``limit`` due messages over one connection; returns how many were claimed."""
    due = Notification.objects.filter(status=NotificationStatus.QUEUED, next_attempt_at__lte=timezone.now())
    rows = due.select_related("instance", "template").order_by("next_attempt_at", "pk")[:limit]
    claimed = [row for row in rows if _claim(row)]
    if not claimed:
        return 0
    connection = get_connection()
    try:
        for row in claimed:
            _send(row, connection)
    finally:
        connection.close()
    return len(claimed)


def _claim(row: Notification) -> bool:
    """Counts the attempt before it is made, and lends the message to this worker."""
    rows = Notification.objects.filter(pk=row.pk, status=NotificationStatus.QUEUED, attempts=row.attempts)
    taken = rows.update(attempts=row.attempts + 1, next_attempt_at=timezone.now() + LEASE)
    row.attempts += 1
    return bool(taken)


def _send(row: Notification, connection: BaseEmailBackend) -> None:
    try:
        _message(row, connection).send()
    except (Permanent, smtplib.SMTPRecipientsRefused, ValueError) as error:
        _settle(row, NotificationStatus.FAILED, f"Not sent: {error}")
    except (OSError, smtplib.SMTPException) as error:
        connection.close()
        _try_again(row, error)
    else:
        # The template's counter is measured later, from these rows (`services.counts`).
        _settle(row, NotificationStatus.SENT, "")


def _message(row: Notification, connection: BaseEmailBackend) -> EmailMessage:
    if row.channel != Channel.EMAIL:
        raise Permanent(f"the channel {row.channel} is not connected")
    # The same key gives the same id, so that a mail system can recognise the repeat of an uncertain sending.
    digest = hashlib.sha256(row.key.encode()).hexdigest()[:32]
    message_id = f"<{digest}@{make_msgid().rpartition('@')[2]}"
    return EmailMessage(
        subject=row.subject,
        body=row.body,
        from_email=_sender(row),
        to=[row.recipient],
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
        connection=connection,
    )


def _sender(row: Notification) -> str | None:
    """The address of the business that it is about; None for the server's own."""
    entity = catalog.current().entity_with_pk(row.instance.business_entity_id if row.instance else None)
    if entity is None or not entity.sender_email:
        return None
    name = entity.name.replace('"', "").replace("<", "").replace(">", "")
    return f'"{name}" <{entity.sender_email}>'


def _settle(row: Notification, status: str, error: str) -> None:
    now = timezone.now()
    sent_at = now if status == NotificationStatus.SENT else None
    Notification.objects.filter(pk=row.pk).update(status=status, error=error, next_attempt_at=None, sent_at=sent_at)
    if status == NotificationStatus.FAILED:
        logger.warning("notification %s (%s) was not sent: %s", row.pk, row.key, error)


def _try_again(row: Notification, error: Exception) -> None:
    if row.attempts >= MAX_ATTEMPTS:
        _settle(row, NotificationStatus.FAILED, f"Not sent after {row.attempts} attempts: {error}")
        return
    due = timezone.now() + timedelta(seconds=BACK_OFF[row.attempts - 1])
    Notification.objects.filter(pk=row.pk).update(next_attempt_at=due, error=f"{type(error).__name__}: {error}")
