"""What staff, people in Notion and accidents do: one random thing at a time, each edit noted in a ledger."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, connections, models

from higherself.core import history
from notion_sync.mapping import NotionMapping
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase, NotionPage
from notion_sync.properties import Json, Owner, Property, Relation
from notion_sync.sandbox import Sandbox
from tests import factories

ACTOR = "marathon"
MAKE: dict[str, Callable[..., Any]] = {
    "active_workflow_instances": factories.make_instance,
    "agent_communication": factories.make_pattern,
    "agent_registry": factories.make_agent,
    "api_integrations": factories.make_integration,
    "business_entities": factories.make_business_entity,
    "community_hub": factories.make_member,
    "contacts_profiles": factories.make_contact,
    "data_transformations": factories.make_transformation,
    "feedback_surveys": factories.make_feedback,
    "marketing_campaigns": factories.make_campaign,
    "master_tasks": factories.make_task,
    "notifications_templates": factories.make_template,
    "products_services": factories.make_product,
    "rewards_bounties": factories.make_reward,
    "use_cases": factories.make_use_case,
    "workflows_library": factories.make_workflow,
}
TYPES = frozenset(
    {"title", "rich_text", "number", "select", "multi_select", "date", "checkbox", "url", "email", "phone_number"}
)
MOST_HIDDEN = 12


@dataclass
class Edit:
    """One side's last edit of a property. ``before``: what that side had until then."""

    value: Any
    before: Any
    at: float
    page: str = ""
    during_a_run: bool = False


@dataclass
class Ledger:
    """The last edit of either side since everything was at rest, by database, record and property.

    A record is ("row", key) here, or ("page", id) while only Notion has it.
    """

    ours: dict[tuple[str, tuple[str, Any], str], Edit] = field(default_factory=dict)
    theirs: dict[tuple[str, tuple[str, Any], str], Edit] = field(default_factory=dict)

    def clear(self) -> None:
        self.ours.clear()
        self.theirs.clear()


