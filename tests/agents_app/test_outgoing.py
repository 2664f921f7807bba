"""What staff have handed on: invitations, enrolments, prospects and copies. Off until a row says so; each once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agents_app import tasks
from agents_app.models import Copied, DataTransformation, Task, WorkflowInstance
from agents_app.outgoing import copies, rules
from agents_app.services import catalog, edits, erasing
from agents_app.workflow import engine
from bookings.models import Product
from contacts import consent, personal
from contacts.models import Contact
from higherself.integrations import inbox, outbox, relay
from higherself.integrations.delivery import Delivery
from higherself.integrations.models import OutboundCall
from higherself.integrations.registry import PROVIDERS
from tests.agents_app.deliveries import deliver as submit
from tests.agents_app.deliveries import lead, typeform
from tests.agents_app.sales import booking, deliver, instance_of, order
from tests.factories import make_contact, make_product, make_transformation
from tests.standins.server import StandIns

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.fixture(autouse=True)
def _only_these(settings: Any, standins: StandIns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("higherself.integrations.gate.time.sleep", lambda _seconds: None)
    settings.TEAM_EMAILS = ["team@example.org"]
    inward = {"amelia": {"webhook_secret": "s3cret"}, "woocommerce": {"webhook_secret": "s3cret"}}
    settings.PROVIDERS = {**settings.PROVIDERS, "hubspot": {}, "beehiiv": {}, **inward}


def switch_on(key: str, **logic: Any) -> DataTransformation:
    row = DataTransformation.objects.get(form_source_key=key)
    row.status, row.transformation_logic = "Active", logic or row.transformation_logic
    row.save()
    assert edits.problem_of(row) == ""
    catalog.stale()
    return row


def send_all() -> None:
    while relay.send_one("test"):
        pass


def calls() -> list[tuple[str, dict[str, Any]]]:
    rows = OutboundCall.objects.filter(provider__in=["circle", "tutorlm", "snovio", "airtable"]).order_by("pk")
    return [(row.operation, row.payload) for row in rows]


def statuses() -> list[tuple[str, str]]:
    return list(OutboundCall.objects.order_by("pk").values_list("operation", "status"))


def errand(key: str) -> Task:
    return Task.objects.get(task_key__endswith=key)


def test_nothing_is_handed_on_until_it_is_wanted(standins: StandIns):
    make_product(integration_system="WooCommerce", external_id="93", type="Membership", sku="YOGA", tags=["Circle"])
    make_product(integration_system="TutorLM", external_id="4505", type="Course", sku="YOGA")
    deliver(order())
    submit(lead())
    assert copies.copy_to_airtable() == 0
    assert calls() == []


# -- the community --------------------------------------------------------------------------------------------------
def test_who_buys_a_membership_is_invited_once_and_gets_its_tags(standins: StandIns):
    switch_on(rules.CIRCLE, types=["Membership"], member_tags=["Newcomer"], space_ids=[4])
    make_product(
        integration_system="WooCommerce", external_id="93", type="Membership", tags=["Sale", "Circle: Retreat 2026"]
    )
    deliver(order(), order(), order("completed", modified="2026-11-20T12:00:00"))
    send_all()
    circle = standins["circle"]
    assert [(row["email"], row["name"], row["space_ids"]) for row in circle.members.values()] == [
        ("john.doe@example.com", "John Doe", [4])
    ]
    assert circle.tagged == [("john.doe@example.com", 6), ("john.doe@example.com", 7)]
    assert statuses() == [("member.invite", "done"), ("member.tag", "done"), ("member.tag", "done")]


def test_who_is_a_member_already_gets_the_tags_and_no_invitation(standins: StandIns):
    switch_on(rules.CIRCLE, types=["Membership"], member_tags=["Newcomer"])
    standins["circle"].join("john.doe@example.com", "John Doe")
    make_product(integration_system="WooCommerce", external_id="93", type="Membership")
    deliver(order())
    send_all()
    posted = [request.path for request in standins["circle"].requests if request.method == "POST"]
    assert posted == ["/api/admin/v2/tagged_members"]
    assert standins["circle"].tagged == [("john.doe@example.com", 6)]


def test_a_booking_of_a_tagged_retreat_invites_once_it_is_confirmed(standins: StandIns):
    switch_on(rules.CIRCLE, types=[])
    make_product(integration_system="Amelia", external_id="12", type="Retreat", tags=["circle:Retreat 2026"])
    deliver(booking())
    assert calls() == []
    deliver(booking("paymentUpdated", paid="paid"), booking("paymentUpdated", paid="paid"))
    assert calls() == [
        ("member.invite", {"email": "ada@example.com", "name": "Ada Lovelace", "space_ids": []}),
        ("member.tag", {"email": "ada@example.com", "tag": "Retreat 2026"}),
    ]


def test_an_order_that_is_not_paid_opens_nothing(standins: StandIns):
    switch_on(rules.CIRCLE, types=["Membership"])
    make_product(integration_system="WooCommerce", external_id="93", type="Membership")
    deliver(order("pending"))
    assert calls() == []


def test_a_refund_asks_a_person_about_what_was_given(standins: StandIns):
    switch_on(rules.CIRCLE, types=["Membership"])
    make_product(integration_system="WooCommerce", external_id="93", type="Membership")
    deliver(order())
    send_all()
    deliver(order("refunded", modified="2026-11-21T10:00:00"))
    task = errand("take_back_access:1")
    assert (task.assignee_text, "Circle.so: membership of the community" in task.description) == ("community", True)
    assert statuses() == [("member.invite", "done")]


def test_what_was_not_sent_yet_is_not_sent_after_a_refund(standins: StandIns):
    switch_on(rules.CIRCLE, types=["Membership"], member_tags=["Newcomer"])
    make_product(integration_system="WooCommerce", external_id="93", type="Membership")
    deliver(order(), order("refunded", modified="2026-11-21T10:00:00"))
    assert statuses() == [("member.invite", "cancelled"), ("member.tag", "cancelled")]
    assert Task.objects.filter(task_key__contains="take_back_access").count() == 0


def test_who_is_not_to_be_contacted_is_invited_by_nobody_but_a_person(standins: StandIns):
    switch_on(rules.CIRCLE, types=["Membership"])
    make_contact(email="john.doe@example.com", status="Do Not Contact")
    make_product(integration_system="WooCommerce", external_id="93", type="Membership")
    deliver(order())
    assert calls() == []
    assert "is not to be contacted" in errand("give_access:1").description


def test_a_package_that_is_paid_invites_and_one_that_goes_back_asks(standins: StandIns):
    switch_on(rules.CIRCLE, types=["Membership"])
    make_product(integration_system="Amelia", external_id="package:5", type="Membership")
    bought = {
        "package": {"id": 5, "name": "Year", "price": 300, "customer": {"id": 2, "email": "ada@example.com"}},
        "bookings": {},
    }
    paid = {"payments": {"0": {"id": 7, "amount": 300, "status": "paid"}}}
    deliver(("amelia", {"package": {**bought["package"], **paid}, "bookings": {}}, "action=packagePurchased"))
    assert [name for name, _ in calls()] == ["member.invite"]
    send_all()
    deliver(("amelia", {"package": {**bought["package"], **paid}, "bookings": {}}, "action=packageCanceled"))
    assert errand("take_back_access:1").related_contact == Contact.objects.get(email="ada@example.com")


# -- courses --------------------------------------------------------------------------------------------------------
def test_who_buys_what_sells_a_course_is_enrolled_in_it(standins: StandIns):
    switch_on(rules.TUTORLM)
    # WordPress finds both by the shorter address, and names the other one first.
    standins["tutorlm"].users |= {301: "john.doe@example.com", 302: "john.doe@example.com.au"}
    make_product(integration_system="WooCommerce", external_id="93", type="Course", sku="YOGA")
    make_product(integration_system="TutorLM", external_id="4505", type="Course", sku="YOGA")
    make_product(integration_system="TutorLM", external_id="4506", type="Course", sku="YOGA", status="Discontinued")
    deliver(order(), order("completed", modified="2026-11-20T12:00:00"))
    send_all()
    assert list(standins["tutorlm"].enrolments.values()) == [{"user": 301, "course": 4505, "status": "completed"}]
    assert statuses() == [("enrolment.create", "done")]


def test_a_course_without_a_row_is_named_by_the_sku_of_what_sells_it(standins: StandIns):
    switch_on(rules.TUTORLM, courses={"YOGA": "4506"})
    make_contact(email="john.doe@example.com", external_ids={"tutorlm": "225"})
    make_product(integration_system="WooCommerce", external_id="93", type="Course", sku="YOGA")
    deliver(order())
    assert calls() == [
        (
            "enrolment.create",
            {"user_id": "225", "email": "john.doe@example.com", "course_id": "4506", "status": "completed"},
        )
    ]


def test_a_shop_on_the_courses_site_knows_its_students(settings, standins: StandIns):
    shop = {**settings.PROVIDERS["woocommerce"], "base_url": standins.options("tutorlm")["base_url"]}
    settings.PROVIDERS = {**settings.PROVIDERS, "woocommerce": shop}
    switch_on(rules.TUTORLM, courses={"YOGA": "4506"})
    make_product(integration_system="WooCommerce", external_id="93", type="Course", sku="YOGA")
    deliver(order(customer_id=25))
    assert [payload["user_id"] for _, payload in calls()] == ["25"]


def test_who_has_no_account_on_the_courses_site_waits_for_a_person(standins: StandIns):
    switch_on(rules.TUTORLM, courses={"YOGA": "4506"})
    make_product(integration_system="WooCommerce", external_id="93", type="Course", sku="YOGA")
    deliver(order())
    send_all()
    call = OutboundCall.objects.get()
    assert (call.status, call.error) == (
        "quarantined",
        "Nobody on the courses' site has this address. Make the account there, then send this again.",
    )
    assert standins["tutorlm"].enrolments == {}


# -- notes ----------------------------------------------------------------------------------------------------------
def test_a_state_that_the_shop_does_not_know_is_noted_at_its_order_once(settings, standins: StandIns):
    shop = {**standins.options("woocommerce"), "webhook_secret": "s3cret"}
    settings.PROVIDERS = {**settings.PROVIDERS, "woocommerce": shop}
    switch_on(rules.WOOCOMMERCE, states={"shipped": {"note": "On its way.", "for_customer": True}})
    deliver(order())
    for event in ("packing_started", "item_shipped", "delivery_confirmed"):
        engine.advance(instance_of("727"), event, actor="Grace")
    send_all()
    (note,) = standins["woocommerce"].notes[727]
    assert (note["note"].rpartition(" [")[0], note["customer_note"]) == ("On its way.", True)


def test_what_a_lead_wrote_becomes_a_note_at_hubspot_where_the_form_says_so(settings, standins: StandIns):
    settings.PROVIDERS = {**settings.PROVIDERS, "hubspot": standins.options("hubspot")}
    logic = {"fields": {"email": [{"type": "email"}], "message": [{"type": "long_text"}]}, "hubspot_note": True}
    make_transformation(source_system="Typeform", form_source_key="f1", transformation_logic=logic)
    submit(lead())
    submit(lead())
    send_all()
    (note,) = standins["hubspot"].records["notes"].values()
    assert note["hs_note_body"].startswith("Retreat interest:\nI would like to book a retreat soon.\n\nRef. ")


# -- prospects ------------------------------------------------------------------------------------------------------
def agreed(email: str = "ada@example.com", token: str = "t1") -> dict[str, Any]:
    return typeform(("Your email", "email", email), ("Newsletter?", "yes_no", True), token=token)


def test_a_lead_who_agreed_is_added_to_the_list_once_and_nobody_else(standins: StandIns):
    switch_on(rules.SNOVIO, list_id="12345")
    submit(lead(email="grace@example.com", token="t0"))
    submit(agreed())
    submit(agreed(token="t2"))
    assert calls() == [("prospect.add", {"list_id": "12345", "email": "ada@example.com"})]
    send_all()
    assert statuses() == [("prospect.add", "done")]


def test_only_leads_of_the_named_sources_are_added(standins: StandIns):
    switch_on(rules.SNOVIO, list_id="12345", sources=["Website"])
    submit(agreed())
    assert calls() == []


def test_an_address_is_looked_up_where_staff_want_it(standins: StandIns):
    switch_on(rules.SNOVIO, enrich=["Typeform"])
    submit(lead())
    submit(lead(token="t2"))
    assert calls() == [("prospect.enrich", {"email": "ada@example.com"})]


def test_who_answered_our_outreach_is_looked_up_once(standins: StandIns):
    switch_on(rules.SNOVIO)
    reply = {"email": "zed@example.org", "campaign": {"id": 5, "name": "X"}, "subject": "Re", "message": "Yes."}
    delivery = Delivery(
        body=json.dumps(reply).encode(), content_type="application/json", query="event=campaign_reply.received"
    )
    inbox.store(PROVIDERS["snovio"], delivery)
    tasks.drain_inbox()
    assert calls() == [("prospect.enrich", {"email": "zed@example.org", "campaign_id": ""})]


def test_a_no_stops_what_is_not_sent_and_asks_a_person_about_the_rest(standins: StandIns):
    switch_on(rules.SNOVIO, list_id="12345")
    submit(agreed())
    contact = Contact.objects.get()
    consent.withdrawn(contact, "HubSpot", key="no", at=contact.consent_at.replace(year=2030))
    assert statuses() == [("prospect.add", "cancelled")]
    assert Task.objects.filter(task_key__contains="snovio_stop").count() == 0
    submit(agreed("grace@example.com", "t2"))
    send_all()
    other = Contact.objects.get(email="grace@example.com")
    consent.withdrawn(other, "HubSpot", key="no2", at=other.consent_at.replace(year=2030))
    task = Task.objects.get(task_key=f"{other.contact_id}:snovio_stop:12345")
    assert (task.assignee_text, task.related_contact) == ("marketing", other)


# -- copies ---------------------------------------------------------------------------------------------------------
LOGIC = {
    "contacts": {"table": "People", "fields": {"Key": "contact_id", "Mail": "email", "Name": "full_name"}},
    "instances": {"table": "Work", "fields": {"Key": "instance_id", "State": "current_state", "Flow": "workflow_id"}},
}


def table(standins: StandIns, name: str) -> dict[str, dict[str, Any]]:
    return standins["airtable"].tables.get(name, {})


def test_contacts_and_instances_are_copied_and_their_ids_come_back(standins: StandIns):
    switch_on(rules.AIRTABLE, **LOGIC)
    submit(lead())
    assert copies.copy_to_airtable() == 2
    send_all()
    contact, instance = Contact.objects.get(), WorkflowInstance.objects.get()
    assert table(standins, "People") == {
        contact.airtable_record_id: {"Key": contact.contact_id, "Mail": "ada@example.com", "Name": "Ada Lovelace"}
    }
    assert table(standins, "Work") == {
        instance.airtable_record_id: {
            "Key": instance.instance_id,
            "State": instance.current_state,
            "Flow": "WF-LEAD-CAPTURE",
        }
    }
    # The ids that came back are a change, but of nothing that is copied.
    assert copies.copy_to_airtable() == 0
    assert copies.copy_to_airtable() == 0


def test_ten_go_in_one_call_and_only_what_has_changed_goes_again(standins: StandIns):
    switch_on(rules.AIRTABLE, contacts=LOGIC["contacts"])
    people = [make_contact() for _ in range(12)]
    assert copies.copy_to_airtable() == 12
    send_all()
    Contact.objects.filter(pk=people[3].pk).update(full_name="Grace Hopper")
    Contact.objects.filter(pk=people[4].pk).update(notes="Not copied.")
    assert copies.copy_to_airtable() == 1
    send_all()
    assert standins["airtable"].batches == [10, 2, 1]
    assert sorted(row["Name"] for row in table(standins, "People").values()) == sorted(
        Contact.objects.values_list("full_name", flat=True)
    )


def test_a_value_that_comes_back_is_copied_again(standins: StandIns):
    switch_on(rules.AIRTABLE, contacts=LOGIC["contacts"])
    person = make_contact(full_name="A")
    for name in ("A", "B", "A"):
        Contact.objects.filter(pk=person.pk).update(full_name=name)
        copies.copy_to_airtable()
        send_all()
    assert [row["Name"] for row in table(standins, "People").values()] == ["A"]


def test_a_call_that_a_person_sends_late_does_not_leave_an_old_copy(standins: StandIns):
    switch_on(rules.AIRTABLE, contacts=LOGIC["contacts"])
    person = make_contact(full_name="Old")
    copies.copy_to_airtable()
    OutboundCall.objects.update(status="quarantined", next_attempt_at=None)
    Contact.objects.filter(pk=person.pk).update(full_name="New")
    copies.copy_to_airtable()
    send_all()
    outbox.replay(OutboundCall.objects.filter(status="quarantined"), "grace")
    send_all()
    copies.copy_to_airtable()
    send_all()
    assert [row["Name"] for row in table(standins, "People").values()] == ["New"]


def test_an_erased_person_leaves_airtable_and_what_is_copied_afterwards_holds_nothing_of_them(standins: StandIns):
    switch_on(rules.AIRTABLE, contacts=LOGIC["contacts"])
    person = make_contact(full_name="Ada Lovelace", email="ada@example.com")
    copies.copy_to_airtable()
    send_all()
    erasing.erase(Contact.objects.get(pk=person.pk), "grace")
    send_all()
    assert table(standins, "People") == {}
    copies.copy_to_airtable()
    send_all()
    assert list(table(standins, "People").values()) == [
        {"Key": person.contact_id, "Mail": None, "Name": personal.ERASED_NAME}
    ]


def test_erasing_one_person_loses_no_copy_of_the_others_in_the_same_call(standins: StandIns):
    switch_on(rules.AIRTABLE, contacts=LOGIC["contacts"])
    people = [make_contact() for _ in range(3)]
    copies.copy_to_airtable()
    erasing.erase(people[0], "grace")
    assert OutboundCall.objects.filter(operation="records.upsert").values_list("status", flat=True)[0] == "cancelled"
    copies.copy_to_airtable()
    send_all()
    mails = sorted(row["Mail"] or "" for row in table(standins, "People").values())
    assert mails == sorted(["", people[1].email, people[2].email])


def test_a_copy_that_a_person_drops_is_not_made_until_something_changes(standins: StandIns):
    switch_on(rules.AIRTABLE, contacts=LOGIC["contacts"])
    person = make_contact()
    copies.copy_to_airtable()
    outbox.cancel(OutboundCall.objects.all(), "grace")
    assert copies.copy_to_airtable() == 0
    Contact.objects.filter(pk=person.pk).update(full_name="Grace Hopper")
    assert copies.copy_to_airtable() == 1


def test_without_airtable_nothing_is_noted_as_copied(settings, standins: StandIns):
    settings.PROVIDERS = {**settings.PROVIDERS, "airtable": {}}
    switch_on(rules.AIRTABLE, contacts=LOGIC["contacts"])
    make_contact()
    assert (copies.copy_to_airtable(), Copied.objects.count()) == (0, 0)


def test_a_row_that_airtable_refuses_does_not_hold_up_its_neighbours(standins: StandIns):
    switch_on(rules.AIRTABLE, contacts=LOGIC["contacts"])
    people = [make_contact() for _ in range(3)]
    for _ in range(2):
        standins["airtable"].add("People", {"Key": people[1].contact_id})
    copies.copy_to_airtable()
    send_all()
    call = OutboundCall.objects.get()
    assert (call.status, call.error) == (
        "quarantined",
        f"Airtable refused rows of 'People': {people[1].contact_id}: INVALID_VALUE_FOR_COLUMN: several records match.",
    )
    written = sorted(row["Mail"] for row in table(standins, "People").values() if "Mail" in row)
    assert written == sorted([people[0].email, people[2].email])


# -- the rows of the registry -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("key", "logic", "reason"),
    [
        (rules.CIRCLE, {"kinds": ["Membership"]}, "kinds: Extra inputs are not permitted"),
        (rules.TUTORLM, {"courses": {"YOGA": "my-course"}}, "a course is named by its number in Tutor LMS"),
        (rules.AIRTABLE, {"contacts": {"table": "T", "fields": {"Mail": "email"}}}, "needs a field for contact_id"),
        (rules.AIRTABLE, {"contacts": {"table": "T", "fields": {"Mail": "password"}}}, "password cannot be copied"),
        (rules.SNOVIO, "{", "is not JSON"),
    ],
)
def test_an_edit_that_cannot_be_used_is_put_back_with_its_reason(key: str, logic: Any, reason: str):
    row = switch_on(key)
    before = row.transformation_logic
    DataTransformation.objects.filter(pk=row.pk).update(transformation_logic=logic)
    edits.pulled(DataTransformation, row.pk, {"transformation_logic": (before, logic)}, "Grace")
    row.refresh_from_db()
    assert row.transformation_logic == before
    assert reason in row.edit_result


def test_the_products_of_an_order_are_those_of_its_newest_state(standins: StandIns):
    switch_on(rules.CIRCLE, types=["Membership"])
    make_product(integration_system="WooCommerce", external_id="22", type="Membership")
    body = order("pending")
    only_other = [line for line in body[1]["line_items"] if line["product_id"] != 22]
    deliver(body, order(modified="2026-11-20T11:00:00", line_items=only_other))
    assert calls() == []
    assert instance_of("727").current_state == "payment_confirmed"
    assert Product.objects.get(external_id="22").type == "Membership"
