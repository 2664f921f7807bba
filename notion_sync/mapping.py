"""What one Notion database is to us: a model, its properties, and how a row is recognised."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.db import models

from higherself.core.models import Record
from notion_sync.properties import (
    SERVER,
    CreatedTime,
    DateTime,
    LastEditedTime,
    Property,
    Relation,
    Select,
    Title,
)


class NotionMapping:
    """Declares one database. Attributes that are `Property` objects carry the name of the model field.

    ``identity`` names the fields that hold our own id: a page is looked up by them before an uncertain create is
    repeated. ``match_on`` lists natural keys, each a tuple of fields, by which a page and a row that have never
    met are recognised as the same thing; the first that fits wins.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    model: ClassVar[type[Record]]
    identity: ClassVar[tuple[str, ...]]
    match_on: ClassVar[tuple[tuple[str, ...], ...]] = ()

    # Every database has these four.
    created = CreatedTime("Created")
    last_edited = LastEditedTime("Last Edited")
    last_synced = DateTime("Last Synced", owner=SERVER, volatile=True)
    sync_origin = Select("Sync Origin", owner=SERVER)

    properties: ClassVar[tuple[Property, ...]]
    fields: ClassVar[tuple[Property, ...]]
    relations: ClassVar[tuple[Relation, ...]]
    computed: ClassVar[tuple[Property, ...]]
    title_property: ClassVar[Title]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        found: dict[str, Property] = {}
        for base in reversed(cls.__mro__):
            found.update({name: value for name, value in vars(base).items() if isinstance(value, Property)})
        common = ("created", "last_edited", "last_synced", "sync_origin")
        ordered = [found[name] for name in found if name not in common] + [found[name] for name in common]
        cls.properties = tuple(ordered)
        cls.relations = tuple(prop for prop in ordered if isinstance(prop, Relation))
        cls.fields = tuple(
            prop for prop in ordered if prop.writable and not prop.volatile and not isinstance(prop, Relation)
        )
        cls.computed = tuple(prop for prop in ordered if not prop.writable)
        cls.title_property = next(prop for prop in ordered if isinstance(prop, Title))

    @classmethod
    def property(cls, attr: str) -> Property:
        return next(prop for prop in cls.properties if prop.attr == attr)

    @classmethod
    def model_field(cls, prop: Property) -> models.Field[Any, Any]:
        return cast("models.Field[Any, Any]", cls.model._meta.get_field(prop.attr))
