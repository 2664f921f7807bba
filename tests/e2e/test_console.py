"""A staff member at the console, with a real browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents_app.models import Workflow, WorkflowInstance
from agents_app.seeds.planting import plant
from agents_app.workflow import engine
from contacts.models import Contact
from higherself.integrations.models import InboundEvent
from notion_sync.models import NotionDatabase, NotionPage, SyncConflict
from tests import factories
from tests.e2e.conftest import Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e"), pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Visitor]
WIDTHS = [1280, 390]


@pytest.fixture(params=WIDTHS)
def width(request: Any) -> int:
    return int(request.param)


def test_a_contact_is_found_opened_edited_and_saved(visit: Visit, width: int):
    contact = factories.make_contact(full_name="Maya Okafor", email="maya@example.org")
    factories.make_contact(full_name="Somebody Else")
    visitor = visit(width)

    assert visitor.page.get_by_role("heading", name="What needs a person").is_visible()
    page = visitor.open("/admin/contacts/contact/")
    page.fill("#searchbar", "maya@example.org")
    page.press("#searchbar", "Enter")
    page.wait_for_url("**q=maya**")
    assert page.locator("#result_list tr.data-row").count() == 1
    page.get_by_role("link", name="Maya Okafor").click()
    page.wait_for_selector("#id_phone")
    page.fill("#id_phone", "+1 555 0142")
    page.select_option("#id_status", "Active Client")
    page.locator("button[name=_save]").click()
    page.wait_for_url("**/admin/contacts/contact/?**")

    contact.refresh_from_db()
    assert (contact.phone, contact.status) == ("+1 555 0142", "Active Client")
    assert contact.local_change_at is not None
    assert visitor.errors == []


def test_an_instance_is_moved_by_a_button_with_a_note(visit: Visit, width: int):
    plant()
    instance = engine.start(
        Workflow.objects.get(workflow_id="WF-RETREAT-BOOKING"), name="Retreat: Maya", actor="BookingAgent"
    )
    visitor = visit(width)

    page = visitor.open(f"/admin/agents_app/workflowinstance/{instance.pk}/change/")
    page.fill("#hs-note", "deposit came by bank")
    page.get_by_role("button", name="Payment received", exact=True).click()
    page.wait_for_selector("text=is now in")

    instance = WorkflowInstance.objects.get(pk=instance.pk)
    line = instance.history.order_by("-pk")[0]
    assert instance.current_state == "payment_confirmed"
    assert (line.event, line.note, line.actor) == ("payment_received", "deposit came by bank", "owner")
    assert visitor.errors == []


def test_a_task_is_done_from_the_contact_that_it_is_about(visit: Visit):
    plant()
    contact = factories.make_contact()
    task = factories.make_task(related_contact=contact, due_date=timezone.now() - timedelta(hours=1))
    visitor = visit()

    page = visitor.open(f"/admin/contacts/contact/{contact.pk}/change/")
    page.get_by_role("button", name="Done", exact=True).click()
    page.wait_for_selector("text=1 done.")

    task.refresh_from_db()
    assert task.status == "Done"
    assert page.url.endswith(f"/admin/contacts/contact/{contact.pk}/change/")
    assert visitor.errors == []


def test_a_conflict_is_decided_for_our_value(visit: Visit):
    contact = factories.make_contact(phone="222")
    database = NotionDatabase.objects.create(key="contacts_profiles", title="Contacts & Profiles")
    tie = NotionPage.objects.create(database=database, object_id=contact.pk, page_id="a" * 32, base={"phone": "222"})
    conflict = SyncConflict.objects.create(
        page=tie,
        database=database,
        object_id=contact.pk,
        record=str(contact),
        field="phone",
        property_name="Phone",
        local_value="111",
        notion_value="222",
    )
    visitor = visit()

    page = visitor.open("/admin/")
    page.get_by_role("link", name="1 conflict is open").click()
    page.locator("#result_list tr.data-row a").first.click()
    page.get_by_role("button", name="Apply our value").click()
    page.wait_for_selector("text=our value stands here again")

    contact.refresh_from_db()
    conflict.refresh_from_db()
    assert (contact.phone, conflict.resolution, conflict.resolved_by) == ("111", "ours", "owner")
    assert visitor.errors == []


def test_the_search_box_leads_to_a_person(visit: Visit):
    contact = factories.make_contact(full_name="Zebulon Quist", email="zebulon@example.org")
    visitor = visit()

    page = visitor.open("/admin/")
    page.keyboard.press("Control+k")
    page.locator("#search-input-command").press_sequentially("zebulon")
    page.wait_for_selector("#command-results-list >> text=Zebulon Quist")
    page.locator("#command-results-list a", has_text="Zebulon Quist").first.click()
    page.wait_for_url(f"**/contact/{contact.pk}/change/")

    assert visitor.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_window_or_complains(visit: Visit, width: int, scheme: str):
    plant()
    contact = factories.make_contact()
    instance = engine.start(
        Workflow.objects.get(workflow_id="WF-LEAD-CAPTURE"), name="Lead", actor="LeadCaptureAgent", contact=contact
    )
    event = InboundEvent.objects.create(
        provider="typeform", delivery_key="k", body=b'{"word": "%s"}' % (b"x" * 300), content_type="application/json"
    )
    workflow = Workflow.objects.get(workflow_id="WF-CONT-CYCLE")
    visitor = visit(width, scheme)
    pages = [
        "/admin/",
        "/admin/contacts/contact/",
        f"/admin/contacts/contact/{contact.pk}/change/",
        "/admin/contacts/contact/add/",
        f"/admin/agents_app/workflowinstance/{instance.pk}/change/",
        f"/admin/agents_app/workflow/{workflow.pk}/change/",
        "/admin/agents_app/task/",
        "/admin/integrations/inboundevent/",
        f"/admin/integrations/inboundevent/{event.pk}/change/",
        "/admin/notion_sync/notiondatabase/",
    ]

    too_wide = []
    for path in pages:
        visitor.open(path)
        if visitor.overflow > 0:
            too_wide.append((path, visitor.overflow))
    assert too_wide == []
    assert visitor.errors == []
    assert Contact.objects.count() == 1
