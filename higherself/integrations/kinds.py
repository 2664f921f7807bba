"""Which material belongs to which kind of event."""

from __future__ import annotations

from datetime import datetime

from higherself.integrations import material as m
from higherself.integrations.events import Event, EventKind

_K = EventKind
# Lead and Notion events are older; `LeadSubmission` of the agents and the readers of Typeform describe theirs.
MATERIAL: dict[EventKind, type[m.Material]] = {
    **dict.fromkeys(
        (
            *(_K.BOOKING_CREATED, _K.BOOKING_STATUS_CHANGED, _K.BOOKING_RESCHEDULED, _K.BOOKING_CANCELED),
            _K.PAYMENT_UPDATED,
        ),
        m.BookingMaterial,
    ),
    **dict.fromkeys((_K.PACKAGE_PURCHASED, _K.PACKAGE_CANCELED), m.PackageMaterial),
    **dict.fromkeys((_K.ORDER_CREATED, _K.ORDER_UPDATED), m.OrderMaterial),
    **dict.fromkeys((_K.ORDER_DELETED, _K.CUSTOMER_DELETED, _K.PRODUCT_DELETED), m.GoneMaterial),
    _K.CUSTOMER_CHANGED: m.CustomerMaterial,
    _K.PRODUCT_CHANGED: m.ProductMaterial,
    _K.SHOP_ACTION: m.ShopActionMaterial,
    **dict.fromkeys(
        (_K.SUBSCRIBER_CREATED, _K.SUBSCRIBER_CONFIRMED, _K.SUBSCRIBER_CHANGED, _K.SUBSCRIBER_DELETED),
        m.SubscriberMaterial,
    ),
    **dict.fromkeys((_K.POST_SCHEDULED, _K.POST_SENT, _K.POST_UPDATED, _K.POST_MEASURED), m.PostMaterial),
    **dict.fromkeys(
        (
            *(_K.MEMBER_JOINED, _K.MEMBER_CHANGED, _K.MEMBER_LEFT, _K.MEMBER_ACTIVITY, _K.MEMBER_PURCHASED),
            _K.COMMUNITY_EVENT_CHANGED,
        ),
        m.CommunityMaterial,
    ),
    _K.MEMBER_READ: m.MemberMaterial,
    _K.SURVEY_ANSWERED: m.SurveyMaterial,
    **dict.fromkeys(
        (
            *(_K.CONTACT_CHANGED, _K.CONTACT_MERGED, _K.CONTACT_DELETED, _K.CONTACT_FORGOTTEN),
            *(_K.DEAL_CHANGED, _K.DEAL_DELETED),
        ),
        m.CrmMaterial,
    ),
    _K.RECORD_CHANGED: m.DoorbellMaterial,
    **dict.fromkeys((_K.RECORD_CREATED, _K.RECORD_UPDATED, _K.RECORD_DELETED), m.RecordMaterial),
    **dict.fromkeys((_K.TRANSCRIPT_COMPLETED, _K.TRANSCRIPT_FAILED), m.TranscriptMaterial),
    **dict.fromkeys(
        (_K.COURSE_ENROLLED, _K.COURSE_COMPLETED, _K.COURSE_LEFT, _K.LESSON_COMPLETED, _K.QUIZ_FINISHED),
        m.LearningMaterial,
    ),
    **dict.fromkeys(
        (
            *(_K.PROSPECT_REPLIED, _K.PROSPECT_ACTIVITY, _K.PROSPECT_BOUNCED, _K.PROSPECT_UNSUBSCRIBED),
            _K.PROSPECT_FINISHED,
        ),
        m.ProspectMaterial,
    ),
    _K.PROSPECT_READ: m.ProspectProfileMaterial,
}


def event(
    kind: EventKind, data: m.Material, *, source: str, source_id: str, occurred_at: datetime, key: str = ""
) -> Event:
    """The event whose data is this material, as JSON holds it: amounts and times become text."""
    return Event(
        kind=kind,
        source=source,
        source_id=source_id,
        occurred_at=occurred_at,
        key=key,
        data=data.model_dump(mode="json"),
    )
