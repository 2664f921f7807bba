"""Everything about one person: handed out, and erased everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents_app.models import Notification, Task, WorkflowInstance
from contacts import personal as contact_data
from contacts.ledger import ConsentChange, Interaction
from contacts.models import Contact
from higherself.core import history, personal
from higherself.core.models import ChangeSet
from higherself.core.personal import Person
from higherself.core.roles import OPERATOR, OWNER
from higherself.integrations.models import InboundEvent, OutboundCall
from tests import factories

pytestmark = pytest.mark.django_db
NEEDLES = ("ada@example.org", "ada%40example.org", "Ada Lovelace", "+441632960961")


@pytest.fixture
def ada() -> Contact:
    """A contact with something about her in every corner."""
    ada = factories.make_contact(
        full_name="Ada Lovelace",
        first_name="Ada",
        last_name="Lovelace",
        email="ada@example.org",
        phone="+441632960961",
        hubspot_contact_id="751",
    )
    ada = Contact.objects.get(pk=ada.pk)
    ada.notes = "Ada Lovelace called"
    ada.save()
    instance = factories.make_instance(
        contact=ada, instance_name="Lead: Ada Lovelace", client_lead_email="ada@example.org", client_lead_name="Ada"
    )
    factories.make_task(related_workflow_instance=instance, task_name="Call Ada Lovelace", notes="+441632960961")
    factories.make_transition(instance=instance, note="Ada Lovelace asked", data={"email": "ada@example.org"})
    factories.make_notification(contact=ada, recipient="ada@example.org", body="Dear Ada Lovelace", status="queued")
    factories.make_member(contact_profile=ada, member_name="Ada Lovelace", member_email="ada@example.org")
    factories.make_feedback(contact=ada, feedback_content="I, Ada Lovelace, liked it")
    Interaction.objects.create(
        contact=ada, kind="form_submitted", source="typeform", key="t:ada@example.org", at=timezone.now()
    )
    ConsentChange.objects.create(contact=ada, channel="email", granted=True, source="typeform", key="c1", detail="Ada")
    for number, body in enumerate((b'{"email": "Ada@Example.org"}', b"email=ada%40example.org&x=1")):
        InboundEvent.objects.create(
            provider="website", delivery_key=f"k{number}", body=body, ordering_key="ada@example.org", headers={"a": "b"}
        )
    OutboundCall.objects.create(
        provider="hubspot", operation="contact.upsert", payload={"email": "ada@example.org"}, dedupe_key="d1"
    )
    # Where only the name stands, or only an id.
    factories.make_notification(recipient="team@example.org", subject="New lead: Ada Lovelace", status="sent")
    factories.make_agent_run(message="Ada Lovelace is a new contact", created=[{"label": "Ada Lovelace"}])
    factories.make_approval(subject_label="Reply to Ada Lovelace", reason="Call +441632960961")
    user = User.objects.create(username="olga")
    LogEntry.objects.create(user=user, object_repr="Call Ada Lovelace", action_flag=2, change_message="")
    InboundEvent.objects.create(
        provider="hubspot",
        delivery_key="k9",
        ordering_key="contact:751",
        body=b'[{"objectId": 751, "propertyName": "lastname", "propertyValue": "Ada Lovelace"}]',
    )
    return ada


def _everything() -> str:
    """All that the database holds of our own tables, as one text."""
    ours = {"higherself", "contacts", "bookings", "campaigns", "community", "agents_app", "notion_sync"}
    found = []
    for model in [*apps.get_models(), LogEntry]:
        if model.__module__.split(".")[0] in ours or model is LogEntry:
            found += [
                json.dumps(personal.as_dict(row), default=str, ensure_ascii=False) for row in model._base_manager.all()
            ]
    return "\n".join(found).lower()


def test_every_table_that_points_to_a_contact_is_known_to_erasing():
    known = set()
    nobody = Person("contacts.contact", (0,), ("nobody@example.org",), ())
    for item in personal._holders.values():
        known.add(item.rows(nobody).model)
    pointing = {
        relation.related_model
        for relation in Contact._meta.related_objects
        if relation.related_model._meta.label not in {"bookings.Product", "campaigns.Segment"}
    }

    missing = sorted(model._meta.label for model in pointing - known)
    assert missing == [], f"register in the app's personal.py what is kept of people: {missing}"


# Tables with texts that tell of nobody: what the server is made of, and what it knows of itself.
OF_NOBODY = {
    *("contacts.BusinessEntity", "contacts.Erasure", "contacts.ErasurePlace", "contacts.ErasedAddress"),
    *("bookings.Product", "bookings.OrderLine", "campaigns.Segment", "agents_app.ContentItem"),
    *("agents_app.Agent", "agents_app.CommunicationPattern", "agents_app.ApiIntegration", "agents_app.UseCase"),
    *("agents_app.DataTransformation", "agents_app.NotificationTemplate", "agents_app.Workflow"),
    *("integrations.ProviderGate", "integrations.BackfillState", "integrations.Pulse"),
    *("integrations.RegisteredWebhook", "notion_sync.NotionDatabase", "notion_sync.SyncRun"),
    *("notion_sync.RequestBudget", "notion_sync.Lease", "notion_sync.NotionChange", "notion_sync.WebhookToken"),
    *("core.Heartbeat", "core.ApiToken", "core.LoginAttempt", "core.RecoveryCode", "core.SavedFilter"),
    *("core.DayFigures", "agents_app.Copied"),
    # Of whoever was not let in, their network address and program, for 30 days.
    "integrations.RefusedDelivery",
    # It follows with the next write to Notion: changed here, it would look like an edit over there.
    "notion_sync.NotionPage",
}


def test_every_table_with_texts_is_known_to_erasing_or_tells_of_nobody():
    """A new model has to be decided about: register it in its app's personal.py, or name it above."""
    texts = (models.CharField, models.TextField, models.JSONField, models.BinaryField)
    nobody = Person("contacts.contact", (0,), ("nobody@example.org",), ())
    known = {item.rows(nobody).model._meta.label for item in personal._holders.values()}
    ours = {"higherself", "contacts", "bookings", "campaigns", "community", "agents_app", "notion_sync"}
    keeping = {
        model._meta.label
        for model in apps.get_models()
        if model.__module__.split(".")[0] in ours and any(isinstance(one, texts) for one in model._meta.concrete_fields)
    }

    assert keeping - known == OF_NOBODY - known


