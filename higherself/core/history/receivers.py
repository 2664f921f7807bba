"""Changes of to-many relations, which no save of a row tells."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db.models.signals import m2m_changed
from django.dispatch import receiver

from higherself.core.history import recording
from higherself.core.models import Record


@lru_cache(maxsize=1)
def _relations() -> dict[Any, tuple[type[Record], str]]:
    """By through table: the record that owns the relation, and its field."""
    return {
        item.remote_field.through: (model, item.name)
        for model in apps.get_models()
        if issubclass(model, Record)
        for item in model._meta.local_many_to_many
    }


@receiver(m2m_changed, dispatch_uid="core.history.relations")
def relation_changed(
    sender: Any, instance: Any, action: str, reverse: bool, pk_set: set[int] | None, **_kwargs: Any
) -> None:
    if sender not in _relations() or action not in {"post_add", "post_remove", "pre_clear"}:
        return
    model, name = _relations()[sender]
    if action == "pre_clear":
        if not reverse:
            _note(model, instance.pk, name, "removed", list(getattr(instance, name).values_list("pk", flat=True)))
        return
    verb = "added" if action == "post_add" else "removed"
    if not reverse:
        _note(model, instance.pk, name, verb, sorted(pk_set or ()))
    else:
        for owner in sorted(pk_set or ()):
            _note(model, owner, name, verb, [instance.pk])


def _note(model: type[Record], pk: int, name: str, verb: str, keys: list[int]) -> None:
    # A campaign's audience is made by the ten thousand: which list it was is told elsewhere.
    if 0 < len(keys) <= recording.MOST_LINKS:
        recording.note(model, pk, {name: {"added": [], "removed": [], verb: keys}})
