"""The console's pages that belong to no record: home, boards, overviews; and a person's story."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agents_app.models import Task, Workflow, WorkflowInstance
from agents_app.services import catalog
from agents_app.workflow import engine
from bookings.models import Booking, Order
from contacts.models import BusinessEntity, Contact
from higherself.core import history
from higherself.core.adminsite import boards
from higherself.core.adminsite.attention import count_days
from higherself.core.adminsite.charts import DAYS, Chart, by_day, filled
from higherself.core.models import DayFigures
from higherself.integrations.models import InboundEvent
from tests import factories
from tests.seeds import planted

pytestmark = pytest.mark.django_db
PAGES = ["index", "board_tasks", "board_instances", "integrations", "sync_overview", "sync_live"]


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("owner", "owner@example.org", "a-long-password"))
    planted()
    return client


def _lead(**given: Any) -> WorkflowInstance:
    workflow = Workflow.objects.get(workflow_id="WF-LEAD-CAPTURE")
    contact = factories.make_contact()
    return engine.start(workflow, name=f"Lead: {contact}", actor="LeadCaptureAgent", contact=contact, **given)


def _some_of_everything() -> Contact:
    entity = BusinessEntity.objects.order_by("pk").first()
    instance = _lead(business_entity=entity)
    for status in ("To Do", "Done"):
        factories.make_task(
            status=status, due_date=timezone.now() - timedelta(hours=1), related_contact=instance.contact
        )
    number = InboundEvent.objects.count()
    InboundEvent.objects.create(provider="typeform", delivery_key=f"n{number}", body=b"{}")
    factories.make_campaign(status="Active", business_entity=entity)
    factories.make_notification(contact=instance.contact)
    factories.make_feedback(contact=instance.contact)
    assert instance.contact is not None
    return instance.contact


def _queries(client: Client, url: str) -> int:
    client.get(url)  # content types are remembered from then on
    cache.clear()
    catalog.current()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_costs_the_same_number_of_queries_for_one_row_and_for_thirty(name: str, owner: Client):
    _some_of_everything()
    url = reverse(f"admin:{name}")
    one = _queries(owner, url)
    for _ in range(29):
        _some_of_everything()

    assert _queries(owner, url) == one


def test_a_persons_page_costs_the_same_number_of_queries_for_a_short_and_a_long_story(owner: Client):
    contact = _some_of_everything()
    url = reverse("admin:contacts_contact_change", args=[contact.pk])
    one = _queries(owner, url)
    for _ in range(15):
        factories.make_task(related_contact=contact)
        factories.make_notification(contact=contact)

    assert _queries(owner, url) == one


@pytest.mark.parametrize("name", PAGES[1:])
def test_staff_without_the_right_are_refused_and_do_not_see_it_in_the_navigation(name: str, client: Client):
    client.force_login(User.objects.create_user("guest", password="a-long-password", is_staff=True))

    assert client.get(reverse(f"admin:{name}")).status_code == 403
    assert reverse(f"admin:{name}") not in client.get(reverse("admin:index")).content.decode()


def test_home_is_narrowed_down_to_the_chosen_business_and_remembers_it(owner: Client):
    practice, space = BusinessEntity.objects.order_by("pk")
    _lead(business_entity=practice)
    _lead(business_entity=space)
    _lead(business_entity=space)
    url = reverse("admin:index")

    def leads(**query: Any) -> int:
        figures = owner.get(url, query).context["figures"]
        return next(figure.value for figure in figures if figure.title == "new leads today")

    assert leads() == 3
    assert leads(entity=space.pk) == 2
    assert leads() == 2
    assert leads(entity=practice.pk) == 1
    assert leads(entity="") == 3
    assert [item["current"] for item in owner.get(url).context["switch"]] == [True, False, False]


def test_a_business_that_there_is_not_changes_nothing(owner: Client):
    _lead(business_entity=BusinessEntity.objects.order_by("pk").first())

    figures = owner.get(reverse("admin:index"), {"entity": "99999"}).context["figures"]

    assert next(figure.value for figure in figures if figure.title == "new leads today") == 1


def test_home_says_how_notion_is_and_draws_thirty_days(owner: Client):
    _lead()

    page = owner.get(reverse("admin:index"))

    chart = next(item for item in page.context["charts"] if item.title == "New leads")
    assert (len(chart.days), chart.days[-1]) == (DAYS, (timezone.localdate(), 1))
    assert 'aria-label="New leads: 1 in 30 days' in page.content.decode()
    assert "changes waiting" in page.content.decode()


def test_a_chart_has_every_day_and_says_when_nothing_happened():
    today = timezone.localdate()
    chart = Chart("Orders", filled({today - timedelta(days=2): 5}, 3, today))

    assert [number for _day, number in chart.days] == [5, 0, 0]
    assert chart.total == "5"
    assert Chart("Orders", filled({}, 3, today)).summary == "Orders: none in 3 days"


def test_home_adds_up_what_was_paid_today_and_draws_it(owner: Client):
    practice, space = BusinessEntity.objects.order_by("pk")
    now = timezone.now()
    for number, (entity, paid) in enumerate([(practice, 120), (space, 80)]):
        Booking.objects.create(
            system="Amelia", external_id=str(number), business_entity=entity, paid=paid, paid_at=now, currency="USD"
        )
    Order.objects.create(
        system="WooCommerce", external_id="7", business_entity=space, total=50, refunded=10, paid_at=now, currency="USD"
    )

    def money(**query: Any) -> tuple[dict[str, str], list[str]]:
        cache.clear()
        page = owner.get(reverse("admin:index"), query)
        said = {figure.title: figure.money for figure in page.context["figures"] if figure.money}
        return said, [chart.total for chart in page.context["charts"] if chart.title == "Paid"]

    assert money() == ({"bookings today": "200.00 USD", "orders today": "40.00 USD"}, ["240.00 USD"])
    assert money(entity=space.pk) == ({"bookings today": "80.00 USD", "orders today": "40.00 USD"}, ["120.00 USD"])


def _drawn(rows: Any = None, **options: Any) -> list[int]:
    days = by_day(Task.objects.all() if rows is None else rows, "created_at", **options)
    return [int(number) for _day, number in days][-4:]


def _task_of(days_ago: int) -> Task:
    return factories.make_task(created_at=timezone.now() - timedelta(days=days_ago))


def test_days_that_are_over_are_counted_once_for_all_processes_and_today_always():
    _task_of(3)
    assert _drawn() == [1, 0, 0, 0]
    _task_of(0)
    _task_of(3)
    assert _drawn() == [1, 0, 0, 1]
    cache.clear()  # as in another process, or after a start
    with CaptureQueriesContext(connection) as queries:
        assert _drawn() == [1, 0, 0, 1]
    assert len(queries) == 2
    assert _drawn(Task.objects.filter(status="Done")) == [0, 0, 0, 0]


def test_days_that_are_over_are_counted_anew_where_no_job_has_done_so():
    assert _drawn() == [0, 0, 0, 0]
    _task_of(2)
    DayFigures.objects.update(counted_at=timezone.now() - timedelta(hours=3))
    assert _drawn() == [0, 1, 0, 0]


def test_the_day_after_the_count_is_counted_live_when_it_is_over(monkeypatch: pytest.MonkeyPatch):
    _task_of(0)
    assert _drawn() == [0, 0, 0, 1]
    tomorrow = timezone.localtime().replace(hour=0, minute=30) + timedelta(days=1)
    DayFigures.objects.update(counted_at=tomorrow - timedelta(minutes=40))
    monkeypatch.setattr(timezone, "now", lambda: tomorrow)
    assert _drawn() == [0, 0, 1, 0]


def test_money_of_days_that_are_over_comes_back_to_the_cent():
    paid = timezone.now() - timedelta(days=1)
    Booking.objects.create(system="Amelia", external_id="1", paid="120.40", paid_at=paid, currency="USD")
    for _ in range(2):
        days = by_day(Booking.objects.all(), "paid_at", of=Sum("paid"))
        assert days[-2][1] == Decimal("120.40")


def _lead_of(days_ago: int) -> None:
    WorkflowInstance.objects.filter(pk=_lead().pk).update(start_date=timezone.now() - timedelta(days=days_ago))


def test_the_hourly_job_counts_what_every_home_page_draws(owner: Client):
    _lead_of(2)
    assert count_days() > 0
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        page = owner.get(reverse("admin:index"))
    assert next(chart.total for chart in page.context["charts"] if chart.title == "New leads") == "1"
    assert [query["sql"] for query in queries if query["sql"].startswith("INSERT")] == []
    _lead_of(2)
    DayFigures.objects.create(question="of a chart that nobody draws", counted_at=timezone.now() - timedelta(days=4))
    number = DayFigures.objects.count()
    count_days()
    cache.clear()
    page = owner.get(reverse("admin:index"))
    assert next(chart.total for chart in page.context["charts"] if chart.title == "New leads") == "2"
    assert DayFigures.objects.count() == number - 1


# -- boards ---------------------------------------------------------------------------------------------------------
def _columns(client: Client, name: str, **query: Any) -> dict[str, Any]:
    return {column.key: column for column in client.get(reverse(f"admin:{name}"), query).context["columns"]}


def test_the_task_board_shows_each_task_in_its_column_with_a_button_for_the_others(owner: Client):
    task = factories.make_task(status="In Progress")

    columns = _columns(owner, "board_tasks")

    assert {key: column.number for key, column in columns.items()} == {
        "To Do": 0,
        "In Progress": 1,
        "On Hold": 0,
        "Done": 0,
        "Cancelled": 0,
    }
    (card,) = columns["In Progress"].cards
    assert (card.title, card.targets) == (str(task), "Cancelled|Done|On Hold|To Do")


def test_a_task_is_moved_on_the_board_and_one_comes_back_to_it(owner: Client):
    task = factories.make_task()
    board = reverse("admin:board_tasks")
    url = reverse("admin:agents_app_task_do", args=[task.pk, "move"])

    answer = owner.post(url, {"status": "On Hold", "next": board})

    assert (answer.status_code, answer["Location"]) == (302, board)
    assert Task.objects.get(pk=task.pk).status == "On Hold"
    owner.post(url, {"status": "Nonsense"})
    assert Task.objects.get(pk=task.pk).status == "On Hold"


def test_a_column_shows_the_first_few_and_leads_to_the_others(owner: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(boards, "SHOWN", 2)
    monkeypatch.setattr(boards, "COUNTED", 3)
    for _ in range(5):
        factories.make_task()

    column = _columns(owner, "board_tasks")["To Do"]

    assert (len(column.cards), column.shown, column.has_more) == (2, "3+", True)
    assert owner.get(column.more).context["cl"].result_count == 5


def test_the_workflow_board_offers_exactly_what_is_legal_from_where_a_card_stands(owner: Client):
    workflow = Workflow.objects.get(workflow_id="WF-RETREAT-BOOKING")
    instance = engine.start(workflow, name="Retreat: Maya", actor="BookingAgent")

    columns = _columns(owner, "board_instances", workflow=workflow.pk)

    (card,) = columns[instance.current_state].cards
    assert [move.value for move in card.moves] == [item.event for item in engine.allowed(instance)]
    assert sum(column.number for column in columns.values()) == 1
    owner.post(card.moves[0].url, {"event": card.moves[0].value})
    moved = _columns(owner, "board_instances", workflow=workflow.pk)
    assert [key for key, column in moved.items() if column.number] == [card.moves[0].to]


def test_a_transition_that_needs_a_right_is_neither_offered_nor_made_without_it(client: Client):
    planted()
    workflow = Workflow.objects.get(workflow_id="WF-RETREAT-BOOKING")
    for item in workflow.transitions:
        if item["event"] == "payment_received":
            item["permission"] = "bookings.delete_product"
    workflow.save()
    catalog.forget()
    instance = engine.start(workflow, name="Retreat: Maya", actor="BookingAgent")
    user = User.objects.create_user("clerk", password="a-long-password", is_staff=True)
    codenames = ["view_workflowinstance", "change_workflowinstance"]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)

    columns = _columns(client, "board_instances", workflow=workflow.pk)
    client.post(
        reverse("admin:agents_app_workflowinstance_do", args=[instance.pk, "advance"]), {"event": "payment_received"}
    )

    (card,) = columns["new_booking"].cards
    assert [move.value for move in card.moves if move.value == "payment_received"] == []
    instance.refresh_from_db()
    assert instance.current_state == "new_booking"


# -- the person -----------------------------------------------------------------------------------------------------
def test_a_persons_story_is_on_one_time_line_newest_first(owner: Client):
    now = timezone.now()
    event = InboundEvent.objects.create(provider="typeform", event_type="form_response", delivery_key="k", body=b"{}")
    instance = _lead(inbound_event=str(event.pk))
    contact = instance.contact
    assert contact is not None
    factories.make_feedback(contact=contact, feedback_title="Wonderful", date_received=now + timedelta(minutes=1))
    factories.make_task(related_contact=contact, task_name="Call back", created_date=now + timedelta(minutes=2))
    url = reverse("admin:contacts_contact_change", args=[contact.pk])

    (panel,) = [item for item in owner.get(url).context["panels_top"] if item.title == "Time line"]
    told = [str(moment.what) for moment in [*panel.context["first"], *panel.context["rest"]]]

    assert told[:2] == ["Call back", "Wonderful"]
    assert told[-1] == "Typeform: form_response"
    assert [moment for moment in told if moment.startswith("Lead: ")][-1].endswith("New lead")


def test_a_long_story_is_turned_back_page_by_page(owner: Client):
    contact = factories.make_contact()
    for number in range(40):
        factories.make_feedback(
            contact=contact, feedback_title=f"No {number}", date_received=timezone.now() - timedelta(days=number)
        )
    url = reverse("admin:contacts_contact_change", args=[contact.pk])

    def read(address: str) -> tuple[list[str], str]:
        (panel,) = [item for item in owner.get(address).context["panels_top"] if item.title == "Time line"]
        moments = [*panel.context["first"], *panel.context["rest"]]
        return [str(moment.what) for moment in moments], panel.context["earlier"]

    first, earlier = read(url)
    second, none = read(f"{url}?before={earlier}".replace("+", "%2B"))
    assert first + second == [f"No {number}" for number in range(40)]
    assert none == ""


def test_edits_of_a_person_stand_on_the_time_line_with_both_values_and_who(owner: Client):
    contact = factories.make_contact(phone="111")
    with history.by("Ada", history.PERSON):
        contact.phone = "222"
        contact.save()

    (panel,) = [
        item
        for item in owner.get(reverse("admin:contacts_contact_change", args=[contact.pk])).context["panels_top"]
        if item.title == "Time line"
    ]

    (moment,) = [item for item in panel.context["first"] if item.kind == "changed"]
    assert (moment.what, moment.note, moment.who.split(" ")[0]) == ("phone", "111 → 222", "Ada")


# -- providers ------------------------------------------------------------------------------------------------------
def test_the_integrations_page_says_what_is_configured_and_shows_no_secret(owner: Client, settings: Any):
    settings.PUBLIC_URL = "https://hub.example.org"
    settings.PROVIDERS = settings.PROVIDERS | {
        "typeform": {"webhook_secret": "very-secret-indeed", "base_url": "", "api_token": ""}
    }
    InboundEvent.objects.create(provider="typeform", delivery_key="k", body=b"{}")

    page = owner.get(reverse("admin:integrations"))

    line = next(item for item in page.context["lines"] if item.provider.slug == "typeform")
    assert (line.url, line.number, line.provider.configured) == ("https://hub.example.org/webhooks/typeform", 1, True)
    assert [(variable.name, variable.is_set) for variable in line.variables] == [
        ("TYPEFORM_WEBHOOK_SECRET", True),
        ("TYPEFORM_API_TOKEN", False),
    ]
    assert "very-secret-indeed" not in page.content.decode()


@pytest.fixture(autouse=True)
def _as_if_no_time_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow machine the catalogue would be looked at again in the middle of a page."""
    monkeypatch.setattr(catalog, "CHECK_EVERY", 3600.0)
    cache.clear()
