"""HubSpot's webhook events (HubSpot: webhooks guide). A delivery is a list of up to a hundred of them."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic.alias_generators import to_camel
from pydantic.config import ConfigDict

from higherself.integrations.reading import Flag, Named, Part, Text, Texts


class Change(Part):
    """``eventId`` is not unique; ``attemptNumber`` grows when the change is sent again.

    The guide's sample names the type ``eventType``, everything else of HubSpot's ``subscriptionType``. The types of
    newer apps are ``object.creation`` and so on, with the record's type in ``objectTypeId``.
    """

    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)
    wanted: ClassVar[tuple[str, ...]] = ("occurred_at",)

    object_id: Text = ""
    event_id: Text = ""
    subscription_type: Text = ""
    event_type: Text = ""
    object_type_id: Text = ""
    portal_id: Text = ""
    occurred_at: Text = ""
    property_name: Text = ""
    property_value: Any = None
    change_source: Text = ""
    source_id: Text = ""
    primary_object_id: Text = ""
    new_object_id: Text = ""
    merged_object_ids: Texts = []
    from_object_id: Text = ""
    to_object_id: Text = ""
    association_removed: Flag = False
    # Not HubSpot's: what the back-fill has read of the record.
    properties: Named = {}

    @property
    def type(self) -> str:
        return self.subscription_type or self.event_type

    @property
    def record_id(self) -> str:
        """A merge leaves one record, an association is told about its first side."""
        return self.new_object_id or self.primary_object_id or self.object_id or self.from_object_id
