"""What the data of an event is made of, whoever it comes from. Agents declare their input on these models.

`kinds.MATERIAL` says which model belongs to which kind of event.

Times are aware and in UTC, amounts decimals (texts in `Event.data`), e-mail addresses trimmed, phone numbers as they
were given. What a provider does not tell is empty: "", None or []. ``problems`` lists what was missing or wrong in the
payload, by place and without values.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Piece(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Material(Piece):
    problems: list[str] = []


class Person(Piece):
    """``name`` is the whole name; ``id`` is the provider's."""

    id: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    name: str = ""
    phone: str = ""


class Address(Piece):
    """``country`` and ``state`` as the provider writes them (WooCommerce: two-letter codes)."""

    name: str = ""
    company: str = ""
    line_1: str = ""
    line_2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    phone: str = ""


# -- bookings -------------------------------------------------------------------------------------------------------
class Payment(Piece):
    """``status`` in the provider's words (Amelia: pending, paid, partiallyPaid, refunded)."""

    id: str = ""
    amount: Decimal | None = None
    currency: str = ""
    gateway: str = ""
    status: str = ""
    transaction_id: str = ""
    order_id: str = ""


class CustomAnswer(Piece):
    label: str = ""
    type: str = ""
    value: Any = None


class Slot(Piece):
    """A stretch of time of a booking; an event over several days has one for each."""

    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


class BookingMaterial(Material):
    """One booking of one customer, and the appointment or event that it is for.

    ``status`` is the booking's (approved, pending, canceled, rejected, no-show, waiting), ``reservation_status`` that
    of the whole appointment or event. ``payment_status`` sums up the payments: paid, partially_paid, pending, refunded,
    or empty without any; ``paid`` is what has been paid. ``price`` is for all ``persons`` where the service says so.
    ``change`` is the provider's word for what happened, empty where it was not told: then an event
    ``booking.status_changed`` carries the present state, of a booking that may be new.
    """

    booking_id: str
    reservation_id: str = ""
    reservation_type: str = ""
    change: str = ""
    status: str = ""
    reservation_status: str = ""
    service_id: str = ""
    service_name: str = ""
    provider: Person = Person()
    customer: Person = Person()
    location: str = ""
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    slots: list[Slot] = []
    previous_starts_at: AwareDatetime | None = None
    previous_ends_at: AwareDatetime | None = None
    time_zone: str = ""
    persons: int = 1
    price: Decimal | None = None
    currency: str = ""
    payments: list[Payment] = []
    payment_status: str = ""
    paid: Decimal = Decimal(0)
    answers: list[CustomAnswer] = []
    extras: list[str] = []
    coupon: str = ""
    notes: str = ""
    is_recurring: bool = False
    is_from_package: bool = False


class PackageMaterial(Material):
    """A bundle of bookings that a customer bought or gave back. ``purchase_id`` names this customer's one."""

    package_id: str
    purchase_id: str = ""
    change: str = ""
    name: str = ""
    status: str = ""
    customer: Person = Person()
    price: Decimal | None = None
    currency: str = ""
    payments: list[Payment] = []
    booking_ids: list[str] = []


# -- the shop -------------------------------------------------------------------------------------------------------
class OrderLine(Piece):
    """``total`` is after discounts, without tax, for the whole quantity."""

    id: str = ""
    product_id: str = ""
    variation_id: str = ""
    sku: str = ""
    name: str = ""
    quantity: int = 0
    total: Decimal | None = None
    tax: Decimal | None = None


class Refund(Piece):
    id: str = ""
    amount: Decimal | None = None
    reason: str = ""


class OrderMaterial(Material):
    """The latest state of an order. ``change`` is created, updated or restored, empty where it was not told.

    ``status`` in WooCommerce's words (pending, on-hold, processing, completed, cancelled, refunded, failed, or one of
    a plug-in's). ``attribution`` holds what the shop knows of the order's origin (utm_source, referrer, …).
    """

    order_id: str
    number: str = ""
    change: str = ""
    status: str = ""
    currency: str = ""
    total: Decimal | None = None
    total_tax: Decimal | None = None
    shipping_total: Decimal | None = None
    discount_total: Decimal | None = None
    refunded: Decimal = Decimal(0)
    customer: Person = Person()
    billing: Address = Address()
    shipping: Address = Address()
    lines: list[OrderLine] = []
    refunds: list[Refund] = []
    coupons: list[str] = []
    payment_method: str = ""
    payment_method_title: str = ""
    transaction_id: str = ""
    note: str = ""
    created_at: AwareDatetime | None = None
    modified_at: AwareDatetime | None = None
    paid_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None
    attribution: dict[str, str] = {}


