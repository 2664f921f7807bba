"""Segments and content in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents_app import rounds
from agents_app.admin.instances import state_label
from agents_app.models import ContentItem
from campaigns import criteria
from campaigns.evaluation import matching
from campaigns.models import Segment
from contacts.models import Contact
from higherself.core.admin import Answer, ModelAdmin, Refused, RowAction, cells, who


def _evaluate(request: HttpRequest, _rows: list[Segment]) -> Answer:
    if not rounds.analyse_now(who(request)):
        return messages.WARNING, _("The Audience Segmentation Agent is not deployed: nothing was begun.")
    return _("The analysis of all segments has begun. Its steps stand in its workflow instance.")


def _preview(_request: HttpRequest, rows: list[Segment]) -> Answer:
    """How many would belong to it now, without writing anything."""
    found = []
    for segment in rows:
        try:
            number = matching(segment, timezone.now()).count()
        except criteria.BrokenCriteria as error:
            raise Refused(f"{segment}: {error}") from error
        found.append(_("%(name)s: %(n)d contacts") % {"name": segment.name, "n": number})
    return messages.INFO, "; ".join(found)


@admin.register(Segment)
class SegmentAdmin(ModelAdmin):
    list_display = ("name", "description", "is_active", "people", "carry_to_beehiiv", "evaluated", "trouble")
    list_filter = ("is_active", "carry_to_beehiiv", "business_entity")
    search_fields = ("name", "description")
    ordering = ("name",)
    fieldsets = [
        (None, {"fields": ["name", "description", "is_active", "business_entity", "carry_to_beehiiv"]}),
        (gettext_lazy("Who belongs to it"), {"fields": ["criteria", "fields_known"]}),
        (gettext_lazy("Last evaluation"), {"fields": ["people", "evaluated_at", "error"]}),
    ]
    row_actions = (
        RowAction("preview", gettext_lazy("Who would it be?"), _preview, icon="visibility"),
        RowAction("evaluate", gettext_lazy("Evaluate all now"), _evaluate, icon="play_arrow", tone="primary"),
    )
    evaluated = cells.when("evaluated_at", gettext_lazy("evaluated"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its comings and goings would go with it: make it inactive instead."""
        return False

    @display(description=gettext_lazy("members"), ordering="member_count")
    def people(self, obj: Segment) -> Any:
        if obj.member_count is None:
            return cells.NOTHING
        return cells.link(cells.list_url(Contact, f"segments__id__exact={obj.pk}"), f"{obj.member_count:,}")

    @display(description=gettext_lazy("trouble"))
    def trouble(self, obj: Segment) -> Any:
        return cells.chip(_("not evaluated"), "bad", title=obj.error) if obj.error else cells.NOTHING

    @display(description=gettext_lazy("fields"))
    def fields_known(self, _obj: Segment) -> str:
        """What rules may ask about; instances of a workflow are asked about by its id."""
        return ", ".join([*sorted([*criteria.FIELDS, criteria.ACCEPTS]), "workflow.WF-…"])


@admin.register(ContentItem)
class ContentItemAdmin(ModelAdmin):
    list_display = ("title", "stands", "content_type", "platforms", "instance_link", "made")
    list_filter = ("content_type",)
    list_select_related = ("instance__workflow",)
    search_fields = ("title", "recording_id", "instance__instance_id")
    ordering = ("-pk",)
    fieldsets = [
        (None, {"fields": ["title", "content_type", "brief", "audience", "keywords", "instance_link"]}),
        (gettext_lazy("Text"), {"fields": ["draft", "summary", "source_text"]}),
        (gettext_lazy("Where and when"), {"fields": ["platforms", "needs_media", "target_date", "publish_at"]}),
        (gettext_lazy("Published"), {"fields": ["published_urls"]}),
    ]
    facts = ("source_text", "summary")
    instance_link, made = cells.related("instance", gettext_lazy("workflow")), cells.when("created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Content begins with its workflow instance."""
        return False

    @display(description=gettext_lazy("stands"))
    def stands(self, obj: ContentItem) -> Any:
        return state_label(obj.instance, obj.instance.current_state)
