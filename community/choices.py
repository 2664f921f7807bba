"""The options that the server itself knows; people may add others in Notion (see `SelectField`)."""

from django.db import models


class MembershipLevel(models.TextChoices):
    STANDARD = "Standard"
    PREMIUM = "Premium"
    VIP = "VIP"
    FOUNDING_MEMBER = "Founding Member"
    TRIAL = "Trial"


class MembershipStatus(models.TextChoices):
    ACTIVE = "Active"
    INACTIVE = "Inactive"
    PENDING = "Pending"
    EXPIRED = "Expired"
    SUSPENDED = "Suspended"


class Platform(models.TextChoices):
    CIRCLE = "Circle.so"
    DISCORD = "Discord"
    SLACK = "Slack"
    FACEBOOK_GROUP = "Facebook Group"
    OTHER = "Other"


class EngagementType(models.TextChoices):
    POST = "post"
    COMMENT = "comment"
    REACTION = "reaction"
    LOGIN = "login"
    EVENT = "event"
    OTHER = "other"


MEMBER_INTERESTS = ("Art", "Wellness", "Consulting", "Spirituality", "Business", "Technology")
BADGES = ("Early Adopter", "Content Creator", "Event Participant", "Mentor", "Regular Contributor")


class RecordKind(models.TextChoices):
    """A reward row is either a programme that people can earn from, or one reward that somebody got."""

    PROGRAM = "Program"
    ISSUED = "Issued"


class RewardType(models.TextChoices):
    LOYALTY_REWARD = "Loyalty Reward"
    COMMUNITY_BOUNTY = "Community Bounty"
    REFERRAL_BONUS = "Referral Bonus"
    ACHIEVEMENT_BADGE = "Achievement Badge"
    DISCOUNT = "Discount"
    FREE_PRODUCT = "Free Product/Service"
    EARLY_ACCESS = "Early Access"
    SPECIAL_EVENT = "Special Event"
    CASH_REWARD = "Cash Reward"
    COMMISSION = "Commission"


class RewardStatus(models.TextChoices):
    ACTIVE = "Active"
    INACTIVE = "Inactive"
    SEASONAL = "Seasonal"
    LIMITED_TIME = "Limited Time"
    EXPIRED = "Expired"
    DRAFT = "Draft"
    CLAIMED = "Claimed"


REWARD_AUDIENCES = (
    "All Clients",
    "VIP Clients",
    "New Clients",
    "Community Members",
    "Staff",
    "Partners",
    "Specific Segment",
)
