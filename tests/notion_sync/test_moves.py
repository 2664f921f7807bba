"""Pages that people move from one of the databases to another, and databases that go as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bookings.models import Product
from community.models import Member
from contacts.models import Contact
from notion_sync.client import NotionApi, NotShared
from notion_sync.engine import deletes
from notion_sync.engine.counts import Counts
from notion_sync.models import NotionDatabase, NotionPage, PendingDelete
from notion_sync.sandbox import Sandbox
from notion_sync.schema.binding import IN_TRASH
from notion_sync.schema.setup import Setup
from tests.factories import make_contact, make_member, make_task
from tests.notion_sync.test_reconcile import CONTACTS, changed, page_of

COMMUNITY = "Community Hub"
Sync = Callable[..., Counts]


def key_of(page: str) -> tuple[str, int | None]:
    tie = NotionPage.objects.get(page_id=page)
    return tie.database_id, tie.object_id


def database(key: str) -> NotionDatabase:
    return NotionDatabase.objects.get(key=key)


@pytest.fixture
def moved(notion: Sandbox, sync: Sync) -> tuple[Contact, Member, str]:
    """A contact whose page was moved to the Community Hub, and a member who has the contact's key by chance."""
    contact = make_contact(full_name="Ada Lovelace", city="Bath")
    member = make_member(pk=contact.pk, member_name="Grace Hopper")
    sync()
    page = page_of(contact)
    notion.person.move(page, source=COMMUNITY)
    sync(full=True)
    return contact, member, page


def test_a_page_moved_to_another_database_becomes_a_record_there(
    notion: Sandbox, sync: Sync, moved: tuple[Contact, Member, str]
) -> None:
    contact, member, page = moved
    contact.refresh_from_db()
    member.refresh_from_db()
    new = Member.objects.exclude(pk=member.pk).get()
    assert (contact.is_archived, member.member_name, new.member_name) == (True, "Grace Hopper", "Ada Lovelace")
    assert key_of(page) == ("community_hub", new.pk)
    assert changed(sync(full=True)) == {}
    assert len(notion.pages(COMMUNITY)) == 2


def test_a_record_whose_page_was_moved_away_gets_a_new_one_when_it_is_restored(
    notion: Sandbox, sync: Sync, moved: tuple[Contact, Member, str]
) -> None:
    contact, _, page = moved
    Contact.objects.get(pk=contact.pk).restore()
    assert changed(sync()) == {"contacts_profiles": {"created_notion": 1}}
    assert page_of(contact) != page
    assert notion.values(page_of(contact))["City"] == "Bath"
    assert changed(sync(full=True)) == {}


def test_a_page_that_is_moved_back_is_a_contact_again(
    notion: Sandbox, sync: Sync, moved: tuple[Contact, Member, str]
) -> None:
    _, member, page = moved
    notion.person.move(page, source=CONTACTS)
    sync(full=True)
    assert key_of(page)[0] == "contacts_profiles"
    assert list(Member.objects.live()) == [member]
    assert [row.full_name for row in Contact.objects.live()] == ["Ada Lovelace"]
    assert changed(sync(full=True)) == {}


def test_late_word_of_a_move_does_not_archive_the_record_that_the_page_is_now(
    api: NotionApi, moved: tuple[Contact, Member, str]
) -> None:
    page = moved[2]
    deletes.look_at(api, database("contacts_profiles"), page, Counts())
    assert Member.objects.get(pk=key_of(page)[1]).is_archived is False


def test_held_deletes_of_pages_that_were_moved_are_decided_by_the_move(
    notion: Sandbox, sync: Sync, moved: tuple[Contact, Member, str]
) -> None:
    contacts = [make_contact() for _ in range(6)]
    sync()
    for contact in contacts:
        notion.person.move(page_of(contact), source=COMMUNITY)
    sync(full=True, keys=["contacts_profiles"])
    assert PendingDelete.objects.filter(decided_at__isnull=True).count() == 6
    sync(full=True)
    assert set(PendingDelete.objects.values_list("decision", "decided_by")) == {
        ("approved", "server: moved to “Community Hub”")
    }
    assert Contact.objects.live().count() == 0


def test_a_link_to_a_record_that_was_archived_before_it_had_a_page_waits_for_nothing(
    notion: Sandbox, sync: Sync
) -> None:
    contact = make_contact()
    contact.archive()
    task = make_task(related_contact=contact)
    sync()
    task.refresh_from_db()
    assert (task.local_change_at, task.related_contact) == (None, contact)
    assert notion.values(page_of(task))["Related Contact"] == []


