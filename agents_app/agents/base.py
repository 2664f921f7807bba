"""What an agent is: an identity, the kinds of event that it takes, and what it does with one.

An agent works inside one database transaction and touches no network. It either returns an `Outcome` for work that
is done, or raises: `Retryable` to be called again, `Permanent` to hand the event to a person.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from pydantic import BaseModel, ConfigDict

from higherself.core.health import OK, Component
from higherself.integrations.events import EventKind


class WorkKind(str, Enum):
    """What happens inside the server itself and is handed to agents like an event from outside."""

    STATE_ENTERED = "workflow.state_entered"
    TASK_DONE = "task.done"
    # By the clock, or because somebody edited something; each finds its work in rows.
    COMMUNITY_DAY = "community.day"
    CAMPAIGN_DUE = "campaign.due"
    CONTENT_DUE = "content.due"
    AUDIENCE_DUE = "audience.due"
    # A person has made or changed a record.
    RECORD_EDITED = "record.edited"
    # One agent to another.
    CONTENT_PUBLISHED = "content.published"
    SURVEY_RECEIVED = "survey.received"
    LEAD_FOUND = "lead.found"


AnyKind = EventKind | WorkKind


@dataclass(frozen=True)
class Created:
    """A row that came of an event, as `GET /events/<id>` names it."""

    model: str
    id: int | str
    label: str

    @classmethod
    def of(cls, row: models.Model) -> Created:
        return cls(row._meta.label_lower, row.pk, str(row))

    def as_dict(self) -> dict[str, Any]:
        return {"model": self.model, "id": self.id, "label": self.label}


class SwitchedOff(Exception):
    """Agents that take the event are not deployed: the event waits."""

    def __init__(self, agent_ids: Sequence[str]) -> None:
        super().__init__(
            f"Waiting: {', '.join(agent_ids)} is not Deployed in the Agent Registry. It goes on when the status is "
            "Deployed."
        )


class Result(str, Enum):
    DONE = "done"
    DUPLICATE = "duplicate"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Outcome:
    """What has been done. ``message`` is a sentence for staff; ``created`` lists the new rows.

    ``about_erased`` says that the event told of somebody who was erased: what it said is not kept.
    """

    result: Result
    message: str
    created: tuple[Created, ...] = ()
    about_erased: bool = False


@dataclass(frozen=True)
class Context:
    """What an agent may know beside the event's own data.

    ``source`` and ``source_id`` name the provider's record, ``event_id`` the inbound event (empty for what happened
    inside the server), ``actor`` who is written into histories.
    """

    kind: AnyKind
    actor: str
    source: str = ""
    source_id: str = ""
    event_id: str = ""
    now: datetime = field(default_factory=timezone.now)
    occurred_at: datetime = field(default_factory=timezone.now)


class RecordEdited(BaseModel):
    """A person has made a record, or changed fields of it, in Notion or in the console.

    ``model`` is its label in lower case, ``changed`` holds the watched fields with the value before and the one after;
    ``occasion`` tells this edit from others of the same record.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    pk: int
    changed: dict[str, tuple[Any, Any]] = {}
    is_new: bool = False
    by: str = ""
    occasion: str = ""

    def became(self, field: str) -> Any:
        """The new value of a field; None when this edit did not touch it."""
        return self.changed[field][1] if field in self.changed else None


# Among the fields that an agent watches: the making of a record.
MADE = "made"


class BaseAgent(ABC):
    """Extend it, add one line to `registry`, and write a test: nothing else is needed for a new agent.

    ``capabilities`` and ``apis`` are option names of the Agent Registry.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    version: ClassVar[str] = "1.0.0"
    capabilities: ClassVar[tuple[str, ...]]
    apis: ClassVar[tuple[str, ...]]
    consumes: ClassVar[Mapping[AnyKind, type[BaseModel]]] = {}
    # The events by which it moves instances, by workflow: what neither a person, a task nor the clock fires.
    emits: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    # The fields, and `MADE`, by model: people's edits of them are handed over as `RecordEdited`.
    watches: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @property
    def agent_id(self) -> str:
        return type(self).__name__

    @abstractmethod
    def handle(self, data: Any, context: Context) -> Outcome:
        """Does the work for one event; ``data`` is an instance of the model that ``consumes`` names for its kind."""

    def health(self) -> Component:
        """How the agent is, in words; without outbound calls."""
        takes = [kind.value for kind in self.consumes]
        return Component(OK, f"{self.name} takes {', '.join(takes)}.", {"takes": takes})
