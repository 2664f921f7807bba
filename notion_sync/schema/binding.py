"""Ties a mapping's fields to the property ids of a real data source."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils import timezone

from notion_sync.client import NotionApi, NotShared
from notion_sync.mapping import NotionMapping
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase, NotionPage
from notion_sync.properties import Property, Relation, Select

Json = dict[str, Any]
CHUNK = 500
IN_TRASH = "The database is in Notion's trash. Restore it there, then run `manage.py setup_notion`."


@dataclass(frozen=True)
class Difference:
    """One way in which a database differs from what the server expects."""

    database: str
    property: str
    problem: str


@dataclass
class Binding:
    """A mapping bound to a data source as it is now: property ids by field, and what does not fit."""

    mapping: type[NotionMapping]
    found: dict[str, Json] = field(default_factory=dict)
    missing: list[Property] = field(default_factory=list)
    retyped: list[tuple[Property, str]] = field(default_factory=list)
    missing_options: dict[str, list[str]] = field(default_factory=dict)
    renamed: list[tuple[Property, str]] = field(default_factory=list)

    def differences(self) -> list[Difference]:
        title = self.mapping.title
        rows = [Difference(title, prop.name, f"missing ({prop.type})") for prop in self.missing]
        rows += [
            Difference(title, prop.name, f"is of type {kind}, expected {prop.type}") for prop, kind in self.retyped
        ]
        rows += [
            Difference(title, self.mapping.property(attr).name, f"lacks the options {', '.join(names)}")
            for attr, names in self.missing_options.items()
        ]
        return rows


def stored(key: str) -> NotionDatabase:
    return NotionDatabase.objects.get_or_create(key=key, defaults={"title": MAPPINGS[key].title})[0]


def configured_id(key: str) -> str:
    """The database's id: from its environment variable, else as `setup_notion` remembered it."""
    return (
        settings.NOTION_DATABASE_IDS[key]
        or NotionDatabase.objects.filter(key=key).values_list("database_id", flat=True).first()
        or ""
    )


def bind(mapping: type[NotionMapping], schema: Json, known: dict[str, Json]) -> Binding:
    """Compares a data source's ``properties`` with the mapping. Ids that are known win over names."""
    binding = Binding(mapping)
    by_id = {str(item["id"]): item for item in schema.values()}
    claimed = {str(entry["id"]) for entry in known.values()}
    for prop in mapping.properties:
        item = by_id.get(str(known.get(prop.attr, {}).get("id"))) or _by_name(prop, schema, claimed)
        if item is None:
            binding.missing.append(prop)
        elif item["type"] != prop.type:
            binding.retyped.append((prop, item["type"]))
        else:
            _note(binding, prop, item)
    return binding


def _by_name(prop: Property, schema: Json, claimed: set[str]) -> Json | None:
    if prop.type == "title":
        return next((item for item in schema.values() if item["type"] == "title"), None)
    item = schema.get(prop.name)
    return item if item is not None and str(item["id"]) not in claimed else None


def _note(binding: Binding, prop: Property, item: Json) -> None:
    binding.found[prop.attr] = {"id": item["id"], "name": item["name"], "type": item["type"]}
    if isinstance(prop, Relation):
        binding.found[prop.attr]["target"] = item["relation"].get("data_source_id", "")
        binding.found[prop.attr]["reverse_id"] = (item["relation"].get("dual_property") or {}).get(
            "synced_property_id", ""
        )
    if item["name"] != prop.name:
        binding.renamed.append((prop, item["name"]))
    if isinstance(prop, Select):
        wanted = prop.options(binding.mapping.model)
        present = {option["name"].casefold() for option in item[prop.type].get("options", [])}
        lacking = [name for name in wanted if name.casefold() not in present]
        if lacking:
            binding.missing_options[prop.attr] = lacking


