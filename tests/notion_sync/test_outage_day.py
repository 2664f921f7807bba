"""A staff member's day: Notion goes down at ten, work goes on in the console, Notion is back at eleven."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from agents_app.models import Approval, Task, Workflow, WorkflowInstance
from agents_app.seeds.planting import plant
from agents_app.workflow import engine
from contacts.models import BusinessEntity, Contact
from higherself.core.errors import Retryable
from notion_sync.budget import FAILURES_TO_OPEN
from notion_sync.engine.counts import Counts
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionPage, SyncConflict
from notion_sync.sandbox import Sandbox
from tests import factories

pytestmark = pytest.mark.django_db
TEN = datetime(2026, 11, 23, 10, 0, tzinfo=timezone.utc)
ELEVEN = datetime(2026, 11, 23, 11, 0, tzinfo=timezone.utc)
Sync = Callable[..., Counts]


def _staff(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser(name, password="a-long-password"))
    return client


def _page_of(row: Any) -> str:
    key = next(key for key, mapping in MAPPINGS.items() if mapping.model is type(row))
    return str(NotionPage.objects.get(database_id=key, object_id=row.pk).page_id)


def _form(client: Client, url: str, **changes: str) -> dict[str, str]:
    """What a browser would send for the form at this address, with some fields changed."""
    found: dict[str, str] = {}
    for field in client.get(url).context["adminform"].form:
        value = field.value()
        widgets = getattr(field.field.widget, "widgets", None)
        if widgets is not None:
            parts = field.field.widget.decompress(value) if value else [""] * len(widgets)
            found |= {f"{field.html_name}_{index}": str(part or "") for index, part in enumerate(parts)}
        elif isinstance(value, list):
            found |= {field.html_name: value} if value else {}  # type: ignore[dict-item]
        elif value not in (None, False):
            found[field.html_name] = "on" if value is True else str(value)
    return found | changes


def _press(client: Client, row: Any, name: str, **sent: str) -> None:
    """A button of the record's page, or of a card on a board."""
    meta = row._meta
    answer = client.post(reverse(f"admin:{meta.app_label}_{meta.model_name}_do", args=[row.pk, name]), sent)
    assert answer.status_code == 302


def test_what_is_done_by_hand_while_notion_is_away_is_there_when_it_is_back(
    notion: Sandbox, sync: Sync, tmp_path: Path
):
    with time_machine.travel(TEN, tick=True) as clock:
        plant()
        entity = BusinessEntity.objects.get(entity_key="the-7-space")
        maya = factories.make_contact(full_name="Maya Okafor", email="maya@example.org", phone="111")
        sale = Workflow.objects.get(workflow_id="WF-ART-SALE")
        order = engine.start(
            sale, name="Order 7", actor="BookingAgent", contact=maya, key_data={"amount": 120, "paid": True}
        )
        engine.advance(order, "payment_received", actor="BookingAgent")
        moved = [factories.make_task(task_name=f"Task {number}", status="To Do") for number in range(5)]
        sync()
        maya_page, order_page = _page_of(maya), _page_of(order)
        clerk, boss = _staff("clerk"), _staff("boss")

        # Ten o'clock.
        port = urlsplit(notion.url).port
        assert port is not None
        notion.close()
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(Retryable):
                sync()
        cache.clear()
        for address in ("admin:index", "admin:contacts_contact_changelist", "admin:board_tasks"):
            assert "Notion is unreachable since 10:00" in clerk.get(reverse(address)).content.decode()

        # A booking that was made by telephone.
        add = reverse("admin:agents_app_workflowinstance_add")
        retreat = Workflow.objects.get(workflow_id="WF-RETREAT-BOOKING")
        made = {
            "instance_name": "Silent weekend: Maya",
            "workflow": str(retreat.pk),
            "contact": str(maya.pk),
            "business_entity": str(entity.pk),
        }
        assert clerk.post(add, _form(clerk, add, **made)).status_code == 302
        booking = WorkflowInstance.objects.get(instance_name="Silent weekend: Maya")
        _press(clerk, booking, "advance", event="payment_received", note="paid in cash")

        # A refund, which a second person allows.
        _press(clerk, order, "advance", event="refund_granted", note="arrived broken")
        _press(boss, Approval.objects.get(), "approve", note="agreed")
        order.refresh_from_db()
        assert order.current_state == "refunded"

        # Five moves on the task board, and a new number for Maya, which somebody changes in Notion as well.
        for task, status in zip(moved, ["In Progress", "Done", "On Hold", "Cancelled", "Done"], strict=True):
            _press(clerk, task, "move", status=status)
        change = reverse("admin:contacts_contact_change", args=[maya.pk])
        assert clerk.post(change, _form(clerk, change, phone="222", city="Leeds")).status_code == 302
        cache.clear()
        assert "you can work here" in clerk.get(reverse("admin:index")).content.decode()

        # Eleven o'clock.
        clock.move_to(ELEVEN)
        with Sandbox(data=str(tmp_path / "notion.sqlite3"), port=port) as again:
            again.person.update(maya_page, {"Phone": "999"})
            sync()
            cache.clear()

            assert again.values(_page_of(booking))["Current State"] == "payment_confirmed"
            assert again.values(order_page)["Current State"] == "refunded"
            assert [again.values(_page_of(task))["Status"] for task in moved] == [
                *("In Progress", "Done", "On Hold", "Cancelled", "Done")
            ]
            assert again.values(maya_page)["City"] == "Leeds"
            waiting = {
                key: mapping.model._base_manager.filter(local_change_at__isnull=False).count()
                for key, mapping in MAPPINGS.items()
            }
            assert {key: number for key, number in waiting.items() if number} == {}

        # What was overruled is kept and listed; everything else is as it was left.
        assert Contact.objects.get(pk=maya.pk).phone == "999"
        conflict = SyncConflict.objects.get()
        assert (conflict.property_name, conflict.local_value, conflict.notion_value) == ("Phone", "222", "999")
        home = clerk.get(reverse("admin:index")).content.decode()
        assert ("Notion is back since 11:00" in home, "1 value was overruled" in home) == (True, True)
        listed = clerk.get(reverse("admin:notion_sync_syncconflict_changelist"), {"since": "outage"})
        assert [row.pk for row in listed.context["cl"].result_list] == [conflict.pk]
        assert Task.objects.filter(pk__in=[task.pk for task in moved], status="Done").count() == 2
