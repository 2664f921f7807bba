"""The history of records: who changed what, when, from which value to which.

with history.by("BookingAgent", history.AGENT, event_id=event.pk):
    ...            # every Record saved in here is noted in this name, in one statement at the end

history.of(contact)   # the newest change sets
"""

from __future__ import annotations

from higherself.core.history.models import (
    AGENT,
    IMPORT,
    NOTION,
    ORIGINS,
    PERSON,
    PROVIDER,
    SERVER,
    ChangeSet,
    of,
)
from higherself.core.history.recording import by, gathered

__all__ = [
    "AGENT",
    "IMPORT",
    "NOTION",
    "ORIGINS",
    "PERSON",
    "PROVIDER",
    "SERVER",
    "ChangeSet",
    "by",
    "gathered",
    "of",
]
