"""What may be wanted of Plaud."""

from __future__ import annotations

from pydantic import model_validator

from higherself.integrations.client import Payload


class Transcript(Payload):
    """The text of a recording, by the recording's id, or by that of a partner's transcription."""

    file_id: str = ""
    transcription_id: str = ""

    @model_validator(mode="after")
    def _named(self) -> Transcript:
        if not (self.file_id or self.transcription_id):
            raise ValueError("file_id or transcription_id has to be given")
        return self
