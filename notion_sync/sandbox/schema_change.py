"""Changes of a data source's columns: worked out on a copy, carried out only when all of it is legal.

A `null` removes, a name renames (the id stays), a type adds or re-types, an option list replaces.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from . import checks, formulas, retype, richtext, schema
from .errors import validation
from .ids import TITLE_ID, encode_property_id, new_id, new_property_id, parse_uuid
from .model import OPTION_TYPES, DataSource, Property
from .workspace import Workspace

_LATE = ("rollup", "formula")  # they may name properties made by the same request


class SchemaChange:
    """One request's changes to one data source."""

    def __init__(self, ws: Workspace, source: DataSource) -> None:
        self.ws = ws
        self.source = source
        self.draft = DataSource(
            source.id,
            source.database_id,
            source.stamps,
            source.title,
            properties=copy.deepcopy(source.properties),
        )
        self.events: list[dict[str, str]] = []
        # What happened to other data sources: their ends of two-way relations.
        self.elsewhere: dict[str, list[dict[str, str]]] = {}
        self._effects: list[Callable[[], None]] = []

    # -- working it out ------------------------------------------------------------------------

    def create(self, wanted: Any, path: str) -> None:
        """The columns of a new data source: exactly one of them is the title."""
        wanted = checks.an_object(wanted, path)
        kinds = [self._kind(wanted[name], f"{path}.{name}") for name in wanted]
        if kinds.count("title") != 1:
            raise validation(
                f"{path} failed validation: exactly one title property is needed, found {kinds.count('title')}."
            )
        self._in_two_passes(wanted, path)

    def patch(self, wanted: Any, path: str) -> None:
        wanted = checks.an_object(wanted, path)
        self._in_two_passes(wanted, path)
        self._check_late_ones(path)

    def _in_two_passes(self, wanted: dict[str, Any], path: str) -> None:
        def late(key: str) -> bool:
            item = wanted[key]
            return isinstance(item, dict) and any(kind in item for kind in _LATE)

        for key in sorted(wanted, key=late):
            self._one(schema.property_name(key, path), wanted[key], f"{path}.{key}")

    def _kind(self, item: Any, path: str) -> str | None:
        item = checks.an_object(item, path)
        checks.only_keys(item, schema.CONFIG_KEYS, path)
        return schema.type_of(item, path)

    def _one(self, key: str, item: Any, path: str) -> None:
        old = self.draft.find(key)
        if item is None:
            self._remove(key, old)
            return
        kind = self._kind(item, path)
        if old is None:
            self._add(key, item, kind, path)
            return
        if kind is not None:
            self._reconfigure(old, item, kind, path)
        if "description" in item and item["description"] is not None:
            old.description = checks.a_string(item["description"], f"{path}.description")
        if "name" in item and item["name"] != old.name:
            self._rename(old, schema.property_name(item["name"], f"{path}.name"))

    def _add(self, name: str, item: dict[str, Any], kind: str | None, path: str) -> None:
        if kind is None:
            raise validation(f"Could not find property with name or id: {name}")
        if kind == "title" and TITLE_ID in self.draft.properties:
            raise validation(f'Cannot create property "{name}": a data source has only one title.')
        config = self._config(name, item, kind, None, path)
        prop_id = TITLE_ID if kind == "title" else new_property_id(self._taken())
        prop = Property(prop_id, name, kind, config, item.get("description"))
        self.draft.properties[prop_id] = prop
        self._note(prop, "created")
        if kind == "relation":
            self._open_relation(prop)
        elif kind == "unique_id":
            self._effects.append(lambda: retype.number_rows(self.ws, self.source, prop))
        elif kind == "status":
            self._effects.append(lambda: retype.default_rows(self.ws, self.source, prop))

    def _remove(self, key: str, old: Property | None) -> None:
        if old is None:
            raise validation(f"Could not find property with name or id: {key}")
        if old.type == "title":
            raise validation("Cannot delete the title property.")
        del self.draft.properties[old.id]
        self._note(old, "deleted")
        if old.type == "relation":
            self._close_relation(old)
        self._effects.append(lambda: retype.drop_values(self.ws, self.source, old.id))

    def _rename(self, prop: Property, name: str) -> None:
        other = self.draft.find(name)
        if other is not None and other is not prop and other.name == name:
            raise validation(f'Cannot rename "{prop.name}" to "{name}" because property with new name already exists.')
        prop.name = name
        self._note(prop, "updated")

    def _reconfigure(self, prop: Property, item: dict[str, Any], kind: str, path: str) -> None:
        same = kind == prop.type
        if not same and "title" in (kind, prop.type):
            raise validation(f'Cannot change the type of "{prop.name}": the title stays the title.')
        if same and kind == "relation":
            self._change_relation(prop, item, path)
            return
        config = self._config(prop.name, item, kind, prop if same else None, path)
        before = Property(prop.id, prop.name, prop.type, prop.config)
        if before.type == "relation":
            self._close_relation(before)
        prop.type, prop.config = kind, config
        self._note(prop, "updated")
        if kind == "relation":
            self._open_relation(prop)
        if not same:
            self._effects.append(lambda: retype.convert_rows(self.ws, self.source, before, prop))
        elif kind in OPTION_TYPES:
            self._effects.append(lambda: retype.drop_options(self.ws, self.source, before, prop))

    def _config(self, name: str, item: dict[str, Any], kind: str, old: Property | None, path: str) -> dict[str, Any]:
        value = schema.settings(item, kind, path)
        where = f"{path}.{kind}"
        if kind == "relation":
            return self._relation_config(value, where)
        if kind == "rollup":
            return self._rollup_config(value, where)
        if kind == "formula":
            checks.only_keys(value, ("expression",), where)
            names = {p.name: p.id for p in self.draft.properties.values() if p.name != name}
            text = formulas.check(value.get("expression"), set(names), f"{where}.expression")
            return {"expression": formulas.names_to_ids(text, names)}
        return schema.parse_config(kind, value, old, where)

    def _taken(self) -> set[str]:
        return {*self.draft.properties, *(p.name for p in self.draft.properties.values())}

    def _note(self, prop: Property, action: str) -> None:
        self.events.append(_event(prop, action))

    def _note_elsewhere(self, target: DataSource, prop: Property, action: str) -> None:
        self.elsewhere.setdefault(target.id, []).append(_event(prop, action))

    # -- relations -----------------------------------------------------------------------------

    def _relation_config(self, value: dict[str, Any], path: str) -> dict[str, Any]:
        kinds = ("single_property", "dual_property")
        checks.only_keys(value, ("data_source_id", "type", *kinds), path)
        target_id = parse_uuid(checks.required(value, "data_source_id", path), f"{path}.data_source_id")
        target = self.ws.sources.get(target_id)
        if target is None or self.ws.hidden(target_id):
            raise self.ws.not_found("data source", target_id)
        if target.in_trash or self.ws.ancestor_in_trash(target_id):
            raise validation(f"Cannot relate to data source {target_id}: it is in the trash.")
        kind = checks.one_of(value.get("type") or next((k for k in kinds if k in value), None), kinds, f"{path}.type")
        inner = checks.an_object(checks.required(value, kind, path), f"{path}.{kind}")
        checks.only_keys(inner, ("synced_property_name", "synced_property_id"), f"{path}.{kind}")
        dual = kind == "dual_property"
        return {"relation_id": new_id(), "side": "a", "data_source_id": target_id, "synced_id": None, "dual": dual}

    def _open_relation(self, prop: Property) -> None:
        relation = prop.config["relation_id"]
        self._effects.append(lambda: self.ws.relations.add_relation(relation))
        if prop.config.pop("dual"):
            self._add_back_reference(prop)

    def _add_back_reference(self, prop: Property) -> None:
        target = self.ws.sources[prop.config["data_source_id"]]
        home = self.draft if target is self.source else target
        taken = {p.name for p in home.properties.values()}
        name = _free_name(f"Related to {_title(self.source)} ({prop.name})", taken)
        config = {
            **prop.config,
            "side": "b" if prop.config["side"] == "a" else "a",
            "data_source_id": self.source.id,
            "synced_id": prop.id,
        }
        back = Property(new_property_id({*home.properties, *taken}), name, "relation", config)
        prop.config["synced_id"] = back.id
        if home is self.draft:
            self.draft.properties[back.id] = back
            self._note(back, "created")
        else:
            self._note_elsewhere(target, back, "created")
            self._effects.append(lambda: _install(self.ws, target, back))

    def _change_relation(self, prop: Property, item: dict[str, Any], path: str) -> None:
        wanted = self._relation_config(schema.settings(item, "relation", path), f"{path}.relation")
        if wanted["data_source_id"] != prop.config["data_source_id"]:
            self._close_relation(prop)
            prop.config = wanted
            self._open_relation(prop)
        elif wanted["dual"] and prop.config["synced_id"] is None:
            self._add_back_reference(prop)
        elif not wanted["dual"] and prop.config["synced_id"] is not None:
            self._drop_back_reference(prop)
            prop.config["synced_id"] = None
        self._note(prop, "updated")

    def _drop_back_reference(self, prop: Property) -> None:
        target = self.ws.sources[prop.config["data_source_id"]]
        synced = prop.config["synced_id"]
        if target is self.source:
            self.draft.properties.pop(synced, None)
        else:
            self._note_elsewhere(target, target.properties[synced], "deleted")
            self._effects.append(lambda: _uninstall(self.ws, target, synced))

    def _close_relation(self, prop: Property) -> None:
        """The other end of a removed two-way relation stays, as a one-way relation."""
        relation, synced = prop.config["relation_id"], prop.config["synced_id"]
        if synced is None:
            self._effects.append(lambda: retype.drop_links(self.ws, relation))
            return
        target = self.ws.sources[prop.config["data_source_id"]]
        if target is self.source:
            self.draft.properties[synced].config["synced_id"] = None
        else:
            self._note_elsewhere(target, target.properties[synced], "updated")
            self._effects.append(lambda: _unsync(self.ws, target, synced))

    # -- rollups and formulas ------------------------------------------------------------------

    def _rollup_config(self, value: dict[str, Any], path: str) -> dict[str, Any]:
        keys = ("rollup_property_name", "rollup_property_id", "relation_property_name", "relation_property_id")
        checks.only_keys(value, (*keys, "function"), path)
        function = checks.one_of(value.get("function"), schema.FUNCTIONS, f"{path}.function")
        relation = self._named(self.draft, value, "relation", path)
        if relation.type != "relation":
            raise validation(f"{path}: {relation.name} is expected to be relation.")
        target = self.ws.sources[relation.config["data_source_id"]]
        home = self.draft if target is self.source else target
        rolled = self._named(home, value, "rollup", path)
        return {
            "relation_property_id": relation.id,
            "rollup_property_id": rolled.id,
            "function": function,
        }

    def _named(self, home: DataSource, value: dict[str, Any], which: str, path: str) -> Property:
        key = value.get(f"{which}_property_id") or value.get(f"{which}_property_name")
        prop = home.find(checks.a_string(key, f"{path}.{which}_property_name"))
        if prop is None:
            raise validation(f"{path}: Could not find property with name or id: {key}")
        return prop

    def _check_late_ones(self, path: str) -> None:
        """A formula must not lose a property that it names."""
        names = set(self.draft.properties)
        for prop in self.draft.properties.values():
            if prop.type == "formula":
                formulas.check(prop.config["expression"], names, f"{path}.{prop.name}")

    # -- carrying it out -----------------------------------------------------------------------

    def apply(self) -> None:
        for prop_id, prop in self.draft.properties.items():
            if prop.type == "relation":
                self.ws.relations.add_relation(prop.config["relation_id"])
                prop.config.pop("dual", None)
            self.source.properties[prop_id] = prop
        for prop_id in self.source.properties.keys() - self.draft.properties.keys():
            del self.source.properties[prop_id]
        self.ws.mark(self.source)
        for effect in self._effects:
            effect()


def _event(prop: Property, action: str) -> dict[str, str]:
    return {"id": encode_property_id(prop.id), "name": prop.name, "action": action}


def _title(source: DataSource) -> str:
    return richtext.plain(source.title) or "Untitled"


def _free_name(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        candidate, number = f"{name} {number}", number + 1
    return candidate


def _install(ws: Workspace, target: DataSource, back: Property) -> None:
    target.properties[back.id] = back
    ws.mark(target)


def _uninstall(ws: Workspace, target: DataSource, prop_id: str) -> None:
    target.properties.pop(prop_id, None)
    ws.mark(target)


def _unsync(ws: Workspace, target: DataSource, prop_id: str) -> None:
    if prop_id in target.properties:
        target.properties[prop_id].config["synced_id"] = None
        ws.mark(target)
