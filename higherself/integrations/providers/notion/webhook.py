"""Notion: a doorbell. A delivery says which page changed, never to what; that is read from Notion itself.

Source of all rules here: Notion's webhook reference (delivery, event types, validation of payloads).
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from django.utils.dateparse import parse_datetime

from higherself.integrations import verify
from higherself.integrations.base import Delivery, Ignore, Provider
from higherself.integrations.delivery import db_text
from higherself.integrations.events import Event, EventKind
from higherself.integrations.signals import handshake

_CHANGED = {"page.created", "page.properties_updated", "page.content_updated", "page.undeleted", "page.unlocked"}
_GONE = {"page.deleted", "page.moved"}
_SCHEMA = {
    *("data_source.schema_updated", "data_source.deleted", "data_source.undeleted", "data_source.moved"),
    *("database.schema_updated", "database.deleted", "database.undeleted", "database.moved"),
}


class Notion(Provider):
    slug = "notion"
    label = "Notion"
    source = "Notion"
    signs = True
    proofs = ("x-notion-signature",)
    keeps = ("x-notion-signature",)

    def verify(self, delivery: Delivery) -> bool:
        """``X-Notion-Signature: sha256=`` + hex over the raw body, with the verification token as the key."""
        given = delivery.headers.get("x-notion-signature", "")
        return verify.hmac_hex(delivery.body, given, self.secrets, prefix="sha256=")

    def takes_handshake(self, delivery: Delivery) -> bool:
        """A new subscription sends its verification token, unsigned; also while the former one's is set, as during a
        change. It is kept for an operator to read, and proves nothing until they have set it: anybody could send it."""
        body = _object(delivery.body)
        token = body.get("verification_token")
        if not isinstance(token, str) or not token or "type" in body or self.verify(delivery):
            return False
        if token not in self.secrets:
            handshake.send(sender=Notion, token=db_text(token))
        return True

    def delivery_key(self, delivery: Delivery) -> str:
        """Notion's id of the event, which stays the same when it is delivered again."""
        event_id = _object(delivery.body).get("id")
        return str(event_id)[:200] if event_id else super().delivery_key(delivery)

    def event_type(self, delivery: Delivery) -> str:
        return str(_object(delivery.body).get("type") or "")[:100]

    def parse(self, delivery: Delivery) -> list[Event]:
        body = delivery.object
        kind = _kind(str(body.get("type") or ""))
        entity = _dict(body.get("entity"))
        if kind is None or not entity.get("id"):
            raise Ignore(f"Notion's {body.get('type')!r} says nothing about the rows of a database.")
        if _is_echo(body):
            raise Ignore("Notion reports what this server has just written there.")
        return [
            Event(
                kind=kind,
                source=self.source,
                source_id=str(body.get("id") or ""),
                occurred_at=_time(body.get("timestamp")) or delivery.received_at,
                data={"entity_id": str(entity["id"]), "data_source_id": _data_source(body)},
            )
        ]


def _kind(event_type: str) -> EventKind | None:
    if event_type in _CHANGED:
        return EventKind.NOTION_PAGE_CHANGED
    if event_type in _GONE:
        return EventKind.NOTION_PAGE_GONE
    return EventKind.NOTION_SCHEMA_CHANGED if event_type in _SCHEMA else None


def _is_echo(body: dict[str, Any]) -> bool:
    """All authors are our own connection. (With a person among them something else may have changed too.)"""
    authors, own = body.get("authors"), body.get("integration_id")
    if not (isinstance(authors, list) and authors and own):
        return False
    return all(isinstance(author, dict) and author.get("id") == own for author in authors)


def _data_source(body: dict[str, Any]) -> str:
    return str(_dict(_dict(body.get("data")).get("parent")).get("data_source_id") or "")


def _time(text: Any) -> datetime | None:
    try:
        moment = parse_datetime(str(text or ""))
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return _dict(found)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
