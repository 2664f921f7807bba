"""The businesses of the network."""

from __future__ import annotations

from typing import Any

ENTITIES: list[dict[str, Any]] = [
    {
        "entity_key": "the-connection-practice",
        "name": "The Connection Practice",
        "entity_type": "CONSULTING_FIRM",
        "integration_status": "Pending",
        "time_zone": "America/New_York",
        "api_keys_reference": "secure/the-connection-practice/api-keys",
    },
    {
        "entity_key": "the-7-space",
        "name": "The 7 Space",
        "entity_type": "WELLNESS_CENTER",
        "integration_status": "Pending",
        "time_zone": "America/New_York",
        "api_keys_reference": "secure/the-7-space/api-keys",
    },
]
