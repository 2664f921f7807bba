"""Members and rewards in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.utils.translation import gettext_lazy as _

from community.models import Member, Reward
from higherself.core.admin import RecordAdmin, cells, options


@admin.register(Member)
class MemberAdmin(RecordAdmin):
    list_display = ("member_name", "member_email", "state", "level", "engagement_score", "primary_platform", "seen")
    list_filter = (
        options("membership_status"),
        options("membership_level"),
        options("primary_platform"),
        "business_entity",
    )
    list_select_related = ("business_entity",)
    search_fields = ("member_name", "member_email", "member_id")
    ordering = ("member_name", "pk")
    fieldsets = [
        (None, {"fields": ["member_name", "member_email", "contact_profile", "business_entity"]}),
        (_("Membership"), {"fields": ["membership_status", "membership_level", "join_date", "badges"]}),
        (
            _("Activity"),
            {"fields": ["engagement_score", "last_active_date", "last_engagement_type", "events_attended"]},
        ),
        (_("Interests"), {"fields": ["interests", "interest_groups", "campaigns", "notes"]}),
        (_("Platform"), {"fields": ["member_id", "primary_platform", "profile_link", "platform_ids"]}),
    ]
    facts = ("engagement_score", "platform_ids")
    state, level = cells.status("membership_status", _("status")), cells.status("membership_level", _("level"))
    seen = cells.when("last_active_date", _("last active"))


@admin.register(Reward)
class RewardAdmin(RecordAdmin):
    list_display = ("reward_name", "record_kind", "reward_type", "state", "worth", "to", "used", "end_date")
    list_filter = (options("record_kind"), options("status"), options("reward_type"), "business_entity")
    list_select_related = ("recipient",)
    search_fields = ("reward_name", "reward_id", "redemption_code")
    ordering = ("reward_name", "pk")
    fieldsets = [
        (None, {"fields": ["reward_name", "record_kind", "program", "reward_type", "status", "description"]}),
        (_("Worth"), {"fields": ["points_value", "monetary_value", "redemption_code", "redemption_instructions"]}),
        (_("Who"), {"fields": ["business_entity", "recipient", "members", "target_audience"]}),
        (
            _("How to earn it"),
            {
                "fields": [
                    *("qualifying_action", "eligibility_criteria", "related_products", "related_campaigns"),
                    "related_transaction",
                ]
            },
        ),
        (
            _("When and how often"),
            {"fields": ["start_date", "end_date", "claimed_date", "redemption_count", "maximum_redemptions"]},
        ),
        (_("More"), {"fields": ["reward_id", "image"], "classes": ["collapse"]}),
    ]
    facts = ("redemption_count",)
    state, to = cells.status("status"), cells.related("recipient")

    @display(description=_("worth"))
    def worth(self, obj: Reward) -> Any:
        parts = [f"{obj.points_value:,} pt" if obj.points_value else "", f"{obj.monetary_value or '':}"]
        return " · ".join(filter(None, parts)) or cells.NOTHING

    @display(description=_("used"), ordering="redemption_count")
    def used(self, obj: Reward) -> str:
        return f"{obj.redemption_count} / {obj.maximum_redemptions or '∞'}"
