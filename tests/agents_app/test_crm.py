"""Leads are told to HubSpot and, where they asked for it, to Beehiiv; the ids come back."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents_app.models import WorkflowInstance
from contacts.models import Contact
from higherself.integrations import relay
from higherself.integrations.models import OutboundCall
from tests.agents_app.deliveries import deliver, lead, typeform
from tests.factories import make_transformation
from tests.standins.server import StandIns

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("higherself.integrations.gate.time.sleep", lambda _seconds: None)


def send_all() -> None:
    while relay.send_one("test"):
        pass


def queries_of_a_lead(**given: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert deliver(lead(**given)).status == "processed"
    return len(captured)


def test_a_lead_is_told_to_hubspot_and_its_id_is_kept(standins: StandIns):
    assert deliver(lead()).status == "processed"
    send_all()
    (properties,) = standins["hubspot"].records["contacts"].values()
    assert properties == {
        "email": "ada@example.com",
        "firstname": "Ada",
        "lastname": "Lovelace",
        "phone": "+441632960961",
        "lifecyclestage": "lead",
    }
    contact, instance = Contact.objects.get(), WorkflowInstance.objects.get()
    (hubspot_id,) = standins["hubspot"].records["contacts"]
    assert (contact.hubspot_contact_id, instance.hubspot_contact_id) == (hubspot_id, hubspot_id)
    assert (contact.local_change_at is None, instance.local_change_at is None) == (False, False)


def test_who_writes_again_is_told_again_and_stays_one_contact(standins: StandIns):
    deliver(lead(token="t1"))
    deliver(lead(token="t2"))
    deliver(lead(token="t2"))
    assert OutboundCall.objects.count() == 2
    send_all()
    assert len(standins["hubspot"].records["contacts"]) == 1


def test_a_form_can_be_kept_from_hubspot(standins: StandIns):
    logic = {"fields": {"email": [{"type": "email"}]}, "sync_to_hubspot": False}
    make_transformation(source_system="Typeform", form_source_key="f1", transformation_logic=logic)
    deliver(lead())
    assert OutboundCall.objects.count() == 0


def test_without_hubspot_a_lead_costs_nothing_more(settings, standins: StandIns):
    settings.PROVIDERS = {**settings.PROVIDERS, "hubspot": {}, "beehiiv": {}}
    deliver(lead(token="t0", email="zero@example.com"))
    without = queries_of_a_lead(token="t1", email="one@example.com")
    assert OutboundCall.objects.count() == 0
    settings.PROVIDERS = {**settings.PROVIDERS, "hubspot": standins.options("hubspot")}
    # The savepoint of an insert that may meet its like, and reading what stands there.
    assert queries_of_a_lead(token="t2", email="two@example.com") - without <= 3
    assert OutboundCall.objects.count() == 1


def test_only_who_asks_for_it_gets_the_newsletter(standins: StandIns):
    asks = {"fields": {"email": [{"type": "email"}], "email_opt_in": [{"type": "boolean"}]}}
    make_transformation(source_system="Typeform", form_source_key="f1", transformation_logic=asks)
    deliver(typeform(("Email", "email", "no@example.com"), ("Newsletter?", "yes_no", False), token="t1"))
    deliver(typeform(("Email", "email", "yes@example.com"), ("Newsletter?", "yes_no", True), token="t2"))
    send_all()
    (reader,) = standins["beehiiv"].readers.values()
    assert reader["email"] == "yes@example.com"
    assert Contact.objects.get(email="yes@example.com").beehiiv_subscription_id == reader["id"]
    assert Contact.objects.get(email="no@example.com").beehiiv_subscription_id == ""
