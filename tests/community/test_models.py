"""Members and rewards."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pytest
import time_machine
from django.db import IntegrityError, transaction

from community.models import Member, Reward
from community.queries import member_with_email
from tests.factories import make_campaign, make_contact, make_member, make_reward

UTC = timezone.utc


@time_machine.travel(datetime(2026, 5, 20, 12, tzinfo=UTC), tick=False)
def test_idle_days_and_age_are_whole_days():
    member = Member(join_date=datetime(2026, 1, 20, tzinfo=UTC), last_active_date=datetime(2026, 5, 18, 13, tzinfo=UTC))
    assert (member.membership_age, member.days_since_active) == (120, 1)
    assert (Member(join_date=None).membership_age, Member().days_since_active) == (None, None)


@pytest.mark.django_db
def test_a_member_is_found_by_the_address_in_any_case():
    member = make_member(member_email="Sage@Example.org")
    assert member_with_email("sage@example.ORG") == member
    assert member_with_email("") is None


@pytest.mark.django_db
def test_an_address_belongs_to_one_live_member():
    old = make_member(member_email="sage@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_member(member_email="sage@example.org")
    old.archive()
    assert make_member(member_email="sage@example.org").member_email == "sage@example.org"


@pytest.mark.django_db
def test_a_member_and_a_contact_show_each_other():
    contact = make_contact()
    member = make_member(contact_profile=contact)
    assert list(contact.community_profiles.all()) == [member]


@pytest.mark.django_db
def test_campaigns_show_their_audience_among_the_members_and_their_rewards():
    campaign = make_campaign()
    member, reward = make_member(campaigns=[campaign]), make_reward(related_campaigns=[campaign])
    assert list(campaign.audience_members.all()) == [member]
    assert list(campaign.rewards.all()) == [reward]


@time_machine.travel(datetime(2026, 5, 20, 12, tzinfo=UTC), tick=False)
def test_what_is_left_of_a_program():
    reward = Reward(redemption_count=25, maximum_redemptions=100, end_date=date(2026, 5, 30))
    assert (reward.redemption_percent, reward.days_remaining) == (0.25, 10)
    assert (Reward().redemption_percent, Reward().days_remaining) == (None, None)


@pytest.mark.django_db
def test_one_deed_is_rewarded_once():
    contact, program = make_contact(), make_reward()
    deed = {
        "record_kind": "Issued",
        "recipient": contact,
        "qualifying_action": "Referral",
        "related_transaction": "sub_1",
        "program": program,
    }
    reward = make_reward(**deed)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_reward(**deed)
    assert list(program.issued.all()) == list(contact.rewards_received.all()) == [reward]
