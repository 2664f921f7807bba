"""Creates what is missing of the 16 databases. Never deletes, never retypes; running it again changes nothing.

Two passes, because a relation needs both its databases: first all databases with their plain properties, then
relations with their reverse sides, then what is computed from those.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from higherself.core.errors import Permanent
from notion_sync.client import NotionApi, NotShared, Uncertain
from notion_sync.mapping import NotionMapping
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase
from notion_sync.properties import MultiSelect, Property, Relation, Rollup, Select
from notion_sync.schema.binding import Binding, bind, configured_id, forget_pages, refresh, remember, stored

logger = logging.getLogger(__name__)
Json = dict[str, Any]
# Notion: at most 100 options in one schema update (reference/update-a-data-source).
OPTIONS = 100


@dataclass
class Plan:
    """What setup would do, in sentences, and what it cannot mend."""

    steps: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def schema_of(prop: Property, mapping: type[NotionMapping]) -> Json:
    if isinstance(prop, Select):
        options = [{"name": name} for name in prop.options(mapping.model)[:OPTIONS]]
        return {prop.type: {"options": options}}
    return prop.schema()


def is_plain(prop: Property) -> bool:
    """Needs no other property: can be created together with its database."""
    return not isinstance(prop, (Relation, Rollup)) and prop.type != "formula"


class Setup:
    """One run of the set-up. With ``dry_run`` it reads and plans, and writes nothing to either side."""

    def __init__(
        self,
        api: NotionApi,
        parent: str = "",
        *,
        dry_run: bool = False,
        recreate: Sequence[str] = (),
        say: Callable[[str], object] = logger.info,
    ) -> None:
        self.recreate = set(recreate)
        # Databases that are known and cannot be opened: they are left alone, and so are relations with them.
        self.closed: set[str] = set()
        self.api = api
        self.parent = parent
        self.dry_run = dry_run
        self.say = say
        self.plan = Plan()
        self.bindings: dict[str, Binding] = {}
        self.rows: dict[str, NotionDatabase] = {}
        self.schemas: dict[str, Json] = {}
        # The property ids as they were known before this run.
        self.before: dict[str, dict[str, Json]] = {}

    def run(self) -> Plan:
        self._databases()
        self._plain_properties()
        self._relations()
        self._computed()
        if not self.dry_run:
            self._remember()
        return self.plan

    def _step(self, sentence: str) -> None:
        self.plan.steps.append(sentence)
        self.say(("Would " if self.dry_run else "") + sentence)

    # -- databases ----------------------------------------------------------------------------------------------
    def _databases(self) -> None:
        lacking = [key for key in MAPPINGS if not self._open(key) and key not in self.closed]
        if not lacking:
            return
        parent = self.parent or settings.NOTION_PARENT_PAGE_ID or find_parent(self.api)
        existing = self._children(parent)
        for key in lacking:
            title = MAPPINGS[key].title
            if title in existing:
                self._step(f"adopt the database “{title}” that stands under the parent page")
                if not self.dry_run:
                    self._note_database(key, self.api.database(existing[title]))
            else:
                self._step(f"create the database “{title}”")
                if not self.dry_run:
                    self._note_database(key, self._create(key, parent))

    def _open(self, key: str) -> bool:
        """Finds a database that is known by id and reads its structure."""
        database_id = configured_id(key)
        if not database_id:
            return False
        try:
            database = self.api.database(database_id)
        except NotShared as error:
            if key not in self.recreate:
                self._close(key, error)
            return False
        if database.get("in_trash"):
            self.plan.problems.append(f"“{MAPPINGS[key].title}” is in Notion's trash: restore it there.")
        self._note_database(key, database)
        return True

    def _close(self, key: str, error: NotShared) -> None:
        """Notion does not tell a database that is gone from one that is not shared, so none is made in its place."""
        self.closed.add(key)
        mend = (
            f"correct {settings.NOTION_DATABASE_VARIABLES[key]}"
            if settings.NOTION_DATABASE_IDS[key]
            else f"if it is gone for good, run `manage.py setup_notion --recreate {key}`"
        )
        self.plan.problems.append(
            f"“{MAPPINGS[key].title}” cannot be opened: it was deleted or is not shared with the integration. Share it "
            f"again in Notion (••• → Connections); {mend}. [{error}]"
        )

    def _note_database(self, key: str, database: Json) -> None:
        row = stored(key) if not self.dry_run else NotionDatabase.objects.filter(key=key).first()
        row = row or NotionDatabase(key=key)
        if row.database_id != database["id"]:
            if row.database_id and not self.dry_run:
                forget_pages(key)
            row.forget_reading()
        self.before[key] = dict(row.properties)
        row.title, row.database_id = MAPPINGS[key].title, database["id"]
        row.data_source_id, row.url = database["data_sources"][0]["id"], database.get("url") or ""
        self.rows[key] = row
        self._bind(key, self.api.data_source(row.data_source_id))
        if not self.dry_run:
            row.save()

    def _bind(self, key: str, schema: Json) -> None:
        row = self.rows[key]
        known = row.properties if isinstance(row.properties, dict) else {}
        self.bindings[key] = bind(MAPPINGS[key], schema["properties"], known)
        self.schemas[key] = schema
        row.properties = known | self.bindings[key].found

    def _children(self, parent: str) -> dict[str, str]:
        """Databases that stand under the parent already, by title: a run that was cut off goes on with them."""
        return {
            block["child_database"]["title"]: block["id"]
            for block in self.api.children(parent)
            if block.get("type") == "child_database" and not block.get("in_trash")
        }

    def _create(self, key: str, parent: str) -> Json:
        mapping = MAPPINGS[key]
        properties = {prop.name: schema_of(prop, mapping) for prop in mapping.properties if is_plain(prop)}
        text = [{"type": "text", "text": {"content": mapping.title}}]
        body = {
            "parent": {"type": "page_id", "page_id": parent},
            "title": text,
            "initial_data_source": {"properties": properties},
        }
        try:
            return self.api.create_database(body)
        except Uncertain as error:
            # It may have been created although the answer was lost: look before creating another one.
            found = error.page_id or self._children(parent).get(mapping.title)
            return self.api.database(found) if found else self.api.create_database(body)

    # -- properties ---------------------------------------------------------------------------------------------
    def _plain_properties(self) -> None:
        for key, binding in self.bindings.items():
            changes: Json = {}
            for prop in binding.missing:
                if is_plain(prop):
                    self._step(f"add “{prop.name}” ({prop.type}) to “{binding.mapping.title}”")
                    changes[prop.name] = schema_of(prop, binding.mapping)
            for attr, names in binding.missing_options.items():
                changes |= self._options(key, binding.mapping.property(attr), names)
            for prop, kind in binding.retyped:
                self.plan.problems.append(
                    f"“{binding.mapping.title}”: “{prop.name}” is of type {kind}, expected {prop.type}. "
                    "Change it back in Notion, or rename it so that a new one can be created."
                )
            self._patch(key, changes)

    def _options(self, key: str, prop: Property, names: list[str]) -> Json:
        item = self.bindings[key].found[prop.attr]
        kind = "multi_select" if isinstance(prop, MultiSelect) else "select"
        schema = next(entry for entry in self.schemas[key]["properties"].values() if entry["id"] == item["id"])
        # An option that is left out of the list would be removed, with its values.
        present = [{"id": option["id"], "name": option["name"]} for option in schema[kind]["options"]]
        room = OPTIONS - len(present)
        if room < len(names):
            self.plan.problems.append(
                f"“{prop.name}” in “{MAPPINGS[key].title}” has {len(present)} options already; Notion creates the "
                f"others when they are first used: {', '.join(names)}."
            )
            return {}
        self._step(f"add the options {', '.join(names)} to “{prop.name}” in “{MAPPINGS[key].title}”")
        return {item["id"]: {kind: {"options": present + [{"name": name} for name in names]}}}

    def _patch(self, key: str, changes: Json) -> None:
        if changes and not self.dry_run:
            self._bind(key, self.api.update_data_source(self.rows[key].data_source_id, changes))

    # -- relations ----------------------------------------------------------------------------------------------
    def _relations(self) -> None:
        for key, mapping in MAPPINGS.items():
            open_ones = [prop for prop in mapping.relations if not {key, prop.to} & self.closed]
            lacking = [prop for prop in open_ones if self._lacks(key, prop)]
            for prop in lacking:
                self._step(f"relate “{mapping.title}”.“{prop.name}” with “{MAPPINGS[prop.to].title}”.“{prop.reverse}”")
            if lacking and not self.dry_run:
                self._patch(key, {prop.name: self._relation(prop) for prop in lacking})
        if not self.dry_run:
            self._name_reverse_sides()

    def _lacks(self, key: str, prop: Property) -> bool:
        return key not in self.bindings or prop in self.bindings[key].missing

    def _relation(self, prop: Relation) -> Json:
        target = self.rows[prop.to].data_source_id
        return {"relation": {"data_source_id": target, "type": "dual_property", "dual_property": {}}}

    def _name_reverse_sides(self) -> None:
        """Notion names a reverse side itself (“Related to …”); it gets the name that people know it by."""
        renames: dict[str, Json] = defaultdict(dict)
        for key, mapping in MAPPINGS.items():
            for prop in mapping.relations if key not in self.closed else ():
                if prop.to in self.closed:
                    continue
                found = self.bindings[key].found.get(prop.attr, {})
                synced = self._schema_item(key, found.get("id", ""))
                name = ((synced or {}).get("relation", {}).get("dual_property") or {}).get("synced_property_name", "")
                if not (found.get("reverse_id") and name.startswith("Related to ") and name != prop.reverse):
                    continue
                if prop.reverse in self.schemas[prop.to]["properties"]:
                    self.plan.problems.append(
                        f"“{MAPPINGS[prop.to].title}” has another property called “{prop.reverse}”, so the other side "
                        f"of “{mapping.title}”.“{prop.name}” is called “{name}”. It works; rename either as you like."
                    )
                else:
                    renames[prop.to][found["reverse_id"]] = {"name": prop.reverse}
        for key, changes in renames.items():
            self._step(f"name {len(changes)} reverse relations in “{MAPPINGS[key].title}”")
            self._patch(key, changes)

    def _schema_item(self, key: str, property_id: str) -> Json | None:
        properties = self.schemas[key]["properties"].values()
        return next((item for item in properties if item["id"] == property_id), None)

    # -- formulas and rollups -----------------------------------------------------------------------------------
    def _computed(self) -> None:
        for key, mapping in MAPPINGS.items():
            if key in self.closed:
                continue
            lacking = [prop for prop in mapping.properties if not is_plain(prop) and self._lacks(key, prop)]
            lacking = [prop for prop in lacking if not isinstance(prop, Relation)]
            for prop in lacking:
                self._step(f"add “{prop.name}” ({prop.type}) to “{mapping.title}”")
            if lacking and not self.dry_run:
                self._patch(key, {prop.name: prop.schema() for prop in lacking})

    def _remember(self) -> None:
        for key, row in self.rows.items():
            remember(row, bind(MAPPINGS[key], self.schemas[key]["properties"], row.properties), self.before[key])


def find_parent(api: NotionApi) -> str:
    """The only top-level page shared with the integration. Raises `Permanent` when there is none, or a choice."""
    answer = api.search(filter={"property": "object", "value": "page"}, page_size=100)
    tops = [page for page in answer["results"] if page["parent"].get("type") == "workspace" and not page["in_trash"]]
    if len(tops) == 1:
        return str(tops[0]["id"])
    raise Permanent(
        "Which page should the databases stand under? Share one page with the integration, and give its id with "
        f"--parent or NOTION_PARENT_PAGE_ID ({len(tops)} top-level pages are shared now)."
    )


def check(api: NotionApi) -> dict[str, Binding | str]:
    """Each database's binding as Notion has it now, or the reason why it cannot be read."""
    found: dict[str, Binding | str] = {}
    for key in MAPPINGS:
        try:
            found[key] = refresh(api, key)
        except NotShared as error:
            found[key] = str(error)
    return found
