"""Completes relations whose other page was not known yet when they were read."""

from __future__ import annotations

from django.db import transaction

from notion_sync.engine.records import PageIndex, lock, rows_manager, through_columns
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionPage
from notion_sync.properties import Relation

BATCH = 200


def complete_relations() -> int:
    """Resolves what has become known by now. Returns how many relations were completed."""
    waiting = list(NotionPage.objects.exclude(unresolved={}).values_list("pk", flat=True))
    return sum(_complete(waiting[start : start + BATCH]) for start in range(0, len(waiting), BATCH))


@transaction.atomic
def _complete(ids: list[int]) -> int:
    done = 0
    index = PageIndex()
    for tie in NotionPage.objects.filter(pk__in=ids).exclude(object_id=None):
        mapping = MAPPINGS[tie.database_id]
        lock(mapping.model, [tie.object_id or 0])
        left: dict[str, list[str]] = {}
        for prop in mapping.relations:
            pages = tie.unresolved.get(prop.attr, [])
            index.load_rows(prop.to, pages)
            known = [row_id for page_id in pages if (row_id := index.row(prop.to, page_id)) is not None]
            if known:
                _link(tie, prop, known)
                done += len(known)
            unknown = [page_id for page_id in pages if index.row(prop.to, page_id) is None]
            if unknown:
                left[prop.attr] = unknown
        if left != tie.unresolved:
            tie.unresolved = left
            tie.save(update_fields=["unresolved"])
    return done


def _link(tie: NotionPage, prop: Relation, targets: list[int]) -> None:
    model = MAPPINGS[tie.database_id].model
    field = MAPPINGS[tie.database_id].model_field(prop)
    if not field.many_to_many:
        # Only where nobody has set another one here meanwhile.
        rows_manager(model).filter(pk=tie.object_id, **{f"{field.attname}__isnull": True}).update(
            **{field.attname: targets[0]}
        )
        return
    through, source, target = through_columns(field)
    through._base_manager.bulk_create(
        [through(**{source: tie.object_id, target: other}) for other in targets], ignore_conflicts=True
    )
