from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from campaigns import criteria, evaluation
from campaigns.models import Segment, SegmentMembership
from contacts import interactions
from contacts.models import Contact
from tests.factories import make_business_entity, make_contact, make_feedback, make_instance, make_member, make_workflow

NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)


def ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def segment(*rules: dict[str, Any], match: str = "all", **fields: Any) -> Segment:
    fields.setdefault("name", f"Segment {Segment.objects.count()}")
    return Segment.objects.create(criteria={"match": match, "rules": list(rules)}, **fields)


def rule(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def found(*rules: dict[str, Any], match: str = "all") -> set[str]:
    group = criteria.parse({"match": match, "rules": list(rules)})
    return set(Contact.objects.filter(criteria.condition(group, NOW)).values_list("full_name", flat=True))


@pytest.fixture
def people(db) -> None:
    ada = make_contact(
        full_name="Ada",
        status="Active Client",
        tags=["VIP", "Café"],
        lead_score=9,
        email_opt_in=True,
        last_interaction=ago(3),
        country="United Kingdom",
    )
    bob = make_contact(
        full_name="Bob", status="Active Lead", lead_score=None, last_interaction=ago(45), date_added=None
    )
    cid = make_contact(full_name="Cid", status="Do Not Contact", email_opt_in=True, last_interaction=None)
    ada.business_entities.add(make_business_entity(entity_key="the-7-space"))
    interactions.record(ada, "purchase", source="WooCommerce", key="o1", at=ago(10))
    interactions.record(bob, "purchase", source="WooCommerce", key="o2", at=ago(100))
    make_member(contact_profile=bob, membership_status="Active", engagement_score=70, last_active_date=ago(31))
    make_feedback(contact=cid, rating=2, sentiment="Negative")
    booking = make_workflow(workflow_id="WF-RETREAT-BOOKING")
    make_instance(workflow=booking, contact=ada, current_state="booking_confirmed", start_date=ago(5))
    make_instance(workflow=booking, contact=bob, current_state="canceled", start_date=ago(50))


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (rule("status", "equals", "active client"), {"Ada"}),
        (rule("status", "not_equals", "Active Client"), {"Bob", "Cid"}),
        (rule("status", "in", ["Active Client", "Active Lead"]), {"Ada", "Bob"}),
        (rule("status", "not_in", ["Active Client", "Active Lead"]), {"Cid"}),
        (rule("status", "contains", "lead"), {"Bob"}),
        (rule("status", "in", ["active client", "ACTIVE LEAD"]), {"Ada", "Bob"}),
        (rule("status", "not_in", ["active client"]), {"Bob", "Cid"}),
        (rule("status", "equals", "No such option"), set()),
        (rule("status", "not_equals", "No such option"), {"Ada", "Bob", "Cid"}),
        (rule("tags", "not_in", ["No such tag"]), {"Ada", "Bob", "Cid"}),
        (rule("workflow.WF-NO-SUCH", "not_exists"), {"Ada", "Bob", "Cid"}),
        (rule("country", "exists"), {"Ada"}),
        (rule("country", "not_exists"), {"Bob", "Cid"}),
        (rule("tags", "contains", "VIP"), {"Ada"}),
        (rule("tags", "contains", "Café"), {"Ada"}),
        (rule("tags", "contains", "VI"), set()),
        (rule("tags", "not_contains", "VIP"), {"Bob", "Cid"}),
        (rule("tags", "in", ["None", "VIP"]), {"Ada"}),
        (rule("tags", "exists"), {"Ada"}),
        (rule("lead_score", "at_least", 9), {"Ada"}),
        (rule("lead_score", "greater_than", 9), set()),
        (rule("lead_score", "less_than", 10), {"Ada"}),
        (rule("lead_score", "not_exists"), {"Bob", "Cid"}),
        (rule("lead_score", "equals", 9), {"Ada"}),
        (rule("lead_score", "equals", 9.5), set()),
        (rule("lead_score", "not_equals", 9), {"Bob", "Cid"}),
        (rule("lead_score", "in", [3, 9]), {"Ada"}),
        (rule("lead_score", "at_most", 9.5), {"Ada"}),
        (rule("email_opt_in", "equals", True), {"Ada", "Cid"}),
        (rule("accepts_email_marketing", "equals", True), {"Ada"}),
        (rule("accepts_email_marketing", "equals", False), {"Bob", "Cid"}),
        (rule("last_interaction", "within_days", 30), {"Ada"}),
        (rule("last_interaction", "not_within_days", 30), {"Bob", "Cid"}),
        (rule("last_interaction", "before", "2026-05-01"), {"Bob"}),
        (rule("last_interaction", "after", "2026-05-01"), {"Ada"}),
        (rule("business_entity", "equals", "the-7-space"), {"Ada"}),
        (rule("did.purchase", "within_days", 30), {"Ada"}),
        (rule("did.purchase", "exists"), {"Ada", "Bob"}),
        (rule("did.purchase", "not_within_days", 30), {"Bob", "Cid"}),
        (rule("did.anything", "not_exists"), {"Cid"}),
        (rule("community.status", "equals", "Active"), {"Bob"}),
        (rule("community.engagement_score", "at_least", 70), {"Bob"}),
        (rule("community.last_active", "not_within_days", 30), {"Ada", "Bob", "Cid"}),
        (rule("feedback.rating", "less_than", 3), {"Cid"}),
        (rule("feedback.sentiment", "not_equals", "Negative"), {"Ada", "Bob"}),
        (rule("workflow.WF-RETREAT-BOOKING", "exists"), {"Ada", "Bob"}),
        (rule("workflow.WF-RETREAT-BOOKING", "within_days", 30), {"Ada"}),
        (rule("workflow.WF-RETREAT-BOOKING", "equals", "canceled"), {"Bob"}),
        (rule("workflow.WF-RETREAT-BOOKING", "not_equals", "canceled"), {"Ada", "Cid"}),
    ],
    ids=lambda item: f"{item['field']} {item['operator']}" if isinstance(item, dict) else "",
)
def test_each_rule_finds_whom_it_means(people, given, names):
    assert found(given) == names


