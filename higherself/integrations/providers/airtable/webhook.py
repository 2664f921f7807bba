"""Airtable: a doorbell. The changes are fetched by cursor from where the last fetch stopped.

Source of all rules here: Airtable's webhooks overview. Several changes may ring once, and it may ring for none.
"""

from __future__ import annotations

from higherself.integrations import verify
from higherself.integrations.base import Delivery, Provider, Unreadable
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import DoorbellMaterial
from higherself.integrations.providers.airtable.schemas import Ping
from higherself.integrations.reading import object_of, peek, read, time_of


class Airtable(Provider):
    slug = "airtable"
    label = "Airtable"
    source = "Airtable"
    signs = True
    # Airtable takes every answer but 200 and 204 for a failure: after 13 repeats it switches the notifications off.
    accepted_status = 200

    def verify(self, delivery: Delivery) -> bool:
        return verify.airtable(delivery.body, delivery.headers.get("x-airtable-content-mac", ""), self.secrets)

    def delivery_key(self, delivery: Delivery) -> str:
        """Base, webhook and time: a repeat has the same. Without a time the bell is rung for each delivery."""
        ping, _ = read(Ping, peek(delivery))
        if not (ping.base.id and ping.webhook.id):
            return super().delivery_key(delivery)
        return f"{ping.base.id}:{ping.webhook.id}:{ping.timestamp or delivery.received_at.isoformat()}"

    def event_type(self, delivery: Delivery) -> str:
        ping, _ = read(Ping, peek(delivery))
        return "ping" if ping.webhook.id else ""

    def ordering_key(self, delivery: Delivery) -> str:
        """One webhook has one cursor."""
        ping, _ = read(Ping, peek(delivery))
        return f"{ping.base.id}:{ping.webhook.id}" if ping.base.id and ping.webhook.id else ""

    def parse(self, delivery: Delivery) -> list[Event]:
        ping, problems = read(Ping, object_of(delivery))
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
