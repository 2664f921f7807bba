"""Snov.io's deliveries. Their shape is not published: only what could be anywhere in them is named here.

The names are those that Snov.io's API uses for the same things, and those that receivers in use look for.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from higherself.integrations.reading import Part, Text, as_list


def _list(value: Any) -> list[Any]:
    found = as_list(value)
    if found is None:
        raise ValueError("is no list")
    return found


List = Annotated[list[Any], BeforeValidator(_list)]

EMAIL = ("prospect_email", "recipient_email", "user_email", "email", "to_email", "to")
NAME = ("prospect_name", "recipient_name", "user_name", "full_name", "name")
PROSPECT = ("prospect_id", "recipient_id", "user_id")
CAMPAIGN_ID = ("campaign_id",)
CAMPAIGN = ("campaign_name", "campaign_title", "campaign")
SUBJECT = ("subject", "email_subject", "reply_subject")
MESSAGE = ("message", "reply_text", "reply_body", "text", "body")
REPLY_TYPE = ("reply_type",)
LINKEDIN = ("linked_in_profile", "linkedin_url", "linkedin", "li_url")
TIME = ("received_at", "event_time", "occurred_at", "created_at", "timestamp", "time", "date")
OBJECT = ("event_object", "object")
ACTION = ("event_action", "action")
EVENT = ("event", "event_type", "type", "event_name")


class Profile(Part):
    """A prospect of Snov.io's API (get prospects by e-mail)."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)

    id: Text = ""
    name: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    industry: Text = ""
    country: Text = ""
    locality: Text = ""
    social: List = []
    current_jobs: List = Field(default=[], validation_alias=AliasChoices("currentJobs", "currentJob"))
    lists: List = []
    campaigns: List = []
