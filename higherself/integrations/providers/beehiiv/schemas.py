"""Beehiiv's webhook payloads (Beehiiv: webhooks, and its OpenAPI). Times are seconds since 1970."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from higherself.integrations.reading import Flag, Named, Part, Text, Texts


class Envelope(Part):
    """``uid`` is unique to each event."""

    wanted: ClassVar[tuple[str, ...]] = ("uid", "event_timestamp")

    uid: Text = ""
    event_type: Text = ""
    event_timestamp: Text = ""
    data: Named = {}


class Subscription(Part):
    """``newsletter_list_subscription.*`` has its own id and names the subscription in ``subscription_id``."""

    wanted: ClassVar[tuple[str, ...]] = ("id", "email", "status")

    id: Text = ""
    subscription_id: Text = ""
    email: Text = ""
    status: Text = ""
    created: Text = ""
    subscription_tier: Text = ""
    subscription_premium_tier_names: Texts = []
    utm_source: Text = ""
    utm_medium: Text = ""
    utm_campaign: Text = ""
    utm_channel: Text = ""
    referring_site: Text = ""
    referral_code: Text = ""
    tags: Texts = []
    # A list of {name, value}; by other accounts an object.
    custom_fields: Any = None
    list_name: Text = ""
    subscribed_at: Text = ""
    unsubscribed_at: Text = ""


class Post(Part):
    wanted: ClassVar[tuple[str, ...]] = ("id", "title")

    id: Text = ""
    title: Text = ""
    subtitle: Text = ""
    subject_line: Text = ""
    preview_text: Text = ""
    status: Text = ""
    audience: Text = ""
    authors: Texts = []
    content_tags: Texts = []
    created: Text = ""
    displayed_date: Text = ""
    publish_date: Text = ""
    web_url: Text = ""
    # Only where the API was asked for it.
    stats: Named = {}


class AutomationStep(Part):
    """The body of an automation's step "Send webhook", which is no webhook event: seen in use, not documented."""

    automation_id: Text = ""
    automation_journey_id: Text = ""
    started_at: Text = Field(default="", alias="automation_journey_step_started_at")
    subscriber_email: Text = ""
    subscriber_id: Text = ""
    test: Flag = False
