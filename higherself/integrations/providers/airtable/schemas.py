"""Airtable's notification (Airtable: webhooks overview): it rings, and says at which base."""

from __future__ import annotations

from typing import ClassVar

from higherself.integrations.reading import Part, Text


class Named(Part):
    id: Text = ""


class Ping(Part):
    wanted: ClassVar[tuple[str, ...]] = ("timestamp",)

    base: Named = Named()
    webhook: Named = Named()
    timestamp: Text = ""
