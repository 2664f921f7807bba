"""Consent is computed from everything that was said, so the order in which it arrives decides nothing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts import consent
from contacts.consent import Said
from contacts.models import ConsentChange
from tests.factories import make_contact

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


SAID = st.builds(
    Said,
    at=st.integers(0, 5).map(day),
    granted=st.booleans(),
    source=st.sampled_from(["Beehiiv", "Snov.io", "Website"]),
    by_person=st.booleans(),
)


@given(st.lists(SAID), st.randoms())
def test_the_answer_does_not_depend_on_the_order_or_on_repeats(said, random):
    shuffled = [*said, *said]
    random.shuffle(shuffled)
    assert consent.allowed(shuffled) == consent.allowed(said)


@given(st.lists(SAID))
def test_a_last_no_of_staff_always_counts(said):
    assert consent.allowed([*said, Said(day(9), granted=False, source="Grace", by_person=True)]) is False


def test_another_service_never_lifts_a_no():
    said = [
        Said(day(1), granted=True, source="Website"),
        Said(day(2), granted=False, source="Beehiiv"),
        Said(day(3), granted=True, source="Website"),
    ]
    assert consent.allowed(said) is False
    assert consent.allowed([*said, Said(day(4), granted=True, source="Beehiiv")]) is True
    assert consent.allowed([*said, Said(day(4), granted=True, source="Grace", by_person=True)]) is True


def test_at_the_same_moment_the_no_counts():
    assert (
        consent.allowed([Said(day(1), granted=True, source="Beehiiv"), Said(day(1), granted=False, source="Beehiiv")])
        is False
    )


def tell(contact, what):
    source, number, granted = what
    contact.refresh_from_db()
    note = consent.granted if granted else consent.withdrawn
    note(contact, source, key=f"{source}:{number}", at=day(number))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("told", "status", "opt_in"),
    [
        ([("Beehiiv", 1, True), ("Beehiiv", 2, False)], "Unsubscribed", False),
        ([("Beehiiv", 1, True), ("Beehiiv", 2, False), ("Beehiiv", 3, True)], "Qualified Lead", True),
        ([("Beehiiv", 1, True), ("Snov.io", 2, False), ("Beehiiv", 3, True)], "Unsubscribed", False),
    ],
)
def test_late_and_repeated_answers_end_in_the_same_contact(told, status, opt_in):
    for order in permutations(told):
        contact = make_contact(status="Qualified Lead")
        for what in (*order, *order):
            source, number, granted = what
            tell(contact, (f"{source} {contact.pk}", number, granted))
        contact.refresh_from_db()
        assert (contact.status, contact.email_opt_in, contact.accepts_email_marketing) == (status, opt_in, opt_in)


@pytest.mark.django_db
def test_a_client_who_unsubscribes_stays_a_client():
    contact = make_contact(status="Active Client", email_opt_in=True)
    consent.withdrawn(contact, "Beehiiv", key="u1", at=day(9))
    contact.refresh_from_db()
    assert (contact.status, contact.email_opt_in) == ("Active Client", False)


@pytest.mark.django_db
def test_a_yes_from_before_the_history_began_is_kept_in_it():
    contact = make_contact(email_opt_in=True, consent_source="Typeform: Retreats", consent_at=day(0))
    assert consent.granted(contact, "Beehiiv", key="s1", at=day(1)) is True
    rows = ConsentChange.objects.order_by("at").values_list("source", "granted")
    assert list(rows) == [("Typeform: Retreats", True), ("Beehiiv", True)]


@pytest.mark.django_db
def test_whoever_was_set_unsubscribed_by_hand_is_not_made_a_lead_again():
    contact = make_contact(status="Unsubscribed")
    consent.granted(contact, "Beehiiv", key="s1", at=day(1))
    contact.refresh_from_db()
    assert (contact.status, contact.accepts_email_marketing) == ("Unsubscribed", False)
