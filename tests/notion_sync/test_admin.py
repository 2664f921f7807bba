"""The synchronisation's buttons, against a local Notion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact
from notion_sync import actions
from notion_sync.client import NotionApi
from notion_sync.engine import lease
from notion_sync.models import NotionDatabase, NotionPage, PendingDelete, SyncConflict
from notion_sync.sandbox import Sandbox
from tests.factories import make_business_entity, make_contact, make_task

Sync = Callable[..., Any]


@pytest.fixture
def owner(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("owner", password="a-long-password", first_name="Ada"))
    return client


def _do(client: Client, row: Any, name: str, **data: str) -> str:
    """Presses a button and returns what the person is told."""
    opts = row._meta
    answer = client.post(reverse(f"admin:{opts.app_label}_{opts.model_name}_do", args=[row.pk, name]), data)
    assert answer.status_code == 302
    return str(list(get_messages(answer.wsgi_request))[-1])


def _tie(row: Any) -> NotionPage:
    return NotionPage.objects.get(object_id=row.pk, database_id="contacts_profiles")


def _edit(api: NotionApi, row: Any, attr: str, value: dict[str, Any]) -> None:
    """Changes a property in Notion, as a person would."""
    tie = _tie(row)
    api.update_page(tie.page_id or "", {"properties": {tie.database.properties[attr]["id"]: value}})


def test_push_now_creates_the_page_at_once(owner: Client, notion: Sandbox):
    contact = make_contact()

    said = _do(owner, contact, "push_now")

    contact.refresh_from_db()
    assert said == "1 created in Notion."
    assert (_tie(contact).state, contact.local_change_at) == ("linked", None)
    assert _do(owner, contact, "push_now") == "Notion has it."


def test_pull_now_brings_a_persons_edit(owner: Client, notion: Sandbox, api: NotionApi, sync: Sync):
    contact = make_contact(phone="111")
    sync()
    _edit(api, contact, "phone", {"phone_number": "222"})

    said = _do(owner, contact, "pull_now")

    contact.refresh_from_db()
    assert (said, contact.phone) == ("1 pulled.", "222")


def test_push_now_reads_first_and_keeps_what_both_sides_changed(
    owner: Client, notion: Sandbox, api: NotionApi, sync: Sync
):
    contact = make_contact(phone="111", city="Lisbon")
    sync()
    _edit(api, contact, "phone", {"phone_number": "222"})
    contact.phone, contact.city = "333", "Porto"
    contact.save()

    _do(owner, contact, "push_now")

    contact.refresh_from_db()
    conflict = SyncConflict.objects.get()
    assert (contact.phone, contact.city, contact.local_change_at) == ("222", "Porto", None)
    assert (conflict.local_value, conflict.notion_value) == ("333", "222")


def test_push_now_says_so_while_another_synchronisation_runs(
    owner: Client, notion: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(actions, "WAIT_FOR_OTHERS", 0.0)
    contact = make_contact()

    with lease.hold():
        said = _do(owner, contact, "push_now")

    assert said.startswith("A synchronisation is running")
    assert NotionPage.objects.count() == 0


def test_push_now_says_what_is_wrong_when_notion_is_away(owner: Client, notion: Sandbox, settings: Any):
    settings.NOTION_BASE_URL = "http://127.0.0.1:9"
    settings.NOTION_TIMEOUT_SECONDS = 1
    contact = make_contact()

    said = _do(owner, contact, "push_now")

    contact.refresh_from_db()
    assert "127.0.0.1:9" in said or "Notion" in said
    assert contact.local_change_at is not None


def test_too_many_records_are_left_to_the_worker(owner: Client, notion: Sandbox):
    rows = [make_contact() for _ in range(21)]

    answer = owner.post(
        reverse("admin:contacts_contact_changelist"),
        {"action": "push_now", "_selected_action": [row.pk for row in rows]},
    )

    assert "Choose at most 20 records" in str(next(iter(get_messages(answer.wsgi_request))))
    assert NotionPage.objects.count() == 0


def _conflict(api: NotionApi, sync: Sync, **given: Any) -> tuple[Contact, SyncConflict]:
    contact = make_contact(phone="111", **given)
    sync()
    _edit(api, contact, "phone", {"phone_number": "222"})
    contact.phone = "333"
    contact.save()
    sync()
    return contact, SyncConflict.objects.get()


def test_our_value_is_applied_and_reaches_notion(owner: Client, notion: Sandbox, api: NotionApi, sync: Sync):
    contact, conflict = _conflict(api, sync)

    said = _do(owner, conflict, "apply_ours")
    sync()

    contact.refresh_from_db()
    conflict.refresh_from_db()
    page = api.page(_tie(contact).page_id or "")
    assert said == "1 of 1: our value stands here again and is on its way to Notion."
    assert (contact.phone, page["properties"]["Phone"]["phone_number"]) == ("333", "333")
    assert (conflict.resolution, conflict.resolved_by) == ("ours", "Ada")
    assert SyncConflict.objects.count() == 1


def test_notions_value_is_kept(owner: Client, notion: Sandbox, api: NotionApi, sync: Sync):
    contact, conflict = _conflict(api, sync)

    _do(owner, conflict, "keep_notion")
    sync()

    contact.refresh_from_db()
    conflict.refresh_from_db()
    assert (contact.phone, conflict.resolution) == ("222", "notion")


def test_a_conflict_is_decided_only_once(owner: Client, notion: Sandbox, api: NotionApi, sync: Sync):
    contact, conflict = _conflict(api, sync)
    _do(owner, conflict, "keep_notion")

    said = _do(owner, conflict, "apply_ours")

    contact.refresh_from_db()
    assert said.endswith("was decided already, by Ada.")
    assert contact.phone == "222"


def test_many_conflicts_are_decided_at_once(owner: Client, notion: Sandbox, api: NotionApi, sync: Sync):
    contact, conflict = _conflict(api, sync)

    owner.post(
        reverse("admin:notion_sync_syncconflict_changelist"),
        {"action": "apply_ours", "_selected_action": [conflict.pk]},
    )

    contact.refresh_from_db()
    assert contact.phone == "333"


def test_a_relation_is_applied_with_its_records(owner: Client, notion: Sandbox, api: NotionApi, sync: Sync):
    first, second, third = (make_business_entity() for _ in range(3))
    contact = make_contact(business_entities=[first])
    sync()
    pages = {tie.object_id: tie.page_id for tie in NotionPage.objects.filter(database_id="business_entities")}
    _edit(api, contact, "business_entities", {"relation": [{"id": pages[second.pk]}]})
    contact.business_entities.set([third])
    sync()
    conflict = SyncConflict.objects.get()
    assert list(contact.business_entities.all()) == [second]

    page = owner.get(reverse("admin:notion_sync_syncconflict_change", args=[conflict.pk])).content.decode()
    _do(owner, conflict, "apply_ours")
    sync()

    kept = api.page(_tie(contact).page_id or "")["properties"]["Business Entity"]["relation"]
    assert list(contact.business_entities.all()) == [third]
    assert [item["id"] for item in kept] == [pages[third.pk]]
    assert (str(second) in page, str(third) in page) == (True, True)


def test_a_value_that_another_record_has_by_now_is_refused(owner: Client, db: None):
    other, contact = make_contact(email="taken@example.org"), make_contact(email="mine@example.org")
    database = NotionDatabase.objects.create(key="contacts_profiles")
    tie = NotionPage.objects.create(database=database, object_id=contact.pk, page_id="p")
    conflict = SyncConflict.objects.create(
        page=tie,
        database=database,
        object_id=contact.pk,
        record=str(contact),
        field="email",
        property_name="Email",
        local_value="taken@example.org",
        notion_value="mine@example.org",
    )

    said = _do(owner, conflict, "apply_ours")

    contact.refresh_from_db()
    conflict.refresh_from_db()
    assert said.endswith("this value of “Email” belongs to another record by now.")
    assert (contact.email, conflict.resolved_at, other.email) == ("mine@example.org", None, "taken@example.org")


def _held(api: NotionApi, sync: Sync) -> tuple[Contact, PendingDelete]:
    contact = make_contact()
    sync()
    tie = _tie(contact)
    api.update_page(tie.page_id or "", {"in_trash": True})
    return contact, PendingDelete.objects.create(page=tie, database=tie.database, record=str(contact))


def test_a_held_delete_is_approved(owner: Client, notion: Sandbox, api: NotionApi, sync: Sync):
    contact, held = _held(api, sync)

    _do(owner, held, "approve")

    contact.refresh_from_db()
    held.refresh_from_db()
    assert contact.is_archived
    assert (held.decision, held.decided_by) == ("approved", "Ada")


def test_a_held_delete_is_rejected(owner: Client, notion: Sandbox, api: NotionApi, sync: Sync):
    contact, held = _held(api, sync)

    _do(owner, held, "reject")

    contact.refresh_from_db()
    held.refresh_from_db()
    page = api.page(_tie(contact).page_id or "")
    assert (contact.is_archived, page["in_trash"], held.decision) == (False, False, "rejected")


def test_a_refused_record_is_tried_again_at_once(owner: Client, notion: Sandbox, sync: Sync):
    contact = make_contact()
    sync()
    tie = _tie(contact)
    later = timezone.now() + timedelta(hours=6)
    NotionPage.objects.filter(pk=tie.pk).update(error="refused", attempts=5, next_attempt_at=later)

    _do(owner, tie, "retry")

    tie.refresh_from_db()
    assert (tie.attempts, tie.next_attempt_at) == (0, None)


def test_a_run_is_asked_for(owner: Client, notion: Sandbox, django_capture_on_commit_callbacks: Any):
    from django.apps import apps

    database = NotionDatabase.objects.get(key="master_tasks")
    queue = apps.get_model("django_q", "OrmQ")

    with django_capture_on_commit_callbacks(execute=True):
        assert _do(owner, database, "sync_now").startswith("Woken")
        assert _do(owner, database, "compare_all").startswith("Woken")

    assert queue.objects.count() == 3


def test_a_records_page_says_how_it_stands_with_notion(owner: Client, notion: Sandbox, api: NotionApi, sync: Sync):
    contact, conflict = _conflict(api, sync)
    NotionPage.objects.filter(pk=_tie(contact).pk).update(issues=["City: too long"], error="Notion refuses this")

    page = owner.get(reverse("admin:contacts_contact_change", args=[contact.pk])).content.decode()

    assert _tie(contact).url in page
    assert "City: too long" in page
    assert "Notion refuses this" in page
    assert reverse("admin:notion_sync_syncconflict_change", args=[conflict.pk]) in page


def test_a_list_leads_to_the_pages_in_notion(owner: Client, notion: Sandbox, sync: Sync):
    contact = make_contact()
    sync()

    page = owner.get(reverse("admin:contacts_contact_changelist")).content.decode()

    assert f'href="{_tie(contact).url}"' in page


def test_refused_records_are_listed_by_the_filter(owner: Client, notion: Sandbox, sync: Sync):
    good, bad = make_contact(), make_contact()
    sync()
    NotionPage.objects.filter(pk=_tie(bad).pk).update(error="refused")

    found = owner.get(reverse("admin:contacts_contact_changelist"), {"notion": "failing"}).context["cl"].result_list

    assert [row.pk for row in found] == [bad.pk]
    assert good.pk != bad.pk


def test_databases_say_how_much_waits(owner: Client, notion: Sandbox):
    make_task()
    make_task()
    cache.clear()

    assert actions.waiting_by_database()["master_tasks"] == 2
    page = owner.get(reverse("admin:notion_sync_notiondatabase_changelist")).content.decode()
    assert "agents_app/task/?notion=waiting" in page


def test_only_owners_see_the_verification_token(client: Client, db: None):
    from django.contrib.auth.models import Permission

    user = User.objects.create_user("staff", password="a-long-password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_webhooktoken"))
    client.force_login(user)

    assert client.get(reverse("admin:notion_sync_webhooktoken_changelist")).status_code == 403
