"""Edits on both sides, against the local Notion over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F

from agents_app.models import Task
from contacts.models import BusinessEntity, Contact
from notion_sync import client, health, tasks
from notion_sync.client import NotAuthorised, NotionApi
from notion_sync.engine import pull, push
from notion_sync.engine.counts import Counts
from notion_sync.models import NotionDatabase, NotionPage, PendingDelete, SyncConflict
from notion_sync.sandbox import Sandbox
from notion_sync.schema.setup import Setup, check
from tests.factories import make_business_entity, make_contact, make_feedback, make_product, make_task, make_use_case

CONTACTS = "Contacts & Profiles"
Sync = Callable[..., Counts]


def page_of(row: Any) -> str:
    tie = NotionPage.objects.get(object_id=row.pk, database=_key(row))
    assert tie.page_id is not None
    return tie.page_id


def _key(row: Any) -> str:
    from notion_sync.mappings import MAPPINGS

    return next(key for key, mapping in MAPPINGS.items() if mapping.model is type(row))


def changed(counts: Counts) -> dict[str, dict[str, int]]:
    """What a run did, without what it left alone."""
    found = {}
    for key, row in counts.as_dict(list(NotionDatabase.objects.values_list("key", flat=True))).items():
        did = {name: number for name, number in row.items() if number and name != "unchanged"}
        if did:
            found[key] = did
    return found


def test_a_new_row_becomes_a_page_and_the_next_run_does_nothing(notion: Sandbox, sync: Sync) -> None:
    make_contact(full_name="Ada Lovelace", email="ada@example.org", tags=["VIP"])
    assert changed(sync()) == {"contacts_profiles": {"created_notion": 1}}
    values = notion.values(notion.pages(CONTACTS)[0]["id"])
    assert (values["Full Name"], values["Email"], values["Tags"]) == ("Ada Lovelace", "ada@example.org", ["VIP"])
    notion.requests.clear()
    assert changed(sync()) == {}
    assert len(notion.requests) == 16


def test_a_persons_edit_is_read_back(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact(phone="+441632960961")
    sync()
    notion.person.update(page_of(contact), {"Phone": "+441632960000", "Country": "Ireland"})
    assert changed(sync()) == {"contacts_profiles": {"pulled": 1}}
    contact.refresh_from_db()
    assert (contact.phone, contact.country) == ("+441632960000", "Ireland")
    assert changed(sync()) == {}


def test_an_edit_is_found_when_notions_clock_is_behind_ours(notion: Sandbox, sync: Sync) -> None:
    notion.clock.advance(-3600)
    page = notion.person.create(notion.data_source_id(CONTACTS), {"Full Name": "Ada", "Email": "ada@example.org"})
    sync(direction="pull")
    notion.person.update(page["id"], {"City": "Leeds"})
    assert changed(sync(direction="pull")) == {"contacts_profiles": {"pulled": 1}}
    assert Contact.objects.get().city == "Leeds"


def test_edits_of_different_properties_on_both_sides_are_both_kept(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact(city="Bath", company="")
    sync()
    notion.person.update(page_of(contact), {"City": "Leeds"})
    Contact.objects.filter(pk=contact.pk).update(company="Engines Ltd")
    assert changed(sync()) == {"contacts_profiles": {"pulled": 1, "pushed": 1}}
    contact.refresh_from_db()
    assert (contact.city, contact.company) == ("Leeds", "Engines Ltd")
    assert notion.values(page_of(contact))["Company"] == "Engines Ltd"
    assert not SyncConflict.objects.exists()


def test_edits_of_one_property_on_both_sides_leave_notions_value_and_a_conflict(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact(city="Bath")
    sync()
    notion.person.update(page_of(contact), {"City": "Leeds"})
    contact.city = "York"
    contact.save()
    assert changed(sync()) == {"contacts_profiles": {"pulled": 1, "conflicts": 1}}
    contact.refresh_from_db()
    conflict = SyncConflict.objects.get()
    assert contact.city == notion.values(page_of(contact))["City"] == "Leeds"
    assert (conflict.base_value, conflict.local_value, conflict.notion_value) == ("Bath", "York", "Leeds")
    assert changed(sync()) == {}


def test_a_push_alone_overwrites_nothing_unseen(notion: Sandbox, sync: Sync) -> None:
    contact, other = make_contact(company=""), make_contact(company="")
    sync()
    notion.person.update(page_of(contact), {"Company": "Theirs"})
    notion.person.update(page_of(other), {"Company": "Theirs"})
    contact.company = "Ours"
    contact.save()
    sync(direction="push")
    assert notion.values(page_of(contact))["Company"] == "Theirs"
    assert SyncConflict.objects.get().local_value == "Ours"
    other.refresh_from_db()
    assert other.company == ""
    assert changed(sync()) == {"contacts_profiles": {"pulled": 1}}


def test_what_could_not_be_read_is_not_overwritten(notion: Sandbox, sync: Sync) -> None:
    contact, task = make_contact(city=""), make_task()
    sync()
    notion.person.update(page_of(contact), {"City": "Leeds"})
    contact.city, task.notes = "York", "news"
    contact.save()
    task.save()
    source = NotionDatabase.objects.get(key="contacts_profiles").data_source_id
    notion.faults.add("validation", path=f"/v1/data_sources/{source}/query", times=1)
    assert sync().get("contacts_profiles", "errors") == 1
    assert notion.values(page_of(contact))["City"] == "Leeds"
    assert notion.values(page_of(task))["Notes"] == "news"
    sync()
    assert SyncConflict.objects.get().local_value == "York"


def test_an_edit_of_the_servers_own_property_is_put_back(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact()
    sync()
    notion.person.update(page_of(contact), {"Contact ID": "CTCT-MINE"})
    sync()
    assert notion.values(page_of(contact))["Contact ID"] == contact.contact_id
    assert changed(sync()) == {}


def test_a_page_that_a_person_adds_becomes_a_row_with_an_id(notion: Sandbox, sync: Sync) -> None:
    page = notion.person.create(CONTACTS, {"Full Name": "Grace Hopper", "Email": "Grace@Example.org"})
    assert changed(sync()) == {"contacts_profiles": {"created_local": 1, "pushed": 1}}
    contact = Contact.objects.get()
    assert (contact.full_name, contact.email, contact.sync_origin) == ("Grace Hopper", "grace@example.org", "Notion")
    assert notion.values(page["id"])["Contact ID"] == contact.contact_id
    assert changed(sync()) == {}


def test_a_page_and_a_row_with_one_email_are_recognised_as_one_person(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact(email="ada@example.org", city="", phone="+441632960961")
    notion.person.create(CONTACTS, {"Full Name": "Ada", "Email": "ada@example.org", "City": "London"})
    sync()
    contact.refresh_from_db()
    assert Contact.objects.count() == len(notion.pages(CONTACTS)) == 1
    assert (contact.city, notion.values(page_of(contact))["Phone"]) == ("London", "+441632960961")
    assert changed(sync()) == {}


def test_a_duplicate_made_in_notion_becomes_a_record_of_its_own(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact(email="ada@example.org")
    sync()
    notion.person.duplicate(page_of(contact))
    sync()
    other = Contact.objects.exclude(pk=contact.pk).get()
    assert other.contact_id != contact.contact_id
    assert other.email == ""
    assert NotionPage.objects.get(object_id=other.pk, database_id="contacts_profiles").issues != []
    assert changed(sync()) == {}


def test_a_relation_is_carried_both_ways(notion: Sandbox, sync: Sync) -> None:
    first, second = make_business_entity(), make_business_entity()
    contact = make_contact(business_entities=[first])
    sync()
    assert notion.values(page_of(contact))["Business Entity"] == [page_of(first)]
    notion.person.update(page_of(contact), {"Business Entity": [page_of(first), page_of(second)]})
    sync()
    assert set(contact.business_entities.all()) == {first, second}
    contact.business_entities.set([second])
    sync()
    assert notion.values(page_of(contact))["Business Entity"] == [page_of(second)]
    assert changed(sync()) == {}


def test_a_link_to_a_trashed_page_waits_for_its_return(notion: Sandbox, sync: Sync) -> None:
    one, two, three = make_business_entity(), make_business_entity(), make_business_entity()
    contact = make_contact(business_entities=[one, two])
    sync()
    notion.person.trash(page_of(two))
    sync(full=True)
    contact.business_entities.add(three)
    contact.city = "York"
    contact.save()
    sync()
    assert sorted(notion.values(page_of(contact))["Business Entity"]) == sorted([page_of(one), page_of(three)])
    assert changed(sync(full=True)) == {}
    notion.person.restore(page_of(two))
    sync(full=True)
    assert set(contact.business_entities.all()) == {one, two, three}
    assert len(notion.values(page_of(contact))["Business Entity"]) == 3
    assert changed(sync(full=True)) == {}


def test_links_to_pages_that_are_not_shared_for_a_while_are_kept(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact()
    task, other = make_task(related_contact=contact), make_task()
    other.dependencies.add(task)
    sync()
    database = NotionDatabase.objects.get(key="contacts_profiles").database_id
    notion.unshare(database)
    notion.person.update(page_of(task), {"Notes": "news"})
    sync(full=True)
    task.refresh_from_db()
    assert (task.related_contact, task.notes) == (contact, "news")
    notion.share(database)
    sync(full=True)
    task.refresh_from_db()
    assert task.related_contact == contact
    assert notion.values(page_of(task))["Related Contact"] == [page_of(contact)]


@pytest.fixture
def lost_link(notion: Sandbox, sync: Sync) -> tuple[Any, Any, Any]:
    """A task that is linked to another, whose page is known not to be reachable any more, and a third."""
    one, two, three = make_task(), make_task(), make_task()
    one.dependencies.add(two)
    sync()
    notion.unshare(page_of(two))
    notion.person.update(page_of(one), {"Notes": "news"})
    sync(full=True)
    return one, two, three


def test_a_link_to_a_page_that_is_hidden_is_not_cut_by_a_push(
    notion: Sandbox, sync: Sync, lost_link: tuple[Any, Any, Any]
) -> None:
    one, two, three = lost_link
    assert list(one.dependencies.all()) == [two]
    one.dependencies.add(three)
    sync()
    notion.share(page_of(two))
    sync(full=True)
    sync(full=True)
    assert set(one.dependencies.all()) == {two, three}
    assert sorted(notion.values(page_of(one))["Dependencies"]) == sorted([page_of(two), page_of(three)])


@pytest.fixture
def with_a_lost_one(notion: Sandbox, sync: Sync) -> tuple[Any, Any, Any]:
    """Three tasks. The page of the first cannot be reached any more, which is not known here yet."""
    lost, one, other = make_task(), make_task(), make_task()
    sync()
    notion.unshare(page_of(lost))
    return lost, one, other


def test_a_link_to_a_page_that_cannot_be_reached_holds_nothing_else_back(
    notion: Sandbox, sync: Sync, with_a_lost_one: tuple[Any, Any, Any]
) -> None:
    lost, one, other = with_a_lost_one
    one.notes = "news"
    one.save()
    one.dependencies.set([lost, other])
    counts = sync()
    values = notion.values(page_of(one))
    assert (values["Notes"], values["Dependencies"]) == ("news", [page_of(other)])
    assert "“Dependencies” waits for a linked page that cannot be reached in Notion" in "\n".join(counts.messages)

    notion.requests.clear()
    sync()
    assert [request.path for request in notion.requests if request.method in {"PATCH", "GET"}] == []
    notion.share(page_of(lost))
    sync(full=True)
    assert sorted(notion.values(page_of(one))["Dependencies"]) == sorted([page_of(other), page_of(lost)])
    assert changed(sync(full=True)) == {}
    assert NotionPage.objects.exclude(error="").count() == 0


def test_a_new_record_that_is_linked_to_a_page_that_cannot_be_reached_is_created_without_the_link(
    notion: Sandbox, sync: Sync, with_a_lost_one: tuple[Any, Any, Any]
) -> None:
    lost, _, other = with_a_lost_one
    new = make_task()
    new.dependencies.set([lost, other])
    sync()
    assert notion.values(page_of(new))["Dependencies"] == [page_of(other)]
    assert len(notion.pages("Master Tasks")) == 4
    notion.share(page_of(lost))
    sync(full=True)
    assert sorted(notion.values(page_of(new))["Dependencies"]) == sorted([page_of(other), page_of(lost)])


def test_a_record_that_is_put_aside_waits_for_no_page_that_cannot_be_reached(
    notion: Sandbox, sync: Sync, with_a_lost_one: tuple[Any, Any, Any]
) -> None:
    lost, one, other = with_a_lost_one
    one.dependencies.set([lost, other])
    sync()
    lost.archive()
    sync()
    assert sync().messages == []
    assert list(type(one).objects.filter(local_change_at__isnull=False)) == []
    notion.share(page_of(lost))
    sync(full=True)
    assert notion.page(page_of(lost))["in_trash"]
    lost.refresh_from_db()
    assert lost.is_archived


def test_a_link_to_a_lost_page_can_be_taken_away(notion: Sandbox, sync: Sync, lost_link: tuple[Any, Any, Any]) -> None:
    one, _, three = lost_link
    one.dependencies.set([three])
    sync()
    assert notion.values(page_of(one))["Dependencies"] == [page_of(three)]
    assert changed(sync(full=True)) == {}


def test_a_link_that_a_person_removes_is_removed_here(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact()
    task = make_task(related_contact=contact)
    sync()
    notion.person.update(page_of(task), {"Related Contact": []})
    sync()
    task.refresh_from_db()
    assert task.related_contact is None


def test_of_two_pages_where_one_fits_the_next_is_taken_when_the_first_goes_to_the_trash(
    notion: Sandbox, sync: Sync
) -> None:
    task, contacts = make_task(), [make_contact() for _ in range(2)]
    sync()
    notion.person.update(page_of(task), {"Related Contact": [page_of(contact) for contact in contacts]})
    sync()
    first = Task.objects.get().related_contact
    (second,) = [contact for contact in contacts if contact != first]
    notion.person.trash(page_of(first))
    for _ in range(2):
        sync(full=True)
    assert Task.objects.get().related_contact == second
    assert changed(sync(full=True)) == {}


def test_links_that_are_cleared_from_the_other_side_are_removed_in_notion(notion: Sandbox, sync: Sync) -> None:
    entity, contact = make_business_entity(), make_contact()
    contact.business_entities.add(entity)
    sync()
    entity.contacts.clear()
    assert changed(sync()) == {"contacts_profiles": {"pushed": 1}}
    assert notion.values(page_of(contact))["Business Entity"] == []


def test_rows_that_point_at_each_other_are_created_in_two_steps(notion: Sandbox, sync: Sync) -> None:
    first = make_task(task_name="first")
    second = make_task(task_name="second")
    first.dependencies.add(second)
    second.dependencies.add(first)
    sync()
    assert notion.values(page_of(first))["Dependencies"] == [page_of(second)]
    assert notion.values(page_of(second))["Dependencies"] == [page_of(first)]
    assert changed(sync()) == {}


def test_a_relation_of_more_than_a_hundred_pages_is_complete_on_both_sides(notion: Sandbox, sync: Sync) -> None:
    product = make_product()
    contacts = [make_contact() for _ in range(130)]
    from tests.factories import make_campaign

    campaign = make_campaign(audience_contacts=contacts)
    sync()
    assert len(notion.values(page_of(campaign))["Audience Contacts"]) == 130
    campaign.refresh_from_db()
    assert campaign.audience_contacts.count() == 130
    assert changed(sync()) == {}
    assert changed(sync(full=True)) == {}
    assert product.pk


def test_a_long_text_is_split_and_joined_without_loss(notion: Sandbox, sync: Sync) -> None:
    text = "🎨" * 3001 + " שלום " + "x" * 3000
    contact = make_contact(notes=text)
    sync()
    assert notion.values(page_of(contact))["Notes"] == text
    notion.person.update(page_of(contact), {"Notes": text + "!"})
    sync()
    contact.refresh_from_db()
    assert contact.notes == text + "!"


def test_a_page_of_more_than_a_request_takes_goes_in_several(notion: Sandbox, sync: Sync) -> None:
    names = ("description", "user_stories", "acceptance_criteria", "business_value")
    case = make_use_case(**dict.fromkeys(names, "a" * 190_000))
    assert changed(sync()) == {"use_cases": {"created_notion": 1, "pushed": 1}}
    for name in names:
        setattr(case, name, "b" * 190_000)
    case.save()
    assert changed(sync()) == {"use_cases": {"pushed": 2}}
    assert changed(sync(full=True)) == {}
    case.refresh_from_db()
    values = notion.values(page_of(case))
    shown = [values[name] for name in ("Description", "User Stories", "Acceptance Criteria", "Business Value")]
    assert shown == [getattr(case, name) for name in names] == ["b" * 190_000] * 4


def test_seconds_that_notion_drops_count_as_no_change(notion: Sandbox, sync: Sync) -> None:
    moment = datetime(2026, 11, 23, 10, 15, 42, 123, tzinfo=timezone.utc)
    task = make_task(due_date=moment)
    sync()
    assert changed(sync(full=True)) == {}
    task.refresh_from_db()
    assert task.due_date == moment


def test_a_price_with_more_digits_than_ours_is_left_alone_in_notion(notion: Sandbox, sync: Sync) -> None:
    product = make_product(price=Decimal("10.00"))
    sync()
    notion.person.update(page_of(product), {"Price": 12.345})
    sync()
    product.refresh_from_db()
    assert product.price in {Decimal("12.34"), Decimal("12.35")}
    assert changed(sync()) == {}
    assert notion.values(page_of(product))["Price"] == 12.345


def test_a_second_page_in_a_to_one_relation_is_left_alone_in_notion(notion: Sandbox, sync: Sync) -> None:
    one, two = make_contact(), make_contact()
    feedback = make_feedback(contact=one)
    sync()
    both = sorted([page_of(one), page_of(two)])
    notion.person.update(page_of(feedback), {"Contact": both})
    sync()
    assert changed(sync()) == {}
    assert sorted(notion.values(page_of(feedback))["Contact"]) == both


def test_trashed_in_notion_archives_here_and_restoring_brings_it_back(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact()
    sync()
    notion.person.trash(page_of(contact))
    assert changed(sync(full=True)) == {"contacts_profiles": {"trashed": 1}}
    contact.refresh_from_db()
    assert contact.is_archived
    assert changed(sync(full=True)) == {}
    notion.person.restore(page_of(contact))
    assert changed(sync()) == {"contacts_profiles": {"restored": 1}}
    contact.refresh_from_db()
    assert not contact.is_archived


def test_archived_here_is_trashed_in_notion_and_restoring_brings_it_back(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact()
    sync()
    page = page_of(contact)
    contact.archive()
    assert changed(sync()) == {"contacts_profiles": {"trashed": 1}}
    assert notion.page(page)["in_trash"] is True
    contact.restore()
    contact.city = "Bath"
    contact.save()
    sync()
    assert notion.page(page)["in_trash"] is False
    assert notion.values(page)["City"] == "Bath"
    assert changed(sync(full=True)) == {}


def test_many_pages_gone_at_once_wait_for_a_person(notion: Sandbox, sync: Sync) -> None:
    contacts = [make_contact() for _ in range(8)]
    sync()
    for contact in contacts[:7]:
        notion.person.trash(page_of(contact))
    counts = sync(full=True)
    assert counts.get("contacts_profiles", "errors") == 1
    assert Contact.objects.filter(archived_at__isnull=True).count() == 8
    assert PendingDelete.objects.filter(decided_at__isnull=True).count() == 7
    for contact in contacts[:7]:
        notion.person.restore(page_of(contact))
    sync(full=True)
    assert PendingDelete.objects.filter(decided_at__isnull=True).count() == 0


def test_an_edit_here_of_a_page_trashed_there_archives_and_keeps_the_edit(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact(city="Bath")
    sync()
    notion.person.trash(page_of(contact))
    contact.city = "York"
    contact.save()
    sync()
    contact.refresh_from_db()
    assert contact.is_archived
    notion.person.restore(page_of(contact))
    sync()
    assert notion.values(page_of(contact))["City"] == "York"


def test_a_renamed_property_goes_on_working(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact()
    sync()
    notion.person.rename_property(CONTACTS, "Phone", "Telephone")
    notion.person.update(page_of(contact), {"Telephone": "+441632960000"})
    sync()
    contact.refresh_from_db()
    assert contact.phone == "+441632960000"
    contact.phone = "+441632960111"
    contact.save()
    sync()
    assert notion.values(page_of(contact))["Telephone"] == "+441632960111"


def test_a_deleted_property_pauses_its_database_alone_until_setup_mends_it(
    notion: Sandbox, sync: Sync, api: Any
) -> None:
    contact, task = make_contact(), make_task()
    sync()
    notion.person.delete_property(CONTACTS, "Phone")
    contact.phone, task.notes = "+441632960111", "news"
    contact.save()
    task.save()
    counts = sync()
    assert NotionDatabase.objects.get(key="contacts_profiles").state == NotionDatabase.State.PAUSED
    assert "Phone" in NotionDatabase.objects.get(key="contacts_profiles").problem
    assert counts.get("contacts_profiles", "errors") >= 1
    assert notion.values(page_of(task))["Notes"] == "news"
    Setup(api, notion.root_page_id).run()
    sync()
    assert notion.values(page_of(contact))["Phone"] == "+441632960111"


@pytest.mark.parametrize("looks", ["nobody", "sync", "check"])
def test_a_property_that_is_made_again_gets_our_values_and_erases_none(
    notion: Sandbox, sync: Sync, api: NotionApi, looks: str
) -> None:
    """Whether or not anybody has looked between the deletion and the repair."""
    entity = make_business_entity()
    contact, task = make_contact(city="Bern"), make_task(related_business_entity=entity)
    empty = make_contact(city="")
    sync()
    notion.person.delete_property(CONTACTS, "City")
    notion.person.delete_property("Master Tasks", "Related Business Entity")
    notion.person.delete_property("Business Entities Registry", "Tasks")
    {"nobody": lambda: None, "sync": sync, "check": lambda: check(api)}[looks]()
    Setup(api, notion.root_page_id).run()
    sync(full=True)
    contact.refresh_from_db()
    task.refresh_from_db()
    assert (contact.city, notion.values(page_of(contact))["City"]) == ("Bern", "Bern")
    assert (task.related_business_entity, notion.values(page_of(task))["Related Business Entity"]) == (
        entity,
        [page_of(entity)],
    )
    assert notion.values(page_of(empty))["City"] == ""
    assert changed(sync(full=True)) == {}


def test_rows_are_created_anew_in_a_database_that_was_made_anew(notion: Sandbox, sync: Sync, api: NotionApi) -> None:
    contact = make_contact(city="Bern")
    sync()
    notion.unshare(NotionDatabase.objects.get(key="contacts_profiles").database_id)
    Setup(api, notion.root_page_id, recreate=["contacts_profiles"]).run()
    sync()
    assert notion.values(page_of(contact))["City"] == "Bern"


def test_a_long_push_reads_again_what_people_edit_meanwhile(
    notion: Sandbox, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts = [make_contact(city="") for _ in range(3)]
    sync()
    monkeypatch.setattr(push, "BATCH", 1)
    monkeypatch.setattr(push, "READ_AGAIN", 0.0)
    monkeypatch.setattr(push, "LOOK_AT_EACH", 0)
    for contact in contacts:
        contact.city = "York"
        contact.save()
    edited = page_of(contacts[2])
    pusher_changes = push.Pusher.changes

    def edit_meanwhile(self: Any, rows: Any) -> Any:
        if [row.pk for row in rows] == [contacts[0].pk]:
            notion.person.update(edited, {"City": "Leeds"})
        return pusher_changes(self, rows)

    monkeypatch.setattr(push.Pusher, "changes", edit_meanwhile)
    sync()
    assert notion.values(edited)["City"] == "Leeds"
    assert SyncConflict.objects.get().local_value == "York"


def test_a_value_that_was_taken_by_another_is_taken_over_once_it_is_free(notion: Sandbox, sync: Sync) -> None:
    first = make_contact(email="ada@example.org")
    sync()
    notion.person.create(CONTACTS, {"Full Name": "Ada the Second", "Email": "ada@example.org", "Contact ID": "CTCT-2"})
    sync()
    second = Contact.objects.get(contact_id="CTCT-2")
    assert second.email == ""
    first.email = "first@example.org"
    first.save()
    sync()
    sync(full=True)
    second.refresh_from_db()
    assert second.email == "ada@example.org"
    assert NotionPage.objects.get(database_id="contacts_profiles", object_id=second.pk).issues == []


def test_a_refused_token_is_named_by_the_health_until_it_works_again(
    notion: Sandbox, sync: Sync, api: NotionApi
) -> None:
    notion.faults.add("unauthorized")
    with pytest.raises(NotAuthorised):
        api.me()
    assert health.notion().summary.startswith("Notion refuses the token since ")
    api.me()
    assert health.notion().summary.startswith("Notion is reachable")


def test_a_database_that_is_not_shared_any_more_stops_nothing_else(notion: Sandbox, sync: Sync) -> None:
    contact, task = make_contact(), make_task()
    sync()
    database = NotionDatabase.objects.get(key="contacts_profiles")
    notion.unshare(database.database_id)
    contact.city, task.notes = "York", "news"
    contact.save()
    task.save()
    counts = sync(full=True)
    assert counts.get("contacts_profiles", "errors") >= 1
    assert notion.values(page_of(task))["Notes"] == "news"
    contact.refresh_from_db()
    assert not contact.is_archived
    notion.share(database.database_id)
    sync(full=True)
    assert notion.values(page_of(contact))["City"] == "York"


@pytest.mark.parametrize(
    "fault", ["unavailable_saved", "gateway_timeout_saved", "drop_after", "drop_before", "unavailable"]
)
def test_a_create_whose_answer_is_lost_makes_no_second_page(notion: Sandbox, sync: Sync, fault: str) -> None:
    make_contact(email="ada@example.org")
    notion.faults.add(fault, method="POST", path="/v1/pages")
    sync()
    sync()
    assert len(notion.pages(CONTACTS)) == 1
    assert changed(sync(full=True)) == {}


def test_a_page_that_shows_late_in_queries_is_not_created_twice(notion: Sandbox, sync: Sync, api: NotionApi) -> None:
    make_contact(email="ada@example.org")
    notion.settings.index_lag = 1.5
    notion.faults.add("drop_after", method="POST", path="/v1/pages")
    push.SETTLING = timedelta(seconds=3)  # `api` has set it to none, and puts it back
    api.sleep = time.sleep
    sync()
    notion.settings.index_lag = 0
    assert len(notion.pages(CONTACTS)) == 1
    assert changed(sync(full=True)) == {}


def test_a_run_after_a_crash_waits_until_a_page_that_was_created_would_show(
    notion: Sandbox, sync: Sync, api: NotionApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = make_contact()
    create = api.create_page

    def killed(*sent: Any) -> Any:
        create(*sent)
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "create_page", killed)
    notion.settings.index_lag = 30
    with pytest.raises(KeyboardInterrupt):
        sync()
    monkeypatch.setattr(api, "create_page", create)
    # `api` has set it to none, and puts it back: a process that begins now is as patient as this one was.
    NotionPage.objects.update(next_attempt_at=F("next_attempt_at") + timedelta(seconds=60))
    sync()
    assert [
        request.path for request in notion.requests if request.method == "POST" and "query" not in request.path
    ] == ["/v1/pages"]
    notion.clock.advance(31)
    NotionPage.objects.update(next_attempt_at=None)
    sync()
    assert page_of(contact) == notion.pages(CONTACTS)[0]["id"]
    assert len(notion.pages(CONTACTS)) == 1


def test_a_page_made_by_a_person_gets_the_values_that_a_new_row_begins_with(notion: Sandbox, sync: Sync) -> None:
    page = notion.person.create(CONTACTS, {"Full Name": "Grace Hopper"})
    sync()
    values, contact = notion.values(page["id"]), Contact.objects.get()
    assert (values["Contact Type"], values["Status"], values["Engagement Score"]) == ("Lead", "Active Lead", 0)
    assert (contact.contact_type, contact.status, contact.engagement_score) == ("Lead", "Active Lead", 0)
    assert changed(sync(full=True)) == {}


def test_a_page_that_has_an_id_is_taken_as_it_is(notion: Sandbox, sync: Sync) -> None:
    notion.person.create(CONTACTS, {"Full Name": "Grace", "Contact ID": "CTCT-0123456789", "Engagement Score": 5})
    sync()
    contact = Contact.objects.get()
    assert (contact.contact_id, contact.contact_type, contact.status) == ("CTCT-0123456789", "", "")


def test_what_notion_refuses_is_tried_once_a_run(notion: Sandbox, sync: Sync) -> None:
    make_contact(tags=[f"Tag {number}" for number in range(150)])
    counts = sync()
    assert counts.get("contacts_profiles", "errors") == 1
    assert sync().get("contacts_profiles", "errors") == 1


@pytest.mark.parametrize(
    "fault", ["conflict", "bad_gateway", "internal_error", "overload", "rate_limited", "drop_after"]
)
def test_an_update_survives_every_passing_fault(notion: Sandbox, sync: Sync, fault: str) -> None:
    contact = make_contact(city="Bath")
    sync()
    contact.city = "York"
    contact.save()
    notion.faults.add(fault, method="PATCH", path=f"/v1/pages/{page_of(contact)}")
    sync()
    assert notion.values(page_of(contact))["City"] == "York"
    assert changed(sync()) == {}


def test_an_invalid_value_is_named_and_stays_in_notion(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact(external_ids={"hubspot": "1"})
    sync()
    page = page_of(contact)
    notion.person.update(page, {"Postal Code": "x" * 300})
    counts = sync()
    assert counts.get("contacts_profiles", "errors") == 1
    assert NotionPage.objects.get(page_id=page).issues == [
        "Postal Code: “Postal Code” has 300 characters; 100 fit here"
    ]
    assert notion.values(page)["Postal Code"] == "x" * 300
    assert changed(sync()) == {}


def test_raw_sql_is_found_by_a_full_run(notion: Sandbox, sync: Sync) -> None:
    from django.db import connection

    contact = make_contact(city="Bath")
    sync()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE contacts_contact SET city = 'York' WHERE id = %s", [contact.pk])
    assert changed(sync(full=True)) == {"contacts_profiles": {"pushed": 1}}
    assert notion.values(page_of(contact))["City"] == "York"


def test_a_dry_run_writes_nothing_on_either_side(notion: Sandbox, sync: Sync) -> None:
    from notion_sync.engine.plan import Plan

    contact, other = make_contact(full_name="Ada", city="Bath"), make_contact(full_name="Bob", city="Bath")
    sync()
    notion.person.update(page_of(contact), {"City": "Leeds"})
    other.city = "York"
    other.save()
    notion.requests.clear()
    plan = Plan()
    sync(plan=plan)
    assert plan.lines == [
        "pull         Contacts & Profiles “Ada”: City: 'Bath' → 'Leeds'",
        "push         Contacts & Profiles “Bob”: City: 'Bath' → 'York'",
    ]
    assert {method for method, path, _ in notion.requests if not path.endswith("/query")} == set()
    contact.refresh_from_db()
    assert contact.city == "Bath"
    assert changed(sync()) == {"contacts_profiles": {"pulled": 1, "pushed": 1}}


def test_ten_thousand_rows_are_not_the_end(notion: Sandbox, sync: Sync) -> None:
    notion.settings.query_cap = 200
    notion.clock.freeze()
    for number in range(450):
        if number % 90 == 0:
            notion.clock.advance(60)
        notion.person.create(CONTACTS, {"Full Name": f"Person {number}"})
    notion.clock.resume()
    sync(direction="pull")
    assert Contact.objects.count() == 450


def test_a_page_read_before_its_relation_is_completed(notion: Sandbox, sync: Sync) -> None:
    entity = notion.person.create("Business Entities Registry", {"Name": "The 7 Space"})
    notion.person.create(CONTACTS, {"Full Name": "Ada", "Business Entity": [entity["id"]]})
    sync(keys=["contacts_profiles"])
    assert Contact.objects.get().business_entities.count() == 0
    assert changed(sync(keys=["contacts_profiles"])) == {}
    sync()
    assert list(Contact.objects.get().business_entities.all()) == [BusinessEntity.objects.get()]
    assert changed(sync(full=True)) == {}


def test_a_task_survives_with_its_seconds_and_its_page(notion: Sandbox, sync: Sync) -> None:
    task = make_task()
    sync()
    assert Task.objects.get(pk=task.pk).local_change_at is None


def _after(answers: int) -> Callable[[], bool]:
    """A round that is over after it has gone on so many times."""
    left = iter([False] * answers)
    return lambda: next(left, True)


def test_a_first_read_goes_on_where_its_last_round_ended(
    notion: Sandbox, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "AT_ONCE", 2)
    monkeypatch.setattr(client, "PAGE_SIZE", 2)
    pages = []
    for number in range(6):
        pages.append(notion.person.create(CONTACTS, {"Full Name": f"Ada {number}", "City": "Bath"}))
        notion.clock.advance(60)
    database = NotionDatabase.objects.get(key="contacts_profiles")
    sync(keys=[database.key], direction="pull", until=_after(1))
    assert Contact.objects.count() == 2
    notion.person.update(pages[0]["id"], {"City": "Leeds"})
    rounds = 1
    while NotionDatabase.objects.get(key=database.key).watermark is None and rounds < 9:
        sync(keys=[database.key], direction="pull", until=_after(1))
        rounds += 1
    assert rounds == 5
    assert sorted(Contact.objects.values_list("full_name", flat=True)) == [f"Ada {number}" for number in range(6)]
    sync(keys=[database.key], direction="pull")
    assert Contact.objects.get(full_name="Ada 0").city == "Leeds"


def test_what_waits_here_is_not_pushed_before_the_first_read_has_come_to_its_end(
    notion: Sandbox, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "AT_ONCE", 2)
    monkeypatch.setattr(client, "PAGE_SIZE", 2)
    for number in range(4):
        notion.person.create(CONTACTS, {"Full Name": f"Ada {number}", "Email": f"ada.{number}@example.org"})
        notion.clock.advance(60)
    make_contact(full_name="Ada 3", email="ada.3@example.org")
    sync(keys=["contacts_profiles"], until=_after(1))
    assert len(notion.pages(CONTACTS)) == 4
    sync()
    assert sorted(Contact.objects.values_list("email", flat=True)) == [f"ada.{n}@example.org" for n in range(4)]
    assert len(notion.pages(CONTACTS)) == 4


def test_the_nightly_sweep_takes_as_many_rounds_as_it_needs(notion: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "LONG_ROUND", 0.0)
    tasks.sweep_notion()
    rounds = 0
    while NotionDatabase.objects.filter(sweep_wanted=True).exists() and rounds < 20:
        tasks.sweep_databases()
        rounds += 1
    assert (rounds, NotionDatabase.objects.filter(swept_at=None).count()) == (16, 0)


def test_a_sweep_that_could_not_reach_notion_is_made_up_for(notion: Sandbox, settings: Any) -> None:
    tasks.sweep_notion()
    settings.NOTION_BASE_URL = "http://127.0.0.1:1"  # where nobody listens
    tasks.sweep_databases()
    assert NotionDatabase.objects.filter(sweep_wanted=True).count() == 16
