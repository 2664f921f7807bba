"""Merging contacts, and taking a merge apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents_app.services.contacts import locked
from contacts import consent
from contacts.merges import ContactMerge
from contacts.merging import fields_to_choose, known_by, merge, undo
from contacts.models import Contact
from contacts.queries import contact_with_email
from higherself.core.errors import Permanent
from higherself.core.roles import MARKETING, OPERATOR
from notion_sync.client import NotionApi
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionPage
from notion_sync.sandbox import Sandbox
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair() -> tuple[Contact, Contact]:
    one = factories.make_contact(full_name="Maya Okafor", email="maya@example.org", phone="", tags=["VIP"], city="Oslo")
    two = factories.make_contact(full_name="M. Okafor", email="m.okafor@work.example", phone="2", tags=["Artist"])
    return one, two


def test_values_are_chosen_lists_are_united_and_the_other_is_archived(pair: tuple[Contact, Contact]):
    one, two = pair
    merge(one, [two], {"phone": two.pk, "email": two.pk}, "Olga")

    one, two = (Contact.objects.get(pk=row.pk) for row in pair)
    assert (one.full_name, one.email, one.phone, one.city) == ("Maya Okafor", "m.okafor@work.example", "2", "Oslo")
    assert one.tags == ["VIP", "Artist"]
    assert (one.is_archived, two.is_archived) == (False, True)
    assert (one.local_change_at is not None, two.local_change_at is not None) == (True, True)
    row = ContactMerge.objects.get()
    assert (row.survivor_id, row.merged_id, row.actor) == (one.pk, two.pk, "Olga")


def test_everything_that_points_to_the_other_moves(pair: tuple[Contact, Contact]):
    one, two = pair
    entity = factories.make_business_entity()
    two.business_entities.add(entity)
    task, message = factories.make_task(related_contact=two), factories.make_notification(contact=two)
    instance, member = factories.make_instance(contact=two), factories.make_member(contact_profile=two)
    campaign = factories.make_campaign()
    campaign.audience_contacts.add(two)

    merge(one, [two], {}, "Olga")

    for row in (task, message, instance, member):
        row.refresh_from_db()
    found = [task.related_contact_id, message.contact_id, instance.contact_id, member.contact_profile_id]
    assert found == [one.pk] * 4
    assert list(campaign.audience_contacts.all()) == [one]
    assert list(one.business_entities.all()) == [entity]
    assert task.local_change_at is not None


def test_a_merge_is_taken_apart(pair: tuple[Contact, Contact]):
    one, two = pair
    entity = factories.make_business_entity()
    two.business_entities.add(entity)
    theirs, mine = factories.make_task(related_contact=two), factories.make_task(related_contact=one)
    merge(one, [two], {"phone": two.pk}, "Olga")
    later = factories.make_task(related_contact=one)

    undo(ContactMerge.objects.get(), "Olga")

    one, two = (Contact.objects.get(pk=row.pk) for row in pair)
    for row in (theirs, mine, later):
        row.refresh_from_db()
    assert (one.phone, one.tags, two.is_archived) == ("", ["VIP"], False)
    assert [row.related_contact_id for row in (theirs, mine, later)] == [two.pk, one.pk, one.pk]
    assert (list(one.business_entities.all()), list(two.business_entities.all())) == ([], [entity])
    with pytest.raises(Permanent):
        undo(ContactMerge.objects.get(), "Olga")


def test_a_field_that_was_edited_after_the_merge_stays_when_it_is_taken_apart(pair: tuple[Contact, Contact]):
    one, two = pair
    merge(one, [two], {"phone": two.pk}, "Olga")
    Contact.objects.filter(pk=one.pk).update(phone="3")

    undo(ContactMerge.objects.get(), "Olga")

    assert Contact.objects.get(pk=one.pk).phone == "3"


def test_news_of_the_merged_address_find_the_survivor(pair: tuple[Contact, Contact]):
    one, two = pair
    third = factories.make_contact(email="third@example.org")
    merge(one, [two], {}, "Olga")
    merge(third, [one], {}, "Olga")

    for email in (two.email, one.email, third.email):
        assert contact_with_email(email) == third
        assert locked(email) == third
    assert contact_with_email("nobody@example.org") is None


@pytest.mark.parametrize("case", ["alone", "archived", "stranger"])
def test_a_merge_that_is_not_possible_changes_nothing(pair: tuple[Contact, Contact], case: str):
    one, two = pair
    others, chosen = [two], {}
    if case == "alone":
        others = [one]
    elif case == "archived":
        two.archive()
    else:
        chosen = {"phone": factories.make_contact().pk}

    with pytest.raises(Permanent):
        merge(one, others, chosen, "Olga")

    assert ContactMerge.objects.count() == 0
    assert Contact.objects.get(pk=one.pk).is_archived is False


# -- in the console -------------------------------------------------------------------------------------------------
def test_contacts_are_merged_on_the_page_and_taken_apart_on_another(
    pair: tuple[Contact, Contact], staff: Callable[[str], Client]
):
    one, two = pair
    client = staff(OPERATOR)
    chosen = client.post("/admin/contacts/contact/", {"action": "merge_selected", "_selected_action": [one.pk, two.pk]})
    page = client.get(chosen["Location"])
    proposed = {line["name"]: [pk for pk, _text, on in line["cells"] if on] for line in page.context["lines"]}
    assert (proposed["phone"], proposed["city"]) == ([two.pk], [one.pk])

    form: dict[str, Any] = {"ids": f"{one.pk},{two.pk}", "survivor": two.pk, "field_full_name": one.pk}
    answer = client.post(reverse("admin:contact_merge"), form)

    two.refresh_from_db()
    assert answer["Location"] == reverse("admin:contacts_contact_change", args=[two.pk])
    assert (two.full_name, two.phone) == ("Maya Okafor", "2")
    row = ContactMerge.objects.get()
    client.post(reverse("admin:contacts_contactmerge_do", args=[row.pk, "take_apart"]))
    one.refresh_from_db()
    assert one.is_archived is False


def test_the_page_suggests_who_might_be_the_same_and_finds_others(
    pair: tuple[Contact, Contact], staff: Callable[[str], Client]
):
    one, two = pair
    double = factories.make_contact(full_name="maya okafor", email="other@example.org")
    client, url = staff(OPERATOR), reverse("admin:contact_merge")

    assert client.get(f"{url}?ids={one.pk}").context["suggestions"] == [double]
    assert client.get(f"{url}?ids={one.pk}&add=M.Okafor@work.example").context["rows"] == [one, two]
    assert client.get(f"{url}?ids={one.pk}&add={two.contact_id}").context["rows"] == [one, two]


def test_merging_needs_its_permission(pair: tuple[Contact, Contact], staff: Callable[[str], Client]):
    client = staff(MARKETING)
    url = f"{reverse('admin:contact_merge')}?ids={pair[0].pk},{pair[1].pk}"

    assert client.get(url).status_code == 403
    page = client.get(reverse("admin:contacts_contact_change", args=[pair[0].pk])).content.decode()
    assert reverse("admin:contact_merge") not in page
    assert "merge_selected" not in client.get("/admin/contacts/contact/").content.decode()


def test_every_column_of_a_contact_takes_part_or_is_its_own():
    from contacts.merging import _IDS, _OWN, _UNITED

    names = {item.name for item in Contact._meta.concrete_fields}

    assert {item.name for item in fields_to_choose()} | _OWN | {*_UNITED, _IDS} == names


def test_three_merged_contacts_are_one_in_notion_too_and_come_apart_again(
    notion: Sandbox, sync: Callable[..., Any], pair: tuple[Contact, Contact]
):
    three = factories.make_contact(full_name="Maya O.", email="maya.o@old.example")
    one, two = pair
    tasks = [factories.make_task(task_name=f"Task {row.pk}", related_contact=row) for row in (one, two, three)]
    instance, member = factories.make_instance(contact=two), factories.make_member(contact_profile=three)
    feedback = factories.make_feedback(contact=three)
    campaign = factories.make_campaign(audience_contacts=[two, three])
    owned = [*tasks, instance, member, feedback]
    sync()
    pages = {row.pk: _page(row) for row in (one, two, three)}
    names = {row: _relation_to_contacts(notion, row) for row in owned}
    before = {row: _linked(notion, row, names[row]) for row in owned}

    merge(one, [two, three], {}, "Olga")
    sync()

    assert {row: _linked(notion, row, names[row]) for row in owned} == {row: [pages[one.pk]] for row in owned}
    assert _linked(notion, campaign, _relation_to_contacts(notion, campaign)) == [pages[one.pk]]
    assert [_in_trash(page) for page in pages.values()] == [False, True, True]
    assert sync().total("pushed") == 0

    for row in ContactMerge.objects.order_by("-pk"):
        undo(row, "Olga")
    sync()

    assert {row: _linked(notion, row, names[row]) for row in owned} == before
    assert [_in_trash(page) for page in pages.values()] == [False, False, False]


def _page(row: Any) -> str:
    key = next(key for key, mapping in MAPPINGS.items() if mapping.model is type(row))
    return str(NotionPage.objects.get(database=key, object_id=row.pk).page_id)


def _relation_to_contacts(notion: Sandbox, row: Any) -> str:
    mapping = next(mapping for mapping in MAPPINGS.values() if mapping.model is type(row))
    return next(prop.name for prop in mapping.properties if getattr(prop, "to", "") == "contacts_profiles")


def _linked(notion: Sandbox, row: Any, name: str) -> list[str]:
    return sorted(notion.values(_page(row))[name])


def _in_trash(page_id: str) -> bool:
    with NotionApi(sleep=lambda _seconds: None) as client:
        return bool(client.page(page_id)["in_trash"])


def test_a_no_of_either_stands_after_the_merge_whatever_was_chosen_and_comes_apart_with_it():
    one = factories.make_contact(email="maya@example.org", email_opt_in=True)
    two = factories.make_contact(email="m.okafor@work.example", email_opt_in=True)
    consent.withdrawn(two, "Beehiiv", key="no", at=timezone.now())

    merge(one, [two], {"email_opt_in": one.pk, "status": one.pk}, "Olga")
    together = Contact.objects.get(pk=one.pk)
    undo(ContactMerge.objects.get(), "Olga")

    assert (together.email_opt_in, together.status) == (False, "Unsubscribed")
    assert [Contact.objects.get(pk=row.pk).email_opt_in for row in (one, two)] == [True, False]


def test_a_yes_of_the_other_is_the_persons_too():
    one = factories.make_contact(email="maya@example.org")
    two = factories.make_contact(email="m.okafor@work.example")
    consent.granted(two, "Beehiiv", key="yes", at=timezone.now())

    merge(one, [two], {}, "Olga")

    assert Contact.objects.get(pk=one.pk).email_opt_in is True


def test_services_know_the_person_by_the_ids_of_both_contacts():
    one = factories.make_contact(hubspot_contact_id="51", external_ids={"circle": "7"})
    two = factories.make_contact(hubspot_contact_id="52", external_ids={"circle": "8", "amelia": "2"})
    three = factories.make_contact(hubspot_contact_id="53")

    merge(two, [three], {}, "Olga")
    merge(one, [Contact.objects.get(pk=two.pk)], {}, "Olga")

    assert [known_by("hubspot_contact_id", [name]) for name in ("51", "52", "53", "", "54")] == [one] * 3 + [None] * 2
    assert Contact.objects.get(pk=one.pk).external_ids == {"circle": "7", "amelia": "2"}
