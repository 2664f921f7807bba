"""The small tables that every event needs, kept in memory: agents, workflows, templates, transformations, entities.

They change rarely and are read for every event. A process compares one line of counts and times with the database
at most once in `CHECK_EVERY` seconds and reads the tables again only when that line has changed, so an edit takes
effect within about a second in every process.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from agents_app.choices import AgentStatus, CatalogStatus, TemplateStatus, WorkflowStatus
from agents_app.leads import fieldmap, scoring
from agents_app.models import Agent, CommunicationPattern, DataTransformation, NotificationTemplate, Workflow
from agents_app.outgoing import rules
from agents_app.workflow import machine
from agents_app.workflow.definitions import SOURCES
from contacts.models import BusinessEntity
from higherself.core.errors import Permanent

logger = logging.getLogger(__name__)

CHECK_EVERY = 1.0
RUNNING = (WorkflowStatus.ACTIVE, WorkflowStatus.IMPLEMENTED)
# Data Transformations name this service differently.
_SYSTEM_OF = {"Circle.so": "Circle"}
MODELS: tuple[type[Any], ...] = (
    Agent,
    BusinessEntity,
    CommunicationPattern,
    DataTransformation,
    NotificationTemplate,
    Workflow,
)


@dataclass(frozen=True)
class FormMap:
    """What serves a form: the map, the row that it comes from, and the entities that the row names."""

    map: fieldmap.FieldMap
    row: DataTransformation | None = None
    entity_ids: tuple[int, ...] = ()
    warning: str = ""


@dataclass
class Catalog:
    """One reading of the tables. Never changed after it is made, so threads may share it."""

    agents: dict[str, Agent] = field(default_factory=dict)
    entities: dict[int, BusinessEntity] = field(default_factory=dict)
    patterns: dict[str, list[CommunicationPattern]] = field(default_factory=dict)
    templates: dict[str, NotificationTemplate] = field(default_factory=dict)
    workflows: dict[int, Workflow] = field(default_factory=dict)
    newest: dict[str, Workflow] = field(default_factory=dict)
    transformations: dict[tuple[str, str], DataTransformation] = field(default_factory=dict)
    transformation_entities: dict[int, tuple[int, ...]] = field(default_factory=dict)
    # People of Notion's that the catalogue names, by id, name and address in lower case.
    people: dict[str, dict[str, Any]] = field(default_factory=dict)

    def is_on(self, agent_id: str) -> bool:
        agent = self.agents.get(agent_id)
        return agent is not None and agent.status == AgentStatus.DEPLOYED

    def may_hand_over(self, source: str, target: str, event_type: str) -> bool:
        """Whether an active communication pattern lets ``source`` tell ``target``. People and oneself need none."""
        if source not in self.agents or source == target:
            return True
        source_pk = self.agents[source].pk
        target_pk = self.agents[target].pk if target in self.agents else None
        return any(
            pattern.source_agent_id in (None, source_pk) and pattern.target_agent_id in (None, target_pk)
            for pattern in self.patterns.get(event_type, ())
        )

    def workflow(self, workflow_id: str) -> Workflow:
        """The version that new instances start on; raises `Permanent` when there is none."""
        if workflow_id not in self.newest:
            raise Permanent(
                f"Workflow {workflow_id} has no version with the status Active: "
                "activate one in the Workflows Library, or run `manage.py seed`."
            )
        return self.newest[workflow_id]

    def entity(self, key_or_name: str) -> BusinessEntity | None:
        wanted = key_or_name.strip().casefold()
        for entity in self.entities.values():
            if wanted and wanted in (entity.entity_key.casefold(), entity.name.casefold()):
                return entity
        return None

    def assignee(self, entity: BusinessEntity | None, role: str) -> tuple[list[dict[str, Any]], str]:
        """Who does a role's tasks for a business: Notion's people, and the text for those whom Notion does not know.

        A name that Notion has shown us somewhere in the catalogue is that person; else the text says it.
        """
        if entity is None:
            return [], role
        named = entity.assignee_of(role)
        if not named:
            return list(entity.default_assignee), role
        person = self.people.get(named.casefold())
        return ([person], role) if person else ([], f"{role}: {named}")

    def entity_with_pk(self, pk: int | None) -> BusinessEntity | None:
        return self.entities.get(pk) if pk is not None else None

    def entity_of_source(self, source: str) -> BusinessEntity | None:
        """The business that a service works for: the one its general Data Transformation names, else the only one."""
        row = self.transformations.get((_SYSTEM_OF.get(source, source), ""))
        for pk in self.transformation_entities.get(row.pk, ()) if row else ():
            if pk in self.entities:
                return self.entities[pk]
        return next(iter(self.entities.values())) if len(self.entities) == 1 else None

    def scoring(self) -> scoring.Table:
        """The table that leads are scored by: that of the Data Transformations, or the last one of it that worked."""
        row = next((row for (_, key), row in self.transformations.items() if key == scoring.KEY), None)
        parsed = _tables.get(row)[0] if row is not None else None
        return parsed or scoring.DEFAULT

    def rule(self, key: str) -> Any:
        """What staff want to be handed on, of the row with this key: as it stands, or the last one of it that worked.

        None while no such row is Active.
        """
        row = next((row for (_, name), row in self.transformations.items() if name == key), None)
        return _rules.get(row)[0] if row is not None else None

    def form_map(self, source: str, form_id: str) -> FormMap:
        """The map that serves a form: its own, else the default one of the source, else the built-in one."""
        warnings = []
        for key in dict.fromkeys([form_id, ""]):
            row = self.transformations.get((source, key))
            if row is None or not row.transformation_logic:
                continue
            parsed, problem = _maps.get(row)
            if problem:
                warnings.append(f"{row.transformation_id} ({row.transformation_name}): {problem}")
            if parsed is not None:
                entities = self.transformation_entities.get(row.pk, ())
                return FormMap(parsed, row, entities, "; ".join(warnings))
        return FormMap(fieldmap.DEFAULT_MAP, warning="; ".join(warnings))


class _Parsed:
    """Parsed forms of rows, by primary key and time of change. A broken edit leaves the last good one in place."""

    def __init__(self, parse: Any, errors: type[ValueError]) -> None:
        self.parse, self.errors = parse, errors
        self.good: dict[int, Any] = {}
        self.seen: dict[int, tuple[datetime, str]] = {}

    def get(self, row: Any) -> tuple[Any, str]:
        """What runs (None when nothing ever worked) and what is wrong with the row as it stands now."""
        seen = self.seen.get(row.pk)
        if seen is None or seen[0] != row.updated_at:
            seen = (row.updated_at, self._read(row))
            self.seen[row.pk] = seen
        return self.good.get(row.pk), seen[1]

    def _read(self, row: Any) -> str:
        try:
            self.good[row.pk] = self.parse(row)
        except self.errors as error:
            logger.warning("%s cannot be used as it is: %s", row, error)
            return str(error)
        return ""

    def clear(self) -> None:
        self.good.clear()
        self.seen.clear()


def _parse_workflow(row: Workflow) -> machine.Definition:
    return machine.parse(definition_data(row))


def definition_data(row: Workflow) -> dict[str, Any]:
    """A row of the Workflows Library in the shape that `machine.parse` takes."""
    return {
        "id": row.workflow_id,
        "name": row.workflow_name or row.workflow_id,
        "version": row.version,
        "description": row.description,
        "initial": row.initial_state,
        "states": row.states,
        "transitions": row.transitions,
    }


_definitions = _Parsed(_parse_workflow, machine.BrokenDefinition)
_maps = _Parsed(lambda row: fieldmap.parse(row.transformation_logic), fieldmap.BrokenMap)
_rules = _Parsed(lambda row: rules.parse(row.form_source_key.strip(), row.transformation_logic), rules.BrokenRule)
_tables = _Parsed(lambda row: scoring.parse(row.transformation_logic), scoring.BrokenTable)


def definition(row: Workflow) -> machine.Definition:
    """The definition that runs for this row: its own, or the last one that worked. Raises `Permanent` without one."""
    parsed, problem = _definitions.get(row)
    if parsed is not None:
        return parsed
    shipped = SOURCES.get(row.workflow_id)
    if shipped is not None and shipped["version"] == row.version:
        return machine.parse(shipped)
    raise Permanent(f"Workflow {row.workflow_id} {row.version} cannot run: {problem}")


def runs(row: Workflow) -> bool:
    """Whether a definition runs for this row."""
    try:
        definition(row)
    except Permanent:
        return False
    return True


def _version() -> tuple[Any, ...]:
    """One line that changes with every edit of the tables."""
    parts = []
    for model in MODELS:
        table = connection.ops.quote_name(model._meta.db_table)
        parts.append(f"(SELECT COUNT(*) FROM {table}), (SELECT MAX(updated_at) FROM {table})")  # noqa: S608
    links = connection.ops.quote_name(DataTransformation.business_entities.through._meta.db_table)
    parts.append(f"(SELECT COUNT(*) FROM {links}), (SELECT MAX(id) FROM {links})")  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}")
        return tuple(cursor.fetchone())


def _load() -> Catalog:
    catalog = Catalog(
        agents={row.agent_id: row for row in Agent.objects.live()},
        entities={row.pk: row for row in BusinessEntity.objects.live().order_by("pk")},
        templates={
            row.template_id: row for row in NotificationTemplate.objects.live().filter(status=TemplateStatus.ACTIVE)
        },
        workflows={row.pk: row for row in Workflow.objects.all()},
    )
    patterns: dict[str, list[CommunicationPattern]] = defaultdict(list)
    for pattern in CommunicationPattern.objects.live().filter(status=CatalogStatus.ACTIVE):
        patterns[pattern.event_type].append(pattern)
    catalog.patterns = dict(patterns)
    catalog.people = _people(catalog)
    catalog.newest = _newest(catalog.workflows.values())
    # Of several rows for one form, the one that was changed last serves it.
    rows = DataTransformation.objects.live().filter(status=CatalogStatus.ACTIVE).order_by("updated_at", "pk")
    catalog.transformations = {(row.source_system, row.form_source_key.strip()): row for row in rows}
    links: dict[int, list[int]] = defaultdict(list)
    through = DataTransformation.business_entities.through
    for transformation_id, entity_id in through.objects.order_by("id").values_list(
        "datatransformation_id", "businessentity_id"
    ):
        links[transformation_id].append(entity_id)
    catalog.transformation_entities = {pk: tuple(entity_ids) for pk, entity_ids in links.items()}
    return catalog


def _people(catalog: Catalog) -> dict[str, dict[str, Any]]:
    lists = [entity.default_assignee for entity in catalog.entities.values()]
    lists += [agent.owner for agent in catalog.agents.values()]
    lists += [workflow.owner for workflow in catalog.workflows.values()]
    found: dict[str, dict[str, Any]] = {}
    for person in (person for people in lists for person in people if isinstance(person, dict)):
        for word in (person.get("id"), person.get("name"), person.get("email")):
            if word:
                found.setdefault(str(word).casefold(), person)
    return found


def _newest(rows: Iterable[Workflow]) -> dict[str, Workflow]:
    found: dict[str, Workflow] = {}
    for row in sorted(rows, key=lambda item: (release(item.version), item.pk)):
        # A version that cannot run does not take the place of one that can.
        if row.status in RUNNING and not row.is_archived and (runs(row) or row.workflow_id not in found):
            found[row.workflow_id] = row
    return found


def release(version: str) -> tuple[int, ...]:
    """A version as numbers that can be compared; what is no number counts as nothing."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


class _Cache:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.catalog: Catalog | None = None
        self.version: tuple[Any, ...] = ()
        self.checked_at = 0.0

    def current(self) -> Catalog:
        catalog = self.catalog
        if catalog is not None and time.monotonic() - self.checked_at < CHECK_EVERY:
            return catalog
        with self.lock:
            version = _version()
            if self.catalog is None or version != self.version:
                self.catalog, self.version = _load(), version
            self.checked_at = time.monotonic()
            return self.catalog


_cache = _Cache()


def current() -> Catalog:
    """The catalogue, at most about `CHECK_EVERY` seconds old."""
    return _cache.current()


def stale(**_kwargs: Any) -> None:
    """Asks for a look at the database before the next use; connected to the saving of the tables' rows."""
    _cache.checked_at = 0.0


def forget() -> None:
    """Drops everything that is remembered, as tests need between two databases."""
    _cache.forget()
    _definitions.clear()
    _maps.clear()
    _rules.clear()
    _tables.clear()
