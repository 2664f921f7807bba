"""Campaigns and feedback in the console."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns.choices import CampaignStatus
from campaigns.models import Campaign, Feedback
from campaigns.segments import SegmentMembership
from contacts.models import Contact
from higherself.core.admin import (
    Figure,
    Moment,
    ReadOnlyAdmin,
    RecordAdmin,
    Scope,
    bounded,
    cells,
    figures,
    options,
    story,
    until,
)


@admin.register(Campaign)
class CampaignAdmin(RecordAdmin):
    list_display = ("campaign_name", "state", "campaign_type", "entity", "starts", "ends", "opened")
    list_filter = (options("status"), options("campaign_type"), "business_entity")
    list_select_related = ("business_entity",)
    search_fields = ("campaign_name", "campaign_id", "external_id")
    ordering = ("-start_date", "campaign_name")
    fieldsets = [
        (None, {"fields": ["campaign_name", "status", "campaign_type", "business_entity", "description", "goals"]}),
        (_("When and where"), {"fields": ["start_date", "end_date", "channels", "owner"]}),
        (_("For whom"), {"fields": ["target_audience", "target_criteria", "audience", "related_products"]}),
        (_("Money"), {"fields": [("budget", "actual_spend")]}),
        (
            _("Results"),
            {
                "fields": [
                    ("recipients", "unsubscribes"),
                    *(("opens", "unique_opens"), "open_rate", ("clicks", "unique_clicks"), "click_rate"),
                    *(("leads_generated", "conversions"), "performance_metrics", "results_summary"),
                ]
            },
        ),
        (
            _("Ids elsewhere"),
            {"fields": ["campaign_id", "utm", "external_id", "external_url"], "classes": ["collapse"]},
        ),
    ]
    # Measured where the campaign was sent.
    facts = (
        *("recipients", "opens", "unique_opens", "clicks", "unique_clicks", "unsubscribes", "leads_generated"),
        *("conversions", "performance_metrics"),
    )
    state, entity = cells.status("status"), cells.related("business_entity", _("entity"))
    starts, ends = cells.when("start_date", _("start")), cells.when("end_date", _("end"))

    @display(description=_("audience"))
    def audience(self, obj: Campaign) -> Any:
        """A number and a link: an audience may be far too long for a form."""
        number = obj.audience_contacts.count()
        text = ngettext("%(n)d contact", "%(n)d contacts", number) % {"n": number}
        return cells.link(cells.list_url(Contact, f"campaigns__id__exact={obj.pk}"), text)

    @display(description=_("opened"))
    def opened(self, obj: Campaign) -> str:
        return self.open_rate(obj)

    @display(description=_("open rate"))
    def open_rate(self, obj: Campaign) -> str:
        return cells.NOTHING if obj.open_rate is None else f"{obj.open_rate:.0%}"

    @display(description=_("click rate"))
    def click_rate(self, obj: Campaign) -> str:
        return cells.NOTHING if obj.click_rate is None else f"{obj.click_rate:.0%}"


@admin.register(Feedback)
class FeedbackAdmin(RecordAdmin):
    list_display = ("feedback_title", "mood", "state", "stars", "source", "person", "product", "received")
    list_filter = (options("status"), options("sentiment"), options("source"), options("feedback_type"))
    list_select_related = ("contact", "related_product")
    search_fields = ("feedback_title", "feedback_id", "feedback_content")
    ordering = ("-pk",)
    fieldsets = [
        (None, {"fields": ["feedback_title", "feedback_type", "rating", "rating_scale", "sentiment"]}),
        (_("Words"), {"fields": ["feedback_content", "tags"]}),
        (_("From and about"), {"fields": ["contact", "related_product", "business_entity", "date_received"]}),
        (_("Answer"), {"fields": ["status", "response_required", "response", "response_date", "responded_by"]}),
        (_("Source"), {"fields": ["feedback_id", "source", "survey_form", "external_reference_id"]}),
    ]
    mood, state = cells.status("sentiment"), cells.status("status")
    person, product = cells.related("contact"), cells.related("related_product", _("about"))
    received = cells.when("date_received", _("received"))

    @display(description=_("rating"), ordering="rating")
    def stars(self, obj: Feedback) -> Any:
        if obj.rating is None:
            return cells.NOTHING
        return f"{obj.rating:g} / {obj.rating_scale:g}" if obj.rating_scale else f"{obj.rating:g}"


@figures
def running(scope: Scope) -> list[Figure]:
    rows = Campaign.objects.live().filter(status=CampaignStatus.ACTIVE, **scope.of("business_entity"))
    return [
        Figure(
            str(_("campaigns running")),
            bounded(rows),
            cells.list_url(Campaign, f"status={CampaignStatus.ACTIVE.value}"),
            icon="campaign",
            permission="campaigns.view_campaign",
            order=60,
        )
    ]


@story(Contact)
def feedback_given(contact: Contact, before: datetime | None, limit: int) -> list[Moment]:
    rows = until(Feedback.objects.filter(contact=contact, date_received__isnull=False), "date_received", before, limit)
    return [
        Moment(
            row.date_received,
            gettext("feedback"),
            row,
            "reviews",
            row.source,
            cells.change_url(Feedback, row.pk),
            row.feedback_content[:300],
            "busy",
        )
        for row in rows
    ]


@admin.register(SegmentMembership)
class SegmentMembershipAdmin(ReadOnlyAdmin):
    """Who came into which segment, and left it."""

    list_display = ("segment", "contact", "entered", "left")
    list_select_related = ("segment", "contact")
    ordering = ("-pk",)
    fieldsets = [(None, {"fields": ["segment", "contact", "entered_at", "left_at", "carried_at"]})]
    entered, left = cells.when("entered_at", _("entered")), cells.when("left_at", _("left"))
