"""What is sent to many people (campaigns) and what comes back (feedback)."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bookings.models import Product
from campaigns import choices
from campaigns.segments import Segment, SegmentMembership
from contacts.models import BusinessEntity, Contact
from higherself.core.fields import NameListField, PeopleField, SelectField
from higherself.core.ids import public_id
from higherself.core.models import Record

__all__ = ["Campaign", "Feedback", "Segment", "SegmentMembership"]


def new_campaign_id() -> str:
    return public_id("CAMP")


def new_feedback_id() -> str:
    return public_id("FDBK")


def _rate(part: int | None, whole: int | None) -> float | None:
    return part / whole if part is not None and whole else None


class Campaign(Record):
    """A marketing campaign. Its metrics are empty until they have been measured."""

    campaign_name = models.CharField(_("campaign name"), max_length=500)
    campaign_id = models.CharField(
        _("campaign ID"), max_length=60, unique=True, default=new_campaign_id, editable=False
    )
    description = models.TextField(_("description"), blank=True)
    goals = models.TextField(_("goals"), blank=True)
    status = SelectField(_("status"), options=choices.CampaignStatus.values, default=choices.CampaignStatus.DRAFT)
    business_entity = models.ForeignKey(
        BusinessEntity,
        verbose_name=_("business entity"),
        related_name="campaigns",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    campaign_type = SelectField(_("campaign type"), options=choices.CampaignType.values)
    start_date = models.DateTimeField(_("start"), null=True, blank=True)
    end_date = models.DateTimeField(_("end"), null=True, blank=True)
    target_audience = NameListField(_("target audience"), options=choices.CAMPAIGN_AUDIENCES)
    target_criteria = models.JSONField(_("target criteria"), default=dict, blank=True)
    channels = NameListField(_("channels"), options=choices.CampaignChannel.values)
    related_products = models.ManyToManyField(
        Product, verbose_name=_("related products"), related_name="campaigns", blank=True
    )
    audience_contacts = models.ManyToManyField(
        Contact,
        verbose_name=_("audience contacts"),
        related_name="campaigns",
        blank=True,
    )
    owner = PeopleField(_("owner"))
    budget = models.DecimalField(_("budget"), max_digits=12, decimal_places=2, null=True, blank=True)
    actual_spend = models.DecimalField(_("actual spend"), max_digits=12, decimal_places=2, null=True, blank=True)
    recipients = models.IntegerField(_("recipients"), null=True, blank=True)
    opens = models.IntegerField(_("opens"), null=True, blank=True)
    unique_opens = models.IntegerField(_("unique opens"), null=True, blank=True)
    clicks = models.IntegerField(_("clicks"), null=True, blank=True)
    unique_clicks = models.IntegerField(_("unique clicks"), null=True, blank=True)
    unsubscribes = models.IntegerField(_("unsubscribes"), null=True, blank=True)
    leads_generated = models.IntegerField(_("leads generated"), null=True, blank=True)
    conversions = models.IntegerField(_("conversions"), null=True, blank=True)
    performance_metrics = models.JSONField(_("performance metrics"), default=dict, blank=True)
    results_summary = models.TextField(_("results summary"), blank=True)
    utm = models.CharField(_("UTM"), max_length=500, blank=True)
    external_id = models.CharField(_("external ID"), max_length=200, blank=True)
    external_url = models.URLField(_("external URL"), max_length=2000, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-start_date", "campaign_name"]
        indexes = [
            *Record.Meta.indexes,
            models.Index(fields=["status", "start_date"]),
            models.Index(fields=["external_id"]),
        ]

    def __str__(self) -> str:
        return self.campaign_name or self.campaign_id

    @property
    def open_rate(self) -> float | None:
        return _rate(self.unique_opens, self.recipients)

    @property
    def click_rate(self) -> float | None:
        return _rate(self.unique_clicks, self.recipients)

    @property
    def campaign_duration(self) -> int | None:
        """Days from start to end."""
        return (self.end_date - self.start_date).days if self.start_date and self.end_date else None


class Feedback(Record):
    """One answer of one person: a survey response, a review, a complaint."""

    feedback_title = models.CharField(_("title"), max_length=500)
    feedback_id = models.CharField(
        _("feedback ID"), max_length=60, unique=True, default=new_feedback_id, editable=False
    )
    source = SelectField(_("source"), options=choices.FeedbackSource.values, default=choices.FeedbackSource.OTHER)
    external_reference_id = models.CharField(_("external reference ID"), max_length=200, blank=True)
    survey_form = models.CharField(_("survey or form"), max_length=2000, blank=True)
    contact = models.ForeignKey(
        Contact,
        verbose_name=_("contact"),
        related_name="feedback",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    related_product = models.ForeignKey(
        Product,
        verbose_name=_("related product or service"),
        related_name="feedback",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    business_entity = models.ForeignKey(
        BusinessEntity,
        verbose_name=_("business entity"),
        related_name="feedback",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
    )
    date_received = models.DateTimeField(_("received"), null=True, blank=True, default=timezone.now)
    feedback_type = SelectField(
        _("feedback type"), options=choices.FeedbackType.values, default=choices.FeedbackType.GENERAL_FEEDBACK
    )
    rating = models.FloatField(_("rating"), null=True, blank=True)
    rating_scale = models.FloatField(
        _("rating scale"), null=True, blank=True, help_text=_("The best possible rating: 5, 10, …")
    )
    feedback_content = models.TextField(_("feedback"), blank=True)
    sentiment = SelectField(_("sentiment"), options=choices.Sentiment.values)
    status = SelectField(_("status"), options=choices.FeedbackStatus.values, default=choices.FeedbackStatus.NEW)
    response_required = models.BooleanField(_("response required"), default=False)
    response = models.TextField(_("response"), blank=True)
    response_date = models.DateField(_("response date"), null=True, blank=True)
    responded_by = PeopleField(_("responded by"))
    tags = NameListField(_("tags"), options=choices.FEEDBACK_TAGS)

    class Meta(Record.Meta):
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        ordering = ["-date_received", "-pk"]
        indexes = [
            *Record.Meta.indexes,
            models.Index(fields=["status", "date_received"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_reference_id"],
                condition=models.Q(archived_at__isnull=True) & ~models.Q(external_reference_id=""),
                name="feedback_reference_once",
                violation_error_message=_("This answer is here already."),
            )
        ]

    def __str__(self) -> str:
        return self.feedback_title or self.feedback_id

    @property
    def rating_of_five(self) -> float | None:
        """The rating as if it had been given on a scale up to 5; a rating without a scale is taken to be one."""
        if self.rating is None:
            return None
        return self.rating * 5 / self.rating_scale if self.rating_scale else self.rating

    @property
    def days_since_received(self) -> int | None:
        return (timezone.now() - self.date_received) // timedelta(days=1) if self.date_received else None

    @property
    def response_time(self) -> int | None:
        """Days from the answer's arrival to our response, as Notion counts them (whole, in UTC)."""
        if self.response_date is None or self.date_received is None:
            return None
        answered = datetime.combine(self.response_date, time(), tzinfo=self.date_received.tzinfo)
        return max((answered - self.date_received).days, 0)
