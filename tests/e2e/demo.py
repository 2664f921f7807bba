"""A working day's worth of rows, for pictures and for walking through the console."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.utils import timezone

from agents_app.models import Agent, Notification, Task, Workflow, WorkflowInstance
from agents_app.seeds.planting import plant
from agents_app.workflow import engine
from contacts.models import BusinessEntity, Contact
from higherself.core.models import Heartbeat
from higherself.integrations.models import InboundEvent, RefusedDelivery
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase, NotionPage, PendingDelete, SyncConflict, SyncRun
from tests import factories

PEOPLE = (
    *("Maya Okafor", "Jonas Lindqvist", "Priya Raman", "Teo Marchetti", "Amara Diallo", "Sofia Beltrán"),
    *("Daniel Kim", "Ines Carvalho", "Noah Weiss", "Lucía Herrera", "Owen Gallagher", "Hana Sato"),
    *("Zara Haddad", "Mateo Rossi", "Freya Nilsen", "Leila Farouk", "Arjun Mehta", "Clara Dubois"),
)
PRIORITIES = ("Low", "Medium", "Medium", "High", "Urgent")


def fill() -> dict[str, Any]:
    """Fills an empty database and returns the rows that pictures are taken of."""
    random = Random(7)
    now = timezone.now()
    plant()
    entities = list(BusinessEntity.objects.order_by("pk"))
    people = [_person(name, entities, random) for name in PEOPLE]
    lead = Workflow.objects.get(workflow_id="WF-LEAD-CAPTURE")
    booking = Workflow.objects.get(workflow_id="WF-RETREAT-BOOKING")
    leads = [_lead(lead, person, random) for person in people]
    bookings = [_booking(booking, person, random) for person in people[:9]]
    for name in ("Order linens for the retreat house", "Call the caterer", "Proof-read the spring newsletter"):
        factories.make_task(
            task_name=name,
            due_date=now + timedelta(hours=random.randint(-30, 60)),
            related_business_entity=entities[1],
            priority=random.choice(PRIORITIES),
            assignee_text="Community",
        )
    for task in Task.objects.order_by("pk")[:14:2]:
        task.status = "Done"
        task.save()
    factories.make_campaign(campaign_name="Spring newsletter", status="Active", business_entity=entities[0])
    factories.make_feedback(
        feedback_title="“The best weekend of my year”",
        contact=people[0],
        feedback_content="Thank you for the silence, and for the soup.",
        rating=5,
        sentiment="Positive",
    )
    _inbox(random)
    _spread(random)
    conflict = _notion(people)
    Heartbeat.objects.update_or_create(name="worker", defaults={"at": now})
    _refused(now)
    return {
        "contact": people[0],
        "instance": bookings[0],
        "lead": leads[0],
        "conflict": conflict,
        "run": SyncRun.objects.order_by("pk").first(),
        "agent": Agent.objects.order_by("-workflows__pk").first(),
    }


def _person(name: str, entities: list[BusinessEntity], random: Random) -> Contact:
    first, last = name.split(" ", 1)
    return factories.make_contact(
        first_name=first,
        last_name=last,
        email=f"{first}.{last}@example.org".lower().replace("á", "a").replace("í", "i"),
        phone=f"+1 555 01{random.randint(10, 99)}",
        status=random.choice(["Active Lead", "Qualified Lead", "Active Client"]),
        contact_type="Lead",
        lead_source=random.choice(["Typeform", "Website", "Referral"]),
        lead_score=random.randint(2, 12),
        quality_level=random.choice(["Excellent", "High", "Medium", "Low"]),
        email_opt_in=random.random() < 0.6,
        consent_source="Typeform: Retreat enquiry",
        consent_at=timezone.now() - timedelta(days=random.randint(1, 90)),
        business_entities=[random.choice(entities)],
    )


def _event(provider: str, kind: str, body: dict[str, Any], **given: Any) -> InboundEvent:
    number = InboundEvent.objects.count()
    values = {"status": "processed", "next_attempt_at": None, "attempts": 1}
    return InboundEvent.objects.create(
        provider=provider,
        event_type=kind,
        delivery_key=f"demo-{number}",
        body=json.dumps(body).encode(),
        content_type="application/json",
        headers={"user-agent": provider, "typeform-signature": "sha256=R0lGODlhAQABAIAAAAAAAP"},
        **values | given,
    )


def _lead(workflow: Workflow, person: Contact, random: Random) -> WorkflowInstance:
    event = _event("typeform", "form_response", {"form_id": "retreat", "answers": [{"email": person.email}]})
    instance = engine.start(
        workflow,
        name=f"Lead: {person}",
        actor="LeadCaptureAgent",
        contact=person,
        business_entity=person.business_entities.first(),
        source_system="Typeform",
        inbound_event=str(event.pk),
        priority=random.choice(PRIORITIES),
        note="From “Retreat enquiry”",
    )
    for _step in range(random.randint(0, 3)):
        _take_a_step(instance, random)
    event.created = [{"model": "agents_app.workflowinstance", "id": instance.pk, "label": str(instance)}]
    event.save()
    return instance


def _booking(workflow: Workflow, person: Contact, random: Random) -> WorkflowInstance:
    instance = engine.start(
        workflow,
        name=f"Silent weekend: {person}",
        actor="BookingAgent",
        contact=person,
        business_entity=person.business_entities.first(),
        source_system="Amelia",
        source_record_id=f"a-{person.pk}",
    )
    engine.advance(instance, "booking_processed", actor="BookingAgent", note="Two nights, vegetarian")
    if random.random() < 0.7:
        engine.advance(instance, "payment_received", actor="owner", note="Deposit came by bank")
    return instance


def _take_a_step(instance: WorkflowInstance, random: Random) -> None:
    possible = [item for item in engine.allowed(instance) if item.manual and item.to != instance.current_state]
    if possible:
        engine.advance(instance, random.choice(possible).event, actor="owner")


def _inbox(random: Random) -> None:
    now = timezone.now()
    for number in range(60):
        provider, kind = random.choice(
            [("typeform", "form_response"), ("woocommerce", "order.updated"), ("amelia", "bookingAdded")]
        )
        when = now - timedelta(hours=random.randint(0, 24 * 25))
        _event(provider, kind, {"number": number}, received_at=when)
    _event(
        "typeform",
        "form_response",
        {"form_id": "survey", "answers": [{"type": "text", "text": "No address given"}]},
        status="quarantined",
        error="This submission of “Survey” needs a person: it has no e-mail address. Nothing was created.",
        attempts=1,
    )


def _refused(now: datetime) -> None:
    """Somebody's scanner, and a service that has another secret than we have."""
    for provider, reason, address, number in (
        ("", RefusedDelivery.Reason.UNKNOWN, "", 1240),
        ("hubspot", RefusedDelivery.Reason.STALE, "203.0.113.9", 3),
        ("woocommerce", RefusedDelivery.Reason.NO_PROOF, "198.51.100.4", 1),
    ):
        RefusedDelivery.objects.create(
            provider=provider,
            reason=reason,
            address=address,
            number=number,
            hour=now.replace(minute=0, second=0, microsecond=0),
            first_at=now - timedelta(minutes=20),
            last_at=now - timedelta(minutes=3),
            detail="The signature or secret is missing or wrong.",
        )