def test_a_zero_that_a_person_typed_into_a_new_page_is_a_value(notion: Sandbox, sync: Sync) -> None:
    page = notion.person.create("Products & Services", {"Name": "Open evening", "Price": 0, "Capacity": 0})["id"]
    sync()
    product = Product.objects.get()
    assert (product.price, product.capacity) == (0, 0)
    assert (notion.values(page)["Price"], notion.values(page)["Capacity"]) == (0, 0)


# -- databases as a whole -------------------------------------------------------------------------------------------
def test_a_database_in_the_trash_is_paused_and_its_rows_are_kept(notion: Sandbox, sync: Sync) -> None:
    contact, task = make_contact(), make_task()
    sync()
    notion.person.trash_database(database("contacts_profiles").database_id)
    task.notes = "The others go on."
    task.save()
    assert changed(sync(full=True)) == {"contacts_profiles": {"errors": 1}, "master_tasks": {"pushed": 1}}
    contact.refresh_from_db()
    assert (contact.is_archived, database("contacts_profiles").problem) == (False, IN_TRASH)
    notion.person.restore_database(database("contacts_profiles").database_id)
    assert changed(sync(full=True)) == {}


def test_a_page_is_not_created_in_a_database_in_the_trash(notion: Sandbox, sync: Sync) -> None:
    sync()
    notion.person.trash_database(database("contacts_profiles").database_id)
    contact = make_contact()
    notion.requests.clear()
    sync()
    assert [request.path for request in notion.requests if request.path.endswith("pages/")] == []
    assert database("contacts_profiles").problem == IN_TRASH
    notion.person.restore_database(database("contacts_profiles").database_id)
    sync()
    assert page_of(contact) in {page["id"] for page in notion.pages(CONTACTS)}


def test_a_restricted_database_is_paused_alone(notion: Sandbox, sync: Sync) -> None:
    contact, task = make_contact(), make_task()
    sync()
    for row, attr in ((contact, "notes"), (task, "notes")):
        setattr(row, attr, "New")
        row.save()
    notion.faults.add("restricted", path=f"/v1/data_sources/{database('contacts_profiles').data_source_id}", times=None)
    found: dict[str, Any] = changed(sync())
    assert found == {"contacts_profiles": {"errors": 1}, "master_tasks": {"pushed": 1}}
    assert database("contacts_profiles").state == NotionDatabase.State.PAUSED
    notion.faults.clear()
    assert changed(sync()) == {"contacts_profiles": {"pushed": 1}}


def test_word_of_a_trashed_page_archives_nothing_while_the_database_is_in_the_trash(
    notion: Sandbox, sync: Sync, api: NotionApi
) -> None:
    contact = make_contact()
    sync()
    notion.person.trash(page_of(contact))
    notion.person.trash_database(database("contacts_profiles").database_id)
    with pytest.raises(NotShared):
        deletes.check(api, database("contacts_profiles"), [page_of(contact)], Counts())
    with pytest.raises(NotShared):
        deletes.look_at(api, database("contacts_profiles"), page_of(contact), Counts())
    contact.refresh_from_db()
    assert (contact.is_archived, database("contacts_profiles").problem) == (False, IN_TRASH)


# -- properties that go and come back -------------------------------------------------------------------------------
def test_a_property_that_is_made_again_after_a_run_without_it_is_filled_with_our_values(
    notion: Sandbox, sync: Sync, api: NotionApi
) -> None:
    contact = make_contact(city="Bern")
    sync()
    notion.person.delete_property(CONTACTS, "City")
    notion.person.update(page_of(contact), {"Country": "Ireland"})
    sync()
    assert database("contacts_profiles").state == NotionDatabase.State.PAUSED
    Setup(api, notion.root_page_id).run()
    sync(full=True)
    contact.refresh_from_db()
    assert (contact.city, notion.values(page_of(contact))["City"]) == ("Bern", "Bern")


def test_a_property_that_was_renamed_while_it_had_another_type_is_known_when_it_has_its_own_again(
    notion: Sandbox, sync: Sync
) -> None:
    contact = make_contact(city="7")
    sync()
    notion.person.change_schema(CONTACTS, {"City": {"number": {}}})
    notion.person.update(page_of(contact), {"Country": "Ireland"})
    sync()
    notion.person.rename_property(CONTACTS, "City", "Town")
    notion.person.change_schema(CONTACTS, {"Town": {"rich_text": {}}})
    sync(full=True)
    assert database("contacts_profiles").state == NotionDatabase.State.OK
    assert (Contact.objects.get().city, notion.values(page_of(contact))["Town"]) == ("7", "7")
