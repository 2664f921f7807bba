"""Flow 3, from WooCommerce's deliveries to the last state, and what it does to the stock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from agents_app import tasks
from agents_app.models import Task, WorkflowInstance
from agents_app.workflow import engine
from bookings.models import Order, OrderLine, Product
from contacts.models import Contact
from tests.agents_app.sales import ORDER, deliver, instance_of, messages_of, order, path_of, product, tasks_of

pytestmark = pytest.mark.usefixtures("seeded")
DELETED = ("woocommerce", {"id": 727}, "order.deleted")
MORNING, NOON, EVENING = "2026-11-20T10:00:00", "2026-11-20T12:00:00", "2026-11-20T18:00:00"


@pytest.fixture(autouse=True)
def _team(settings: Any) -> None:
    settings.TEAM_EMAILS = ["team@example.org"]


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc), tick=False) as traveller:
        yield traveller


def stock_of(external_id: int) -> tuple[int | None, str]:
    found = Product.objects.get(external_id=str(external_id))
    return found.inventory_count, found.status


def test_an_order_becomes_a_contact_products_lines_and_an_instance(clock):
    assert deliver(order("pending")).status == "processed"
    row = Order.objects.get()
    assert (row.number, row.status, row.total, row.currency) == ("727", "pending", Decimal("29.35"), "USD")
    assert [(line.quantity, line.product.external_id) for line in row.lines.all()] == [(2, "93"), (1, "22")]
    contact = Contact.objects.get()
    assert (contact.email, contact.lead_source, contact.city, contact.country) == (
        "john.doe@example.com",
        "WooCommerce",
        "San Francisco",
        "US",
    )
    instance = instance_of("727")
    assert (instance.instance_name, instance.current_state) == ("Order 727: John Doe", "order_received")
    assert sorted(item.external_id for item in instance.products.all()) == ["22", "93"]
    assert instance.business_entity.entity_key == "the-7-space"
    assert messages_of(instance) == ["order_confirmation", "sale_alert"]


def test_a_paid_order_is_packed_shipped_and_delivered_by_people(clock):
    deliver(order("processing"))
    instance = instance_of("727")
    assert path_of(instance) == ["order_received", "payment_confirmed"]
    assert Contact.objects.get().status == "Active Client"
    for key, state in (("package_artwork", "packaging"), ("ship", "shipped"), ("confirm_delivery", "delivered")):
        task = Task.objects.get(task_key=f"{instance.instance_id}:{key}:1")
        task.status = "Done"
        task.save()
        instance.refresh_from_db()
        assert instance.current_state == state
    clock.shift(timedelta(days=8))
    tasks.sweep()
    instance.refresh_from_db()
    assert instance.current_state == "follow_up"
    clock.shift(timedelta(days=31))
    tasks.sweep()
    instance.refresh_from_db()
    assert (instance.current_state, instance.status) == ("completed", "Completed")


def test_an_order_that_the_shop_completes_is_delivered_and_its_packing_lapses(clock):
    deliver(order("processing", modified=MORNING), order("completed", modified=NOON))
    instance = instance_of("727")
    assert path_of(instance) == ["order_received", "payment_confirmed", "delivered"]
    assert tasks_of(instance) == {"package_artwork": "Cancelled", "thank_you_note": "To Do"}


def test_a_failed_payment_may_succeed_later(clock):
    deliver(order("failed", modified=MORNING), order("processing", modified=NOON))
    assert path_of(instance_of("727")) == ["order_received", "payment_failed", "payment_confirmed"]


def test_an_older_state_of_an_order_is_ignored(clock):
    deliver(order("completed", modified=NOON), order("processing", modified=MORNING))
    assert (Order.objects.get().status, instance_of("727").current_state) == ("completed", "delivered")


def test_an_order_that_was_cancelled_for_want_of_payment_and_paid_later_goes_on(clock):
    deliver(
        order("pending", modified=MORNING),
        order("cancelled", modified=NOON),
        order("processing", modified=EVENING),
    )
    states = list(WorkflowInstance.objects.order_by("pk").values_list("source_record_id", "current_state"))
    assert states == [("727", "canceled"), ("727-2", "payment_confirmed")]


# -- stock ----------------------------------------------------------------------------------------------------------
def test_stock_goes_down_once_when_the_order_is_paid(clock):
    deliver(product(93, stock=10), order("pending"))
    assert stock_of(93) == (10, "Active")
    deliver(order("processing", modified=NOON), order("completed", modified=EVENING))
    assert stock_of(93) == (8, "Active")


def test_stock_comes_back_when_the_order_falls_through(clock):
    deliver(product(93, stock=10), order("processing", modified=MORNING), order("refunded", modified=NOON))
    assert stock_of(93) == (10, "Active")
    assert instance_of("727").current_state == "refunded"


def test_a_figure_that_the_shop_took_after_the_sale_counts_as_it_is(clock):
    deliver(order("processing"), product(93, stock=8, modified=NOON))
    assert stock_of(93) == (8, "Active")


@pytest.mark.parametrize("reverse", [False, True], ids=["figure first", "sale first"])
def test_a_figure_from_before_the_sale_is_lowered_by_it(clock, reverse):
    sent = [product(93, stock=10), order("processing")]
    deliver(*(reversed(sent) if reverse else sent))
    assert stock_of(93) == (8, "Active")


def test_the_last_piece_of_art_is_sold_and_anything_else_is_out_of_stock(clock):
    art = {"categories": [{"id": 1, "name": "Painting"}]}
    deliver(product(22, stock=1, **art), product(93, stock=2), order("processing"))
    assert [stock_of(22), stock_of(93)] == [(0, "Sold"), (0, "Out of Stock")]
    assert tasks_of(instance_of("727"))["certificate"] == "To Do"
    assert Contact.objects.get().contact_type == "Collector"
    deliver(order("cancelled", modified=NOON))
    assert [stock_of(22), stock_of(93)] == [(1, "Active"), (2, "Active")]


def test_art_that_nobody_counts_is_one_of_a_kind(clock):
    deliver(product(22, stock=None, categories=[{"id": 1, "name": "Sculpture"}]), order("processing"))
    assert stock_of(22) == (None, "Sold")
    deliver(order("refunded", modified=NOON))
    assert stock_of(22) == (None, "Active")


def test_low_stock_asks_for_more_until_there_is_more(clock):
    deliver(product(93, stock=6), order("processing"))
    task = Task.objects.get(task_key__contains=":restock:")
    assert (task.status, stock_of(93)[0]) == ("To Do", 4)
    deliver(product(93, stock=20, modified=NOON))
    task.refresh_from_db()
    assert task.status == "Cancelled"


def test_a_line_that_was_changed_moves_the_stock_by_the_difference(clock):
    slug, body, topic = order("processing")
    body["line_items"][0]["quantity"] = 5
    body["date_modified_gmt"] = NOON
    deliver(product(93, stock=10), order("processing"), (slug, body, topic))
    assert stock_of(93)[0] == 5
    body["line_items"].pop(0)
    body["date_modified_gmt"] = EVENING
    deliver((slug, body, topic))
    assert (stock_of(93)[0], OrderLine.objects.count()) == (10, 1)


# -- deletion -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("reverse", [False, True], ids=["in order", "the deletion first"])
def test_a_deleted_order_is_cancelled_whichever_delivery_comes_first(clock, reverse):
    sent = [order("processing"), DELETED]
    deliver(*(reversed(sent) if reverse else sent))
    assert (Order.objects.get().deleted, instance_of("727").current_state) == (True, "canceled")


def test_a_restored_order_is_there_again(clock):
    slug, body, _ = order("pending")
    deliver(order("pending"), DELETED, (slug, {**body, "date_modified_gmt": NOON}, "order.restored"))
    assert Order.objects.get().deleted is False


# -- the rest of the shop -------------------------------------------------------------------------------------------
def test_a_product_is_described_by_its_newest_state_only(clock):
    deliver(product(93, modified=NOON, name="New name"), product(93, modified=MORNING, name="Old name"))
    assert Product.objects.get().name == "New name"


def test_a_deleted_product_is_discontinued_and_keeps_its_orders(clock):
    deliver(order("processing"), ("woocommerce", {"id": 93}, "product.deleted"))
    assert stock_of(93)[1] == "Discontinued"
    assert OrderLine.objects.filter(product__external_id="93").count() == 1


def test_an_account_of_the_shop_fills_in_the_contact_and_its_end_leaves_the_person(clock):
    account = {
        "id": 26,
        "email": "john.doe@example.com",
        "first_name": "John",
        "last_name": "Doe",
        "username": "john",
        "is_paying_customer": False,
        "billing": {"company": "Acme"},
        "date_modified_gmt": MORNING,
    }
    deliver(("woocommerce", account, "customer.updated"), order("pending", customer_id=26))
    contact = Contact.objects.get()
    assert (contact.company, contact.external_ids) == ("Acme", {"WooCommerce": "26"})
    deliver(("woocommerce", {"id": 26}, "customer.deleted"))
    contact.refresh_from_db()
    assert (contact.email, contact.external_ids) == ("john.doe@example.com", {})


def test_a_hook_of_the_shop_is_a_line_in_the_history_of_its_order(clock):
    action = {"action": "woocommerce_order_status_processing", "arg": 727}
    deliver(order("pending"), ("woocommerce", action, "action.woocommerce_order_status_processing"))
    line = instance_of("727").history.order_by("pk").last()
    assert (line.event, line.note) == ("shop_action", "WooCommerce ran woocommerce_order_status_processing")


def test_people_move_an_order_and_the_shop_cannot_move_it_back(clock):
    deliver(order("processing"))
    engine.advance(instance_of("727"), "packing_started", actor="Grace")
    deliver(order("processing", modified=NOON, customer_note="Please wrap it"))
    assert instance_of("727").current_state == "packaging"


def test_a_national_number_is_one_of_the_country_of_the_bill():
    billing = {**ORDER["billing"], "phone": "01632 960961", "country": "GB"}
    deliver(order(billing=billing))
    assert Contact.objects.get().phone == "+441632960961"
