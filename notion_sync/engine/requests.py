"""Edits in Notion that ask the server for something, instead of setting a value.

A person who changes an instance's *Current State* in Notion asks for a transition. A legal one is done and logged; an
illegal one is put back, and shown.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from agents_app.models import WorkflowInstance
from agents_app.workflow import engine
from agents_app.workflow.machine import IllegalTransition
from higherself.core.errors import Permanent
from higherself.core.models import Record
from notion_sync.mapping import NotionMapping
from notion_sync.models import NotionPage, SyncConflict

logger = logging.getLogger(__name__)

# Takes the row, the value asked for and who asked; returns why it was refused, or "" when it was done.
Handler = Callable[[Any, Any, str], str]


def _move(instance: WorkflowInstance, state: str, actor: str) -> str:
    try:
        engine.move_to(instance, state, actor=actor, note="asked for in Notion")
    except (IllegalTransition, Permanent) as error:
        return str(error)
    return ""


_HANDLERS: dict[tuple[str, str], Handler] = {("active_workflow_instances", "current_state"): _move}


def ask(mapping: type[NotionMapping], row_id: int, attr: str, value: Any, actor: str) -> None:
    """Does what the edit asks for, or keeps it where people see it with the reason."""
    row: Record = mapping.model._base_manager.get(pk=row_id)
    before = mapping.property(attr).get(row)
    refused = _HANDLERS[mapping.key, attr](row, value, actor)
    if not refused:
        return
    logger.warning("%s “%s”: %s; put back", mapping.title, row, refused)
    page = NotionPage.objects.get(database_id=mapping.key, object_id=row_id)
    name = mapping.property(attr).name
    page.issues = [note for note in page.issues if not note.startswith(f"{name}: ")] + [f"{name}: {refused}"]
    page.save(update_fields=["issues"])
    SyncConflict.objects.create(
        page=page,
        database_id=mapping.key,
        object_id=row_id,
        record=str(row)[:200],
        field=attr,
        property_name=name,
        base_value=before,
        local_value=before,
        notion_value=value,
        notion_edited_by=actor[:200],
        resolution=SyncConflict.Resolution.OURS,
        resolved_at=timezone.now(),
        resolved_by=f"server: {refused}"[:150],
    )
