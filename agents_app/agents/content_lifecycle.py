"""Content from the idea to the archive, and transcripts that become drafts."""

from __future__ import annotations

from agents_app.agents.base import NotYet


class ContentLifecycleAgent(NotYet):
    name = "Content Lifecycle Agent"
    description = "Content from the idea to the archive, and transcripts that become drafts."
    capabilities = (
        "Content Creation",
        "Content Distribution",
        "Transcription Processing",
    )
    apis = (
        "NOTION_API",
        "BEEHIIV_API",
        "PLAUD_API",
    )
    planned = (
        "content.requested",
        "content.stage_changed",
        "transcription.completed",
    )
