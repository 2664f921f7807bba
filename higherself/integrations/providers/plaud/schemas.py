"""A finished transcription, in the shapes in which it can come; none of them is confirmed by Plaud's present pages.

Zapier's step "Webhooks by Zapier" sends what its owner maps (flat: title, transcript, summary, …); Plaud's partner
interface and the bridge OpenPlaud wrap theirs in ``{"event", "data"}`` and leave the text to be fetched.
"""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from higherself.integrations.reading import Amount, Part, Text, Whole


def _either(*names: str) -> Any:
    return AliasChoices(*names)


class Envelope(Part):
    event: Text = ""
    timestamp: Text = ""
    delivered_at: Text = ""


class Transcription(Part):
    """``duration`` is in seconds here; a recording's ``duration_ms`` in milliseconds."""

    file_id: Text = Field(default="", validation_alias=_either("file_id", "fileId", "recording_id", "id"))
    transcription_id: Text = Field(default="", validation_alias=_either("transcription_id", "transcriptionId"))
    title: Text = Field(default="", validation_alias=_either("title", "name", "filename", "file_name"))
    transcript: Text = Field(default="", validation_alias=_either("transcript", "transcription", "text"))
    summary: Text = ""
    preview: Text = Field(default="", validation_alias=_either("transcript_preview", "preview"))
    language: Text = ""
    duration: Amount = None
    duration_ms: Amount = Field(default=None, validation_alias=_either("duration_ms", "durationMs"))
    words: Whole = Field(default=None, validation_alias=_either("word_count", "wordCount"))
    recorded_at: Text = Field(
        default="", validation_alias=_either("recorded_at", "start_at", "create_time", "created_at", "createdAt")
    )
    error: Text = ""
    message: Text = ""
