"""Who may do what in the console: five roles as groups, kept equal to one table.

The groups are made, and brought up to date, after every migration. What a role may do is decided here and nowhere
else, so an upgrade decides about its new models too; exceptions belong into groups of your own, which nobody touches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_noop

OWNER, OPERATOR, MARKETING, COMMUNITY, VIEWER = "Owner", "Operator", "Marketing", "Community", "Viewer"
ROLES = (OWNER, OPERATOR, MARKETING, COMMUNITY, VIEWER)
PURPOSE = {
    OWNER: gettext_noop("everything, people and secrets included"),
    OPERATOR: gettext_noop("runs the business from day to day: people, work, inbox, conflicts, agents"),
    MARKETING: gettext_noop("campaigns, templates, feedback and the people they are for"),
    COMMUNITY: gettext_noop("members, rewards, feedback and the people behind them"),
    VIEWER: gettext_noop("looks, and changes nothing"),
}
_ACTIONS = {"v": "view", "a": "add", "c": "change", "d": "delete"}


@dataclass(frozen=True)
class Access:
    """What each role may do with one kind of record: letters of v(iew), a(dd), c(hange), d(elete).

    Buttons such as "Replay" or "Apply our value" need ``c``, unless they name a permission of their own. The Owner
    may do everything.
    """

    operator: str = ""
    marketing: str = ""
    community: str = ""
    viewer: str = ""

    def of(self, role: str) -> str:
        return "vacd" if role == OWNER else str(getattr(self, role.lower()))


_ALL_WORK = Access("vac", "vac", "vac", "v")
_CATALOGUE = Access("vac", "v", "v", "v")
_LEDGER = Access("v", "v", "v", "v")
_SYNC = Access("vc", "v", "v", "v")
_SYSTEM = Access("v", "", "", "")
_NOBODY = Access()

# One line for each model of the console; `tests/core/test_roles.py` names a model that has none.
ACCESS: dict[str, Access] = {
    # people
    "contacts.businessentity": _CATALOGUE,
    "contacts.contact": _ALL_WORK,
    "contacts.interaction": _LEDGER,
    "contacts.consentchange": _LEDGER,
    "campaigns.segment": Access("vac", "vac", "v", "v"),
    "campaigns.segmentmembership": _LEDGER,
    "contacts.possibleduplicate": _LEDGER,
    "contacts.contactmerge": Access("v", "v", "v", ""),
    # For Owners: a receipt names nobody, what a person is found by elsewhere is shown on the page alone.
    "contacts.erasure": _NOBODY,
    "contacts.erasureplace": _NOBODY,
    "contacts.erasedaddress": _NOBODY,
    "community.member": Access("vac", "v", "vac", "v"),
    "community.reward": Access("vac", "v", "vac", "v"),
    "campaigns.feedback": _ALL_WORK,
    # work
    "agents_app.task": _ALL_WORK,
    "agents_app.workflowinstance": Access("vac", "vc", "vc", "v"),
    "agents_app.workflowtransition": _LEDGER,
    "agents_app.approval": _LEDGER,
    "agents_app.assistanswer": _LEDGER,
    "agents_app.workflow": _CATALOGUE,
    "agents_app.usecase": _CATALOGUE,
    "bookings.product": _CATALOGUE,
    "bookings.booking": _LEDGER,
    "bookings.order": _LEDGER,
    "bookings.orderline": _LEDGER,
    # marketing
    "campaigns.campaign": Access("vac", "vac", "v", "v"),
    "agents_app.contentitem": Access("vc", "vc", "vc", "v"),
    "agents_app.notificationtemplate": Access("vac", "vac", "v", "v"),
    "agents_app.notification": Access("vc", "vc", "v", "v"),
    # what comes in and goes out: deliveries carry whatever a form asked for
    "integrations.inboundevent": Access("vc", "", "", "v"),
    "integrations.refuseddelivery": Access("v", "", "", "v"),
    "integrations.outboundcall": Access("vc", "", "", "v"),
    "integrations.providergate": Access("vc", "v", "v", "v"),
    "integrations.backfillstate": _LEDGER,
    "integrations.pulse": _LEDGER,
    "integrations.registeredwebhook": _SYSTEM,
    # Notion
    "notion_sync.notiondatabase": _SYNC,
    "notion_sync.notionpage": _SYNC,
    "notion_sync.syncconflict": _SYNC,
    "notion_sync.pendingdelete": _SYNC,
    "notion_sync.syncrun": Access("v", "", "", "v"),
    "notion_sync.requestbudget": _LEDGER,
    "notion_sync.lease": _SYSTEM,
    "notion_sync.notionchange": _SYSTEM,
    "notion_sync.webhooktoken": _NOBODY,  # whoever knows it can sign as Notion: for the superuser alone
    # agents
    "agents_app.agent": Access("vac", "v", "v", "v"),
    "agents_app.agentrun": _LEDGER,
    "agents_app.communicationpattern": _CATALOGUE,
    "agents_app.apiintegration": _CATALOGUE,
    "agents_app.datatransformation": _CATALOGUE,
    # the system
    "auth.user": _NOBODY,
    "auth.group": _NOBODY,
    "core.apitoken": _NOBODY,
    "core.loginattempt": _NOBODY,
    "core.changeset": _SYSTEM,
    # Each person sees the own imports.
    "core.importrun": Access("va", "va", "va", ""),
    "core.heartbeat": _SYSTEM,
    "admin.logentry": _SYSTEM,
    "django_q.schedule": Access("vc", "", "", ""),
    "django_q.success": _SYSTEM,
    "django_q.failure": _SYSTEM,
    "django_q.ormq": _SYSTEM,
}

# Permissions that are no view, add, change or delete, and the roles besides Owner that hold them.
POWERS: dict[str, tuple[str, ...]] = {
    "agents_app.decide_approval": (OPERATOR,),
    # Only for kinds of record that the person may change as well.
    "contacts.merge_contact": (OPERATOR,),
    # For Owners alone.
    "contacts.erase_contact": (),
    "contacts.disclose_contact": (),
    "core.export_importrun": (OPERATOR, MARKETING, COMMUNITY),
    "core.revert_changeset": (OPERATOR, MARKETING, COMMUNITY),
}


def codenames(role: str, app: str) -> set[str]:
    """The permissions of one app that a role holds, as ``change_contact``."""
    found = {name.partition(".")[2] for name, roles in POWERS.items() if name.startswith(f"{app}.") and role in roles}
    for label, access in ACCESS.items():
        home, _dot, model = label.partition(".")
        if home == app:
            found.update(f"{_ACTIONS[letter]}_{model}" for letter in access.of(role))
    return found


def install(app_config: AppConfig, using: str = "default", apps: Any = None, **_kwargs: Any) -> None:
    """Gives the five groups exactly the table's permissions for one app's models. Called after every migration."""
    registry: Any = apps or app_config.apps
    try:
        group_model = registry.get_model("auth", "Group")
        permission_model = registry.get_model("auth", "Permission")
    except LookupError:
        return
    known = {
        row.codename: row.pk
        for row in permission_model._base_manager.using(using).filter(content_type__app_label=app_config.label)
    }
    if not known:
        return
    groups = {row.name: row.pk for row in group_model._base_manager.using(using).filter(name__in=ROLES)}
    for role in ROLES:
        if role not in groups:
            groups[role] = group_model._base_manager.using(using).create(name=role).pk
    wanted = {(groups[role], key) for role in ROLES for key in _wanted(role, app_config.label, known)}
    through = group_model.permissions.through._base_manager.using(using)
    present = set(
        through.filter(group_id__in=groups.values(), permission_id__in=known.values()).values_list(
            "group_id", "permission_id"
        )
    )
    _apply(through, wanted, present)


def _wanted(role: str, app: str, known: dict[str, Any]) -> Iterable[Any]:
    names = known if role == OWNER else codenames(role, app) & set(known)
    return (known[name] for name in names)


def _apply(through: Any, wanted: set[tuple[Any, Any]], present: set[tuple[Any, Any]]) -> None:
    for group, permission in present - wanted:
        through.filter(group_id=group, permission_id=permission).delete()
    through.bulk_create(
        [through.model(group_id=group, permission_id=permission) for group, permission in sorted(wanted - present)]
    )
