"""The community's members and what they can earn.

Campaigns and community know nothing of each other's code. Two relations between them exist all the same (a
campaign's audience among the members, a reward's campaigns); their tables hang here, by name and without import.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bookings.models import Product
from community import choices
from contacts.models import BusinessEntity, Contact
from higherself.core.fields import FilesField, LowercaseEmailField, NameListField, SelectField
from higherself.core.ids import public_id
from higherself.core.models import Record


def new_member_id() -> str:
    return public_id("MEMBER")


def new_reward_id() -> str:
    return public_id("RWD")


class Member(Record):
    """A member of the community, found by e-mail address; `contact_profile` is the same person as a contact."""

    member_name = models.CharField(_("member name"), max_length=500)
    member_id = models.CharField(_("member ID"), max_length=60, unique=True, default=new_member_id, editable=False)
    contact_profile = models.ForeignKey(
        Contact,
        verbose_name=_("contact profile"),
        related_name="community_profiles",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    member_email = LowercaseEmailField(_("member e-mail"), blank=True)
    business_entity = models.ForeignKey(
        BusinessEntity,
        verbose_name=_("business entity"),
        related_name="community_members",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    campaigns = models.ManyToManyField(
        "campaigns.Campaign", verbose_name=_("campaigns"), related_name="audience_members", blank=True
    )
    join_date = models.DateTimeField(_("joined"), null=True, blank=True, default=timezone.now)
    membership_level = SelectField(
        _("membership level"), options=choices.MembershipLevel.values, default=choices.MembershipLevel.STANDARD
    )
    membership_status = SelectField(
        _("membership status"), options=choices.MembershipStatus.values, default=choices.MembershipStatus.ACTIVE
    )
    primary_platform = SelectField(_("primary platform"), options=choices.Platform.values)
    platform_ids = models.JSONField(_("platform IDs"), default=dict, blank=True)
    profile_link = models.URLField(_("profile link"), max_length=2000, blank=True)
    engagement_score = models.IntegerField(
        _("engagement score"), default=0, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    last_active_date = models.DateTimeField(_("last active"), null=True, blank=True)
    last_engagement_type = SelectField(_("last engagement type"), options=choices.EngagementType.values)
    interests = NameListField(_("interests"), options=choices.MEMBER_INTERESTS)
    interest_groups = NameListField(_("interest groups"))
    events_attended = NameListField(_("events attended"))
    badges = NameListField(_("badges"), options=choices.BADGES)
    notes = models.TextField(_("notes"), blank=True)

    # Measured by the server, not edited.
    unnoted = frozenset({"engagement_score", "last_active_date"})

    class Meta(Record.Meta):
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["member_name", "pk"]
        indexes = [
            *Record.Meta.indexes,
            models.Index(fields=["membership_status", "last_active_date"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["member_email"],
                condition=models.Q(archived_at__isnull=True) & ~models.Q(member_email=""),
                name="member_email_once",
                violation_error_message=_("Another member has this e-mail address."),
            )
        ]

    def __str__(self) -> str:
        return self.member_name or self.member_email or self.member_id

    @property
    def days_since_active(self) -> int | None:
        return (timezone.now() - self.last_active_date) // timedelta(days=1) if self.last_active_date else None

    @property
    def membership_age(self) -> int | None:
        """Days since the member joined."""
        return (timezone.now() - self.join_date) // timedelta(days=1) if self.join_date else None


class Reward(Record):
    """A programme that rewards something, or one reward that was issued under it (`record_kind`)."""

    reward_name = models.CharField(_("reward name"), max_length=500)
    reward_id = models.CharField(_("reward ID"), max_length=60, unique=True, default=new_reward_id, editable=False)
    record_kind = SelectField(_("record kind"), options=choices.RecordKind.values, default=choices.RecordKind.PROGRAM)
    program = models.ForeignKey(
        "self",
        verbose_name=_("program"),
        related_name="issued",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    description = models.TextField(_("description"), blank=True)
    reward_type = SelectField(_("reward type"), options=choices.RewardType.values)
    status = SelectField(_("status"), options=choices.RewardStatus.values, default=choices.RewardStatus.DRAFT)
    points_value = models.IntegerField(_("points value"), null=True, blank=True)
    monetary_value = models.DecimalField(_("monetary value"), max_digits=12, decimal_places=2, null=True, blank=True)
    business_entity = models.ForeignKey(
        BusinessEntity,
        verbose_name=_("business entity"),
        related_name="rewards",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    recipient = models.ForeignKey(
        Contact,
        verbose_name=_("recipient"),
        related_name="rewards_received",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    members = models.ManyToManyField(Member, verbose_name=_("members"), related_name="rewards", blank=True)
    eligibility_criteria = models.TextField(_("eligibility criteria"), blank=True)
    qualifying_action = models.CharField(_("qualifying action"), max_length=500, blank=True)
    start_date = models.DateField(_("start"), null=True, blank=True)
    end_date = models.DateField(_("end"), null=True, blank=True)
    claimed_date = models.DateField(_("claimed"), null=True, blank=True)
    redemption_count = models.IntegerField(_("redemption count"), default=0, validators=[MinValueValidator(0)])
    maximum_redemptions = models.IntegerField(
        _("maximum redemptions"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    related_products = models.ManyToManyField(
        Product, verbose_name=_("related products"), related_name="rewards", blank=True
    )
    related_campaigns = models.ManyToManyField(
        "campaigns.Campaign", verbose_name=_("related campaigns"), related_name="rewards", blank=True
    )
    related_transaction = models.CharField(_("related transaction"), max_length=200, blank=True)
    target_audience = NameListField(_("target audience"), options=choices.REWARD_AUDIENCES)
    redemption_instructions = models.TextField(_("redemption instructions"), blank=True)
    redemption_code = models.CharField(_("redemption code"), max_length=200, blank=True)
    image = FilesField(_("image"))

    class Meta(Record.Meta):
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        ordering = ["reward_name", "pk"]
        indexes = [
            *Record.Meta.indexes,
            models.Index(fields=["record_kind", "status"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["qualifying_action", "recipient", "related_transaction"],
                condition=models.Q(record_kind="Issued", archived_at__isnull=True) & ~models.Q(related_transaction=""),
                name="reward_issued_once",
                violation_error_message=_("This person has this reward already."),
            )
        ]

    def __str__(self) -> str:
        return self.reward_name or self.reward_id

    @property
    def redemption_percent(self) -> float | None:
        """The share of the possible redemptions that has been used, from 0 to 1."""
        return self.redemption_count / self.maximum_redemptions if self.maximum_redemptions else None

    @property
    def days_remaining(self) -> int | None:
        return (self.end_date - timezone.localdate()).days if self.end_date else None
