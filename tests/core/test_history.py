"""Who changed what: by hand, by agents, in Notion; and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timezone
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agents_app.models import Task
from contacts.models import Contact
from higherself.core import history
from higherself.core.errors import Permanent
from higherself.core.history.revert import revert
from higherself.core.models import ChangeSet
from higherself.core.roles import OPERATOR, VIEWER
from notion_sync.models import NotionPage
from tests import factories

pytestmark = pytest.mark.django_db


def _newest(record: Any) -> ChangeSet:
    found = history.of(record).first()
    assert found is not None
    return found


@pytest.fixture
def contact() -> Contact:
    made = factories.make_contact(full_name="Maya", phone="1", tags=["VIP"])
    return Contact.objects.get(pk=made.pk)


def test_a_new_record_is_noted_with_its_maker():
    with history.by("BookingAgent", history.AGENT, event_id="0191e4c2-0000-7000-8000-000000000001"):
        contact = factories.make_contact()

    found = _newest(contact)
    assert (found.kind, found.actor, found.origin, found.changes) == ("created", "BookingAgent", "agent", {})
    assert str(found.event_id) == "0191e4c2-0000-7000-8000-000000000001"


def test_a_save_notes_exactly_what_differs(contact: Contact):
    contact.phone = "2"
    contact.next_follow_up_date = date(2026, 12, 1)
    contact.city = contact.city
    contact.save()

    assert _newest(contact).changes == {"phone": ["1", "2"], "next_follow_up_date": [None, "2026-12-01"]}


def test_a_save_that_changes_nothing_is_not_noted(contact: Contact):
    before = history.of(contact).count()

    contact.save()

    assert history.of(contact).count() == before


def test_a_list_that_is_changed_in_place_is_noticed(contact: Contact):
    contact.tags.append("Artist")
    contact.save()

    assert _newest(contact).changes == {"tags": [["VIP"], ["VIP", "Artist"]]}


def test_only_saved_fields_are_noted_and_the_others_later(contact: Contact):
    contact.phone, contact.city = "2", "Lisbon"
    contact.save(update_fields=["phone"])
    first = _newest(contact).changes
    contact.save()

    assert (first, _newest(contact).changes) == ({"phone": ["1", "2"]}, {"city": ["", "Lisbon"]})


def test_a_bulk_update_is_noted_row_by_row(contact: Contact):
    other = factories.make_contact(phone="9")

    Contact.objects.filter(pk__in=[contact.pk, other.pk]).update(phone="9")

    assert _newest(contact).changes == {"phone": ["1", "9"]}
    assert [item.kind for item in history.of(other)] == ["created"]


def test_bulk_create_and_bulk_update_are_noted():
    rows = Contact.objects.bulk_create([Contact(full_name="A"), Contact(full_name="B")])
    for row in rows:
        row.city = "Oslo"
    Contact.objects.bulk_update(rows, ["city"])

    assert [[item.changes for item in history.of(row)] for row in rows] == [[{"city": ["", "Oslo"]}, {}]] * 2


def test_a_relation_is_noted_from_both_ends(contact: Contact):
    entity, second = factories.make_business_entity(), factories.make_business_entity()

    contact.business_entities.add(entity)
    second.contacts.add(contact)
    contact.business_entities.remove(entity)
    contact.business_entities.clear()

    assert [item.changes.get("business_entities") for item in history.of(contact)][:4] == [
        {"added": [], "removed": [second.pk]},
        {"added": [], "removed": [entity.pk]},
        {"added": [second.pk], "removed": []},
        {"added": [entity.pk], "removed": []},
    ]


def test_one_piece_of_work_is_one_entry_a_record_and_one_statement(contact: Contact):
    with CaptureQueriesContext(connection) as captured, history.by("Ada", history.PERSON):
        contact.phone = "2"
        contact.save()
        contact.phone, contact.city = "3", "Lisbon"
        contact.save()
        factories.make_contact()

    inserts = [one for one in captured if "INSERT INTO" in one["sql"] and "core_changeset" in one["sql"]]
    assert len(inserts) == 1
    assert _newest(contact).changes == {"phone": ["1", "3"], "city": ["", "Lisbon"]}


def test_work_that_fails_notes_nothing(contact: Contact):
    before = ChangeSet.objects.count()

    def fail() -> None:
        with history.by("Ada", history.PERSON):
            contact.phone = "2"
            contact.save()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert ChangeSet.objects.count() == before


def test_measured_fields_are_not_noted(contact: Contact):
    before = history.of(contact).count()

    contact.last_interaction = datetime(2026, 1, 1, tzinfo=timezone.utc)
    contact.save()
    Contact.objects.filter(pk=contact.pk).update(engagement_score=3)

    assert history.of(contact).count() == before


# -- from Notion ----------------------------------------------------------------------------------------------------
def test_an_edit_in_notion_is_noted_with_its_editor(notion: Any, sync: Callable[..., Any]):
    contact = factories.make_contact(full_name="Maya", phone="1")
    entity = factories.make_business_entity()
    sync()
    pages = dict(NotionPage.objects.values_list("database_id", "page_id"))
    values = {"Phone": "+442079460000", "Business Entity": [pages["business_entities"]]}
    notion.person.update(pages["contacts_profiles"], values)
    sync()

    found = _newest(contact)
    assert (found.origin, found.changes) == (
        "notion",
        {"phone": ["1", "+442079460000"], "business_entities": {"added": [entity.pk], "removed": []}},
    )
    assert found.actor != ""


def test_a_page_in_the_trash_is_noted(notion: Any, sync: Callable[..., Any]):
    contact = factories.make_contact()
    sync()
    notion.person.trash(NotionPage.objects.get().page_id)
    sync(full=True)

    found = _newest(contact)
    contact.refresh_from_db()
    assert (found.origin, found.changes) == ("notion", {"archived_at": [None, contact.archived_at.isoformat()]})


# -- taking back ----------------------------------------------------------------------------------------------------
def test_a_change_is_taken_back_and_waits_for_notion(contact: Contact):
    entity = factories.make_business_entity()
    Contact._base_manager.filter(pk=contact.pk).update(local_change_at=None)
    with history.by("Ada", history.PERSON):
        contact.phone, contact.tags = "2", []
        contact.save()
        contact.business_entities.add(entity)
    change = _newest(contact)
    Contact._base_manager.filter(pk=contact.pk).update(local_change_at=None)

    revert(change, "Olga")

    contact = Contact.objects.get(pk=contact.pk)
    assert (contact.phone, contact.tags, list(contact.business_entities.all())) == ("1", ["VIP"], [])
    assert contact.local_change_at is not None
    assert (_newest(contact).actor, _newest(contact).reverts_id) == ("Olga", change.pk)


def test_dates_and_links_survive_the_way_back():
    task = Task.objects.get(pk=factories.make_task(due_date=datetime(2026, 5, 4, 3, 2, 1, 123456, timezone.utc)).pk)
    contact = factories.make_contact()
    due = task.due_date
    task.due_date, task.related_contact = None, contact
    task.save()

    revert(_newest(task), "Olga")

    task.refresh_from_db()
    assert (task.due_date, task.related_contact) == (due, None)


def test_what_was_changed_again_since_is_left(contact: Contact):
    contact.phone, contact.city = "2", "Lisbon"
    contact.save()
    change = _newest(contact)
    contact.phone = "3"
    contact.save()

    result = revert(change, "Olga")

    contact.refresh_from_db()
    assert (contact.phone, contact.city) == ("3", "")
    assert (result.done, result.kept) == (["city"], ["“phone” was changed again since"])
    with pytest.raises(Permanent):
        revert(change, "Olga")


def test_a_record_that_was_made_is_not_unmade(contact: Contact):
    with pytest.raises(Permanent):
        revert(_newest(contact), "Olga")


# -- in the console -------------------------------------------------------------------------------------------------
def test_an_edit_in_the_console_is_one_entry_in_the_persons_name(contact: Contact, staff: Callable[[str], Client]):
    entity = factories.make_business_entity()
    client = staff(OPERATOR)
    url = reverse("admin:contacts_contact_change", args=[contact.pk])
    form = client.get(url).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields if form[name].value() is not True}

    answer = client.post(url, {**data, "phone": "2", "business_entities": [entity.pk], "external_ids": "{}"})

    assert answer.status_code == 302, answer.context["errors"]
    found = _newest(contact)
    assert (found.actor, found.origin) == ("operator", "person")
    assert found.changes == {"phone": ["1", "2"], "business_entities": {"added": [entity.pk], "removed": []}}


def test_the_records_page_shows_the_history_and_takes_a_change_back(contact: Contact, staff: Callable[[str], Client]):
    contact.phone = "2"
    contact.save()
    change = _newest(contact)
    url = reverse("admin:core_changeset_do", args=[change.pk, "revert"])
    page = reverse("admin:contacts_contact_change", args=[contact.pk])
    operator, viewer = staff(OPERATOR), staff(VIEWER)

    shown = {name: url in client.get(page).content.decode() for name, client in (("o", operator), ("v", viewer))}
    assert shown == {"o": True, "v": False}
    assert viewer.post(url).status_code == 403
    answer = operator.post(url, {"next": page})

    contact.refresh_from_db()
    assert (answer["Location"], contact.phone) == (page, "1")


def test_what_the_server_keeps_is_not_taken_back_by_a_person(contact: Contact, staff: Callable[[str], Client]):
    contact.lead_score = 7
    contact.save()

    staff(OPERATOR).post(reverse("admin:core_changeset_do", args=[_newest(contact).pk, "revert"]))

    contact.refresh_from_db()
    assert contact.lead_score == 7


@pytest.mark.parametrize("page", ["contacts_contact_change", "contacts_contact_history"])
def test_pages_with_history_cost_the_same_for_one_change_and_for_thirty(
    contact: Contact, staff: Callable[[str], Client], page: str
):
    entity = factories.make_business_entity()
    client, url = staff(OPERATOR), reverse(f"admin:{page}", args=[contact.pk])

    def changed(number: int) -> None:
        with history.by("Ada", history.PERSON):
            Contact.objects.filter(pk=contact.pk).update(phone=f"p{number}")
            contact.business_entities.set([entity] if number % 2 else [])

    changed(1)
    costs = []
    for numbers in (range(1), range(2, 31)):
        for number in numbers:
            changed(number)
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        costs.append(len(captured))

    assert costs[0] == costs[1]
