"""Taking one change back: the fields get their old values, and Notion gets them like any other edit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models, transaction
from django.utils.translation import gettext as _

from higherself.core.errors import Permanent
from higherself.core.history.models import PERSON, ChangeSet
from higherself.core.history.recording import by
from higherself.core.history.values import plain


@dataclass
class Result:
    """The fields that were taken back, and the others with the reason."""

    done: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def record_of(change: ChangeSet) -> models.Model | None:
    """The record that the change belongs to, as it is now."""
    try:
        model = apps.get_model(change.model)
    except LookupError:
        return None
    found: models.Model | None = model._base_manager.filter(pk=change.record_id).first()
    return found


def revert(change: ChangeSet, actor: str, *, locked: Collection[str] = ()) -> Result:
    """Puts the old values back where the new ones still stand. ``locked`` names fields that nobody edits.

    Raises `Permanent` when nothing can be taken back, and ValidationError when the old values do not fit any more;
    nothing has been changed then.
    """
    if change.kind == ChangeSet.Kind.CREATED:
        raise Permanent(_("A record that was made is not unmade: archive it instead."))
    with transaction.atomic(), by(actor, PERSON, reverts=change):
        model = apps.get_model(change.model)
        row = model._base_manager.select_for_update(of=("self",)).filter(pk=change.record_id).first()
        if row is None:
            raise Permanent(_("The record is gone."))
        result = Result()
        columns = [name for name in change.changes if _put_back(row, name, change.changes[name], result, locked)]
        if columns:
            row.full_clean(exclude={item.name for item in model._meta.fields} - set(columns))
            row.save(update_fields=columns)
        if not result.done:
            raise Permanent(_("Nothing was taken back: %(reasons)s") % {"reasons": "; ".join(result.kept)})
    return result


def _put_back(row: models.Model, name: str, change: Any, result: Result, locked: Collection[str]) -> bool:
    """True when a column of the row was changed."""
    try:
        item: Any = row._meta.get_field(name)
    except FieldDoesNotExist:
        result.kept.append(_("“%(field)s” is no field any more") % {"field": name})
        return False
    label = str(item.verbose_name)
    if name in locked:
        result.kept.append(_("“%(field)s” is kept by the server") % {"field": label})
        return False
    if item.many_to_many:
        _put_links_back(row, name, change)
        result.done.append(label)
        return False
    old, new = change
    if plain(getattr(row, item.attname)) != new:
        result.kept.append(_("“%(field)s” was changed again since") % {"field": label})
        return False
    if item.is_relation and old is not None and not item.related_model._base_manager.filter(pk=old).exists():
        result.kept.append(_("what “%(field)s” pointed to is gone") % {"field": label})
        return False
    setattr(row, item.attname, old if item.is_relation else item.to_python(old))
    result.done.append(label)
    return True


def _put_links_back(row: models.Model, name: str, change: dict[str, list[int]]) -> None:
    manager = getattr(row, name)
    manager.remove(*change["added"])
    known = manager.model._base_manager.filter(pk__in=change["removed"]).values_list("pk", flat=True)
    manager.add(*known)
