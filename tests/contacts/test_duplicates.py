"""Who may be one person: found by the night, decided by a person."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from contacts import duplicates
from contacts.merging import merge
from contacts.models import Contact, PossibleDuplicate
from higherself.core.roles import OPERATOR, VIEWER
from tests.factories import make_contact

pytestmark = pytest.mark.django_db


def found() -> set[tuple[str, str, str]]:
    rows = PossibleDuplicate.objects.select_related("one", "other")
    return {(row.one.email, row.other.email, row.why) for row in rows}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+441632960961", "01632 960961", True),
        ("+44 (0)1632 960-961", "+441632960961", True),
        ("+441632960961", "+441632960962", False),
        ("12345", "12345", False),
        ("", "", False),
    ],
)
def test_a_number_is_the_same_in_its_national_and_its_international_form(one: str, other: str, same: bool):
    key = duplicates.same_phone(one)
    assert (bool(key) and key == duplicates.same_phone(other)) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ada@example.org", "Ada+News@Example.org", True),
        ("ada@example.org", "ada@example.com", False),
        ("+ada@example.org", "+news@example.org", False),
        ("", "", False),
    ],
)
def test_a_mailbox_is_the_same_with_a_tag(one: str, other: str, same: bool):
    key = duplicates.same_box(one)
    assert (bool(key) and key == duplicates.same_box(other)) is same


def test_pairs_are_noted_once_with_the_surest_reason():
    make_contact(full_name="Ada Lovelace", email="ada@example.org", phone="+441632960961")
    make_contact(full_name="Lovelace, Ada", email="ada@work.example", phone="01632 960961")
    make_contact(full_name="Grace Hopper", email="grace+news@example.org", phone="")
    make_contact(full_name="G. H.", email="grace@example.org", phone="")
    make_contact(full_name="Ada", email="other@example.org", phone="")
    expected = {
        ("ada@example.org", "ada@work.example", "phone"),
        ("grace+news@example.org", "grace@example.org", "address"),
    }

    assert (duplicates.find_duplicates(), duplicates.find_duplicates()) == (2, 0)
    assert found() == expected


def test_what_is_shared_by_many_is_nobodys_duplicate():
    for number in range(duplicates.MOST + 1):
        make_contact(full_name=f"Person {number}", email=f"p{number}@example.org", phone="+441632960961")

    assert duplicates.find_duplicates() == 0


def test_two_people_are_not_suggested_again_and_merged_ones_are_gone():
    rows = [make_contact(full_name="Ada Lovelace", email=f"{name}@example.org", phone="") for name in ("a", "b", "c")]
    duplicates.find_duplicates()
    pairs = {(pair.one_id, pair.other_id): pair for pair in PossibleDuplicate.objects.all()}
    assert duplicates.keep_apart([pairs[rows[0].pk, rows[1].pk]], "Olga") == 1

    merge(rows[0], [rows[2]], {}, "Olga")

    assert list(duplicates.open_pairs()) == []
    assert duplicates.find_duplicates() == 0
    assert PossibleDuplicate.objects.get().decided_by == "Olga"


def test_a_person_compares_merges_or_keeps_apart_in_the_console(staff: Callable[[str], Client]):
    one = make_contact(full_name="Ada Lovelace", email="a@example.org", phone="")
    two = make_contact(full_name="Ada Lovelace", email="b@example.org", phone="")
    duplicates.find_duplicates()
    pair = PossibleDuplicate.objects.get()
    operator, viewer = staff(OPERATOR), staff(VIEWER)
    merging = f"{reverse('admin:contact_merge')}?ids={one.pk},{two.pk}"
    listed = operator.get(reverse("admin:contacts_possibleduplicate_changelist")).content.decode()
    page = operator.get(reverse("admin:contacts_contact_change", args=[one.pk])).content.decode()
    home = [client.get("/admin/").content.decode() for client in (operator, viewer)]
    url = reverse("admin:contacts_possibleduplicate_do", args=[pair.pk, "keep_apart"])

    assert merging.replace("&", "&amp;") in listed
    assert merging.replace("&", "&amp;") in page
    assert ["may be one person" in text for text in home] == [True, False]
    assert (viewer.post(url).status_code, operator.post(url).status_code) == (403, 302)
    assert list(duplicates.open_pairs()) == []
    assert Contact.objects.live().count() == 2
