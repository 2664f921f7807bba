"""Every role against every model and every button of the console."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import reverse

from higherself.core import roles
from higherself.core.admin import ModelAdmin
from higherself.core.roles import COMMUNITY, MARKETING, OPERATOR, OWNER, ROLES, VIEWER
from tests.core.test_admin_pages import LABELS, MAKERS

pytestmark = pytest.mark.django_db
ROLE_ACTIONS = [(role, label) for role in ROLES for label in LABELS]

# Who may press what, written by hand: a slip in the table of roles fails here.
BUTTONS = {
    ("integrations.inboundevent", "replay"): {OWNER, OPERATOR},
    ("integrations.outboundcall", "replay"): {OWNER, OPERATOR},
    ("integrations.outboundcall", "cancel"): {OWNER, OPERATOR},
    ("integrations.providergate", "reopen"): {OWNER, OPERATOR},
    ("notion_sync.syncconflict", "apply_ours"): {OWNER, OPERATOR},
    ("notion_sync.syncconflict", "keep_notion"): {OWNER, OPERATOR},
    ("notion_sync.pendingdelete", "approve"): {OWNER, OPERATOR},
    ("notion_sync.pendingdelete", "reject"): {OWNER, OPERATOR},
    ("notion_sync.notionpage", "retry"): {OWNER, OPERATOR},
    ("notion_sync.notiondatabase", "sync_now"): {OWNER, OPERATOR},
    ("notion_sync.notiondatabase", "compare_all"): {OWNER, OPERATOR},
    ("agents_app.workflowinstance", "advance"): {OWNER, OPERATOR, MARKETING, COMMUNITY},
    ("agents_app.workflowinstance", "hold"): {OWNER, OPERATOR, MARKETING, COMMUNITY},
    ("agents_app.workflowinstance", "retry"): {OWNER, OPERATOR, MARKETING, COMMUNITY},
    ("agents_app.approval", "approve"): {OWNER, OPERATOR},
    ("agents_app.approval", "refuse"): {OWNER, OPERATOR},
    ("agents_app.task", "done"): {OWNER, OPERATOR, MARKETING, COMMUNITY},
    ("agents_app.agent", "switch_off"): {OWNER, OPERATOR},
    ("agents_app.notification", "send_again"): {OWNER, OPERATOR, MARKETING},
    ("contacts.contact", "archive"): {OWNER, OPERATOR, MARKETING, COMMUNITY},
    ("contacts.possibleduplicate", "keep_apart"): {OWNER, OPERATOR},
    ("campaigns.campaign", "archive"): {OWNER, OPERATOR, MARKETING},
    ("community.member", "archive"): {OWNER, OPERATOR, COMMUNITY},
    ("agents_app.notificationtemplate", "archive"): {OWNER, OPERATOR, MARKETING},
    ("core.changeset", "revert"): {OWNER, OPERATOR, MARKETING, COMMUNITY},
    ("core.loginattempt", "unlock"): {OWNER},
    ("auth.user", "reset_second_factor"): {OWNER},
    ("core.apitoken", "revoke"): {OWNER},
    ("django_q.schedule", "run_now"): {OWNER, OPERATOR},
}


def _logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _url(label: str, page: str, *args: Any) -> str:
    app, _dot, name = label.partition(".")
    return reverse(f"admin:{app}_{name}_{page}", args=[quote(one) for one in args[:1]] + [*args[1:]])


def test_every_model_of_the_console_has_a_decision_about_roles():
    registered = {model._meta.label_lower for model in admin.site._registry}

    missing, stale = sorted(registered - set(roles.ACCESS)), sorted(set(roles.ACCESS) - registered)

    assert missing == [], f"decide in higherself/core/roles.py (ACCESS) who may view, add and change: {missing}"
    assert stale == [], f"these lines of ACCESS in higherself/core/roles.py name no model of the console: {stale}"


def test_every_power_is_a_permission_that_exists():
    known = {f"{one.content_type.app_label}.{one.codename}" for one in Permission.objects.select_related()}

    assert sorted(set(roles.POWERS) - known) == []


@pytest.mark.parametrize(("role", "label"), ROLE_ACTIONS)
def test_a_role_views_adds_changes_and_deletes_what_the_table_says(
    role: str, label: str, person: Callable[[str], User], rf: RequestFactory
):
    """The console may forbid more than the table (ledgers are read-only), never less."""
    request = rf.get("/")
    request.user = person(role)
    model = apps.get_model(label)
    granted = roles.ACCESS[label].of(role)

    name = model._meta.model_name
    found = {
        letter
        for letter, action in {"v": "view", "a": "add", "c": "change", "d": "delete"}.items()
        if request.user.has_perm(f"{model._meta.app_label}.{action}_{name}")
    }
    registered: Any = admin.site._registry[model]
    possible = {
        letter
        for letter, may in {
            "v": registered.has_view_permission(request),
            "a": registered.has_add_permission(request),
            "c": registered.has_change_permission(request),
            "d": registered.has_delete_permission(request),
        }.items()
        if may
    }

    assert found == set(granted)
    assert possible - found == set()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_exactly_the_lists_that_it_may_view(role: str, person: Callable[[str], User]):
    client = _logged_in(person(role))

    opened = {label for label in LABELS if client.get(_url(label, "changelist")).status_code == 200}

    secret = {"notion_sync.webhooktoken"}  # for superusers alone
    assert opened == {label for label in LABELS if "v" in roles.ACCESS[label].of(role)} - secret


@pytest.mark.parametrize("role", ROLES)
def test_every_button_refuses_whoever_may_not_use_it(role: str, person: Callable[[str], User]):
    user = person(role)
    client = _logged_in(user)
    refused, shown, expected = set(), set(), set()

    for model, registered in admin.site._registry.items():
        actions = getattr(registered, "get_row_actions", tuple)()
        row = MAKERS[model._meta.label_lower]() if actions else None
        for action in actions:
            key = (model._meta.label_lower, action.name)
            letter = {"change": "c", "view": "v", "add": "a", "delete": "d"}.get(action.permission)
            # Powers that are no letter: the table above says who holds them.
            own = letter is None or type(registered).may is not ModelAdmin.may
            may = registered.may(_request(user), action) if own else letter in roles.ACCESS[key[0]].of(role)
            assert key not in BUTTONS or may is (role in BUTTONS[key]), key
            if not may:
                expected.add(key)
            else:
                continue
            # 404: a row that this person does not even see.
            if client.post(_url(key[0], "do", row.pk, action.name)).status_code in {403, 404}:
                refused.add(key)
            if action.name in registered.get_actions(_request(user)):
                shown.add(key)

    assert refused == expected
    assert shown == set()


def _request(user: User) -> Any:
    request = RequestFactory().get("/")
    request.user = user
    return request


def test_buttons_that_a_person_may_not_use_are_not_shown(person: Callable[[str], User]):
    event = MAKERS["integrations.inboundevent"]()

    seen = {}
    for role in (OPERATOR, VIEWER):
        cache.clear()
        page = _logged_in(person(role)).get(_url("integrations.inboundevent", "change", event.pk)).content.decode()
        seen[role] = f"/do/replay/{chr(34)}" in page

    assert seen == {OPERATOR: True, VIEWER: False}


def test_migrating_again_puts_a_role_right_and_leaves_other_groups_alone():
    viewer, own = Group.objects.get(name=VIEWER), Group.objects.create(name="Bookkeeping")
    before = set(viewer.permissions.values_list("codename", flat=True))
    view, change = (Permission.objects.get(codename=f"{one}_contact") for one in ("view", "change"))
    viewer.permissions.remove(view)
    viewer.permissions.add(change)
    own.permissions.add(change)

    for _ in range(2):
        for config in apps.get_app_configs():
            roles.install(config)

    assert set(viewer.permissions.values_list("codename", flat=True)) == before
    assert list(own.permissions.values_list("codename", flat=True)) == ["change_contact"]


def test_a_role_that_was_removed_comes_back():
    Group.objects.filter(name=MARKETING).delete()

    for config in apps.get_app_configs():
        roles.install(config)

    assert Group.objects.get(name=MARKETING).permissions.filter(codename="change_campaign").exists()


def test_the_five_roles_cannot_be_edited_here_and_own_groups_can():
    client = _logged_in(User.objects.create_superuser("root", password="a-long-password"))
    role, own = Group.objects.get(name=VIEWER), Group.objects.create(name="Bookkeeping")

    assert client.post(_url("auth.group", "change", role.pk), {"name": "x"}).status_code == 403
    assert client.post(_url("auth.group", "delete", role.pk), {"post": "yes"}).status_code == 403
    assert client.post(_url("auth.group", "change", own.pk), {"name": "Books"}).status_code == 302
    assert sorted(Group.objects.values_list("name", flat=True)) == sorted([*ROLES, "Books"])


def test_an_owner_makes_nobody_a_superuser_and_touches_none(person: Callable[[str], User]):
    client = _logged_in(person(OWNER))
    root = User.objects.create_superuser("root", password="a-long-password")
    plain = User.objects.create_user("plain", password="a-long-password", is_staff=True)

    assert client.post(_url("auth.user", "change", root.pk), {"username": "root"}).status_code == 403
    assert client.post(reverse("admin:auth_user_password_change", args=[root.pk]), {}).status_code == 403
    form = {"username": "plain", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    assert client.post(_url("auth.user", "change", plain.pk), form | _moments(plain)).status_code == 302
    plain.refresh_from_db()
    assert (plain.is_superuser, plain.is_staff) == (False, True)


def _moments(user: User) -> dict[str, str]:
    return {"date_joined_0": f"{user.date_joined:%Y-%m-%d}", "date_joined_1": f"{user.date_joined:%H:%M:%S}"}


def test_a_transition_that_asks_for_a_permission_is_neither_shown_nor_done_without_it(person: Callable[[str], User]):
    from agents_app.models import Workflow
    from agents_app.seeds.planting import plant
    from agents_app.services import catalog
    from agents_app.workflow import engine

    plant()
    workflow = Workflow.objects.get(workflow_id="WF-RETREAT-BOOKING")
    moves = [
        {**move, "permission": "auth.change_user"} if move["event"] == "payment_received" else move
        for move in workflow.transitions
    ]
    Workflow.objects.filter(pk=workflow.pk).update(transitions=moves)
    catalog.forget()
    instance = engine.start(Workflow.objects.get(pk=workflow.pk), name="Retreat", actor="BookingAgent")
    client = _logged_in(person(OPERATOR))
    before = instance.current_state

    page = client.get(_url("agents_app.workflowinstance", "change", instance.pk)).content.decode()
    client.post(_url("agents_app.workflowinstance", "do", instance.pk, "advance"), {"event": "payment_received"})
    instance.refresh_from_db()

    assert ('value="payment_received"' in page, instance.current_state) == (False, before)
