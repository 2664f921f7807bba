from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts import interactions
from contacts.models import Contact
from tests.factories import make_contact

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
DONE = st.lists(st.tuples(st.integers(-10, 900).map(lambda days: NOW - timedelta(days=days)), st.integers(0, 30)))


@given(DONE, st.randoms())
def test_a_score_does_not_depend_on_the_order(done, random):
    shuffled = list(done)
    random.shuffle(shuffled)
    assert interactions.score(shuffled, NOW) == interactions.score(done, NOW)


@given(DONE)
def test_a_score_stays_between_0_and_100_and_never_grows_with_time_alone(done):
    now, later = interactions.score(done, NOW + timedelta(days=10)), interactions.score(done, NOW + timedelta(days=50))
    assert 0 <= later <= now <= 100


def test_points_lose_a_tenth_every_thirty_days():
    done = [(NOW - timedelta(days=60), 100)]
    assert interactions.score(done, NOW) == 81


def record(contact, key, *, days=0, kind="post", identity=""):
    at = NOW - timedelta(days=days)
    return interactions.record(contact, kind, source="Circle.so", key=key, at=at, identity=identity)


@pytest.mark.django_db
def test_the_same_thing_told_twice_counts_once():
    contact = make_contact()
    assert [record(contact, "circle:p1"), record(contact, "circle:p1")] == [True, False]
    interactions.refresh(contact, NOW)
    assert (contact.engagement_score, contact.last_interaction) == (10, NOW)


@pytest.mark.django_db
def test_what_somebody_unknown_did_counts_once_they_are_known():
    contact = make_contact()
    record(None, "circle:p1", identity="circle:7")
    assert [interactions.claim("circle:7", contact), interactions.claim("circle:7", contact)] == [1, 0]
    interactions.refresh(contact, NOW)
    assert contact.engagement_score == 10


@pytest.mark.django_db
def test_time_lowers_scores_and_touches_nobody_else():
    old, new = make_contact(engagement_score=10), make_contact(engagement_score=10)
    by_hand = make_contact(engagement_score=50)
    record(old, "a", days=90)
    record(new, "b")
    Contact.objects.update(local_change_at=None)
    assert interactions.decay(NOW) == 1
    scores = {row.pk: (row.engagement_score, row.local_change_at is None) for row in Contact.objects.all()}
    assert scores == {old.pk: (7, False), new.pk: (10, True), by_hand.pk: (50, True)}


@pytest.mark.django_db
def test_a_bounced_mail_is_no_sign_of_life():
    contact = make_contact(last_interaction=None)
    record(contact, "x", kind="email_bounced")
    assert interactions.refresh(contact, NOW) == []