class Edits:
    def __init__(self, notion: Sandbox, chance: random.Random) -> None:
        self.notion = notion
        self.chance = chance
        self.ledger = Ledger()
        # Pages that the connection cannot see.
        self.hidden: set[str] = set()
        # When the server wrote to which page.
        self.written: list[tuple[float, str]] = []
        self.during_a_run = False
        self._number = 0

    # -- what there is ------------------------------------------------------------------------------------------
    def pages(self, key: str, *, in_trash: bool = False) -> list[str]:
        source = NotionDatabase.objects.get(key=key).data_source_id
        with self.notion.ws.lock:
            rows = list(self.notion.ws.rows[source].values())
        return [page.id for page in rows if page.in_trash is in_trash and page.id not in self.hidden]

    def rows(self, key: str, *, archived: bool = False) -> list[int]:
        manager = MAPPINGS[key].model._base_manager
        return list(manager.filter(archived_at__isnull=not archived).order_by("pk").values_list("pk", flat=True))

    def property_id(self, key: str, prop: Property) -> str:
        return str(NotionDatabase.objects.get(key=key).properties[prop.attr]["id"])

    def in_notion(self, key: str, page: str, prop: Property) -> Any:
        wanted = self.property_id(key, prop)
        shown = self.notion.person._full(page).values()
        return prop.read(next(item for item in shown if item["id"] == wanted))

    def record_of(self, page: str) -> tuple[str, ...]:
        """Its database, and the ids by which a page says for which record it stands."""
        source = self.notion.ws.pages[page].parent_id
        key = NotionDatabase.objects.get(data_source_id=source).key
        mapping = MAPPINGS[key]
        return (key, *(str(self.in_notion(key, page, mapping.property(attr))) for attr in mapping.identity))

    def fields(self, key: str) -> list[Property]:
        return [prop for prop in MAPPINGS[key].fields if prop.owner is Owner.BOTH and prop.type in TYPES]

    def relations(self, key: str) -> list[Relation]:
        """Those that may be empty."""
        mapping = MAPPINGS[key]
        optional = [prop for prop in mapping.relations if prop.many(mapping.model) or mapping.model_field(prop).null]
        return [prop for prop in optional if prop.owner is Owner.BOTH]

    # -- values -------------------------------------------------------------------------------------------------
    def value(self, key: str, prop: Property) -> Any:
        """One that both sides can hold; None where none was found."""
        for _ in range(5):
            value, row = self._any_value(key, prop), MAPPINGS[key].model()
            try:
                prop.set(row, value)
            except (ValidationError, ValueError, OverflowError):
                continue
            if prop.same(prop.get(row), value):
                return value
        return None

    def _any_value(self, key: str, prop: Property) -> Any:
        self._number += 1
        number, chance = self._number, self.chance
        if prop.type not in {"title", "checkbox"} and chance.random() < 0.12:
            return prop.from_wire(None)
        if isinstance(prop, Json):
            return json.dumps({"n": number})
        options = list(getattr(prop, "options", lambda _model: [])(MAPPINGS[key].model))
        values: dict[str, Callable[[], Any]] = {
            "title": lambda: f"Title {number}",
            "rich_text": lambda: chance.choice(
                [f"text {number}", f"tëxt {number} 🎨", f"{number} " + "x" * 2500, f"line\n{number}"]
            ),
            "number": lambda: chance.randint(1, 95),
            "select": lambda: chance.choice([*options[:8], f"Option {number % 7}"]),
            "multi_select": lambda: sorted(
                set(chance.sample([*options[:6], "Own 1", "Own 2", f"Own {number % 9}"], 2))
            ),
            "checkbox": lambda: chance.random() < 0.5,
            "date": lambda: prop.from_wire({"start": f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"}),
            "url": lambda: f"https://example.org/{number}",
            "email": lambda: f"p{number}@example.org",
            "phone_number": lambda: f"+44163296{number:04}",
        }
        return values[prop.type]()

    # -- people in Notion ---------------------------------------------------------------------------------------
    def edit_there(self, key: str = "", page: str = "", prop: Property | None = None) -> None:
        key = key or self.chance.choice(list(MAPPINGS))
        page = page or self._one_of(self.pages(key))
        prop = prop or self.chance.choice(self.fields(key))
        value = self.value(key, prop)
        if not page or value is None:
            return
        before = self.in_notion(key, page, prop)
        self.notion.person.update(page, {self.property_id(key, prop): prop.write(value)})
        tie = NotionPage.objects.filter(page_id=page, object_id__isnull=False).first()
        record = ("row", tie.object_id) if tie else ("page", page)
        self.ledger.theirs[key, record, prop.attr] = Edit(value, before, time.time(), page, self.during_a_run)

    def create_there(self, key: str = "") -> None:
        key = key or self.chance.choice(list(MAPPINGS))
        fields = self.fields(key)
        chosen = {MAPPINGS[key].title_property, *self.chance.sample(fields, min(3, len(fields)))} & set(fields)
        values = {prop: self.value(key, prop) for prop in sorted(chosen, key=lambda prop: prop.attr)}
        wire = {self.property_id(key, prop): prop.write(value) for prop, value in values.items() if value is not None}
        page = self.notion.person.create(NotionDatabase.objects.get(key=key).data_source_id, wire)["id"]
        for prop, value in values.items():
            if value is not None:
                nothing = prop.from_wire(None)
                self.ledger.theirs[key, ("page", page), prop.attr] = Edit(value, nothing, time.time(), page)

    def trash_there(self) -> None:
        page = self._one_of(self.pages(self._any_key()))
        if page:
            self.notion.person.trash(page)

    def restore_there(self) -> None:
        page = self._one_of(self.pages(self._any_key(), in_trash=True))
        if page:
            self.notion.person.restore(page)

    def relate_there(self) -> None:
        key = self._any_key(lambda key: bool(self.relations(key)))
        prop, page = self.chance.choice(self.relations(key)), self._one_of(self.pages(key))
        many = prop.many(MAPPINGS[key].model)
        others = self._some(self.pages(prop.to), [0, 1, 2, 5, 30, 100] if many else [0, 1, 1, 2])
        if page:
            links = {"relation": [{"id": other} for other in others if other != page]}
            self.notion.person.update(page, {self.property_id(key, prop): links})

    def hide(self) -> None:
        page = self._one_of(self.pages(self._any_key()))
        if page and len(self.hidden) < MOST_HIDDEN:
            self.notion.unshare(page)
            self.hidden.add(page)

    def show(self) -> None:
        page = self._one_of(sorted(self.hidden))
        if page:
            self.hidden.discard(page)
            self.notion.share(page)

    def rename(self) -> None:
        key = self._any_key()
        prop = self.chance.choice(self.fields(key))
        name = f"{prop.name} {self.chance.choice(['', 'new', 'old'])}".strip()
        source = NotionDatabase.objects.get(key=key).data_source_id
        taken = {item.name for item in self.notion.person.source(source).properties.values()}
        if name not in taken:
            self.notion.person.change_schema(source, {self.property_id(key, prop): {"name": name}})

    # -- staff, and whatever else writes to our database --------------------------------------------------------
    def edit_here(self, key: str = "", pk: int = 0, prop: Property | None = None, how: str = "") -> None:
        key = key or self._any_key()
        mapping, pk = MAPPINGS[key], pk or self._one_of(self.rows(key)) or 0
        prop = prop or self.chance.choice(self.fields(key))
        value = self.value(key, prop)
        if not pk or value is None:
            return
        with history.by(ACTOR, history.SERVER):
            row = mapping.model._base_manager.get(pk=pk)
            before = prop.get(row)
            prop.set(row, value)
            self._write(mapping, row, prop, how or self.chance.choice(["save", "fields", "update", "bulk", "sql"]))
        self.ledger.ours[key, ("row", pk), prop.attr] = Edit(value, before, time.time())

    def _write(self, mapping: type[NotionMapping], row: Any, prop: Property, how: str) -> None:
        values = {column: getattr(row, column) for column in prop.columns}
        column = mapping.model_field(prop)
        is_text = isinstance(column, (models.CharField, models.TextField))
        if how == "save":
            row.save()
        elif how == "fields":
            row.save(update_fields=list(values))
        elif how == "bulk":
            mapping.model._default_manager.bulk_update([row], list(values))
        elif how == "sql" and is_text:
            table = connection.ops.quote_name(mapping.model._meta.db_table)
            with connection.cursor() as cursor:
                cursor.execute(f'UPDATE {table} SET "{column.column}" = %s WHERE id = %s', [values[prop.attr], row.pk])
        else:
            mapping.model._default_manager.filter(pk=row.pk).update(**values)

    def edit_many_here(self) -> None:
        key = self._any_key()
        texts = [prop for prop in self.fields(key) if prop.type == "number" or type(prop).__name__ == "Text"]
        for pk in self._some(self.rows(key), [3, 30]) if texts else []:
            self.edit_here(key, pk, texts[-1], "update")

    def edit_both(self) -> None:
        key = self._any_key()
        seen, live = set(self.pages(key)), set(self.rows(key))
        ties = NotionPage.objects.filter(database_id=key, page_id__in=seen, object_id__in=live).order_by("pk")
        tie, prop = self._one_of(list(ties)), self.chance.choice(self.fields(key))
        if tie:
            sides = [lambda: self.edit_there(key, tie.page_id, prop), lambda: self.edit_here(key, tie.object_id, prop)]
            self.chance.shuffle(sides)
            for side in sides:
                side()

    def create_here(self, key: str = "") -> None:
        with history.by(ACTOR, history.SERVER):
            MAKE[key or self._any_key()]()

    def archive_here(self) -> None:
        self._archive_or_restore(archived=False)

    def restore_here(self) -> None:
        self._archive_or_restore(archived=True)

    def _archive_or_restore(self, *, archived: bool) -> None:
        key = self._any_key()
        pk = self._one_of(self.rows(key, archived=archived))
        if pk:
            row = MAPPINGS[key].model._base_manager.get(pk=pk)
            with history.by(ACTOR, history.SERVER):
                row.restore() if archived else row.archive()

    def relate_here(self) -> None:
        key = self._any_key(lambda key: bool(self.relations(key)))
        mapping, prop, pk = MAPPINGS[key], self.chance.choice(self.relations(key)), self._one_of(self.rows(key))
        if not pk:
            return
        row, many = mapping.model._base_manager.get(pk=pk), prop.many(mapping.model)
        others = self._some(self.rows(prop.to), [0, 1, 2, 5, 30, 120] if many else [0, 1])
        with history.by(ACTOR, history.SERVER):
            if many:
                getattr(row, prop.attr).set(others)
            else:
                setattr(row, mapping.model_field(prop).attname, others[0] if others else None)
                row.save()

    # -- chance -------------------------------------------------------------------------------------------------
    def in_the_middle(self) -> None:
        """One edit while a run is under way, in the local Notion's thread."""
        edits = [self.edit_there, self.edit_there, self.edit_here, self.edit_both, self.create_there]
        edits += [self.trash_there, self.archive_here, self.relate_there, self.relate_here]
        self.during_a_run = True
        try:
            self.chance.choice(edits)()
        finally:
            self.during_a_run = False
            connections.close_all()

    def _any_key(self, fits: Callable[[str], bool] = lambda _key: True) -> str:
        return self.chance.choice([key for key in MAPPINGS if fits(key)])

    def _one_of(self, things: list[Any]) -> Any:
        return self.chance.choice(things) if things else None

    def _some(self, things: list[Any], numbers: list[int]) -> list[Any]:
        return self.chance.sample(things, min(len(things), self.chance.choice(numbers)))
