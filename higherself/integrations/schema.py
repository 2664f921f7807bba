"""The shapes of answers, for the API's documentation."""

from __future__ import annotations

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

DETAIL = inline_serializer("Detail", {"detail": serializers.CharField()})
# What a 400 says: one text, or for each field its errors (an item of a list is named by its number).
REFUSED = {
    "oneOf": [
        {"$ref": "#/components/schemas/Detail"},
        {
            "type": "object",
            "additionalProperties": {
                "oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": "object"}],
            },
        },
    ]
}
# A repeat, or the answer to a provider's test call or hand-shake, of which nothing is stored.
STORED_OR_REACHED = {
    "oneOf": [{"$ref": "#/components/schemas/Stored"}, {"$ref": "#/components/schemas/Detail"}],
}
STORED = inline_serializer(
    "Stored",
    {
        "event_id": serializers.UUIDField(help_text="GET /events/<event_id> tells what became of it."),
        "status": serializers.ChoiceField(["accepted", "duplicate"]),
    },
)