def locate(api: NotionApi, key: str) -> NotionDatabase:
    """The database's row with its data source found. Raises `NotShared` with what to do."""
    row = stored(key)
    wanted = configured_id(key)
    if not wanted:
        raise NotShared(
            f"“{MAPPINGS[key].title}” is not set up: run `manage.py setup_notion`, or set "
            f"{settings.NOTION_DATABASE_VARIABLES[key]}."
        )
    if row.data_source_id and row.database_id == wanted:
        return row
    try:
        database = api.database(wanted)
    except NotShared as error:
        raise NotShared(
            f"“{MAPPINGS[key].title}” ({wanted}) cannot be opened: it was deleted or is not shared with the "
            f"integration. Share it in Notion (••• → Connections), or correct "
            f"{settings.NOTION_DATABASE_VARIABLES[key]}. [{error}]"
        ) from error
    if row.database_id != wanted:
        if row.database_id:
            forget_pages(key)
        row.forget_reading()
    row.database_id = wanted
    row.data_source_id = database["data_sources"][0]["id"]
    row.url = database.get("url") or ""
    row.title = MAPPINGS[key].title
    row.save()
    return row


def refresh(api: NotionApi, key: str) -> Binding:
    """Reads the data source's structure and stores the property ids. A database that does not fit is paused."""
    row = locate(api, key)
    try:
        schema = api.data_source(row.data_source_id)
    except NotShared as error:
        row.pause(f"It is no longer shared with the integration, or was deleted. Share it again in Notion. [{error}]")
        raise
    binding = bind(MAPPINGS[key], schema["properties"], row.properties)
    if schema.get("in_trash"):
        row.pause(IN_TRASH)
        return binding
    remember(row, binding)
    return binding


def remember(row: NotionDatabase, binding: Binding, before: dict[str, Json] | None = None) -> None:
    """Stores the bound ids and the database's state. ``before``: the ids so far, where the row has new ones already."""
    former = row.properties if before is None else before
    remade = [attr for attr, item in binding.found.items() if attr in former and former[attr]["id"] != item["id"]]
    if remade:
        forget_agreed(row.key, remade)
    # What is missing or of another type is still known by its id: it may come back under another name; and what is made
    # anew in its place must be told from it, whenever that happens.
    absent = [prop.attr for prop in (*binding.missing, *(prop for prop, _ in binding.retyped)) if prop.writable]
    row.properties = {attr: former[attr] for attr in absent if attr in former} | binding.found
    row.schema_read_at = timezone.now()
    # A lacking option is created by the first write that uses it, and a formula is for people only.
    needed = [prop for prop in binding.missing if prop.writable]
    broken = [prop.name for prop in needed] + [f"{prop.name} (now {kind})" for prop, kind in binding.retyped]
    if broken:
        row.state = NotionDatabase.State.PAUSED
        row.problem = (
            f"Properties that the server needs are missing or of another type: {', '.join(broken)}. "
            "`manage.py setup_notion` creates missing ones; change a type back in Notion."
        )
    else:
        row.state, row.problem = NotionDatabase.State.OK, ""
    row.save()


def usable(api: NotionApi, keys: Iterable[str]) -> list[NotionDatabase]:
    """The databases of ``keys``. One that is not known yet, or is paused, is looked at again in Notion first."""
    rows = []
    for key in keys:
        row = stored(key)
        if row.is_stopped:
            rows.append(row)
            continue
        unknown = not row.properties or row.database_id != configured_id(key)
        if unknown or row.state == NotionDatabase.State.PAUSED:
            try:
                refresh(api, key)
            except NotShared as error:
                stored(key).pause(str(error))
            row = stored(key)
        rows.append(row)
    return rows


def forget_agreed(key: str, attrs: Collection[str]) -> None:
    """A property that was deleted and made again is another one: nothing is agreed about its values yet.

    So the empty values of the new property are no news, and ours are carried into it.
    """
    ties = []
    for tie in NotionPage.objects.filter(database_id=key).exclude(base={}).iterator(chunk_size=CHUNK):
        for values in (tie.base, tie.local_base, tie.unresolved):
            for attr in attrs:
                values.pop(attr, None)
        tie.seen = ""
        ties.append(tie)
        if len(ties) == CHUNK:
            _store(ties)
            ties = []
    _store(ties)
    _mark_all(key)


def forget_pages(key: str) -> None:
    """The database is another one: its rows are to be met, or created, there."""
    NotionPage.objects.filter(database_id=key).delete()
    _mark_all(key)


def _store(ties: list[NotionPage]) -> None:
    NotionPage.objects.bulk_update(ties, ["base", "local_base", "unresolved", "seen"])


def _mark_all(key: str) -> None:
    rows = MAPPINGS[key].model._base_manager.filter(local_change_at__isnull=True, archived_at__isnull=True)
    rows.update(local_change_at=timezone.now())