def test_erasing_leaves_nothing_that_tells_who_it_was(ada: Contact):
    other = factories.make_contact(full_name="Grace Hopper", email="grace@example.org")
    assert [needle for needle in NEEDLES if needle.lower() not in _everything()] == []

    done = contact_data.erase(contact_data.person_of(ada), "Olga").counts

    left = _everything()
    assert [needle for needle in NEEDLES if needle.lower() in left] == []
    assert "grace hopper" in left
    assert done["deliveries"] == 3
    assert Contact.objects.get(pk=other.pk).email == "grace@example.org"


def test_what_is_erased_goes_to_notion_and_is_not_sent_any_more(ada: Contact):
    for model in (Contact, WorkflowInstance, Task):
        model._base_manager.update(local_change_at=None)

    contact_data.erase(contact_data.person_of(ada), "Olga")

    ada = Contact.objects.get(pk=ada.pk)
    assert (ada.full_name, ada.email, ada.status, ada.email_opt_in) == ("Erased person", "", "Do Not Contact", False)
    assert all(model._base_manager.get().local_change_at for model in (Contact, WorkflowInstance, Task))
    assert set(Notification.objects.values_list("recipient", "status", "subject", "body")) == {
        ("[erased]", "skipped", "", ""),
        ("team@example.org", "sent", "New lead: [erased]", Notification.objects.get(status="sent").body),
    }
    assert OutboundCall.objects.get().status == "cancelled"
    assert set(InboundEvent.objects.values_list("status", "next_attempt_at")) == {("ignored", None)}
    assert (Interaction.objects.count(), ConsentChange.objects.count()) == (1, 1)


def test_the_history_says_who_erased_and_nothing_else(ada: Contact):
    contact_data.erase(contact_data.person_of(ada), "Olga")

    sets = list(history.of(ada))
    assert (sets[0].kind, sets[0].actor) == ("erased", "Olga")
    assert history.of(Task.objects.get())[0].kind == "erased"
    assert [item.changes for item in ChangeSet.objects.all() if item.changes] == []


def test_merged_contacts_are_erased_with_the_survivor(ada: Contact):
    from contacts.merging import merge

    other = factories.make_contact(full_name="A. Lovelace", email="a.lovelace@work.example")
    merge(ada, [other], {}, "Olga")

    contact_data.erase(contact_data.person_of(Contact.objects.get(pk=ada.pk)), "Olga")

    assert "a.lovelace@work.example" not in _everything()


def test_everything_about_a_person_is_handed_out(ada: Contact):
    found = contact_data.export(ada)["kept"]

    counts = {name: len(rows) for name, rows in found.items() if rows}
    assert {name: counts[name] for name in ("contact", "messages", "tasks", "deliveries", "consent", "calls")} == {
        "contact": 1,
        "messages": 1,
        "tasks": 1,
        "deliveries": 3,
        "consent": 1,
        "calls": 1,
    }
    assert found["contact"][0]["email"] == "ada@example.org"
    assert any("Ada@Example.org" in row["body"] for row in found["deliveries"])


def test_what_another_person_of_that_name_has_is_neither_handed_out_nor_erased(ada: Contact):
    factories.make_contact(full_name="ada lovelace", email="another.ada@example.org", phone="")
    found = contact_data.export(ada)["kept"]
    contact_data.erase(contact_data.person_of(ada), "Olga")

    assert [row for name in ("messages_about", "agent_runs") for row in found[name]] == []
    assert Notification.objects.get(recipient="team@example.org").subject == "New lead: Ada Lovelace"


# -- in the console -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["contact_disclose", "contact_erase"])
def test_only_owners_hand_out_and_erase_and_they_give_their_password(
    ada: Contact, staff: Callable[[str], Client], name: str
):
    url, page = reverse(f"admin:{name}", args=[ada.pk]), reverse("admin:contacts_contact_change", args=[ada.pk])
    owner, operator = staff(OWNER), staff(OPERATOR)

    assert (operator.get(url).status_code, operator.post(url).status_code) == (403, 403)
    assert [url in client.get(page).content.decode() for client in (owner, operator)] == [True, False]
    assert owner.get(url).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert owner.get(url)["Location"].startswith("/admin/confirm/")


def test_a_person_is_erased_when_the_contacts_id_is_typed(ada: Contact, staff: Callable[[str], Client]):
    owner, url = staff(OWNER), reverse("admin:contact_erase", args=[ada.pk])

    owner.post(url, {"contact_id": "something"})
    kept = Contact.objects.get(pk=ada.pk).email
    owner.post(url, {"contact_id": ada.contact_id})

    assert (kept, Contact.objects.get(pk=ada.pk).email) == ("ada@example.org", "")


def test_the_file_is_json(ada: Contact, staff: Callable[[str], Client]):
    answer: Any = staff(OWNER).get(reverse("admin:contact_disclose", args=[ada.pk]))

    assert json.loads(answer.content)["contact_id"] == ada.contact_id