class GoneMaterial(Material):
    """Something was deleted: all that is left is its id."""

    id: str


class CustomerMaterial(Material):
    customer: Person
    username: str = ""
    is_paying: bool = False
    billing: Address = Address()
    created_at: AwareDatetime | None = None
    modified_at: AwareDatetime | None = None


class ProductMaterial(Material):
    """``stock`` is None where the shop does not count it."""

    product_id: str
    name: str = ""
    sku: str = ""
    type: str = ""
    status: str = ""
    price: Decimal | None = None
    regular_price: Decimal | None = None
    stock: int | None = None
    stock_status: str = ""
    url: str = ""
    categories: list[str] = []
    modified_at: AwareDatetime | None = None


class ShopActionMaterial(Material):
    """A hook of the shop has run; ``argument`` is the first value that it was called with."""

    action: str
    argument: Any = None


# -- the newsletter -------------------------------------------------------------------------------------------------
class SubscriberMaterial(Material):
    """``change`` is the provider's word (upgraded, paused, tier.created, …); ``status`` is validating, invalid,
    pending, active, inactive or needs_attention. ``list_name`` is set where the change concerns one list only.
    """

    subscription_id: str = ""
    email: str = ""
    change: str = ""
    status: str = ""
    tier: str = ""
    premium_tiers: list[str] = []
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    utm_channel: str = ""
    referring_site: str = ""
    referral_code: str = ""
    tags: list[str] = []
    custom_fields: dict[str, Any] = {}
    list_id: str = ""
    list_name: str = ""
    subscribed_at: AwareDatetime | None = None
    unsubscribed_at: AwareDatetime | None = None


class PostMaterial(Material):
    """A post of the newsletter. Its figures are those of its e-mail so far, None where they were not told."""

    post_id: str
    title: str = ""
    subtitle: str = ""
    subject_line: str = ""
    preview_text: str = ""
    status: str = ""
    audience: str = ""
    authors: list[str] = []
    tags: list[str] = []
    url: str = ""
    published_at: AwareDatetime | None = None
    created_at: AwareDatetime | None = None
    recipients: int | None = None
    opens: int | None = None
    unique_opens: int | None = None
    clicks: int | None = None
    unique_clicks: int | None = None
    unsubscribes: int | None = None


# -- the community --------------------------------------------------------------------------------------------------
class CommunityMaterial(Material):
    """A nudge: ``ids`` holds every id that came (community_member_id, post_id, …); the rest is read from the API.

    ``change`` is the provider's word for it. ``activity`` is post, comment, reaction, login, event_attended,
    event_rsvp, profile_updated, tagged or empty; ``email`` and ``name`` are filled only by the few that send them.
    """

    change: str = ""
    activity: str = ""
    community_id: str = ""
    member_id: str = ""
    ids: dict[str, str] = {}
    email: str = ""
    name: str = ""
    field: str = ""
    value: Any = None


class MemberMaterial(Material):
    """A member as the community's API shows them now. ``active`` is None where that is not told; ``fields`` are the
    profile's fields by their keys; ``score`` is Circle's own activity score, ``points`` those of its game.
    """

    member_id: str
    community_id: str = ""
    email: str = ""
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    headline: str = ""
    profile_url: str = ""
    active: bool | None = None
    joined_at: AwareDatetime | None = None
    last_seen_at: AwareDatetime | None = None
    accepted_at: AwareDatetime | None = None
    tags: list[str] = []
    posts: int | None = None
    comments: int | None = None
    score: Decimal | None = None
    points: int | None = None
    level: str = ""
    fields: dict[str, Any] = {}


