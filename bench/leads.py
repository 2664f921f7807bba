"""Leads as Typeform sends them: about 5 KB, each with a token, a name and an address of its own, signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass

_FORM = "bnchform"
# (kind of question, ref, title, kind of answer, answer); {n} is the number of the lead.
_QUESTIONS = [
    ("short_text", "first_name", "What is your first name?", "text", "Robin{n}"),
    ("short_text", "last_name", "And your last name?", "text", "Sample{n}"),
    ("email", "email", "Which address may we write to?", "email", "lead-{n}@example.com"),
    ("phone_number", "phone", "Your telephone number", "phone_number", "+441632960961"),
    ("dropdown", "interests", "What brings you here?", "choice", {"label": "Retreat", "ref": "c-retreat", "id": "c1"}),
    ("short_text", "company", "Where do you work?", "text", "Sample & Daughters"),
    ("short_text", "city", "Where do you live?", "text", "Lisbon"),
    (
        "long_text",
        "message",
        "How can we help?",
        "text",
        "I would like to book a retreat this spring. What does it cost?",
    ),
    ("rating", "rating", "How do you rate your own practice?", "number", 4),
    ("yes_no", "been_before", "Have you been with us before?", "boolean", False),
    ("date", "when", "When would you like to come?", "date", "2027-04-12"),
    ("website", "site", "Do you have a page of your own?", "url", "https://robin.example.com/about"),
    (
        "long_text",
        "wishes",
        "Is there anything that we should know?",
        "text",
        "I eat no nuts, and I wake up early. " * 5,
    ),
    ("multiple_choice", "heard", "How did you hear of us?", "choices", {"labels": ["Newsletter", "A friend"]}),
]
_N = "{n}"


def _question(number: int) -> dict[str, object]:
    kind, ref, title, _, _ = _QUESTIONS[number]
    return {
        "id": f"q{number:011d}",
        "ref": ref,
        "type": kind,
        "title": title,
        "properties": {"description": "Whatever you answer stays between us, and you may leave it out."},
    }


def _answer(number: int) -> dict[str, object]:
    kind, ref, _, answer, value = _QUESTIONS[number]
    return {"type": answer, answer: value, "field": {"id": f"q{number:011d}", "type": kind, "ref": ref}}


def _template() -> list[bytes]:
    """The body around the places where a lead's number stands."""
    numbers = range(len(_QUESTIONS))
    body = {
        "event_id": f"01BENCH{_N}",
        "event_type": "form_response",
        "form_response": {
            "form_id": _FORM,
            "token": f"token-{_N}",
            "landed_at": "2026-11-20T09:58:11Z",
            "submitted_at": "2026-11-20T10:00:00Z",
            "hidden": {"utm_source": "newsletter", "utm_campaign": "spring"},
            "calculated": {"score": 9},
            "variables": [{"key": "score", "type": "number", "number": 9}],
            "definition": {"id": _FORM, "title": "Retreat interest", "fields": [_question(n) for n in numbers]},
            "answers": [_answer(n) for n in numbers],
            "ending": {"id": "zFEoDHAgAMvp", "ref": "d04ad9f3-b9d5-4d5a-8d4c-5d1a0c0e0c8f"},
        },
    }
    return json.dumps(body, separators=(",", ":")).encode().split(_N.encode())


@dataclass(frozen=True)
class Lead:
    body: bytes
    signature: str


def sign(body: bytes, secret: str) -> str:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return f"sha256={base64.b64encode(digest).decode()}"


def leads(count: int, secret: str, prefix: str) -> Iterator[Lead]:
    """Signed deliveries; ``prefix`` keeps those of different loads apart."""
    template = _template()
    for number in range(count):
        body = f"{prefix}-{number}".encode().join(template)
        yield Lead(body, sign(body, secret))


def request(lead: Lead, host: str, path: str) -> bytes:
    """The delivery as bytes on the wire, with the headers that Typeform sends."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Typeform Webhooks\r\n"
        f"Content-Type: application/json\r\nTypeform-Signature: {lead.signature}\r\n"
        f"Content-Length: {len(lead.body)}\r\n\r\n"
    )
    return head.encode() + lead.body
