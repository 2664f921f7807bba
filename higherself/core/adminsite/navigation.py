"""The navigation: by work, not by app, with a badge where something waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from higherself.core.adminsite import pages
from higherself.core.adminsite.attention import current_matters


@dataclass(frozen=True)
class Entry:
    """One line of the navigation. ``model`` is ``app.model``, or the name of a page where ``is_page``.

    ``matter`` names what its badge counts.
    """

    title: Any
    icon: str
    model: str
    matter: tuple[str, ...] = ()
    query: str = ""
    is_page: bool = False


NAVIGATION: tuple[tuple[Any, tuple[Entry, ...]], ...] = (
    (
        gettext_lazy("People"),
        (
            Entry(gettext_lazy("Contacts"), "contacts", "contacts.contact"),
            Entry(gettext_lazy("Possible duplicates"), "group", "contacts.possibleduplicate", ("duplicates",)),
            Entry(gettext_lazy("Community"), "diversity_3", "community.member"),
            Entry(gettext_lazy("Feedback"), "reviews", "campaigns.feedback"),
            Entry(gettext_lazy("Business entities"), "storefront", "contacts.businessentity"),
            Entry(gettext_lazy("Erasures"), "person_off", "contacts.erasure", ("erasures",)),
        ),
    ),
    (
        gettext_lazy("Work"),
        (
            Entry(gettext_lazy("Task board"), "view_kanban", "board_tasks", is_page=True),
            Entry(gettext_lazy("Workflow board"), "view_column", "board_instances", is_page=True),
            Entry(gettext_lazy("Tasks"), "task_alt", "agents_app.task", ("overdue",)),
            Entry(gettext_lazy("Approvals"), "how_to_reg", "agents_app.approval", ("approvals",)),
            Entry(gettext_lazy("Answers of the assistant"), "robot_2", "agents_app.assistanswer"),
            Entry(gettext_lazy("Workflow instances"), "route", "agents_app.workflowinstance", ("instances",)),
            Entry(gettext_lazy("Bookings"), "event_available", "bookings.booking"),
            Entry(gettext_lazy("Orders"), "shopping_bag", "bookings.order"),
            Entry(gettext_lazy("Products and services"), "spa", "bookings.product"),
        ),
    ),
    (
        gettext_lazy("Marketing"),
        (
            Entry(gettext_lazy("Campaigns"), "campaign", "campaigns.campaign"),
            Entry(gettext_lazy("Segments"), "groups", "campaigns.segment"),
            Entry(gettext_lazy("Content"), "edit_note", "agents_app.contentitem"),
            Entry(gettext_lazy("Rewards"), "redeem", "community.reward"),
            Entry(gettext_lazy("Templates"), "article", "agents_app.notificationtemplate"),
            Entry(gettext_lazy("Messages"), "outgoing_mail", "agents_app.notification", ("messages",)),
        ),
    ),
    (
        gettext_lazy("Services"),
        (
            Entry(gettext_lazy("Events"), "inbox", "integrations.inboundevent", ("events",)),
            Entry(gettext_lazy("Replay"), "replay", "replay_events", is_page=True),
            Entry(gettext_lazy("Refused"), "front_hand", "integrations.refuseddelivery", ("refused",)),
            Entry(gettext_lazy("Calls"), "outbox", "integrations.outboundcall", ("calls",)),
            Entry(gettext_lazy("Integrations"), "hub", "integrations", is_page=True),
            Entry(gettext_lazy("Connections"), "cable", "integrations.providergate"),
            Entry(gettext_lazy("Pulses"), "ecg_heart", "integrations.pulse", ("silent",)),
            Entry(gettext_lazy("Back-fills"), "history", "integrations.backfillstate"),
            Entry(gettext_lazy("Webhooks"), "webhook", "integrations.registeredwebhook"),
        ),
    ),
    (
        gettext_lazy("Sync with Notion"),
        (
            Entry(gettext_lazy("Overview"), "sync", "sync_overview", ("databases",), is_page=True),
            Entry(gettext_lazy("Databases"), "database", "notion_sync.notiondatabase"),
            Entry(
                gettext_lazy("Conflicts"), "compare_arrows", "notion_sync.syncconflict", ("conflicts",), "state=open"
            ),
            Entry(
                gettext_lazy("Held deletes"), "delete_history", "notion_sync.pendingdelete", ("deletes",), "state=open"
            ),
            Entry(gettext_lazy("Pages"), "description", "notion_sync.notionpage", ("failing",)),
            Entry(gettext_lazy("Runs"), "history", "notion_sync.syncrun"),
        ),
    ),
    (
        gettext_lazy("Agents"),
        (
            Entry(gettext_lazy("Agents"), "smart_toy", "agents_app.agent"),
            Entry(gettext_lazy("Runs of agents"), "play_circle", "agents_app.agentrun"),
            Entry(gettext_lazy("Workflows"), "account_tree", "agents_app.workflow"),
            Entry(gettext_lazy("Use cases"), "lightbulb", "agents_app.usecase"),
            Entry(gettext_lazy("Communication patterns"), "forum", "agents_app.communicationpattern"),
            Entry(gettext_lazy("API catalog"), "api", "agents_app.apiintegration"),
            Entry(gettext_lazy("Data transformations"), "transform", "agents_app.datatransformation"),
            Entry(gettext_lazy("Transitions"), "timeline", "agents_app.workflowtransition"),
        ),
    ),
    (
        gettext_lazy("System"),
        (
            Entry(gettext_lazy("Users"), "person", "auth.user"),
            Entry(gettext_lazy("Groups"), "group", "auth.group"),
            Entry(gettext_lazy("Log-ins"), "login", "core.loginattempt", ("lockouts",)),
            Entry(gettext_lazy("API tokens"), "key", "core.apitoken"),
            Entry(gettext_lazy("Imports"), "upload_file", "core.importrun"),
            Entry(gettext_lazy("Changes of records"), "manage_history", "core.changeset"),
            Entry(gettext_lazy("What staff did"), "history", "admin.logentry"),
            Entry(gettext_lazy("Schedules"), "schedule", "django_q.schedule"),
            Entry(gettext_lazy("Heartbeats"), "ecg_heart", "core.heartbeat"),
            Entry(gettext_lazy("Request budget"), "speed", "notion_sync.requestbudget"),
            Entry(gettext_lazy("Leases"), "lock_clock", "notion_sync.lease"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The navigation by work, without what this person may not see; badges where something waits."""
    waiting = {item.name: item for item in current_matters()}
    groups: list[dict[str, Any]] = [
        {"items": [{"title": _("Home"), "icon": "home", "link": reverse("admin:index")}], "separator": False}
    ]
    for title, entries in NAVIGATION:
        items = [_item(entry, waiting) for entry in entries if _may_see(request, entry)]
        if items:
            quiet = title in {NAVIGATION[-1][0], NAVIGATION[-2][0]}
            groups.append({"title": title, "collapsible": quiet, "separator": True, "items": items})
    return groups


def _may_see(request: HttpRequest, entry: Entry) -> bool:
    user: Any = request.user
    if entry.is_page:
        return bool(user.has_perm(pages.permission_of(entry.model)))
    app, _dot, name = entry.model.partition(".")
    return bool(user.has_perm(f"{app}.view_{name}") or user.has_perm(f"{app}.change_{name}"))


def _item(entry: Entry, waiting: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {"title": entry.title, "icon": entry.icon, "link": _link(entry)}
    matter = next((waiting[key] for key in entry.matter if key in waiting), None)
    if matter is not None:
        item |= {"badge": matter.shown, "badge_variant": "danger" if matter.tone == "bad" else "warning"}
    return item


def _link(entry: Entry) -> str:
    if entry.is_page:
        return reverse(f"admin:{entry.model}")
    app, _dot, name = entry.model.partition(".")
    return reverse(f"admin:{app}_{name}_changelist") + (f"?{entry.query}" if entry.query else "")
