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
    if not isinstance(instance, Record):
        return
    if reverse and action == "pre_clear":
        # Afterwards nobody could tell any more whose relations they were.
        pk_set = _owners(sender, kw["model"], instance)
    elif action not in {"post_add", "post_remove", "post_clear"}:
        return
    if not reverse:
        type(instance).objects.filter(pk=instance.pk).update(local_change_at=timezone.now())
        instance.local_change_at = timezone.now()
    elif pk_set:
        kw["model"].objects.filter(pk__in=pk_set).update(local_change_at=timezone.now())
    jobs.wake("push_to_notion")


def _owners(through: Any, model: Any, target: Record) -> set[int]:
    """The rows of ``model`` that point at ``target`` through this table."""
    relation = next(item for item in model._meta.many_to_many if item.remote_field.through is through)
    links = through._base_manager.filter(**{relation.m2m_reverse_field_name(): target.pk})
    return set(links.values_list(f"{relation.m2m_field_name()}_id", flat=True))


@receiver(notion_pages_wanted)
def page_addresses(sender: Any, pks: list[int], **kwargs: Any) -> dict[int, str]:
    keys = [key for key, mapping in MAPPINGS.items() if mapping.model is sender]
    pages = NotionPage.objects.filter(database__in=keys, object_id__in=pks).exclude(url="")
    return {pk: url for pk, url in pages.values_list("object_id", "url") if pk is not None}
