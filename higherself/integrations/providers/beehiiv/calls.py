"""The content of the operations at Beehiiv."""

from __future__ import annotations

from pydantic import Field

from higherself.integrations.client import Payload


class Subscriber(Payload):
    """A reader. What is empty is left as it is. Who has unsubscribed stays so, unless ``reactivate`` says otherwise:
    set it only where the person has just asked for the newsletter again."""

    email: str = Field(min_length=3)
    first_name: str = ""
    last_name: str = ""
    custom_fields: dict[str, str] = {}
    tags: list[str] = []
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    referring_site: str = ""
    welcome_email: bool = False
    reactivate: bool = False
    unsubscribe: bool = False

    def fields(self) -> dict[str, str]:
        named = {"First Name": self.first_name, "Last Name": self.last_name, **self.custom_fields}
        return {name: value for name, value in named.items() if value}


class Segments(Payload):
    """All segments and their sizes; of those named, the members too."""

    members_of: list[str] = []


class PostStats(Payload):
    post_id: str = Field(min_length=1)
