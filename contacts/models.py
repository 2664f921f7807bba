"""Who the network works for (business entities) and with (contacts)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts import choices
from contacts.erasures import ErasedAddress, Erasure, ErasurePlace
from contacts.fields import KeyFromName, free_key
from contacts.ledger import ConsentChange, Interaction
from contacts.merges import ContactMerge
from contacts.suggestions import PossibleDuplicate
from higherself.core.fields import LowercaseEmailField, NameListField, PeopleField, SelectField
from higherself.core.ids import public_id
from higherself.core.models import Record

__all__ = [
    "BusinessEntity",
    "ConsentChange",
    "Contact",
    "ContactMerge",
    "ErasedAddress",
    "Erasure",
    "ErasurePlace",
    "Interaction",
    "PossibleDuplicate",
]


def new_contact_id() -> str:
    return public_id("CTCT")


class BusinessEntity(Record):
    """A business of the network; everything else belongs to one."""

    name = models.CharField(_("name"), max_length=500)
    entity_key = KeyFromName(
        _("entity key"), max_length=100, unique=True, blank=True, help_text=_("Made from the name when left empty.")
    )
    entity_type = SelectField(_("entity type"), options=choices.EntityType.values)
    api_keys_reference = models.CharField(
        _("API keys reference"), max_length=500, blank=True, help_text=_("Where the keys are kept; never a key.")
    )
    integration_status = SelectField(
        _("integration status"), options=choices.IntegrationStatus.values, default=choices.IntegrationStatus.PENDING
    )
    website = models.URLField(_("website"), max_length=2000, blank=True)
    sender_email = LowercaseEmailField(_("sender e-mail"), blank=True)
    default_assignee = PeopleField(_("default assignee"))
    role_assignees = models.TextField(
        _("role assignees"),
        blank=True,
        help_text=_("Who does the tasks of a role: one line for each, such as “gallery: Grace Hopper”."),
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, help_text=_("IANA name, such as America/New_York.")
    )
    customer_analysis = models.JSONField(_("customer analysis"), default=dict, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("business entity")
        verbose_name_plural = _("business entities")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name or self.entity_key

    def fill_identity(self) -> None:
        self.entity_key = self.entity_key or free_key(self, "entity_key")

    def assignee_of(self, role: str) -> str:
        """Who does the tasks of this role here, as people wrote it; empty when nobody is named."""
        for line in self.role_assignees.splitlines():
            name, _colon, person = line.partition(":")
            if role and name.strip().casefold() == role.casefold():
                return person.strip()
        return ""

    @property
    def zone(self) -> ZoneInfo:
        """The zone that due dates are computed in; the server's own when none, or no known one, is given."""
        try:
            return ZoneInfo(self.time_zone or timezone.get_default_timezone_name())
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo(timezone.get_default_timezone_name())


class Contact(Record):
    """A person. Found by e-mail address; all other records point here."""

    full_name = models.CharField(_("full name"), max_length=500, blank=True)
    contact_id = models.CharField(_("contact ID"), max_length=60, unique=True, default=new_contact_id, editable=False)
    first_name = models.CharField(_("first name"), max_length=500, blank=True)
    last_name = models.CharField(_("last name"), max_length=500, blank=True)
    email = LowercaseEmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=200, blank=True)
    contact_type = SelectField(_("contact type"), options=choices.ContactType.values, default=choices.ContactType.LEAD)
    business_entities = models.ManyToManyField(
        BusinessEntity, verbose_name=_("business entities"), related_name="contacts", blank=True
    )
    lead_source = SelectField(_("lead source"), options=choices.LeadSource.values)
    status = SelectField(_("status"), options=choices.ContactStatus.values, default=choices.ContactStatus.ACTIVE_LEAD)
    tags = NameListField(_("tags"), options=choices.CONTACT_TAGS)
    interests = NameListField(_("interests"))
    marketing_segments = NameListField(_("marketing segments"), options=choices.MARKETING_SEGMENTS)
    email_opt_in = models.BooleanField(_("e-mail opt-in"), default=False)
    sms_opt_in = models.BooleanField(_("SMS opt-in"), default=False)
    consent_source = models.CharField(_("consent source"), max_length=500, blank=True)
    consent_at = models.DateTimeField(_("consent at"), null=True, blank=True)
    engagement_score = models.IntegerField(
        _("engagement score"), default=0, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    lead_score = models.IntegerField(
        _("lead score"), null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(12)]
    )
    quality_level = SelectField(
        _("quality level"), options=choices.QualityLevel.values, default=choices.QualityLevel.UNKNOWN
    )
    date_added = models.DateTimeField(_("date added"), null=True, blank=True, default=timezone.now)
    last_interaction = models.DateTimeField(_("last interaction"), null=True, blank=True)
    next_follow_up_date = models.DateField(_("next follow-up date"), null=True, blank=True)
    address = models.TextField(_("address"), blank=True)
    city = models.CharField(_("city"), max_length=500, blank=True)
    state_province = models.CharField(_("state or province"), max_length=500, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=100, blank=True)
    company = models.CharField(_("company"), max_length=500, blank=True)
    job_title = models.CharField(_("job title"), max_length=500, blank=True)
    country = SelectField(_("country"))
    artistic_mediums = NameListField(_("artistic mediums"))
    experience_attended = NameListField(_("experience attended"))
    primary_point_of_contact = PeopleField(_("primary point of contact"))
    hubspot_contact_id = models.CharField(_("HubSpot contact ID"), max_length=200, blank=True)
    airtable_record_id = models.CharField(_("Airtable record ID"), max_length=200, blank=True)
    beehiiv_subscription_id = models.CharField(_("Beehiiv subscription ID"), max_length=200, blank=True)
    external_ids = models.JSONField(_("external IDs"), default=dict, blank=True)
    source_record_id = models.CharField(_("source record ID"), max_length=200, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    # Measured by the server, not edited.
    unnoted = frozenset({"last_interaction", "engagement_score"})

    class Meta(Record.Meta):
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["full_name", "pk"]
        indexes = [
            *Record.Meta.indexes,
            models.Index(fields=["email"]),
            models.Index(fields=["status"]),
            models.Index(fields=["full_name"]),
            models.Index(fields=["created_at"]),
            models.Index(fields=["hubspot_contact_id"]),
            models.Index(fields=["beehiiv_subscription_id"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                condition=models.Q(archived_at__isnull=True) & ~models.Q(email=""),
                name="contact_email_once",
                violation_error_message=_("Another contact has this e-mail address."),
            )
        ]

    def __str__(self) -> str:
        return self.full_name or self.email or self.contact_id

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        if not self.full_name:
            self.full_name = f"{self.first_name} {self.last_name}".strip() or self.email.strip()
            update_fields = update_fields if update_fields is None else {*update_fields, "full_name"}
        super().save(*args, update_fields=update_fields, **kwargs)

    @property
    def accepts_email_marketing(self) -> bool:
        return bool(self.email) and self.email_opt_in and self.status not in choices.NO_MARKETING

    @property
    def accepts_sms_marketing(self) -> bool:
        return bool(self.phone) and self.sms_opt_in and self.status not in choices.NO_MARKETING

    @property
    def days_since_last_interaction(self) -> int | None:
        since = self.last_interaction or self.date_added
        return (timezone.now() - since) // timedelta(days=1) if since else None
