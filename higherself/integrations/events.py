"""What happened, in our words: providers speak their own, agents understand only these."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict


class EventKind(str, Enum):
    LEAD_SUBMITTED = "lead.submitted"
    LEAD_PARTIAL = "lead.partial"
    # Notion says that something changed there; what, is read from Notion itself.
    NOTION_PAGE_CHANGED = "notion.page_changed"
    NOTION_PAGE_GONE = "notion.page_gone"
    NOTION_SCHEMA_CHANGED = "notion.schema_changed"


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


# Takes part in the transaction that marks the event as processed.
Listener = Callable[[Event], None]
_listeners: dict[EventKind, list[Listener]] = defaultdict(list)


def listens_to(*kinds: EventKind) -> Callable[[Listener], Listener]:
    """Registers a function of an upper layer that takes events of these kinds beside the agents."""

    def register(function: Listener) -> Listener:
        for kind in kinds:
            _listeners[kind].append(function)
        return function

    return register


def listeners(kind: EventKind) -> list[Listener]:
    return _listeners[kind]
