"""Notion's webhooks: words about changes are collected, and read together once it is quiet.

A person who types makes many events; one read after they pause is enough. A burst over many pages is read by one
query. Lost, doubled or reordered words do no harm: what counts is what Notion answers when it is asked, and polling
goes on underneath.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.dispatch import receiver
from django.utils import timezone

from higherself.core import jobs
from higherself.core.errors import Permanent
from higherself.integrations.events import Event, EventKind, listens_to
from higherself.integrations.signals import handshake
from notion_sync.client import NotAuthorised, NotionApi, NotShared
from notion_sync.engine.completion import complete_relations
from notion_sync.engine.counts import Counts
from notion_sync.engine.lease import Held
from notion_sync.engine.pull import Puller
from notion_sync.engine.remote import SchemaChanged
from notion_sync.models import NotionChange, NotionDatabase, NotionPage, WebhookToken
from notion_sync.schema.binding import refresh

logger = logging.getLogger(__name__)

JOB = "read_notion_changes"
# A page is read when nothing was heard of it for this long, and at the latest so long after the first word.
QUIET = timedelta(seconds=8)
AT_LATEST = timedelta(seconds=60)
# From so many changed pages of one database on, one query costs less than reading them one by one.
ONE_BY_ONE = 3

_KINDS = {
    EventKind.NOTION_PAGE_CHANGED: NotionChange.Kind.CHANGED,
    EventKind.NOTION_PAGE_GONE: NotionChange.Kind.GONE,
    EventKind.NOTION_SCHEMA_CHANGED: NotionChange.Kind.SCHEMA,
}


@receiver(handshake)
def keep_token(sender: Any, token: str, **kwargs: Any) -> None:
    """Only the newest counts: Notion sends a new one when asked to resend."""
    WebhookToken.objects.all().delete()
    WebhookToken.objects.create(token=token[:500])
    logger.warning("Notion has sent a webhook verification token: `manage.py notion_webhook_token` shows it")


@listens_to(*_KINDS)
def note(event: Event) -> None:
    """Keeps one row a page, whatever the order and number of the words about it."""
    kind, now = _KINDS[event.kind], timezone.now()
    row, is_new = NotionChange.objects.get_or_create(
        entity_id=event.data["entity_id"],
        defaults={"data_source_id": event.data["data_source_id"], "kind": kind, "first_at": now, "last_at": now},
    )
    if not is_new:
        row.kind = NotionChange.Kind.GONE if NotionChange.Kind.GONE in {kind, row.kind} else kind
        row.data_source_id = event.data["data_source_id"] or row.data_source_id
        row.last_at = now
        row.save(update_fields=["kind", "data_source_id", "last_at"])
    jobs.wake_in(JOB, QUIET.total_seconds() + 0.5)


def due() -> list[NotionChange]:
    now = timezone.now()
    return list(NotionChange.objects.filter(Q(last_at__lte=now - QUIET) | Q(first_at__lte=now - AT_LATEST)))


def read(api: NotionApi, held: Held) -> Counts:
    """Reads what was rung for. A word that comes in while it is read stays for the next time."""
    counts = Counts()
    by_database: dict[str, list[NotionChange]] = defaultdict(list)
    for change in due():
        by_database[_database_of(change)].append(change)
    for key, changes in by_database.items():
        held.renew()
        database = NotionDatabase.objects.filter(key=key).first()
        if database is not None:
            try:
                _read_database(api, database, changes, counts)
            except NotAuthorised:
                raise
            except (Permanent, SchemaChanged) as error:
                # It is read as a whole by the next poll, which names what is wrong; the others are read now.
                logger.warning("%s: %s", key, error)
        for change in changes:
            NotionChange.objects.filter(pk=change.pk, last_at=change.last_at).delete()
    complete_relations()
    return counts


def _read_database(api: NotionApi, database: NotionDatabase, changes: list[NotionChange], counts: Counts) -> None:
    if any(change.kind == NotionChange.Kind.SCHEMA for change in changes):
        try:
            refresh(api, database.key)
        except NotShared as error:
            counts.error(database.key, str(error))
        database.refresh_from_db()
    if not database.usable:
        return
    puller = Puller(api, database, counts)
    changed = _ids(changes, NotionChange.Kind.CHANGED)
    if len(changed) > ONE_BY_ONE:
        puller.incremental()
    else:
        puller.pages(changed)
    puller.gone(_ids(changes, NotionChange.Kind.GONE))


def _ids(changes: Iterable[NotionChange], kind: str) -> list[str]:
    return [change.entity_id for change in changes if change.kind == kind]


def _database_of(change: NotionChange) -> str:
    """Which of the 16 it is about; empty for anything else that is shared with the connection."""
    ids = {change.entity_id, change.data_source_id} - {""}
    found = NotionDatabase.objects.filter(Q(data_source_id__in=ids) | Q(database_id__in=ids)).first()
    if found is not None:
        return found.key
    return NotionPage.objects.filter(page_id=change.entity_id).values_list("database_id", flat=True).first() or ""