def test_groups_are_all_or_any_and_may_hold_groups(people):
    lead, vip = rule("status", "equals", "Active Lead"), rule("tags", "contains", "VIP")
    assert found(lead, vip) == set()
    assert found(lead, vip, match="any") == {"Ada", "Bob"}
    assert found(rule("email_opt_in", "equals", True), {"match": "any", "rules": [lead, vip]}) == {"Ada"}


def test_a_plain_list_means_all_of_it():
    assert criteria.parse([rule("status", "exists")]).match == "all"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({}, "rules: Field required"),
        ("VIP", "Input should be a valid dictionary or instance of Group"),
        ([], "rules: a group needs at least one rule"),
        ([rule("shoe_size", "exists")], "rules.0: no field is called “shoe_size”"),
        ([rule("email_opt_in", "contains", "x")], "rules.0: “email_opt_in” knows equals, not_equals, not “contains”"),
        ([rule("lead_score", "at_least", "9")], "rules.0: “lead_score” at_least: needs a number"),
        (
            [rule("did.post", "within_days", 0)],
            "rules.0: “did.post” within_days: needs a number of days from 1 to 36500",
        ),
        ([rule("status", "in", "Lead")], "rules.0: “status” in: needs a list of 1 to 200 values"),
        ([rule("date_added", "before", "soon")], "rules.0: “date_added” before: needs a date such as 2026-05-09"),
        (
            [rule("status", "equals", ""), {"match": "any", "rules": [rule("tags", "contains", 3)]}],
            "rules.0: “status” equals: needs a text; rules.1.rules.0: “tags” contains: needs a text",
        ),
        ([rule("status", "exists")] * 51, "There are more than 50 rules."),
        ({"match": "any", "rules": []}, "rules: a group needs at least one rule"),
        ([{"match": "all", "rules": []}], "rules.0.rules: a group needs at least one rule"),
        (
            [rule("lead_score", "equals", float("nan"))],
            "rules.0: “lead_score” equals: needs a number of at most 1000000000",
        ),
        (
            [rule("lead_score", "less_than", 10**30)],
            "rules.0: “lead_score” less_than: needs a number of at most 1000000000",
        ),
        ([rule("date_added", "after", "0001-01-01")], "rules.0: “date_added” after: needs a date such as 2026-05-09"),
        ([rule("city", "equals", "Lis\x00bon")], "rules.0: “city” equals: needs one line of at most 500 characters"),
        ([rule("tags", "in", ["VIP", None])], "rules.0: “tags” in: needs a text"),
    ],
)
def test_broken_criteria_say_everything_that_is_wrong(broken, said):
    with pytest.raises(criteria.BrokenCriteria) as raised:
        criteria.parse(broken)
    assert str(raised.value) == said


