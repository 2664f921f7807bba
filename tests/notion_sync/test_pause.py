"""A database that a person has paused is left alone, both ways, until a person goes on with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact
from higherself.core.errors import Permanent
from notion_sync import actions, health, tasks
from notion_sync.engine.counts import Counts
from notion_sync.engine.lease import hold
from notion_sync.engine.run import LiveProgress
from notion_sync.models import Lease, NotionDatabase, NotionPage, SyncRun
from notion_sync.sandbox import Sandbox
from tests import factories

pytestmark = pytest.mark.django_db
Sync = Callable[..., Counts]
KEY = "contacts_profiles"


def _database() -> NotionDatabase:
    return NotionDatabase.objects.get(key=KEY)


def test_what_changed_here_waits_while_its_database_is_paused_and_follows_after(notion: Sandbox, sync: Sync):
    contact = factories.make_contact(phone="1")
    sync()
    actions.stop([_database()], "Ada")
    contact.phone = "2"
    contact.save()
    notion.requests.clear()

    counts = sync()

    assert counts.as_dict([KEY])[KEY]["pushed"] == 0
    assert Contact.objects.filter(pk=contact.pk, local_change_at__isnull=False).count() == 1
    assert tasks.waiting_keys() == []
    actions.resume([_database()])
    assert sync().as_dict([KEY])[KEY]["pushed"] == 1
    contact.refresh_from_db()
    assert contact.local_change_at is None


def test_what_changed_in_notion_is_read_after_the_pause(notion: Sandbox, sync: Sync):
    contact = factories.make_contact(phone="1")
    sync()
    tie = NotionPage.objects.get(database_id=KEY, object_id=contact.pk)
    actions.stop([_database()], "Ada")
    notion.person.update(str(tie.page_id), {"Phone": "999"})

    sync()
    contact.refresh_from_db()
    assert contact.phone == "1"

    actions.resume([_database()])
    sync()
    contact.refresh_from_db()
    assert contact.phone == "999"


def test_a_pause_is_no_failure_and_leaves_no_run_behind(notion: Sandbox, sync: Sync):
    sync()
    SyncRun.objects.all().delete()
    actions.stop([_database()], "Ada")

    assert sync().messages == []
    assert SyncRun.objects.count() == 0


def test_pushing_one_record_now_says_who_paused_its_database(notion: Sandbox, sync: Sync):
    contact = factories.make_contact()
    sync()
    actions.stop([_database()], "Ada")

    with pytest.raises(Permanent, match="was paused by Ada"):
        actions.push_now([contact])


def test_the_health_names_what_is_paused_by_hand(notion: Sandbox, sync: Sync):
    sync()
    actions.stop([_database()], "Ada")
    cache.clear()

    part = health.notion()

    assert (part.status, part.facts["stopped"]) == ("ok", [KEY])
    assert "paused by hand: Contacts & Profiles (by Ada)" in part.summary


def test_the_page_pauses_and_resumes(notion: Sandbox, client: Client):
    client.force_login(User.objects.create_superuser("owner", password="a-long-password"))
    page = reverse("admin:sync_overview")

    client.post(reverse("admin:notion_sync_notiondatabase_do", args=[KEY, "stop"]), {"next": page})
    assert (_database().stopped_by, _database().is_stopped) == ("owner", True)
    assert "paused by owner" in client.get(page).content.decode()

    client.post(reverse("admin:notion_sync_notiondatabase_do", args=[KEY, "go_on"]), {"next": page})
    assert _database().is_stopped is False


def test_a_long_run_says_how_far_it_is_and_nothing_once_it_has_ended(client: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("notion_sync.engine.run.LIVE_EVERY", 0.0)
    client.force_login(User.objects.create_superuser("owner", password="a-long-password"))
    url = reverse("admin:sync_live")

    with hold() as held:
        assert held is not None
        live = LiveProgress(held.name, held.holder)
        live.begin(KEY, "Contacts & Profiles", "pull", 200)
        live.advance(KEY, "pull", 50)
        doing = client.get(url).context["doing"]
    cache.clear()

    assert (doing["title"], doing["done"], doing["total"], doing["percent"]) == ("Contacts & Profiles", 50, 200, 25)
    assert client.get(url).context["doing"] == {}
    assert Lease.objects.get(name="sync").until <= timezone.now()
