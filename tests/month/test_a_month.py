"""A month in the life of the business, played through the real endpoints with a moved clock."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from agents_app.models import Approval
from agents_app.seeds.planting import plant
from agents_app.services import catalog
from notion_sync.mappings import MAPPINGS
from notion_sync.models import SyncConflict
from notion_sync.sandbox import Sandbox
from tests.month.script import month
from tests.month.stage import FIRST, SECRETS, Stage
from tests.month.table import Table, differences, end_state

DAYS = 37

EXPECTED: Table = {
    "contacts": {
        "Client · Active Client · Amelia": 26,
        "Client · Active Client · Typeform": 9,
        "Client · Active Client · WooCommerce": 13,
        "Client · Active Lead · Amelia": 4,
        "Client · Active Lead · Typeform": 1,
        "Client · Active Lead · WooCommerce": 7,
        "Lead · Active Lead · Typeform": 20,
    },
    "instances": {
        "WF-ART-SALE · canceled · Cancelled": 10,
        "WF-ART-SALE · follow_up · Active": 10,
        "WF-ART-SALE · order_received · Active": 10,
        "WF-ART-SALE · payment_confirmed · Active": 10,
        "WF-ART-SALE · refunded · Cancelled": 20,
        "WF-LEAD-CAPTURE · closed_lost · Completed": 7,
        "WF-LEAD-CAPTURE · converted · Completed": 10,
        "WF-LEAD-CAPTURE · nurturing · Active": 13,
        "WF-RETREAT-BOOKING · booking_confirmed · Active": 12,
        "WF-RETREAT-BOOKING · canceled · Cancelled": 20,
        "WF-RETREAT-BOOKING · completed · Completed": 8,
    },
    "bookings": {
        "approved · not needed": 4,
        "approved · open": 4,
        "approved · paid": 16,
        "canceled · open": 4,
        "canceled · paid": 4,
        "no-show · paid": 4,
        "rejected · open": 4,
    },
    "orders": {"cancelled": 10, "completed": 10, "on-hold": 10, "processing": 10, "refunded": 20},
    "products": {"12 · Inactive": 1, "22 · Active": 1, "93 · Active": 1},
    "approvals": {"booking.refund · approved": 8},
    "tasks": {
        "cancel_there · To Do": 4,
        "chase_payment · Cancelled": 4,
        "confirmed_follow_through · Cancelled": 8,
        "confirmed_follow_through · To Do": 20,
        "describe · To Do": 1,
        "follow_up_check · To Do": 30,
        "follow_up_email · To Do": 30,
        "package_artwork · Cancelled": 30,
        "package_artwork · To Do": 10,
        "post_retreat_call · Cancelled": 4,
        "post_retreat_call · To Do": 8,
        "pre_retreat_information · Cancelled": 4,
        "pre_retreat_information · To Do": 8,
        "process_refund · To Do": 8,
        "retreat_preparation · Cancelled": 8,
        "retreat_preparation · To Do": 20,
        "review_booking · Cancelled": 20,
        "review_booking · To Do": 20,
        "stalled · To Do": 20,
        "thank_you_note · Cancelled": 10,
        "thank_you_note · To Do": 10,
        "vip_nurture · To Do": 10,
    },
    "messages": {
        "approval_requested · sent": 8,
        "booking_cancelled · sent": 20,
        "booking_confirmation · sent": 28,
        "booking_reminder · sent": 12,
        "lead_acknowledgement · sent": 30,
        "new_lead · sent": 30,
        "order_cancelled · sent": 10,
        "order_confirmation · sent": 60,
        "payment_received · sent": 64,
        "sale_alert · sent": 60,
        "survey_request · sent": 18,
        "task_digest · sent": 36,
        "task_escalation · sent": 187,
        "task_overdue · sent": 203,
    },
    "trouble": {"quarantined events": 0, "failed runs": 0},
}


@pytest.fixture
def stage(db: None, settings: Any) -> Iterator[Stage]:
    settings.PROVIDERS = {
        **settings.PROVIDERS,
        **{name: {**settings.PROVIDERS[name], "webhook_secret": secret} for name, secret in SECRETS.items()},
    }
    settings.PROVIDERS["amelia"]["time_zone"] = "America/New_York"
    with time_machine.travel(FIRST, tick=False) as clock:
        plant()
        catalog.forget()
        yield Stage(clock)


def decide_about_everything() -> None:
    """The owner allows in the console whatever waits."""
    client = Client()
    client.force_login(User.objects.create_superuser("owner", password="a-long-password"))
    for approval in Approval.objects.filter(status="pending"):
        url = reverse("admin:agents_app_approval_do", args=[approval.pk, "approve"])
        assert client.post(url).status_code == 302


def test_a_month_ends_as_the_table_says_here_and_in_notion(stage: Stage, notion: Sandbox, sync: Callable[..., Any]):
    stage.play(month(), DAYS)
    decide_about_everything()
    assert differences(end_state(), EXPECTED) == {}

    sync()
    here = {mapping.title: mapping.model.objects.live().count() for mapping in MAPPINGS.values()}
    assert {title: len(notion.pages(title)) for title in here} == here
    assert not SyncConflict.objects.exists()


def test_everything_twice_and_in_the_order_of_chance_ends_the_same(stage: Stage):
    """Each day's deliveries; `MONTH_SEED` chooses another order."""
    stage.play(month(), DAYS, twice=random.Random(int(os.environ.get("MONTH_SEED", "1"))))
    decide_about_everything()
    assert differences(end_state(), EXPECTED) == {}