def test_a_segment_with_broken_criteria_or_a_comma_is_refused(db):
    broken = Segment(name="A, B", criteria=[rule("shoe_size", "exists")])
    with pytest.raises(ValidationError) as raised:
        broken.full_clean()
    assert sorted(raised.value.message_dict) == ["criteria", "name"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["match", "rules", "field", "operator", "value"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_somebody_writes_is_understood_or_refused(data):
    try:
        parsed = criteria.parse(data)
    except criteria.BrokenCriteria:
        return
    criteria.condition(parsed, NOW)


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        # The clocks go on in the night to the 8th of March there, and on the 29th here.
        ("America/New_York", ["2026-03-08T05:30:00+00:00", "2026-03-09T04:30:00+00:00"]),
        ("Europe/Lisbon", ["2026-03-29T00:30:00+00:00", "2026-03-29T23:30:00+00:00"]),
    ],
)
def test_a_date_is_midnight_on_the_clock_of_the_business_in_summer_and_winter(db, zone: str, days: list[str]):
    """Half an hour after midnight, before and after the clocks have changed."""
    entity = make_business_entity(time_zone=zone)
    for day in days:
        make_contact(last_interaction=datetime.fromisoformat(day), business_entities=[entity])
    first, second = ("2026-03-08", "2026-03-09") if zone == "America/New_York" else ("2026-03-29", "2026-03-30")
    for edge, count in ((first, 2), (second, 1)):
        after = segment(rule("last_interaction", "after", edge), business_entity=entity)
        before = segment(rule("last_interaction", "before", edge), business_entity=entity)
        assert (evaluation.evaluate(after, NOW).members, evaluation.evaluate(before, NOW).members) == (count, 2 - count)


# -- membership -----------------------------------------------------------------------------------------------------
def test_only_comings_and_goings_are_written(db):
    vip = segment(rule("tags", "contains", "VIP"))
    ada, bob = make_contact(tags=["VIP"]), make_contact()
    assert evaluation.evaluate(vip, NOW) == (1, 0, 1)
    assert evaluation.evaluate(vip, NOW + timedelta(days=1)) == (0, 0, 1)
    Contact.objects.filter(pk=ada.pk).update(tags=[])
    Contact.objects.filter(pk=bob.pk).update(tags=["VIP"])
    assert evaluation.evaluate(vip, NOW + timedelta(days=2)) == (1, 1, 1)
    rows = SegmentMembership.objects.order_by("pk").values_list("contact_id", "entered_at", "left_at")
    assert list(rows) == [(ada.pk, NOW, NOW + timedelta(days=2)), (bob.pk, NOW + timedelta(days=2), None)]


def test_an_archived_contact_leaves(db):
    everyone = segment(rule("email", "exists"))
    ada = make_contact()
    evaluation.evaluate(everyone, NOW)
    ada.archive()
    assert evaluation.evaluate(everyone, NOW) == (0, 1, 0)


def test_a_segment_of_one_business_holds_only_its_contacts(db):
    entity = make_business_entity()
    ours = make_contact(business_entities=[entity])
    make_contact()
    everyone = segment(rule("email", "exists"), business_entity=entity)
    assert evaluation.evaluate(everyone, NOW) == (1, 0, 1)
    assert [row.contact for row in SegmentMembership.objects.all()] == [ours]


def test_the_number_of_statements_does_not_grow_with_the_contacts(db):
    everyone = segment(rule("email", "exists"))
    counts = []
    for _ in range(2):
        for _ in range(20):
            make_contact()
        with CaptureQueriesContext(connection) as queries:
            evaluation.evaluate(everyone, NOW)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


def test_contacts_get_the_names_of_their_segments_and_keep_those_set_by_hand(db):
    vip, leads = segment(rule("tags", "contains", "VIP"), name="VIPs"), segment(rule("email", "exists"), name="All")
    ada, bob = make_contact(tags=["VIP"], marketing_segments=["By hand", "VIPs"]), make_contact()
    for item in (vip, leads):
        evaluation.evaluate(item, NOW)
    assert evaluation.carry(NOW) == [ada.pk, bob.pk]
    assert evaluation.carry(NOW) == []
    names = dict(Contact.objects.values_list("pk", "marketing_segments"))
    assert names == {ada.pk: ["By hand", "All", "VIPs"], bob.pk: ["All"]}
    Contact.objects.filter(pk=ada.pk).update(tags=[], local_change_at=None)
    Contact.objects.filter(pk=bob.pk).update(local_change_at=None)
    evaluation.evaluate(vip, NOW)
    assert evaluation.carry(NOW) == [ada.pk]
    found = [(row.marketing_segments, row.local_change_at is None) for row in Contact.objects.order_by("pk")]
    assert found == [(["By hand", "All"], False), (["All"], True)]


def test_carrying_goes_on_where_it_was_cut_off(db):
    everyone = segment(rule("email", "exists"))
    for _ in range(5):
        make_contact()
    evaluation.evaluate(everyone, NOW)
    sizes = [len(evaluation.carry(NOW, limit=2)) for _ in range(4)]
    assert sizes == [2, 2, 1, 0]
