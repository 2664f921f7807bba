"""Deliveries as providers send them, put into the inbox and worked on as the worker does it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any
from uuid import UUID

from agents_app import tasks
from higherself.integrations import inbox
from higherself.integrations.delivery import Delivery
from higherself.integrations.models import InboundEvent
from higherself.integrations.registry import PROVIDERS

PAYLOADS = Path(__file__).parent.parent / "payloads"
TYPEFORM = json.loads((PAYLOADS / "typeform" / "form_response.json").read_text())
WEBSITE = json.loads((PAYLOADS / "website" / "form_submit.json").read_text())

_VALUE_OF = {"short_text": "text", "long_text": "text", "yes_no": "boolean", "legal": "boolean"}


def typeform(*answers: tuple[str, str, Any], token: str = "t1", form_id: str = "f1", **extra: Any) -> dict[str, Any]:
    """A Typeform delivery with the given answers as (title, kind of question, value)."""
    payload = copy.deepcopy(TYPEFORM)
    response = payload["form_response"]
    response.update({"form_id": form_id, "token": token, "hidden": {}, **extra})
    response["definition"] = {"id": form_id, "title": "Retreat interest", "fields": []}
    response["answers"] = []
    for number, (title, kind, value) in enumerate(answers):
        field = {"id": f"q{number}", "type": kind, "ref": f"ref-{number}"}
        response["definition"]["fields"].append({**field, "title": title})
        key = _VALUE_OF.get(kind, kind)
        response["answers"].append({"type": key, key: value, "field": field})
    return payload


def lead(email: str = "ada@example.com", token: str = "t1", **extra: Any) -> dict[str, Any]:
    """A lead as most forms bring it: name, telephone, interests and a message with a wish to book."""
    return typeform(
        ("Your email", "email", email),
        ("What is your first name?", "short_text", "Ada"),
        ("What is your last name?", "short_text", "Lovelace"),
        ("Your phone", "phone_number", "+441632960961"),
        ("What draws you?", "choices", {"labels": ["Retreat", "Consultation"]}),
        ("How can we help?", "long_text", "I would like to book a retreat soon."),
        token=token,
        **extra,
    )


def store(payload: dict[str, Any], provider: str = "typeform") -> UUID:
    body = json.dumps(payload).encode()
    return inbox.store(PROVIDERS[provider], Delivery(body=body, content_type="application/json")).event_id


def deliver(payload: dict[str, Any], provider: str = "typeform") -> InboundEvent:
    """Stores the delivery, lets the worker run until nothing is due, and returns the event as it stands then."""
    event_id = store(payload, provider)
    tasks.drain_inbox()
    return InboundEvent.objects.get(pk=event_id)