def _spread(random: Random) -> None:
    """As if it had all happened over the last month."""
    now = timezone.now()
    for model, names in ((Contact, ["created_at"]), (WorkflowInstance, ["start_date"])):
        for row in model._base_manager.order_by("pk"):
            back = timedelta(hours=min(int(random.expovariate(1 / 160)), 700))
            model._base_manager.filter(pk=row.pk).update(**dict.fromkeys(names, now - back))
    for row in Task._base_manager.filter(status="Done"):
        Task._base_manager.filter(pk=row.pk).update(completed_date=now - timedelta(days=random.randint(0, 20)))
    Notification.objects.filter(pk__in=Notification.objects.order_by("pk").values("pk")[:20]).update(
        status="sent", sent_at=now, next_attempt_at=None
    )


def _notion(people: list[Contact]) -> SyncConflict:
    now = timezone.now()
    for key, mapping in MAPPINGS.items():
        NotionDatabase.objects.update_or_create(
            key=key,
            defaults={
                "title": mapping.title,
                "state": "ok",
                "data_source_id": f"ds-{key}",
                "pulled_at": now - timedelta(seconds=31),
                "pushed_at": now - timedelta(minutes=4),
                "swept_at": now - timedelta(hours=5),
            },
        )
        mapping.model._base_manager.update(local_change_at=None)
    database = NotionDatabase.objects.get(key="contacts_profiles")
    for index, person in enumerate(people):
        NotionPage.objects.create(
            database=database,
            object_id=person.pk,
            page_id=f"{index:032x}",
            url="https://www.notion.so/demo",
            synced_at=now,
        )
    for person in people[:3]:
        type(person)._base_manager.filter(pk=person.pk).update(local_change_at=now - timedelta(seconds=12))
    SyncRun.objects.create(
        trigger="poll",
        direction="pull",
        status="done",
        finished_at=now,
        counts={"contacts_profiles": {"pulled": 2, "conflicts": 1}},
        requests=19,
    )
    tie = NotionPage.objects.get(database=database, object_id=people[0].pk)
    PendingDelete.objects.create(
        page=NotionPage.objects.get(database=database, object_id=people[5].pk), database=database, record=str(people[5])
    )
    return SyncConflict.objects.create(
        page=tie,
        database=database,
        object_id=people[0].pk,
        record=str(people[0]),
        field="phone",
        property_name="Phone",
        base_value="+1 555 0100",
        local_value="+1 555 0142",
        notion_value="+1 555 0199",
        local_changed_at=now - timedelta(minutes=3),
        notion_edited_at=now - timedelta(minutes=2),
        notion_edited_by="Bianca",
    )
