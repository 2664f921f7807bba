"""Airtable: a doorbell. The changes are fetched by cursor from where the last fetch stopped.

Source of all rules here: Airtable's webhooks overview. Several changes may ring once, and it may ring for none.
"""

from __future__ import annotations

from typing import Any

from higherself.integrations import verify
from higherself.integrations.base import Delivery, FollowUp, Ignore, Provider, Unreadable
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import DoorbellMaterial
from higherself.integrations.providers.airtable import pulled
from higherself.integrations.providers.airtable.client import AirtableClient
from higherself.integrations.providers.airtable.schemas import Ping
from higherself.integrations.reading import object_of, peek, read, text, time_of


class Airtable(Provider):
    slug = "airtable"
    label = "Airtable"
    source = "Airtable"
    signs = True
    proofs = ("x-airtable-content-mac",)
    # Airtable takes every answer but 200 and 204 for a failure: after 13 repeats it switches the notifications off.
    accepted_status = 200
    client_class = AirtableClient
    follows = (EventKind.RECORD_CHANGED,)

    def follow_up(self, event: Event) -> FollowUp | None:
        """It rang: what is new is fetched by the webhook's cursor."""
        base, webhook = text(event.data.get("base_id")), text(event.data.get("webhook_id"))
        wanted = {"base_id": base, "webhook_id": webhook}
        return FollowUp("payloads.read", wanted, f"{base}:{webhook}:{event.occurred_at.isoformat()}")

    def verify(self, delivery: Delivery) -> bool:
        return verify.airtable(delivery.body, delivery.headers.get("x-airtable-content-mac", ""), self.secrets)

    def delivery_key(self, delivery: Delivery) -> str:
        """Base, webhook and time: a repeat has the same. Without a time the bell is rung for each delivery."""
        body = peek(delivery)
        if delivery.pulled and (fetched := pulled.key(body)):
            return fetched
        ping, _ = read(Ping, body)
        if not (ping.base.id and ping.webhook.id):
            return super().delivery_key(delivery)
        return f"{ping.base.id}:{ping.webhook.id}:{ping.timestamp or delivery.received_at.isoformat()}"

    def event_type(self, delivery: Delivery) -> str:
        ping, _ = read(Ping, peek(delivery))
        if delivery.pulled and pulled.key(peek(delivery)):
            return "changes"
        return "ping" if ping.webhook.id else ""

    def ordering_key(self, delivery: Delivery) -> str:
        """One webhook has one cursor."""
        ping, _ = read(Ping, peek(delivery))
        return f"{ping.base.id}:{ping.webhook.id}" if ping.base.id and ping.webhook.id else ""

    def parse(self, delivery: Delivery) -> list[Event]:
        body = object_of(delivery)
        if delivery.pulled and pulled.key(body):
            return self._fetched(body, delivery)
        ping, problems = read(Ping, body)
        if not (ping.base.id and ping.webhook.id):
            raise Unreadable("Airtable's notification names no base or no webhook: there is nothing to fetch from.")
        return [
            event(
                EventKind.RECORD_CHANGED,
                DoorbellMaterial(base_id=ping.base.id, webhook_id=ping.webhook.id, problems=problems),
                source=self.source,
                source_id=ping.webhook.id,
                occurred_at=time_of(ping.timestamp) or delivery.received_at,
                key=f"{ping.base.id}:{ping.webhook.id}",
            )
        ]

    def _fetched(self, body: dict[str, Any], delivery: Delivery) -> list[Event]:
        found = pulled.events(body, delivery, self.source)
        if not found:
            raise Ignore("Airtable's change concerns fields, views or the table itself, and no record.")
        return found
