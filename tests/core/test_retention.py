"""The daily clean-up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from agents_app.models import AgentRun, Notification
from higherself.core.models import ChangeSet
from higherself.core.retention import clean_up
from higherself.integrations.models import InboundEvent, OutboundCall
from notion_sync.models import SyncRun
from tests import factories

pytestmark = pytest.mark.django_db
OLD, NEW = timezone.now() - timedelta(days=40), timezone.now() - timedelta(days=20)
KEYS = ("events", "runs", "messages", "history", "sync_runs", "refused", "logins", "imports")


@pytest.fixture
def rows() -> None:
    for at in (OLD, NEW):
        for status in InboundEvent.Status.values:
            open_ = status in {"received", "processing", "retrying"}
            InboundEvent.objects.create(
                provider="typeform",
                delivery_key=f"{status}{at}",
                body=b"{}",
                status=status,
                received_at=at,
                next_attempt_at=at if open_ else None,
            )
        for status in OutboundCall.Status.values:
            OutboundCall.objects.create(
                provider="hubspot", operation="x", dedupe_key=f"{status}{at}", status=status, created_at=at
            )
        for outcome in ("done", "failed", ""):
            factories.make_agent_run(outcome=outcome, started_at=at)
        for status in ("queued", "sent", "failed", "skipped"):
            factories.make_notification(status=status, created_at=at)
        for finished in (at, None):
            SyncRun.objects.create(trigger="test", direction="both", started_at=at, finished_at=finished)
    ChangeSet.objects.all().delete()
    ChangeSet.objects.create(model="contacts.contact", record_id=1, at=OLD)
    Session.objects.create(session_key="gone", session_data="", expire_date=OLD)


def test_nothing_is_cleared_away_while_the_settings_keep_it(rows: None, settings: Any):
    settings.RETENTION_DAYS = dict.fromkeys(KEYS, 0)

    assert clean_up() == {"sessions": 1}


def test_what_is_old_and_settled_goes_and_what_waits_for_a_person_stays(rows: None, settings: Any):
    settings.RETENTION_DAYS = dict.fromkeys(KEYS, 30)

    assert clean_up() == {
        "changes": 1,
        "deliveries": 2,
        "calls": 3,
        "runs of agents": 1,
        "messages": 2,
        "runs of the synchronisation": 1,
        "sessions": 1,
    }
    kept = set(InboundEvent.objects.filter(received_at=OLD).values_list("status", flat=True))
    assert kept == {"received", "processing", "retrying", "quarantined"}
    assert set(AgentRun.objects.filter(started_at=OLD).values_list("outcome", flat=True)) == {"failed", ""}
    assert set(Notification.objects.filter(created_at=OLD).values_list("status", flat=True)) == {"queued", "failed"}
    assert clean_up() == {}
