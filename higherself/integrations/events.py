"""What happened, in our words: providers speak their own, agents understand only these."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict


class EventKind(str, Enum):
    LEAD_SUBMITTED = "lead.submitted"
    LEAD_PARTIAL = "lead.partial"


class Event(BaseModel):
    """One thing that happened at a provider.

    ``source`` is the option of Notion's *Source System*, ``source_id`` the provider's own id of the thing, ``key``
    what must be handled in order (empty: no order needed), ``data`` the material for the agent.
    """

    model_config = ConfigDict(frozen=True)

    kind: EventKind
    source: str
    source_id: str
    occurred_at: datetime
    key: str = ""
    data: dict[str, Any] = {}
