"""What we read from Plaud ourselves, as a delivery that its webhook would make."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from higherself.integrations.delivery import Delivery
from higherself.integrations.reading import as_list, text

Fetch = Callable[[str], str]
# The cleaned text where there is one, else the verbatim one.
_TEXTS = ("transaction_polish", "transaction")
_SUMMARY = "auto_sum_note"


def from_file(found: Mapping[str, Any], fetch: Fetch) -> dict[str, Any]:
    """A recording of the interface for ordinary accounts. ``fetch`` gets a text that is only linked."""
    return {
        "file_id": text(found.get("id")),
        "title": text(found.get("name")),
        "transcript": _transcript(found, fetch),
        "summary": _summary(found, fetch),
        "duration_ms": found.get("duration"),
        "recorded_at": text(found.get("start_at")) or text(found.get("created_at")),
    }


def from_partner(found: Mapping[str, Any], file_id: str) -> dict[str, Any]:
    """A finished transcription: ``data.text`` and ``segments``, or ``results`` with speakers (2026-09)."""
    data = found.get("data")
    data = data if isinstance(data, dict) else {}
    segments = as_list(data.get("segments")) or as_list(data.get("results")) or as_list(found.get("results")) or []
    told = {
        "file_id": file_id,
        "transcription_id": text(found.get("transcription_id")),
        "transcript": text(data.get("text")) or _spoken(segments),
        "summary": "",
        "language": text(data.get("language")),
        "duration": data.get("duration"),
    }
    return {name: value for name, value in told.items() if value not in ("", None) or name in {"transcript", "summary"}}


def delivery(told: Mapping[str, Any], operation: str) -> Delivery:
    return _delivery({"event": "transcription.completed", "data": told}, operation)


def failed(found: Mapping[str, Any], file_id: str, status: str) -> Delivery:
    data = {"file_id": file_id, "transcription_id": text(found.get("transcription_id")), "error": status}
    return _delivery({"event": "transcription.failed", "data": data}, "transcript.read")


def _transcript(found: Mapping[str, Any], fetch: Fetch) -> str:
    sources = _parts(found.get("source_list"))
    for kind in _TEXTS:
        for item in sources:
            if text(item.get("data_type")) == kind and (content := _content(item, fetch)):
                return _spoken_json(content)
    return ""


def _summary(found: Mapping[str, Any], fetch: Fetch) -> str:
    notes = _parts(found.get("note_list"))
    named = [item for item in notes if text(item.get("data_type")) == _SUMMARY] or notes[:1]
    return _content(named[0], fetch) if named else ""


def _content(item: Mapping[str, Any], fetch: Fetch) -> str:
    """Inline, or empty with a link that is valid for minutes."""
    written = item.get("data_content")
    if isinstance(written, str) and written.strip():
        return written.strip()
    link = text(item.get("data_link"))
    return fetch(link).strip() if link else ""


def _spoken_json(content: str) -> str:
    try:
        return _spoken(as_list(json.loads(content)) or []) or content
    except (ValueError, RecursionError):
        return content


def _spoken(segments: list[Any]) -> str:
    """One line for each turn: ``Alex: Hi``."""
    lines = []
    for item in segments:
        if isinstance(item, dict):
            said = text(item.get("content")) or text(item.get("text"))
            speaker = text(item.get("speaker")) or text(item.get("speaker_id"))
            lines.append(f"{speaker}: {said}" if speaker and said else said)
    return "\n".join(line for line in lines if line)


def _parts(value: Any) -> list[dict[str, Any]]:
    return [item for item in as_list(value) or [] if isinstance(item, dict)]


def _delivery(body: Mapping[str, Any], operation: str) -> Delivery:
    content = json.dumps(body, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    return Delivery(content, content_type="application/json", pulled=operation)
