"""Plaud: a recording was transcribed and summed up, perhaps for the second time.

Plaud documents no webhook for ordinary accounts: Zapier sends what its owner maps, with the shared secret as a header.
The signatures of Plaud's partner pages, which contradict each other, and of the bridge OpenPlaud prove it as well.
"""

from __future__ import annotations

import hashlib
import time
from decimal import Decimal
from typing import Any

from higherself.integrations import verify
from higherself.integrations.base import Delivery, FollowUp, Ignore, SharedSecretProvider, Unreadable, digest
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import TranscriptMaterial
from higherself.integrations.providers.plaud.client import PlaudClient
from higherself.integrations.providers.plaud.schemas import Envelope, Transcription
from higherself.integrations.reading import object_of, peek, read, text, time_of

COMPLETED, FAILED = "transcription.completed", "transcription.failed"
OPENPLAUD_TOLERANCE = 300


class Plaud(SharedSecretProvider):
    slug = "plaud"
    label = "Plaud"
    source = "Plaud"
    client_class = PlaudClient
    follows = (EventKind.TRANSCRIPT_COMPLETED,)
    proofs = (*SharedSecretProvider.proofs, "plaud-signature", "x-openplaud-signature")
    keeps = ("plaud-timestamp", "x-openplaud-event", "x-openplaud-delivery", "x-openplaud-timestamp")

    def follow_up(self, event: Event) -> FollowUp | None:
        """The text, where none came with it and the interface that is set up can find it."""
        told = event.data
        file_id, name = text(told.get("file_id")), text(told.get("transcription_id"))
        is_known = bool(file_id) if self.options.get("access_token") else bool(name)
        if told.get("transcript") or told.get("summary") or not is_known:
            return None
        wanted = {"file_id": file_id, "transcription_id": name}
        return FollowUp("transcript.read", wanted, f"{file_id}:{name}:{event.occurred_at.isoformat()}")

    def verify(self, delivery: Delivery) -> bool:
        return super().verify(delivery) or self._signed_by_plaud(delivery) or self._signed_by_openplaud(delivery)

    def _signed_by_plaud(self, delivery: Delivery) -> bool:
        """Hex over the body, or ``sha256=`` + hex over time and body. The time is the event's, so a repeat a day later
        has an old one: the delivery key recognises repeats, not the clock."""
        given = delivery.headers.get("plaud-signature", "")
        timed = delivery.headers.get("plaud-timestamp", "").encode("utf-8", "surrogateescape") + b"." + delivery.body
        return verify.hmac_hex(delivery.body, given, self.secrets) or verify.hmac_hex(
            timed, given, self.secrets, prefix="sha256="
        )

    def _signed_by_openplaud(self, delivery: Delivery) -> bool:
        """``t=<seconds>,v1=<hex over time and body>``, at most five minutes old."""
        parts = _openplaud(delivery)
        stamp = parts.get("t", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            return False
        fresh = abs(time.time() - int(stamp)) <= OPENPLAUD_TOLERANCE
        signed = stamp.encode() + b"." + delivery.body
        return fresh and verify.hmac_hex(signed, parts.get("v1", ""), self.secrets)

    def is_stale(self, delivery: Delivery) -> bool:
        return verify.is_off(_openplaud(delivery).get("t", ""), time.time(), OPENPLAUD_TOLERANCE)

    def delivery_key(self, delivery: Delivery) -> str:
        """The recording and its content: transcribed anew it is another delivery."""
        body = peek(delivery)
        found, _ = read(Transcription, _data(body))
        thing = found.file_id or found.transcription_id or found.title
        if not thing:
            return super().delivery_key(delivery)
        content = _hash(found) or digest(found.transcription_id, text(body.get("timestamp")))
        return f"{self.event_type(delivery)}:{thing}:{content}"

    def event_type(self, delivery: Delivery) -> str:
        return text(peek(delivery).get("event")) or text(delivery.headers.get("x-openplaud-event"))

    def ordering_key(self, delivery: Delivery) -> str:
        found, _ = read(Transcription, _data(peek(delivery)))
        return f"file:{found.file_id}" if found.file_id else ""

    def parse(self, delivery: Delivery) -> list[Event]:
        body, name = object_of(delivery), self.event_type(delivery)
        if name not in {"", COMPLETED, FAILED}:
            raise Ignore(f"Plaud's event {name[:100]!r} is not one that is acted upon.")
        envelope, problems = read(Envelope, body)
        found, more = read(Transcription, _data(body))
        if not (found.file_id or found.transcription_id or found.transcript or found.summary):
            raise Unreadable("Plaud's delivery names no recording and holds no text.")
        material = _material(found, problems + more)
        return [
            event(
                EventKind.TRANSCRIPT_FAILED if name == FAILED else EventKind.TRANSCRIPT_COMPLETED,
                material,
                source=self.source,
                source_id=found.file_id or found.transcription_id or digest(found.title, material.content_hash),
                occurred_at=time_of(envelope.timestamp) or time_of(envelope.delivered_at) or delivery.received_at,
                key=self.ordering_key(delivery),
            )
        ]


def _data(body: dict[str, Any]) -> dict[str, Any]:
    """What was transcribed: in ``data``, in OpenPlaud's ``data.recording``, or at the top."""
    data = body.get("data")
    data = data if isinstance(data, dict) and data else body
    recording = data.get("recording")
    return {**data, **recording} if isinstance(recording, dict) else data


def _material(found: Transcription, problems: list[str]) -> TranscriptMaterial:
    duration = found.duration if found.duration_ms is None else found.duration_ms / Decimal(1000)
    return TranscriptMaterial(
        file_id=found.file_id,
        transcription_id=found.transcription_id,
        title=found.title,
        transcript=found.transcript,
        summary=found.summary,
        preview=found.preview,
        content_hash=_hash(found),
        language=found.language,
        duration_seconds=duration,
        words=found.words,
        recorded_at=time_of(found.recorded_at),
        error=": ".join(part for part in (found.error, found.message) if part),
        problems=problems,
    )


def _hash(found: Transcription) -> str:
    """Empty where there is no text."""
    content = "\x1f".join((found.transcript, found.summary))
    return hashlib.sha256(content.encode()).hexdigest() if content != "\x1f" else ""


def _openplaud(delivery: Delivery) -> dict[str, str]:
    """The parts of OpenPlaud's signature by name."""
    written = delivery.headers.get("x-openplaud-signature", "")
    return dict(part.strip().partition("=")[::2] for part in written.split(","))
