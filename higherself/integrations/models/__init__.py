"""The rows of everything that comes in and goes out."""

from higherself.integrations.models.inbox import PULLED, InboundEvent, time_ordered_uuid
from higherself.integrations.models.outbox import OutboundCall
from higherself.integrations.models.pulse import Pulse
from higherself.integrations.models.refused import RefusedDelivery
from higherself.integrations.models.services import BackfillState, ProviderGate, RegisteredWebhook

__all__ = [
    "PULLED",
    "BackfillState",
    "InboundEvent",
    "OutboundCall",
    "ProviderGate",
    "Pulse",
    "RefusedDelivery",
    "RegisteredWebhook",
    "time_ordered_uuid",
]
