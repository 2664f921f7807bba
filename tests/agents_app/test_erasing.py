"""A person is erased everywhere, with a receipt, and does not come back by what services remember."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone as clock

from agents_app.models import Approval, Task
from agents_app.services import approvals, erasing
from bookings.models import Order
from contacts import erased
from contacts.models import Contact, ErasedAddress, Erasure, ErasurePlace
from higherself.core.errors import Permanent
from higherself.core.roles import OPERATOR, OWNER
from higherself.integrations import outbox
from higherself.integrations.models import InboundEvent, OutboundCall
from notion_sync.models import NotionPage
from notion_sync.sandbox import Sandbox
from tests import factories
from tests.agents_app import audience, sales
from tests.agents_app.deliveries import deliver, lead
from tests.contracts.test_clients import send_all
from tests.standins.server import StandIns

pytestmark = pytest.mark.django_db
MAIL = "ada@example.org"
Status = ErasurePlace.Status


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("higherself.core.jobs.wake", lambda _name: None)
    monkeypatch.setattr("higherself.core.jobs.wake_in", lambda _name, _seconds: None)


@pytest.fixture
def ada() -> Contact:
    return factories.make_contact(full_name="Ada Lovelace", email=MAIL, phone="+441632960961", hubspot_contact_id="1")


def places(row: Erasure) -> dict[str, str]:
    return dict(row.places.values_list("place", "status"))


def place(row: Erasure, name: str) -> ErasurePlace:
    return row.places.get(place=name)


# -- everywhere -----------------------------------------------------------------------------------------------------
def test_every_service_that_can_erase_is_asked_and_the_receipt_says_what_was_there(ada: Contact, standins: StandIns):
    standins["hubspot"].add("contacts", {"email": MAIL})
    standins["beehiiv"].add(MAIL)
    standins["circle"].join("grace@example.org")
    standins["typeform"].respond("t1", "2026-11-20T10:00:00Z", MAIL)

    row = erasing.erase(ada, "Olga")
    asked = {name for name, status in places(row).items() if status == Status.ASKED}
    send_all()
    row.refresh_from_db()

    assert asked == {"airtable", "beehiiv", "circle", "hubspot", "typeform"}
    found = {item.place: (item.status, item.found) for item in row.places.filter(place__in=asked)}
    assert found == {
        "airtable": ("nothing", 0),
        "beehiiv": ("done", 1),
        "circle": ("nothing", 0),
        "hubspot": ("done", 1),
        "typeform": ("done", 1),
    }
    assert (standins["hubspot"].records["contacts"], standins["beehiiv"].readers) == ({}, {})
    assert [member["email"] for member in standins["circle"].members.values()] == ["grace@example.org"]
    assert row.settled_at is not None


def test_an_address_that_hubspot_does_not_know_is_not_put_on_its_blocklist(ada: Contact, standins: StandIns):
    erasing.erase(ada, "Olga")
    send_all()

    assert standins["hubspot"].blocked == []


def test_once_it_is_done_no_call_says_whom_it_was_about(ada: Contact, standins: StandIns):
    erasing.erase(ada, "Olga")
    before = set(OutboundCall.objects.values_list("record", flat=True))
    send_all()

    assert f"contact:{MAIL}" in before
    assert set(OutboundCall.objects.values_list("status", "record")) == {("done", "")}
    assert [call.payload for call in OutboundCall.objects.all()] == [{}] * 5


def test_what_a_service_refuses_is_shown_with_its_reason_and_sent_again(ada: Contact, standins: StandIns):
    standins["beehiiv"].add(MAIL)
    standins["beehiiv"].fail(400, times=1, body={"errors": [{"message": f"no {MAIL.upper()} for you"}]})
    row = erasing.erase(ada, "Olga")
    send_all()
    erasing.follow_erasures()
    failed = place(row, "beehiiv")
    call = OutboundCall.objects.get(provider="beehiiv")

    assert (failed.status, call.payload["emails"]) == (Status.FAILED, [MAIL])
    assert failed.reason.endswith("no … for you")
    assert erasing.send_again([failed], "Olga") == 1
    send_all()
    assert (place(row, "beehiiv").status, standins["beehiiv"].readers) == (Status.DONE, {})


def test_an_answer_that_was_lost_is_no_nothing_there(ada: Contact, standins: StandIns):
    standins["beehiiv"].add(MAIL)
    standins["beehiiv"].fail("lost", method="DELETE")
    row = erasing.erase(ada, "Olga")
    send_all()

    assert (place(row, "beehiiv").status, standins["beehiiv"].readers) == (Status.DONE, {})


def test_a_dropped_call_forgets_and_cannot_be_sent_again(ada: Contact, standins: StandIns):
    row = erasing.erase(ada, "Olga")
    calls = OutboundCall.objects.filter(provider="circle")
    outbox.cancel(calls, "Olga")

    assert calls.values_list("status", "payload", "record").get() == ("cancelled", {}, "")
    assert erasing.send_again([place(row, "circle")], "Olga") == 0
    erasing.refresh(row)
    assert place(row, "circle").status == Status.FAILED


def test_a_second_erasure_does_not_stop_the_calls_of_the_first(ada: Contact, standins: StandIns):
    standins["beehiiv"].add(MAIL)
    first = erasing.erase(ada, "Olga")
    second = erasing.erase(factories.make_contact(email=MAIL), "Olga")
    send_all()

    assert standins["beehiiv"].readers == {}
    assert [place(row, "beehiiv").status for row in (first, second)] == [Status.DONE, Status.NOTHING]


def test_a_service_that_is_not_configured_is_asked_only_where_the_person_is_known_there(ada: Contact, settings):
    settings.PROVIDERS = {slug: dict.fromkeys(options, "") for slug, options in settings.PROVIDERS.items()}
    row = erasing.erase(ada, "Olga")

    assert {name: places(row)[name] for name in ("hubspot", "beehiiv", "amelia")} == {
        "hubspot": Status.FAILED,
        "beehiiv": Status.UNCONFIGURED,
        "amelia": Status.NOTHING,
    }
    assert OutboundCall.objects.get().status == "unconfigured"


def test_what_no_call_can_do_is_a_task_with_what_it_takes_until_it_is_done(ada: Contact):
    factories.make_order(contact=ada, system="WooCommerce", customer_id="26")
    row = erasing.erase(ada, "Olga")
    shop, task = place(row, "woocommerce"), Task.objects.get(task_key=f"{row.erasure_id}:by-hand")

    assert (shop.status, shop.handle, MAIL in task.description + task.task_name) == (Status.PERSON, "26", False)
    assert erasing.settle_by_hand(shop, "Olga") is True
    shop.refresh_from_db()
    task.refresh_from_db()
    assert (shop.status, shop.handle, shop.settled_by, task.status) == (Status.DONE, "", "Olga", "Done")


def test_an_address_that_is_somebody_elses_by_now_is_left_alone(standins: StandIns):
    """A mistyped address, corrected since, belongs to another contact."""
    ada = Contact.objects.get(pk=factories.make_contact(full_name="Ada Lovelace", email="grace@example.org").pk)
    ada.email = MAIL
    ada.save()
    grace = factories.make_contact(full_name="Grace Hopper", email="grace@example.org")
    standins["beehiiv"].add("grace@example.org")

    erasing.erase(ada, "Olga")
    send_all()

    grace.refresh_from_db()
    assert (grace.email, len(standins["beehiiv"].readers)) == ("grace@example.org", 1)


def test_the_receipt_names_nobody_and_proves_an_address(ada: Contact, standins: StandIns):
    row = erasing.erase(ada, "Olga")
    send_all()
    told = json.dumps(erasing.receipt(Erasure.objects.get(pk=row.pk))).lower()

    assert [word for word in (MAIL, "lovelace", "441632") if word in told] == []
    assert erased.digests(" Ada@Example.org ")[0] in told
    assert ada.contact_id.lower() in told


# -- Notion ---------------------------------------------------------------------------------------------------------
def test_notion_is_done_when_its_pages_are_empty_also_those_in_the_trash(
    notion: Sandbox, sync: Callable[..., Any], ada: Contact
):
    from contacts.merging import merge

    other = factories.make_contact(full_name="A. Lovelace", email="a.lovelace@work.example")
    factories.make_task(task_name="Call Ada Lovelace", related_contact=ada)
    sync()
    merge(ada, [other], {}, "Olga")
    sync()
    row = erasing.erase(Contact.objects.get(pk=ada.pk), "Olga")
    before = place(row, "notion").status
    sync()
    erasing.follow_erasures()

    assert (before, place(row, "notion").status, place(row, "notion").found) == (Status.ASKED, Status.DONE, 3)
    kept = _all_text(notion)
    assert [word for word in ("lovelace", MAIL, "a.lovelace@work.example") if word in kept.lower()] == []
    tie = NotionPage.objects.get(object_id=other.pk, database="contacts_profiles")
    assert tie.in_trash is True
    assert _trashed(notion, str(tie.page_id)) is True


def _all_text(notion: Sandbox) -> str:
    ids = NotionPage.objects.values_list("page_id", flat=True)
    return json.dumps([notion.values(str(page_id)) for page_id in ids], default=str, ensure_ascii=False)


def _trashed(notion: Sandbox, page_id: str) -> bool:
    from notion_sync.client import NotionApi

    with NotionApi(sleep=lambda _seconds: None) as client:
        return bool(client.page(page_id)["in_trash"])


def test_what_somebody_writes_on_the_page_again_keeps_the_erasure_open(ada: Contact):
    row = erasing.erase(ada, "Olga")
    Contact.objects.filter(pk=ada.pk).update(phone="+441632960961")
    ErasurePlace.objects.filter(place="notion").update(settled_at=None)
    erasing.refresh(row)

    assert place(row, "notion").status == Status.FAILED


# -- coming back ----------------------------------------------------------------------------------------------------
@pytest.fixture
def gone(ada: Contact, seeded: None) -> Erasure:
    return erasing.erase(ada, "Olga")


def _contacts() -> int:
    return Contact.objects.exclude(email="").count()


def test_a_form_that_was_filled_in_before_brings_nobody_back_and_is_not_kept(gone: Erasure):
    event = deliver(lead(MAIL, submitted_at="2026-01-05T10:00:00Z"))

    assert (_contacts(), event.status) == (0, "ignored")
    assert gone.erasure_id in event.error
    assert (bytes(event.body), event.ordering_key) == (b'{"erased": true}', "")


def test_a_form_that_they_fill_in_later_makes_a_new_contact(gone: Erasure):
    later = (clock.now() + timedelta(minutes=5)).isoformat()
    deliver(lead(MAIL.upper(), submitted_at=later))

    new = Contact.objects.get(email=MAIL)
    assert (new.pk == gone.contact_id, new.notes == "", ErasedAddress.objects.get().back_by) == (
        False,
        False,
        "Typeform",
    )
    assert Task.objects.filter(task_key__contains="entered-again").count() == 0


def test_a_deletion_that_we_caused_ourselves_brings_nobody_back(gone: Erasure):
    later = int((clock.now() + timedelta(minutes=5)).timestamp())
    audience.deliver(audience.subscription("deleted", email=MAIL, at=later))

    assert _contacts() == 0


def test_history_that_is_read_again_brings_nobody_back(gone: Erasure):
    audience.deliver(audience.subscription("confirmed", email=MAIL, created=1_779_000_000))
    audience.deliver(audience.circle("community_member_updated", email=MAIL))
    audience.deliver(audience.outreach("prospect", "unsubscribed", MAIL))

    assert _contacts() == 0


def test_an_order_of_somebody_erased_is_kept_up_to_date_without_them(ada: Contact, seeded: None):
    billing = {**sales.ORDER["billing"], "email": MAIL, "last_name": "Lovelace", "address_1": "Ada Lovelace Road"}
    sales.deliver(sales.order("processing", billing=billing, customer_note="Ring at Lovelace"))
    erasing.erase(Contact.objects.get(email=MAIL), "Olga")
    event = sales.deliver(
        sales.order(
            "refunded", billing=billing, modified="2026-12-20T10:00:00", customer_note="Ring at Lovelace", total="29.35"
        )
    )

    order = Order.objects.get()
    assert (order.status, order.shipping, order.note, order.contact_id, _contacts()) == ("refunded", {}, "", ada.pk, 0)
    assert b"lovelace" not in bytes(InboundEvent.objects.get(pk=event.pk).body).lower()


def test_a_new_order_of_somebody_erased_makes_a_new_contact(gone: Erasure):
    billing = {**sales.ORDER["billing"], "email": MAIL}
    later = (clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    sales.deliver(sales.order("processing", id=999, billing=billing, date_created_gmt=later, modified=later))

    assert Order.objects.get().contact == Contact.objects.get(email=MAIL)


def test_staff_may_enter_somebody_again_and_an_owner_hears_of_it(gone: Erasure, staff: Callable[[str], Client]):
    from higherself.core import history

    with history.by("Grace", history.PERSON):
        contact = factories.make_contact(email=MAIL)

    task = Task.objects.get(task_key__contains="entered-again")
    assert (task.related_contact, MAIL in task.description) == (contact, False)


def test_a_key_that_is_rotated_still_knows_the_address(gone: Erasure, settings):
    before = settings.SECRET_KEY
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [before], "another-key-0123456789"

    assert erased.find(MAIL) is not None
    settings.SECRET_KEY_FALLBACKS = []
    assert erased.find(MAIL) is None
    settings.ERASURE_KEY = before
    assert erased.find(MAIL) is not None


# -- after HubSpot's privacy deletion -------------------------------------------------------------------------------
@pytest.fixture
def asked(ada: Contact) -> Approval:
    return approvals.request(erasing.ACTION, ada, requested_by="HubSpot", note="Ada Lovelace asked for it.")


def test_one_approval_of_an_owner_erases_everywhere(asked: Approval, ada: Contact, person: Callable[..., Any]):
    with pytest.raises(Permanent):
        approvals.approve(asked, person(OPERATOR))
    done = approvals.approve(asked, person(OWNER))

    row = Erasure.objects.get()
    ada.refresh_from_db()
    assert (ada.email, row.reason) == ("", f"HubSpot ({asked.approval_id})")
    assert row.erasure_id in done.outcome
    asked.refresh_from_db()
    assert [text for text in (asked.subject_label, asked.reason) if "Ada" in text] == []


def test_approving_an_erasure_asks_for_the_password(asked: Approval, ada: Contact, staff: Callable[[str], Client]):
    owner = staff(OWNER)
    url = reverse("admin:agents_app_approval_do", args=[asked.pk, "approve"])
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        stale = owner.post(url)
        listed = owner.post(
            reverse("admin:agents_app_approval_changelist"), {"action": "approve", "_selected_action": [asked.pk]}
        )
    ada.refresh_from_db()

    assert stale["Location"].startswith("/admin/confirm/")
    assert (listed.status_code, ada.email) == (302, MAIL)
    owner.post(url)
    ada.refresh_from_db()
    assert ada.email == ""


# -- the pages ------------------------------------------------------------------------------------------------------
def test_the_page_shows_each_place_and_settles_it(ada: Contact, staff: Callable[[str], Client], standins: StandIns):
    owner, operator = staff(OWNER), staff(OPERATOR)
    factories.make_order(contact=ada, system="WooCommerce", customer_id="26")
    before = owner.get(reverse("admin:contact_erase", args=[ada.pk])).content.decode()
    answer = owner.post(reverse("admin:contact_erase", args=[ada.pk]), {"contact_id": ada.contact_id})
    row = Erasure.objects.get()
    page = owner.get(answer["Location"]).content.decode()
    shop = place(row, "woocommerce")
    owner.post(answer["Location"], {"place": shop.pk, "do": "done"})
    shop.refresh_from_db()

    assert "WooCommerce" in before
    assert answer["Location"] == reverse("admin:erasure", args=[row.pk])
    assert [name for name in ("HubSpot", "Beehiiv", "Notion", "Found there by") if name not in page] == []
    assert shop.status == Status.DONE
    receipt = owner.get(reverse("admin:erasure_receipt", args=[row.pk]))
    assert json.loads(receipt.content)["erasure"] == row.erasure_id
    refused = [
        operator.get(reverse(f"admin:{name}", args=[row.pk])).status_code for name in ("erasure", "erasure_receipt")
    ]
    assert refused == [403, 403]


def test_a_call_that_erases_shows_nobody_whom_it_is_about(
    ada: Contact, staff: Callable[[str], Client], standins: StandIns
):
    erasing.erase(ada, "Olga")
    call = OutboundCall.objects.get(provider="hubspot")
    client = staff(OPERATOR)
    shown = client.get(reverse("admin:integrations_outboundcall_change", args=[call.pk])).content.decode()
    listed = client.get(reverse("admin:integrations_outboundcall_changelist")).content.decode()

    assert (MAIL in shown, MAIL in listed) == (False, False)


def test_what_is_stuck_stands_on_the_home_page_of_owners(ada: Contact, staff: Callable[[str], Client], settings):
    settings.PROVIDERS = {slug: dict.fromkeys(options, "") for slug, options in settings.PROVIDERS.items()}
    row = erasing.erase(ada, "Olga")
    link = reverse("admin:erasure", args=[row.pk])

    assert [link in staff(role).get("/admin/").content.decode() for role in (OWNER, OPERATOR)] == [True, False]
