"""The shapes of answers, for the API's documentation."""

from __future__ import annotations

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

DETAIL = inline_serializer("Detail", {"detail": serializers.CharField()})
STORED = inline_serializer(
    "Stored",
    {
        "event_id": serializers.UUIDField(help_text="GET /events/<event_id> tells what became of it."),
        "status": serializers.ChoiceField(["accepted", "duplicate"]),
    },
)