# -- answers --------------------------------------------------------------------------------------------------------
class SurveyAnswer(Piece):
    """``value`` is a text, a number, a list of choices, or None where the question was skipped."""

    question_id: str = ""
    question: str = ""
    value: Any = None
    comment: str = ""


class SurveyMaterial(Material):
    """``person`` is known only where somebody gave an address; ``rating`` only where the sender names one."""

    survey_id: str = ""
    survey_title: str = ""
    response_id: str = ""
    answers: list[SurveyAnswer] = []
    person: Person = Person()
    rating: Decimal | None = None
    text: str = ""
    page_title: str = ""
    page_url: str = ""
    submitted_at: AwareDatetime | None = None


# -- the CRM --------------------------------------------------------------------------------------------------------
class CrmMaterial(Material):
    """One change of one record; the record itself is to be fetched.

    ``change`` is creation, propertyChange, deletion, privacyDeletion, merge, restore or associationChange.
    ``change_id`` is the same when the change is told again. ``origin`` says who made it (CRM_UI, INTEGRATION, …).
    ``properties`` are the record's, where they were read with it (back-fill), by the CRM's own names.
    """

    record_type: str
    record_id: str
    change: str
    change_id: str
    property: str = ""
    value: Any = None
    merged_ids: list[str] = []
    associated_from: str = ""
    associated_to: str = ""
    association_removed: bool = False
    origin: str = ""
    origin_id: str = ""
    account_id: str = ""
    properties: dict[str, Any] = {}


class DoorbellMaterial(Material):
    """Something changed in a base; what, is fetched from where the last fetch stopped."""

    base_id: str
    webhook_id: str


class RecordMaterial(Material):
    """One record of a base that was created, updated or deleted. ``values`` and ``previous`` are by field id, as far
    as they were told; ``origin`` is what changed it (client, formSubmission, publicApi, …), ``actor`` whose address.
    """

    base_id: str
    table_id: str
    record_id: str
    change: str
    values: dict[str, Any] = {}
    previous: dict[str, Any] = {}
    transaction: int | None = None
    origin: str = ""
    actor: str = ""


# -- recordings -----------------------------------------------------------------------------------------------------
class TranscriptMaterial(Material):
    """``transcript`` and ``summary`` are empty where they have to be fetched; ``preview`` is a beginning of the text.

    A recording may be transcribed again: ``content_hash`` tells a new text of the same ``file_id`` from a repeat.
    """

    file_id: str = ""
    transcription_id: str = ""
    title: str = ""
    transcript: str = ""
    summary: str = ""
    preview: str = ""
    content_hash: str = ""
    language: str = ""
    duration_seconds: Decimal | None = None
    words: int | None = None
    recorded_at: AwareDatetime | None = None
    error: str = ""


# -- courses --------------------------------------------------------------------------------------------------------
class LearningMaterial(Material):
    """What a student did. ``student.email`` may be missing: then the site has to be asked for ``student.id``."""

    student: Person = Person()
    site: str = ""
    change: str = ""
    course_id: str = ""
    course_title: str = ""
    enrollment_id: str = ""
    lesson_id: str = ""
    lesson_title: str = ""
    quiz_id: str = ""
    quiz_title: str = ""
    attempt_id: str = ""
    passed: bool | None = None
    score: Decimal | None = None


# -- outreach -------------------------------------------------------------------------------------------------------
class ProspectMaterial(Material):
    """A ping: what could be recognised of a payload whose shape nobody has published. The rest is read from the API."""

    change: str = ""
    email: str = ""
    name: str = ""
    prospect_id: str = ""
    linkedin: str = ""
    campaign_id: str = ""
    campaign: str = ""
    reply_type: str = ""
    subject: str = ""
    message: str = ""


class ProspectProfileMaterial(Material):
    """A prospect as the API shows them now. ``lists`` and ``campaigns`` are names; ``statuses`` says how they stand in
    each campaign, by its id.
    """

    prospect_id: str = ""
    email: str = ""
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    position: str = ""
    company: str = ""
    company_site: str = ""
    industry: str = ""
    country: str = ""
    locality: str = ""
    linkedin: str = ""
    lists: list[str] = []
    campaigns: list[str] = []
    statuses: dict[str, str] = {}
