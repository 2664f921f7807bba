"""Every kind of page of the console, in both widths and colours: it fits, complains of nothing, keeps nobody out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from django.utils import timezone

from agents_app.models import Task, Workflow, WorkflowInstance
from agents_app.seeds.planting import plant
from agents_app.workflow import engine
from notion_sync import budget
from notion_sync.models import NotionDatabase, RequestBudget
from tests import factories
from tests.e2e import demo
from tests.e2e.conftest import Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e"), pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Visitor]
WIDTHS = [1280, 390]
SERIOUS = {"serious", "critical"}


def _serious(visitor: Visitor) -> list[str]:
    """What axe-core finds that keeps somebody out, as one line for each place."""
    found: dict[str, Any] = Axe().run(visitor.page).response
    return [
        f"{visitor.page.url}: {rule['id']}: {node['html'][:160]}"
        for rule in found["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


def _addresses(rows: dict[str, Any]) -> list[str]:
    return [
        "/admin/",
        "/admin/boards/tasks/",
        "/admin/boards/workflows/",
        "/admin/sync/",
        "/admin/integrations/providers/",
        "/admin/integrations/replay/?status=quarantined&provider=&event_type=&since=&until=",
        "/admin/integrations/inboundevent/",
        "/admin/contacts/contact/",
        f"/admin/contacts/contact/{rows['contact'].pk}/change/",
        "/admin/contacts/contact/add/",
        f"/admin/agents_app/workflowinstance/{rows['instance'].pk}/change/",
        "/admin/agents_app/task/",
        "/admin/agents_app/agent/",
        "/admin/agents_app/approval/",
        f"/admin/notion_sync/syncconflict/{rows['conflict'].pk}/change/",
        "/admin/notion_sync/pendingdelete/",
        "/admin/bookings/order/",
        "/admin/integrations/refuseddelivery/",
        f"/admin/notion_sync/syncrun/{rows['run'].pk}/change/",
        f"/admin/agents_app/agent/{rows['agent'].pk}/change/",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_kind_of_page_fits_complains_about_nothing_and_keeps_nobody_out(visit: Visit, width: int, scheme: str):
    rows = demo.fill()
    cache.clear()
    visitor = visit(width, scheme)

    too_wide, serious = [], []
    for address in _addresses(rows):
        visitor.open(address)
        if visitor.overflow > 0:
            too_wide.append((address, visitor.overflow))
        serious += _serious(visitor)
    assert too_wide == []
    assert serious == [], "\n".join(serious)
    assert visitor.errors == []


def test_a_card_is_dragged_to_another_column(visit: Visit):
    task = factories.make_task(task_name="Call the caterer")
    visitor = visit()

    page = visitor.open("/admin/boards/tasks/")
    card = page.locator(".hs-ticket", has_text="Call the caterer")
    card.drag_to(page.locator("[data-column='In Progress']"))
    page.wait_for_selector("text=is now in")

    assert Task.objects.get(pk=task.pk).status == "In Progress"
    assert page.locator("[data-column='In Progress'] .hs-ticket").count() == 1
    assert page.url.endswith("/admin/boards/tasks/")
    assert visitor.errors == []


def test_a_card_that_may_not_go_there_stays_where_it_is(visit: Visit):
    plant()
    workflow = Workflow.objects.get(workflow_id="WF-RETREAT-BOOKING")
    instance = engine.start(workflow, name="Retreat: Maya", actor="BookingAgent")
    visitor = visit()

    page = visitor.open(f"/admin/boards/workflows/?workflow={workflow.pk}")
    page.locator(".hs-ticket").drag_to(page.locator("[data-column='completed']"))

    assert WorkflowInstance.objects.get(pk=instance.pk).current_state == "new_booking"
    assert visitor.errors == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_card_is_moved_with_the_keyboard_alone(visit: Visit, width: int):
    plant()
    workflow = Workflow.objects.get(workflow_id="WF-RETREAT-BOOKING")
    instance = engine.start(workflow, name="Retreat: Maya", actor="BookingAgent")
    visitor = visit(width)

    page = visitor.open(f"/admin/boards/workflows/?workflow={workflow.pk}")
    page.locator(".hs-ticket summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=is now in")

    assert WorkflowInstance.objects.get(pk=instance.pk).current_state == "payment_pending"
    assert visitor.errors == []


def test_the_business_is_switched_on_home_and_stays_switched(visit: Visit):
    demo.fill()
    visitor = visit()

    page = visitor.open("/admin/")
    page.get_by_role("link", name="The 7 Space").click()
    page.wait_for_url("**entity=**")
    page = visitor.open("/admin/")

    assert page.locator(".hs-switch [aria-current]").inner_text() == "The 7 Space"
    assert visitor.errors == []


def test_a_database_is_paused_and_resumed_from_the_overview(visit: Visit):
    demo.fill()
    visitor = visit()

    page = visitor.open("/admin/sync/")
    page.get_by_role("button", name="Pause Contacts & Profiles").click()
    page.wait_for_selector("text=paused by owner")
    assert NotionDatabase.objects.get(key="contacts_profiles").stopped_by == "owner"
    page.get_by_role("button", name="Resume Contacts & Profiles").click()
    page.wait_for_selector("text=1 resumed")

    assert NotionDatabase.objects.get(key="contacts_profiles").stopped_at is None
    assert visitor.errors == []


def test_the_banner_stands_on_every_page_while_notion_is_away(visit: Visit):
    rows = demo.fill()
    RequestBudget.objects.create(key=budget.key_of(budget.token()), unreachable_since=timezone.now())
    cache.clear()
    visitor = visit()

    without = []
    for address in _addresses(rows):
        page = visitor.open(address)
        if page.get_by_text("Notion is unreachable since").first.is_hidden():
            without.append(address)
    assert without == []


def _press(visitor: Visitor, name: str | None = None, selector: str = "[role=button], button") -> Any:
    """Focuses what bears the name, as the Tab key does, and presses Enter."""
    part = visitor.page.locator(selector)
    part = (part.filter(has_text=name) if name else part).locator("visible=true").first
    part.focus()
    assert part.evaluate("part => part === document.activeElement"), f"{name or selector} takes no focus"
    visitor.page.keyboard.press("Enter")
    return part


def test_navigation_filters_and_logging_out_need_no_mouse(visit: Visit):
    factories.make_contact()
    visitor = visit()
    page = visitor.open("/admin/contacts/contact/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('content').contains(document.activeElement)")
    users = page.locator("#nav-sidebar-apps").get_by_role("link", name="Users")
    assert users.is_hidden()
    fold = _press(visitor, "System", "#nav-sidebar-apps h2 button")
    users.wait_for()
    assert fold.get_attribute("aria-expanded") == "true"

    filters = _press(visitor, "Filters", "a[role=button]")
    page.wait_for_function("document.getElementById('changelist-filter').contains(document.activeElement)")
    page.keyboard.press("Escape")
    page.locator("#changelist-filter").wait_for(state="hidden")
    assert filters.evaluate("part => part === document.activeElement")

    _press(visitor, "owner", "[role=button]")
    page.get_by_role("link", name="Your account").wait_for()
    _press(visitor, "Log out", "#logout-form button")
    page.wait_for_url("**/admin/logout/")
    assert visitor.errors == []


def test_in_a_narrow_window_the_menu_opens_with_the_keyboard_and_the_heading_is_the_records_name(visit: Visit):
    contact = factories.make_contact(full_name="Maya Okafor")
    visitor = visit(390)
    page = visitor.open(f"/admin/contacts/contact/{contact.pk}/change/")

    assert page.locator("h1").inner_text().strip() == "Maya Okafor"
    people = page.locator("#nav-sidebar-apps").get_by_role("link", name="Feedback")
    assert people.is_hidden()
    page.get_by_role("button", name="Menu").locator("visible=true").first.focus()
    page.keyboard.press("Enter")
    people.wait_for()
    assert visitor.errors == []
