"""A changed row wakes the job that carries it to Notion."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import m2m_changed, post_save
from django.dispatch import receiver
from django.utils import timezone

from higherself.core import jobs
from higherself.core.models import Record
from higherself.core.signals import notion_pages_wanted, records_changed
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionPage

_MODELS = {mapping.model for mapping in MAPPINGS.values()}


@receiver(post_save)
def wake_after_save(sender: Any, **kwargs: Any) -> None:
    if sender in _MODELS:
        jobs.wake("push_to_notion")


@receiver(records_changed)
def wake_after_bulk_change(sender: Any, **kwargs: Any) -> None:
    if sender in _MODELS:
        jobs.wake("push_to_notion")


@receiver(m2m_changed)
def mark_after_relation_change(sender: Any, instance: Any, action: str, reverse: bool, pk_set: Any, **kw: Any) -> None:
    """A to-many relation has no column of its own: its owner is marked as changed."""
    if action not in {"post_add", "post_remove", "post_clear"} or not isinstance(instance, Record):
        return
    if not reverse:
        type(instance).objects.filter(pk=instance.pk).update(local_change_at=timezone.now())
        instance.local_change_at = timezone.now()
    elif pk_set:
        kw["model"].objects.filter(pk__in=pk_set).update(local_change_at=timezone.now())
    jobs.wake("push_to_notion")


@receiver(notion_pages_wanted)
def page_addresses(sender: Any, pks: list[int], **kwargs: Any) -> dict[int, str]:
    keys = [key for key, mapping in MAPPINGS.items() if mapping.model is sender]
    pages = NotionPage.objects.filter(database__in=keys, object_id__in=pks).exclude(url="")
    return {pk: url for pk, url in pages.values_list("object_id", "url") if pk is not None}
