"""A key that a row makes for itself, however it is saved."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.db import models
from django.utils.text import slugify

_STEM_LENGTH = 90


def free_key(row: models.Model, attr: str) -> str:
    """A slug of the row's ``name`` that no other row has in ``attr``."""
    stem = slugify(str(getattr(row, "name", "")))[:_STEM_LENGTH].strip("-") or "entity"
    others = type(row)._base_manager.filter(**{f"{attr}__startswith": stem}).exclude(pk=row.pk)
    taken = set(others.values_list(attr, flat=True))
    return next(key for number in count(1) if (key := stem if number == 1 else f"{stem}-{number}") not in taken)


class KeyFromName(models.CharField):
    """A unique slug of the row's ``name``, made when the row is first stored without one.

    It is made here and not in ``save()``, so that bulk inserts get theirs too.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if not getattr(model_instance, self.attname):
            setattr(model_instance, self.attname, free_key(model_instance, self.attname))
        return getattr(model_instance, self.attname)
