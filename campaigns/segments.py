"""Segments: people who fulfil the same criteria, and who of them came in and went out when."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns import criteria
from contacts.models import BusinessEntity, Contact
from higherself.core.fields import OPTION_LENGTH


def validate_criteria(value: Any) -> None:
    try:
        criteria.parse(value)
    except criteria.BrokenCriteria as error:
        raise ValidationError(str(error)) from error


def validate_name(value: str) -> None:
    if "," in value:
        raise ValidationError(_("A segment's name holds no comma: Notion's options must not."))


class Segment(models.Model):
    """Criteria as data. ``name`` is the option of *Marketing Segments* in Notion and of a campaign's audience."""

    name = models.CharField(_("name"), max_length=OPTION_LENGTH, unique=True, validators=[validate_name])
    description = models.TextField(_("description"), blank=True)
    criteria = models.JSONField(
        _("criteria"),
        default=dict,
        validators=[validate_criteria],
        help_text=_('Such as {"match": "all", "rules": [{"field": "status", "operator": "equals", "value": "…"}]}.'),
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Others keep their members as they are."))
    carry_to_beehiiv = models.BooleanField(
        _("carry to Beehiiv"),
        default=True,
        help_text=_(
            "Members who accept marketing get the segment's name into the field “Segments” of their subscription."
        ),
    )
    business_entity = models.ForeignKey(
        BusinessEntity,
        verbose_name=_("business entity"),
        related_name="segments",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        help_text=_("Only its contacts belong to the segment; empty: all."),
    )
    member_count = models.IntegerField(_("members"), null=True, blank=True, editable=False)
    evaluated_at = models.DateTimeField(_("evaluated"), null=True, blank=True, editable=False)
    error = models.TextField(_("last evaluation failed because"), blank=True, editable=False)
    contacts = models.ManyToManyField(
        Contact, through="campaigns.SegmentMembership", related_name="segments", editable=False
    )

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SegmentMembership(models.Model):
    """One stay of a contact in a segment. Rows are only written when somebody comes or goes.

    ``carried_at`` is empty while the coming or going still has to be written to the contact and to services.
    """

    segment = models.ForeignKey(Segment, related_name="memberships", on_delete=models.CASCADE)
    contact = models.ForeignKey(Contact, related_name="segment_memberships", on_delete=models.CASCADE)
    entered_at = models.DateTimeField(_("entered"))
    left_at = models.DateTimeField(_("left"), null=True, blank=True)
    carried_at = models.DateTimeField(_("carried"), null=True, blank=True)

    class Meta:
        verbose_name = _("segment membership")
        verbose_name_plural = _("segment memberships")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["id"], name="membership_to_carry", condition=models.Q(carried_at__isnull=True)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "contact"], condition=models.Q(left_at__isnull=True), name="membership_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.segment_id}"
