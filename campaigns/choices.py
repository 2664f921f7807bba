"""The options that the server itself knows; people may add others in Notion (see `SelectField`)."""

from django.db import models


class CampaignStatus(models.TextChoices):
    DRAFT = "Draft"
    SCHEDULED = "Scheduled"
    ACTIVE = "Active"
    PAUSED = "Paused"
    COMPLETED = "Completed"
    CANCELLED = "Cancelled"


class CampaignType(models.TextChoices):
    EMAIL = "Email"
    SOCIAL_MEDIA = "Social Media"
    EVENT = "Event"
    CONTENT = "Content"
    PAID_ADVERTISING = "Paid Advertising"
    PARTNERSHIP = "Partnership"
    PROMOTION = "Promotion"
    PR = "PR"


class CampaignChannel(models.TextChoices):
    EMAIL = "Email"
    INSTAGRAM = "Instagram"
    FACEBOOK = "Facebook"
    TWITTER = "Twitter"
    LINKEDIN = "LinkedIn"
    TIKTOK = "TikTok"
    YOUTUBE = "YouTube"
    BLOG = "Blog"
    WEBSITE = "Website"
    IN_PERSON = "In-person"
    BEEHIIV = "Email - Beehiiv"


CAMPAIGN_AUDIENCES = (
    "All Clients",
    "Active Clients",
    "Former Clients",
    "Leads",
    "Community Members",
    "VIP",
    "New Subscribers",
    "Custom Segment",
)


class FeedbackSource(models.TextChoices):
    TYPEFORM = "Typeform"
    EMAIL = "Email"
    WEBSITE = "Website"
    IN_PERSON = "In-person"
    PHONE = "Phone"
    SOCIAL_MEDIA = "Social Media"
    REVIEW_SITE = "Review Site"
    OTHER = "Other"
    USERFEEDBACK = "Userfeedback"
    TUTORLM = "TutorLM"


class FeedbackType(models.TextChoices):
    GENERAL_FEEDBACK = "General Feedback"
    PRODUCT_REVIEW = "Product Review"
    SERVICE_REVIEW = "Service Review"
    SUGGESTION = "Suggestion"
    COMPLAINT = "Complaint"
    PRAISE = "Praise"
    SURVEY_RESPONSE = "Survey Response"


class Sentiment(models.TextChoices):
    POSITIVE = "Positive"
    NEUTRAL = "Neutral"
    NEGATIVE = "Negative"
    MIXED = "Mixed"


class FeedbackStatus(models.TextChoices):
    NEW = "New"
    IN_REVIEW = "In Review"
    RESPONDED = "Responded"
    RESOLVED = "Resolved"
    ARCHIVED = "Archived"


FEEDBACK_TAGS = (
    "Product Quality",
    "Customer Service",
    "Pricing",
    "Delivery",
    "Website",
    "Staff",
    "Facilities",
    "Experience",
)
