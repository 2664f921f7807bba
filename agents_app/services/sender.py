"""Sends what is queued, once per key: claimed before it is sent, recorded after, tried again with growing pauses."""

from __future__ import annotations

import logging
import smtplib
from datetime import timedelta

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from agents_app.choices import NotificationStatus
from agents_app.models import Notification
from agents_app.services import channels, messages
from higherself.core.errors import Permanent, Retryable

logger = logging.getLogger(__name__)

BATCH = 50
# While one worker sends, others leave the message alone for so long.
LEASE = timedelta(minutes=3)
BACK_OFF = (30, 120, 600, 3600, 6 * 3600)
MAX_ATTEMPTS = len(BACK_OFF) + 1


def send_due(limit: int = BATCH) -> int:
    """Sends up to ``limit`` due messages over one connection; returns how many were claimed."""
    due = Notification.objects.filter(status=NotificationStatus.QUEUED, next_attempt_at__lte=timezone.now())
    rows = due.select_related("instance", "template", "contact").order_by("next_attempt_at", "pk")[:limit]
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
    if row.attempts > MAX_ATTEMPTS:
        _settle(row, NotificationStatus.FAILED, f"Not sent: the worker died over it {row.attempts - 1} times.")
        return
    objection = messages.objection(row)
    if objection:
        _settle(row, NotificationStatus.SKIPPED, objection)
        return
    try:
        status, remark = channels.deliver(row, connection)
    except smtplib.SMTPRecipientsRefused as error:
        if _for_now(error):
            connection.close()
            _try_again(row, error)
        else:
            _settle(row, NotificationStatus.FAILED, f"Not sent: {error}")
    except (Permanent, ValueError) as error:
        _settle(row, NotificationStatus.FAILED, f"Not sent: {error}")
    except (Retryable, OSError, smtplib.SMTPException) as error:
        connection.close()
        _try_again(row, error)
    else:
        # The template's counter is measured later, from these rows (`services.counts`).
        _settle(row, status, remark)


def _for_now(error: smtplib.SMTPRecipientsRefused) -> bool:
    """Whether the mail server said "not now" (RFC 5321, 4.2.1): so does every one that greylists strangers."""
    codes = [answer[0] for answer in error.recipients.values()]
    return bool(codes) and all(400 <= code < 500 for code in codes)


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
    pause = max(BACK_OFF[row.attempts - 1], getattr(error, "retry_after", None) or 0)
    due = timezone.now() + timedelta(seconds=pause)
    Notification.objects.filter(pk=row.pk).update(next_attempt_at=due, error=f"{type(error).__name__}: {error}")
