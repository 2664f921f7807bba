"""Flow 7: content from the idea to the archive, and recordings that become drafts."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from agents_app.agents.base import BaseAgent, Context, Outcome, WorkKind
from agents_app.content import items
from higherself.integrations.events import EventKind
from higherself.integrations.material import TranscriptMaterial


class ContentDue(BaseModel):
    """A piece of content may have something to be done: somebody moved it, or time has passed."""

    model_config = ConfigDict(frozen=True)

    instance_pk: int


class ContentLifecycleAgent(BaseAgent):
    name = "Content Lifecycle Agent"
    description = "Carries content from the idea or a recording through draft, review and approval to publication."
    capabilities = ("Content Creation", "Content Distribution", "Transcription Processing")
    apis = ("NOTION_API", "BEEHIIV_API", "PLAUD_API")
    consumes = {
        EventKind.TRANSCRIPT_COMPLETED: TranscriptMaterial,
        EventKind.TRANSCRIPT_FAILED: TranscriptMaterial,
        WorkKind.CONTENT_DUE: ContentDue,
    }
    emits = {"WF-CONT-CYCLE": ("transcript_ready", "content_approved", "publication_time")}

    def handle(self, data: Any, context: Context) -> Outcome:
        if isinstance(data, TranscriptMaterial):
            return items.hear(data, context)
        return items.due(data.instance_pk, context)
