"""Business entities and contacts in the console."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from contacts import duplicates, pages
from contacts.ledger import ConsentChange, Interaction
from contacts.merges import ContactMerge
from contacts.merging import undo
from contacts.models import BusinessEntity, Contact, PossibleDuplicate
from higherself.core.admin import (
    TOP,
    Answer,
    Business,
    Chart,
    Figure,
    Matter,
    Moment,
    Panel,
    ReadOnlyAdmin,
    RecordAdmin,
    RowAction,
    Scope,
    bounded,
    businesses,
    by_day,
    cells,
    charts,
    edits,
    figures,
    matters,
    options,
    panel,
    story,
    story_panel,
    tone_of,
    until,
    who,
)

# The switch of businesses shows no more than these.
MOST_BUSINESSES = 8


@admin.register(BusinessEntity)
class BusinessEntityAdmin(RecordAdmin):
    list_display = ("name", "entity_type", "state", "sender_email", "time_zone")
    list_filter = (options("entity_type"), options("integration_status"))
    search_fields = ("name", "entity_key")
    ordering = ("name",)
    fieldsets = [
        (None, {"fields": ["name", "entity_key", "entity_type", "website", "time_zone"]}),
        (_("Work"), {"fields": ["default_assignee", "role_assignees", "sender_email"]}),
        (_("Integrations"), {"fields": ["integration_status", "api_keys_reference"]}),
        (_("Analysis"), {"fields": ["customer_analysis"], "classes": ["collapse"]}),
    ]
    state = cells.status("integration_status", _("integrations"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # Other systems know the entity by its key: it is chosen once.
        return (*super().get_readonly_fields(request, obj), *(["entity_key"] if obj else []))


@admin.register(Contact)
class ContactAdmin(RecordAdmin):
    import_keys = ("email",)
    actions = ("merge_selected",)
    list_display = ("full_name", "email", "phone", "state", "quality", "touched")
    list_filter = (
        options("status"),
        options("contact_type"),
        options("quality_level"),
        options("lead_source"),
        "business_entities",
        "email_opt_in",
    )
    search_fields = ("full_name", "email", "phone", "contact_id", "company")
    word_search = search_fields
    # The newest first, by the one order that needs no sorting of a hundred thousand rows.
    ordering = ("-pk",)
    fieldsets = [
        (
            _("Person"),
            {"fields": ["full_name", ("first_name", "last_name"), ("email", "phone"), ("company", "job_title")]},
        ),
        (_("Relationship"), {"fields": [("contact_type", "status"), "lead_source", "business_entities", "tags"]}),
        (_("Scores"), {"fields": [("quality_level", "lead_score"), ("engagement_score", "marketing_segments")]}),
        (_("Consent"), {"fields": [("email_opt_in", "sms_opt_in"), "consent_source", "consent_at"]}),
        (_("Contact"), {"fields": ["primary_point_of_contact", "last_interaction", "next_follow_up_date", "notes"]}),
        (_("Interests"), {"fields": ["interests", "artistic_mediums", "experience_attended"]}),
        (
            _("Address"),
            {"fields": ["address", ("city", "state_province"), ("postal_code", "country")], "classes": ["collapse"]},
        ),
        (
            _("Ids elsewhere"),
            {
                "fields": [
                    *("contact_id", "date_added", "hubspot_contact_id", "airtable_record_id"),
                    *("beehiiv_subscription_id", "source_record_id", "external_ids"),
                ],
                "classes": ["collapse"],
            },
        ),
    ]
    # Measured or kept by the server; Notion shows them and cannot set them either.
    facts = (
        *("quality_level", "lead_score", "engagement_score", "marketing_segments", "date_added"),
        *("hubspot_contact_id", "airtable_record_id", "beehiiv_subscription_id", "source_record_id", "external_ids"),
    )
    state = cells.status("status")
    touched = cells.when("updated_at", _("changed"))

    @admin.action(description=_("Merge"), permissions=["merge"])
    def merge_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        keys = list(queryset.values_list("pk", flat=True)[: pages.MOST_AT_ONCE + 1])
        if not 2 <= len(keys) <= pages.MOST_AT_ONCE:
            text = gettext("Choose two to %(most)d contacts.") % {"most": pages.MOST_AT_ONCE}
            self.message_user(request, text, messages.ERROR)
            return None
        return HttpResponseRedirect(f"{reverse('admin:contact_merge')}?ids={','.join(map(str, sorted(keys)))}")

    def has_merge_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.has_perm("contacts.merge_contact") and user.has_perm("contacts.change_contact"))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "campaigns__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        # A whole address is looked up by its index instead of being searched for in every row.
        if "@" in search_term and " " not in search_term.strip() and "." in search_term:
            exact = queryset.filter(email=search_term.strip())
            if exact.exists():
                return exact, False
        return super().get_search_results(request, queryset, search_term)

    @display(description=_("quality"), ordering="lead_score")
    def quality(self, obj: Contact) -> Any:
        score = "" if obj.lead_score is None else f" · {obj.lead_score}"
        title = _("Lead score %(score)s of 12") % {"score": obj.lead_score} if score else ""
        return cells.chip(f"{obj.quality_level}{score}", tone_of(obj.quality_level, "quality_level"), title=title)


@businesses
def entities() -> list[Business]:
    """What the console can be narrowed down to; the first few, where there are many."""
    rows = BusinessEntity.objects.live().order_by("pk").values_list("pk", "name")[:MOST_BUSINESSES]
    return [Business(pk, name) for pk, name in rows]


def _take_apart(request: HttpRequest, rows: list[ContactMerge]) -> Answer:
    for row in rows:
        undo(row, who(request))
    return gettext("Taken apart: the merged contact is back with what it had. Notion follows.")


@admin.register(Interaction)
class InteractionAdmin(ReadOnlyAdmin):
    """What people did, as the services told it."""

    list_display = ("moment", "contact", "kind", "source", "points")
    list_filter = ("kind",)
    list_select_related = ("contact",)
    search_fields = ("source", "about")
    ordering = ("-at", "-pk")
    fieldsets = [(None, {"fields": ["at", "contact", "identity", "kind", "source", "points", "about", "key"]})]
    moment = cells.when("at", _("when"))


@admin.register(ConsentChange)
class ConsentChangeAdmin(ReadOnlyAdmin):
    """Every yes and no to marketing."""

    list_display = ("moment", "contact", "channel", "granted", "source", "by_person")
    list_filter = ("channel", "granted")
    list_select_related = ("contact",)
    search_fields = ("source",)
    ordering = ("-at", "-pk")
    fieldsets = [(None, {"fields": ["at", "contact", "channel", "granted", "source", "by_person", "detail"]})]
    moment = cells.when("at", _("when"))


def _keep_apart(request: HttpRequest, rows: list[PossibleDuplicate]) -> Answer:
    done = duplicates.keep_apart(rows, who(request))
    return gettext("%(n)d noted as two people; they are not suggested again.") % {"n": done}


class Undecided(admin.SimpleListFilter):
    """What nobody has decided about is shown unless all of it is asked for."""

    title = _("shown")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", gettext("undecided")), ("all", gettext("All"))]

    def choices(self, changelist: Any) -> Any:
        for value, title in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": (self.value() or "open") == value, "query_string": query, "display": title}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(decided_at__isnull=True, one__archived_at__isnull=True, other__archived_at__isnull=True)


@admin.register(PossibleDuplicate)
class PossibleDuplicateAdmin(ReadOnlyAdmin):
    """Contacts that may be one person: a person merges them, or says that they are two."""

    list_display = ("first", "second", "why", "moment", "compare", "decided_by")
    list_filter = (Undecided, "why")
    list_select_related = ("one", "other")
    list_display_links = None
    search_fields = ("one__full_name", "one__email", "other__full_name", "other__email")
    ordering = ("-pk",)
    fieldsets = [(None, {"fields": ["first", "second", "why", "moment", "compare", "decided_at", "decided_by"]})]
    row_actions = (
        RowAction(
            "keep_apart",
            _("Two people"),
            _keep_apart,
            icon="call_split",
            when=lambda row: row.decided_at is None,
            permission="contacts.merge_contact",
        ),
    )
    moment = cells.when("found_at", _("found"))
    first, second = cells.related("one"), cells.related("other")

    @display(description=_("compare"))
    def compare(self, obj: PossibleDuplicate) -> Any:
        if obj.decided_at is not None or obj.one.is_archived or obj.other.is_archived:
            return cells.NOTHING
        return cells.link(pages.merge_url(obj), gettext("Compare and merge"))


@matters
def duplicates_wait() -> list[Matter]:
    count = bounded(duplicates.open_pairs())
    if not count:
        return []
    title = ngettext("pair of contacts may be one person", "pairs of contacts may be one person", count)
    hint = gettext("Merge them, or say that they are two: they are not suggested again then.")
    url = cells.list_url(PossibleDuplicate)
    return [Matter("duplicates", title, count, url, "calm", hint, icon="group", permission="contacts.merge_contact")]


@admin.register(ContactMerge)
class ContactMergeAdmin(ReadOnlyAdmin):
    """Which contact was merged into which; a mistake is taken apart here."""

    list_display = ("moment", "merged_name", "kept_name", "actor", "undone")
    list_select_related = ("survivor", "merged")
    search_fields = ("=email", "actor")
    ordering = ("-pk",)
    fieldsets = [(None, {"fields": ["moment", "merged_name", "kept_name", "actor", "undone", "moved", "before"]})]
    row_actions = (
        RowAction(
            "take_apart",
            _("Take apart"),
            _take_apart,
            icon="call_split",
            when=lambda row: row.undone_at is None,
            bulk=False,
            permission="merge",
            confirm=_("The merged contact comes back with what was moved from it. Go on?"),
        ),
    )
    moment, undone = cells.when("at", _("when")), cells.when("undone_at", _("taken apart"))
    merged_name, kept_name = cells.related("merged"), cells.related("survivor")

    def may(self, request: HttpRequest, action: RowAction) -> bool:
        user: Any = request.user
        return bool(user.has_perm("contacts.merge_contact") and user.has_perm("contacts.change_contact"))


@figures
def new_today(scope: Scope) -> list[Figure]:
    new = Contact.objects.live().filter(created_at__gte=scope.start, **scope.of("business_entities"))
    return [
        Figure(
            str(_("new contacts today")),
            bounded(new),
            cells.list_url(Contact),
            icon="person_add",
            permission="contacts.view_contact",
            order=15,
        )
    ]


@charts
def lately(scope: Scope) -> list[Chart]:
    rows = Contact.objects.live().filter(**scope.of("business_entities"))
    url = cells.list_url(Contact)
    return [
        Chart(str(_("New contacts")), by_day(rows, "created_at"), url, permission="contacts.view_contact", order=15)
    ]


@panel(Contact)
def glance(_request: HttpRequest, contact: Contact) -> Panel:
    """Who this is, and what they have agreed to, in one line."""
    context = {
        "contact": contact,
        "status": cells.chip(contact.status, tone_of(contact.status)) if contact.status else "",
        "type": contact.contact_type,
        "quality": cells.chip(contact.quality_level, tone_of(contact.quality_level, "quality_level")),
        "email": _consent(contact.accepts_email_marketing, contact.email_opt_in),
        "sms": _consent(contact.accepts_sms_marketing, contact.sms_opt_in),
        "consent_at": cells.moment(contact.consent_at) if contact.consent_at else "",
        "last": cells.moment(contact.last_interaction) if contact.last_interaction else "",
        "entities": ", ".join(entity.name for entity in contact.business_entities.all()[:MOST_BUSINESSES]),
    }
    return Panel(_("At a glance"), "console/glance.html", context, place=TOP, order=5, icon="person")


def _consent(may: bool, wished: bool) -> Any:
    """Whether the person may be written to; a wish alone is not enough where the address or the status forbids it."""
    if may:
        return cells.chip(gettext("yes"), "good")
    return cells.chip(gettext("no"), "warn" if wished else "calm", title=gettext("No address, or not to be contacted."))


@panel(Contact)
def time_line(request: HttpRequest, contact: Contact) -> Panel:
    return story_panel(request, contact)


story(Contact)(edits)


@story(Contact)
def what_they_did(contact: Contact, before: datetime | None, limit: int) -> list[Moment]:
    rows = until(Interaction.objects.filter(contact=contact), "at", before, limit)
    return [
        Moment(row.at, gettext("did"), row.about or row.get_kind_display(), "bolt", row.source, note=_points(row))
        for row in rows
    ]


def _points(row: Interaction) -> str:
    return f"{row.get_kind_display()} · +{row.points}" if row.points else row.get_kind_display()


@story(Contact)
def consent_given(contact: Contact, before: datetime | None, limit: int) -> list[Moment]:
    rows = until(ConsentChange.objects.filter(contact=contact), "at", before, limit)
    said = {True: gettext("%(channel)s marketing: yes"), False: gettext("%(channel)s marketing: no")}
    return [
        Moment(
            row.at,
            gettext("consent"),
            said[row.granted] % {"channel": row.get_channel_display()},
            "verified_user",
            row.source,
            note=row.detail,
            tone="good" if row.granted else "warn",
        )
        for row in rows
    ]
