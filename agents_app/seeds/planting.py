"""Plants the seeds: creates what is missing, by natural key, and never touches a row that is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db import transaction

from agents_app.agents.registry import AGENTS
from agents_app.choices import AgentStatus
from agents_app.models import (
    Agent,
    ApiIntegration,
    CommunicationPattern,
    DataTransformation,
    NotificationTemplate,
    UseCase,
    Workflow,
)
from agents_app.seeds.audience import PROGRAMS, SEGMENTS
from agents_app.seeds.entities import ENTITIES
from agents_app.seeds.integrations import INTEGRATIONS
from agents_app.seeds.patterns import PATTERNS
from agents_app.seeds.templates import TEMPLATES
from agents_app.seeds.transformations import DEFAULT_ENTITY, TRANSFORMATIONS
from agents_app.seeds.use_cases import USE_CASES
from agents_app.seeds.workflows import AGENTS_OF, WORKFLOWS
from agents_app.services import catalog
from campaigns.models import Segment
from community.models import Reward
from contacts.models import BusinessEntity
from higherself.core.models import Record

_R = TypeVar("_R", bound=Record)
_LINKS = ("workflow", "integrations", "source", "target")


@transaction.atomic
def plant() -> dict[str, int]:
    """Creates what is missing and returns how many rows of each table were."""
    made = {
        "business entities": _entities(),
        "agents": _agents(),
        "API integrations": _plain(ApiIntegration, "integration_id", INTEGRATIONS),
        "workflows": _workflows(),
        "data transformations": _transformations(),
        "notification templates": _plain(NotificationTemplate, "template_id", TEMPLATES),
        "communication patterns": _patterns(),
        "use cases": _use_cases(),
        "segments": _segments(),
        "reward programmes": _plain(Reward, "reward_id", PROGRAMS),
    }
    catalog.stale()
    return made


def _missing(model: type[_R], key: str, rows: Iterable[dict[str, Any]]) -> list[_R]:
    """Creates the rows whose key is not there yet, archived ones included: what people removed stays removed."""
    listed = list(rows)
    known = set(model.objects.filter(**{f"{key}__in": [row[key] for row in listed]}).values_list(key, flat=True))
    made = []
    for row in listed:
        if row[key] not in known:
            values = {name: value for name, value in row.items() if name not in _LINKS}
            made.append(model.objects.create(**values))
    return made


def _plain(model: type[Record], key: str, rows: Iterable[dict[str, Any]]) -> int:
    return len(_missing(model, key, rows))


def _entities() -> int:
    return _plain(BusinessEntity, "entity_key", ENTITIES)


def _agents() -> int:
    rows = [
        {
            "agent_id": agent.agent_id,
            "agent_name": agent.name,
            "description": agent.description,
            "version": agent.version,
            # An agent that takes nothing yet does not claim to be deployed.
            "status": AgentStatus.DEPLOYED if agent.consumes else AgentStatus.DEVELOPMENT,
            "capabilities": list(agent.capabilities),
            "primary_apis_utilized": list(agent.apis),
            "source_code_location": f"{type(agent).__module__}.{agent.agent_id}",
        }
        for agent in AGENTS.values()
    ]
    made = _missing(Agent, "agent_id", rows)
    entities = list(BusinessEntity.objects.filter(entity_key__in=[row["entity_key"] for row in ENTITIES]))
    for agent in made:
        agent.business_entities.set(entities)
    return len(made)


def _workflows() -> int:
    made = [row for source in WORKFLOWS for row in _missing_workflow(source)]
    entities = list(BusinessEntity.objects.filter(entity_key__in=[row["entity_key"] for row in ENTITIES]))
    for row in made:
        row.business_entities.set(entities)
        row.required_agents.set(Agent.objects.filter(agent_id__in=AGENTS_OF[row.workflow_id]))
    return len(made)


def _missing_workflow(source: dict[str, Any]) -> list[Workflow]:
    """A newer version that ships with the server becomes a row of its own beside those that people changed."""
    same_version = Workflow.objects.filter(workflow_id=source["workflow_id"], version=source["version"])
    return [] if same_version.exists() else [Workflow.objects.create(**source)]


def _transformations() -> int:
    made = _missing(DataTransformation, "transformation_id", TRANSFORMATIONS)
    _link(made, lambda row: row.business_entities.set(BusinessEntity.objects.filter(entity_key=DEFAULT_ENTITY)))
    _link(made, lambda row: row.used_by_workflows.set(Workflow.objects.filter(workflow_id="WF-LEAD-CAPTURE")))
    _link(made, lambda row: row.agents_using.set(Agent.objects.filter(agent_id="LeadCaptureAgent")))
    return len(made)


def _link(rows: Iterable[_R], link: Callable[[_R], None]) -> None:
    for row in rows:
        link(row)


def _patterns() -> int:
    made = _missing(CommunicationPattern, "pattern_name", PATTERNS)
    agents = {agent.agent_id: agent for agent in Agent.objects.all()}
    sources = {row["pattern_name"]: row for row in PATTERNS}
    for pattern in made:
        source = sources[pattern.pattern_name]
        pattern.source_agent, pattern.target_agent = agents.get(source["source"]), agents.get(source["target"])
        pattern.save(update_fields=["source_agent", "target_agent"])
    return len(made)


def _segments() -> int:
    """Only an installation without any gets them: a segment that people removed stays removed."""
    if Segment.objects.exists():
        return 0
    return len(Segment.objects.bulk_create(Segment(**row) for row in SEGMENTS))


def _use_cases() -> int:
    made = _missing(UseCase, "use_case_id", USE_CASES)
    sources = {row["use_case_id"]: row for row in USE_CASES}
    for case in made:
        source = sources[case.use_case_id]
        case.related_workflows.set(Workflow.objects.filter(workflow_id=source["workflow"]))
        case.required_integrations.set(ApiIntegration.objects.filter(integration_id__in=source["integrations"]))
        case.business_entities.set(
            BusinessEntity.objects.filter(entity_key__in=[row["entity_key"] for row in ENTITIES])
        )
    return len(made)
