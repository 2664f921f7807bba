"""Business entities and contacts."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import IntegrityError, transaction

from contacts.choices import ContactStatus
from contacts.models import BusinessEntity, Contact
from contacts.queries import accepting_email_marketing, contact_with_email, entity_with_key
from tests.factories import make_business_entity, make_contact

pytestmark = pytest.mark.django_db


# -- business entities ---------------------------------------------------------------------------------------------


def test_an_entity_s_key_is_a_slug_of_its_name():
    assert make_business_entity(name="The 7 Space").entity_key == "the-7-space"


def test_entities_of_one_name_get_different_keys():
    keys = [make_business_entity(name="The 7 Space").entity_key for _ in range(3)]
    assert keys == ["the-7-space", "the-7-space-2", "the-7-space-3"]


def test_a_key_that_was_given_stays_when_the_name_changes():
    entity = make_business_entity(name="The 7 Space", entity_key="seven")
    entity.name = "Eight"
    entity.save()
    entity.refresh_from_db()
    assert entity.entity_key == "seven"


def test_a_name_without_latin_letters_has_a_key_all_the_same():
    assert make_business_entity(name="空").entity_key == "entity"


def test_bulk_inserts_get_their_keys_too():
    BusinessEntity.objects.bulk_create([BusinessEntity(name="One"), BusinessEntity(name="Two")])
    assert list(BusinessEntity.objects.values_list("entity_key", flat=True)) == ["one", "two"]


def test_a_long_name_leaves_room_for_a_number_in_the_key():
    keys = [make_business_entity(name="a" * 300).entity_key for _ in range(2)]
    assert keys == ["a" * 90, "a" * 90 + "-2"]


def test_an_unsaved_entity_can_be_given_its_key():
    entity = BusinessEntity(name="The Connection Practice")
    entity.fill_identity()
    assert entity.entity_key == "the-connection-practice"


@pytest.mark.parametrize(
    ("name", "zone"), [("America/New_York", "America/New_York"), ("", "UTC"), ("Mars/Base", "UTC")]
)
def test_due_dates_are_computed_in_the_entity_s_zone_or_the_server_s(name: str, zone: str, settings):
    settings.TIME_ZONE = "UTC"
    assert BusinessEntity(time_zone=name).zone == ZoneInfo(zone)


def test_an_entity_is_found_by_key_and_by_name_in_any_case():
    entity = make_business_entity(name="The 7 Space")
    assert entity_with_key("the-7-space") == entity
    assert entity_with_key(" the 7 SPACE ") == entity
    assert entity_with_key("The 8 Space") is None
    assert entity_with_key(" ") is None


# -- addresses -----------------------------------------------------------------------------------------------------


def test_an_address_is_stored_trimmed_and_in_lower_case_however_it_is_saved():
    saved = make_contact(email=" Jane@Example.ORG ")
    (bulk,) = Contact.objects.bulk_create([Contact(email="Bulk@Example.org")])
    updated = make_contact()
    Contact.objects.filter(pk=updated.pk).update(email=" Updated@Example.org")
    stored = Contact.objects.in_bulk([saved.pk, bulk.pk, updated.pk])
    assert [stored[row.pk].email for row in (saved, bulk, updated)] == [
        "jane@example.org",
        "bulk@example.org",
        "updated@example.org",
    ]
    assert saved.email == "jane@example.org"


def test_a_contact_is_found_in_whatever_case_the_address_is_written():
    contact = make_contact(email="jane@example.org")
    assert contact_with_email("JANE@example.org ") == contact
    assert Contact.objects.filter(email__in=["Jane@Example.org"]).get() == contact


def test_two_live_contacts_cannot_share_an_address():
    make_contact(email="jane@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_contact(email="Jane@Example.org")


def test_an_archived_contact_leaves_its_address_to_another():
    old = make_contact(email="jane@example.org")
    old.archive()
    new = make_contact(email="jane@example.org")
    assert contact_with_email("jane@example.org") == new


def test_contacts_without_an_address_can_be_many_and_are_not_found_by_none():
    make_contact(email="")
    make_contact(email="")
    assert contact_with_email("") is None


# -- names and scores ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"full_name": "J. Doe", "first_name": "Jane"}, "J. Doe"),
        ({"first_name": "Jane", "last_name": "Doe"}, "Jane Doe"),
        ({"first_name": "", "last_name": "Doe"}, "Doe"),
        ({"first_name": "", "last_name": "", "email": "jane@example.org"}, "jane@example.org"),
    ],
)
def test_the_full_name_falls_back_to_its_parts_and_then_to_the_address(given: dict[str, str], name: str):
    assert make_contact(**given).full_name == name


def test_the_full_name_is_filled_in_even_when_only_other_fields_are_saved():
    (contact,) = Contact.objects.bulk_create([Contact(first_name="Jane")])
    contact.city = "Porto"
    contact.save(update_fields=["city"])
    contact.refresh_from_db()
    assert (contact.full_name, contact.city) == ("Jane", "Porto")


def test_a_contact_s_public_id_is_its_own():
    first, second = make_contact(), make_contact()
    assert first.contact_id[:5] == "CTCT-"
    assert first.contact_id != second.contact_id


@time_machine.travel(datetime(2026, 5, 20, 12, tzinfo=timezone.utc), tick=False)
def test_days_since_the_last_interaction_count_from_the_first_day_when_there_was_none():
    added = datetime(2026, 5, 1, tzinfo=timezone.utc)
    seen = datetime(2026, 5, 18, tzinfo=timezone.utc)
    assert Contact(date_added=added).days_since_last_interaction == 19
    assert Contact(date_added=added, last_interaction=seen).days_since_last_interaction == 2
    assert Contact(date_added=None).days_since_last_interaction is None


# -- consent -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({"email_opt_in": True}, True),
        ({"email_opt_in": False}, False),
        ({"email_opt_in": True, "email": ""}, False),
        ({"email_opt_in": True, "status": ContactStatus.UNSUBSCRIBED}, False),
        ({"email_opt_in": True, "status": ContactStatus.DO_NOT_CONTACT}, False),
        ({"email_opt_in": True, "status": "Whatever a person typed"}, True),
    ],
)
def test_marketing_goes_only_to_those_who_opted_in_and_did_not_leave(given: dict[str, object], allowed: bool):
    contact = make_contact(**given)
    assert contact.accepts_email_marketing is allowed
    assert list(accepting_email_marketing(Contact.objects.all())) == ([contact] if allowed else [])


def test_an_archived_contact_gets_no_marketing():
    make_contact(email_opt_in=True).archive()
    assert list(accepting_email_marketing(Contact.objects.all())) == []


def test_a_text_message_needs_its_own_opt_in_and_a_number():
    assert Contact(phone="+1 555", sms_opt_in=True).accepts_sms_marketing is True
    assert Contact(phone="", sms_opt_in=True).accepts_sms_marketing is False
    assert Contact(phone="+1 555", email_opt_in=True).accepts_sms_marketing is False
    assert Contact(phone="+1 555", sms_opt_in=True, status="Do Not Contact").accepts_sms_marketing is False


# -- relations -----------------------------------------------------------------------------------------------------


def test_a_contact_may_belong_to_both_entities():
    entities = [make_business_entity(), make_business_entity()]
    contact = make_contact(business_entities=entities)
    assert list(contact.business_entities.order_by("pk")) == entities
    assert [list(entity.contacts.all()) for entity in entities] == [[contact], [contact]]
