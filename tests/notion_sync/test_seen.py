"""What was found equal is not compared again, and everything that could have changed is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from contacts.models import Contact
from notion_sync.engine import apply
from notion_sync.engine.counts import Counts
from notion_sync.models import NotionPage
from notion_sync.sandbox import Sandbox
from tests.factories import make_business_entity, make_contact

CONTACTS, KEY = "Contacts & Profiles", "contacts_profiles"
Sync = Callable[..., Counts]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pages whose values were compared one by one, since it was last cleared."""
    met: list[str] = []
    merge = apply.Applier._merge

    def noting(self: apply.Applier, meeting: apply.Meeting) -> None:
        met.append(meeting.page["id"])
        merge(self, meeting)

    monkeypatch.setattr(apply.Applier, "_merge", noting)
    return met


@pytest.fixture
def known(sync: Sync, notion: Sandbox, compared: list[str]) -> Contact:
    """A contact that is equal on both sides and has been found so by a full pull."""
    contact = make_contact(full_name="Ada", phone="1", business_entities=[make_business_entity()])
    sync()
    sync(full=True)
    compared.clear()
    return contact


def tie_of(contact: Contact) -> NotionPage:
    return NotionPage.objects.get(database=KEY, object_id=contact.pk)


def pull(sync: Sync) -> dict[str, int]:
    row = sync(full=True, keys=[KEY]).as_dict([KEY])[KEY]
    return {name: number for name, number in row.items() if number}


def test_what_is_as_it_was_is_not_compared(known: Contact, sync: Sync, compared: list[str]) -> None:
    assert pull(sync) == {"unchanged": 1}
    assert compared == []


def test_a_page_that_has_just_been_read_is_not_compared_the_next_time(
    sync: Sync, notion: Sandbox, compared: list[str]
) -> None:
    server_owned = {"Contact ID": "CTCT-1", "Engagement Score": 0, "Quality Level": "Unknown"}
    notion.person.create(CONTACTS, {"Full Name": "Grace", **server_owned})
    assert pull(sync) == {"created_local": 1}
    compared.clear()
    assert pull(sync) == {"unchanged": 1}
    assert compared == []


def test_an_edit_in_notion_is_compared(known: Contact, sync: Sync, notion: Sandbox, compared: list[str]) -> None:
    page_id = tie_of(known).page_id or ""
    notion.person.update(page_id, {"Phone": "2"})
    assert pull(sync) == {"pulled": 1}
    assert compared == [page_id]


def test_an_edit_by_raw_sql_is_compared_and_pushed(known: Contact, sync: Sync, notion: Sandbox) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE contacts_contact SET phone = '3' WHERE id = %s", [known.pk])
    assert pull(sync) == {"unchanged": 1, "pushed": 1}
    assert notion.values(tie_of(known).page_id or "")["Phone"] == "3"


def test_a_link_added_behind_the_back_of_the_model_is_compared_and_pushed(
    known: Contact, sync: Sync, notion: Sandbox
) -> None:
    other = make_business_entity()
    sync()
    Contact.business_entities.through.objects.bulk_create(
        [Contact.business_entities.through(contact=known, businessentity=other)]
    )
    assert pull(sync) == {"unchanged": 1, "pushed": 1}
    assert len(notion.values(tie_of(known).page_id or "")["Business Entity"]) == 2


def test_what_changes_in_notion_by_itself_or_is_not_ours_is_no_reason_to_compare(
    known: Contact, sync: Sync, notion: Sandbox, compared: list[str]
) -> None:
    notion.person.change_schema(CONTACTS, {"Shoe Size": {"number": {"format": "number"}}})
    notion.person.update(tie_of(known).page_id or "", {"Shoe Size": 43})
    assert pull(sync) == {"unchanged": 1}
    assert compared == []


def test_a_page_that_shows_only_a_part_of_a_list_is_always_compared(
    known: Contact, sync: Sync, notion: Sandbox, compared: list[str]
) -> None:
    known.business_entities.set([make_business_entity() for _ in range(26)])
    sync()
    sync(full=True)
    compared.clear()
    assert pull(sync) == {"unchanged": 1}
    assert (compared, tie_of(known).seen) == ([tie_of(known).page_id], "")


def test_a_row_that_waits_for_notion_is_always_compared(
    known: Contact, sync: Sync, compared: list[str], api: Any
) -> None:
    Contact.objects.filter(pk=known.pk).update(city="Lisbon", sync_paused=True)
    assert pull(sync) == {"unchanged": 1}
    assert compared == [tie_of(known).page_id]
