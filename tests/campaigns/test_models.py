"""Campaigns and feedback."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pytest
import time_machine
from django.db import IntegrityError, transaction

from campaigns.models import Campaign, Feedback
from campaigns.queries import campaign_with_external_id, feedback_from
from tests.factories import make_campaign, make_feedback

UTC = timezone.utc


def test_rates_are_empty_until_something_was_measured():
    assert (Campaign().open_rate, Campaign().click_rate) == (None, None)
    assert Campaign(recipients=0, unique_opens=0).open_rate is None
    assert Campaign(recipients=200).open_rate is None


def test_rates_are_shares_of_the_recipients():
    campaign = Campaign(recipients=200, unique_opens=50, unique_clicks=0)
    assert (campaign.open_rate, campaign.click_rate) == (0.25, 0.0)


def test_a_campaign_s_duration_needs_both_ends():
    start, end = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 15, 12, tzinfo=UTC)
    assert Campaign(start_date=start, end_date=end).campaign_duration == 14
    assert Campaign(start_date=start).campaign_duration is None


@pytest.mark.django_db
def test_a_campaign_is_found_by_the_post_it_became():
    campaign = make_campaign(external_id="post_1")
    make_campaign()
    assert campaign_with_external_id("post_1") == campaign
    assert campaign_with_external_id("") is None


@pytest.mark.parametrize(
    ("rating", "scale", "of_five"), [(None, None, None), (4, None, 4), (4, 5, 4.0), (8, 10, 4.0), (3, 10, 1.5)]
)
def test_ratings_of_any_scale_compare_as_ratings_of_five(
    rating: float | None, scale: float | None, of_five: float | None
):
    assert Feedback(rating=rating, rating_scale=scale).rating_of_five == of_five


@time_machine.travel(datetime(2026, 5, 20, 12, tzinfo=UTC), tick=False)
def test_the_ages_of_feedback_are_whole_days():
    received = datetime(2026, 5, 10, 18, tzinfo=UTC)
    feedback = Feedback(date_received=received, response_date=date(2026, 5, 13))
    assert (feedback.days_since_received, feedback.response_time) == (9, 2)
    assert Feedback(date_received=received, response_date=date(2026, 5, 10)).response_time == 0
    assert Feedback(date_received=None).days_since_received is None
    assert Feedback(date_received=received).response_time is None


@pytest.mark.django_db
def test_one_answer_is_stored_once():
    first = make_feedback(source="Typeform", external_reference_id="token")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_feedback(source="Typeform", external_reference_id="token")
    other = make_feedback(source="Userfeedback", external_reference_id="token")
    make_feedback(source="Typeform")
    make_feedback(source="Typeform")
    assert feedback_from("Typeform", "token") == first
    assert feedback_from("Userfeedback", "token") == other
    assert feedback_from("Typeform", "") is None
