"""What happened, in our words: providers speak their own, agents understand only these."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict


class EventKind(str, Enum):
    """What can happen. `kinds.MATERIAL` says what the data of each kind from outside is made of."""

    LEAD_SUBMITTED = "lead.submitted"
    LEAD_PARTIAL = "lead.partial"
    # Amelia: one event for each booking that is concerned.
    BOOKING_CREATED = "booking.created"
    BOOKING_STATUS_CHANGED = "booking.status_changed"
    BOOKING_RESCHEDULED = "booking.rescheduled"
    BOOKING_CANCELED = "booking.canceled"
    PAYMENT_UPDATED = "payment.updated"
    PACKAGE_PURCHASED = "package.purchased"
    PACKAGE_CANCELED = "package.canceled"
    # WooCommerce: each event carries the latest state.
    ORDER_CREATED = "order.created"
    ORDER_UPDATED = "order.updated"
    ORDER_DELETED = "order.deleted"
    CUSTOMER_CHANGED = "customer.changed"
    CUSTOMER_DELETED = "customer.deleted"
    PRODUCT_CHANGED = "product.changed"
    PRODUCT_DELETED = "product.deleted"
    SHOP_ACTION = "shop.action"
    # Beehiiv. "Created" comes before the double opt-in, "confirmed" after it; "deleted" is an unsubscribe too.
    SUBSCRIBER_CREATED = "subscriber.created"
    SUBSCRIBER_CONFIRMED = "subscriber.confirmed"
    SUBSCRIBER_CHANGED = "subscriber.changed"
    SUBSCRIBER_DELETED = "subscriber.deleted"
    POST_SCHEDULED = "post.scheduled"
    POST_SENT = "post.sent"
    POST_UPDATED = "post.updated"
    # What we asked for: how a post was received so far.
    POST_MEASURED = "post.measured"
    # Circle.so: nudges, the state is read from its API.
    MEMBER_JOINED = "member.joined"
    MEMBER_CHANGED = "member.changed"
    MEMBER_LEFT = "member.left"
    MEMBER_ACTIVITY = "member.activity"
    MEMBER_PURCHASED = "member.purchased"
    COMMUNITY_EVENT_CHANGED = "community_event.changed"
    # The answer to a nudge: a member as Circle's API shows them now.
    MEMBER_READ = "member.read"
    # UserFeedback, and Beehiiv's surveys.
    SURVEY_ANSWERED = "survey.answered"
    # HubSpot: ids and at most one changed property; the record is read from its API.
    CONTACT_CHANGED = "contact.changed"
    CONTACT_MERGED = "contact.merged"
    CONTACT_DELETED = "contact.deleted"
    # A person asked HubSpot to be forgotten (GDPR).
    CONTACT_FORGOTTEN = "contact.forgotten"
    DEAL_CHANGED = "deal.changed"
    DEAL_DELETED = "deal.deleted"
    # Airtable: a doorbell, the changes are fetched.
    RECORD_CHANGED = "record.changed"
    # What was fetched after it rang: one event for each record.
    RECORD_CREATED = "record.created"
    RECORD_UPDATED = "record.updated"
    RECORD_DELETED = "record.deleted"
    # Plaud.
    TRANSCRIPT_COMPLETED = "transcript.completed"
    TRANSCRIPT_FAILED = "transcript.failed"
    # Tutor LMS.
    COURSE_ENROLLED = "course.enrolled"
    COURSE_COMPLETED = "course.completed"
    COURSE_LEFT = "course.left"
    LESSON_COMPLETED = "lesson.completed"
    QUIZ_FINISHED = "quiz.finished"
    # Snov.io: pings, the details are fetched.
    PROSPECT_REPLIED = "prospect.replied"
    PROSPECT_ACTIVITY = "prospect.activity"
    PROSPECT_BOUNCED = "prospect.bounced"
    PROSPECT_UNSUBSCRIBED = "prospect.unsubscribed"
    PROSPECT_FINISHED = "prospect.finished"
    # The answer to a ping: a prospect as Snov.io's API shows them now.
    PROSPECT_READ = "prospect.read"
    # Notion says that something changed there; what, is read from Notion itself.
    NOTION_PAGE_CHANGED = "notion.page_changed"
    NOTION_PAGE_GONE = "notion.page_gone"
    NOTION_SCHEMA_CHANGED = "notion.schema_changed"


class Event(BaseModel):
    """One thing that happened at a provider.

    ``source`` is the option of Notion's *Source System*, ``source_id`` the provider's own id of the thing, ``key``
    what must be handled in order (empty: no order needed), ``data`` the material for the agent.
    """

    model_config = ConfigDict(frozen=True)

    kind: EventKind
    source: str
    source_id: str
    occurred_at: datetime
    key: str = ""
    data: dict[str, Any] = {}


# Takes part in the transaction that marks the event as processed.
Listener = Callable[[Event], None]
Condition = Callable[[Event], bool]
_listeners: dict[EventKind, list[tuple[Condition, Listener]]] = defaultdict(list)


def _always(_event: Event) -> bool:
    return True


def listens_to(*kinds: EventKind, when: Condition = _always) -> Callable[[Listener], Listener]:
    """Registers a function that takes events of these kinds beside the agents; ``when`` says which of them."""

    def register(function: Listener) -> Listener:
        for kind in kinds:
            _listeners[kind].append((when, function))
        return function

    return register


def listeners(event: Event) -> list[Listener]:
    """Who takes this event."""
    return [function for wants, function in _listeners[event.kind] if wants(event)]
