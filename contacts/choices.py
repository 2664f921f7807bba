"""The options that the server itself knows; people may add others in Notion (see `SelectField`)."""

from django.db import models


class EntityType(models.TextChoices):
    CONSULTING_FIRM = "CONSULTING_FIRM"
    ART_GALLERY = "ART_GALLERY"
    WELLNESS_CENTER = "WELLNESS_CENTER"


class IntegrationStatus(models.TextChoices):
    ACTIVE = "Active"
    INACTIVE = "Inactive"
    PENDING = "Pending"
    ERROR = "Error"


class ContactType(models.TextChoices):
    LEAD = "Lead"
    CLIENT = "Client"
    PARTNER = "Partner"
    VENDOR = "Vendor"
    STAFF = "Staff"
    OTHER = "Other"
    COMMUNITY_MEMBER = "Community Member"
    ARTIST = "Artist"
    COLLECTOR = "Collector"


class LeadSource(models.TextChoices):
    WEBSITE = "Website"
    REFERRAL = "Referral"
    SOCIAL_MEDIA = "Social Media"
    EVENT = "Event"
    ADVERTISEMENT = "Advertisement"
    DIRECT_CONTACT = "Direct Contact"
    OTHER = "Other"
    TYPEFORM = "Typeform"
    SNOVIO = "Snov.io"
    USERFEEDBACK = "Userfeedback"
    AMELIA = "Amelia"
    WOOCOMMERCE = "WooCommerce"
    CIRCLE = "Circle.so"
    TUTORLM = "TutorLM"
    BEEHIIV_NEWSLETTER = "Beehiiv Newsletter"
    BEEHIIV_REFERRAL = "Beehiiv Referral"


class ContactStatus(models.TextChoices):
    ACTIVE_LEAD = "Active Lead"
    QUALIFIED_LEAD = "Qualified Lead"
    ACTIVE_CLIENT = "Active Client"
    FORMER_CLIENT = "Former Client"
    INACTIVE = "Inactive"
    DO_NOT_CONTACT = "Do Not Contact"
    UNSUBSCRIBED = "Unsubscribed"


class QualityLevel(models.TextChoices):
    EXCELLENT = "Excellent"
    HIGH = "High"
    MEDIUM = "Medium"
    LOW = "Low"
    VERY_LOW = "Very Low"
    UNKNOWN = "Unknown"


class InteractionKind(models.TextChoices):
    """What people do. What each is worth stands in `contacts.interactions.POINTS`."""

    JOINED = "joined"
    LEFT = "left"
    POST = "post"
    COMMENT = "comment"
    REACTION = "reaction"
    LOGIN = "login"
    EVENT_ATTENDED = "event_attended"
    EVENT_SIGNUP = "event_signup"
    PROFILE_UPDATED = "profile_updated"
    COMMUNITY_OTHER = "community_other"
    COURSE_ENROLLED = "course_enrolled"
    COURSE_COMPLETED = "course_completed"
    COURSE_LEFT = "course_left"
    LESSON_COMPLETED = "lesson_completed"
    QUIZ_FINISHED = "quiz_finished"
    SURVEY_ANSWERED = "survey_answered"
    FORM_SUBMITTED = "form_submitted"
    SUBSCRIBED = "subscribed"
    EMAIL_OPENED = "email_opened"
    EMAIL_CLICKED = "email_clicked"
    EMAIL_REPLIED = "email_replied"
    EMAIL_SENT = "email_sent"
    EMAIL_BOUNCED = "email_bounced"
    BOOKING = "booking"
    PURCHASE = "purchase"


# Nobody with one of these is sent marketing, whatever the opt-in boxes say.
NO_MARKETING = (ContactStatus.DO_NOT_CONTACT, ContactStatus.UNSUBSCRIBED)

CONTACT_TAGS = (
    "VIP",
    "Needs Follow-up",
    "Potential Upsell",
    "New",
    "Returning",
    "Community Member",
    "newsletter_subscriber",
    "referred",
)
MARKETING_SEGMENTS = ("Community", "recent_bookings")
