"""Reading WooCommerce's deliveries."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from higherself.integrations.base import Ignore
from higherself.integrations.delivery import Delivery, Unreadable
from higherself.integrations.events import EventKind
from higherself.integrations.material import Address, OrderLine, Person, Refund
from higherself.integrations.registry import PROVIDERS
from tests.integrations.providers.support import RECEIVED, material, one, read, utc
from tests.integrations.support import json_delivery, payload, raw, sent

SHOP = PROVIDERS["woocommerce"]


def of(name: str, topic: str = "", **changes: Any) -> Any:
    body = payload(f"woocommerce/{name}.json") | changes
    return one("woocommerce", body, headers={"X-WC-Webhook-Topic": topic or name})


def test_a_created_order_is_read_with_its_lines_and_amounts():
    event = of("order.created")
    assert (event.kind, event.source, event.source_id) == (EventKind.ORDER_CREATED, "WooCommerce", "727")
    assert (event.occurred_at, event.key) == (utc(2017, 3, 22, 19, 28, 8), "order:727")
    # Amounts travel as text, so that none is rounded.
    assert (event.data["total"], event.data["total_tax"], event.data["currency"]) == ("29.35", "1.35", "USD")
    order = material(event)
    assert (order.order_id, order.number, order.change, order.status) == ("727", "727", "created", "processing")
    assert (order.shipping_total, order.discount_total, order.refunded) == (Decimal(10), Decimal(0), Decimal(0))
    assert order.customer == Person(
        email="john.doe@example.com", first_name="John", last_name="Doe", name="John Doe", phone="(555) 555-5555"
    )
    assert order.billing == Address(
        name="John Doe",
        line_1="969 Market",
        city="San Francisco",
        state="CA",
        postcode="94103",
        country="US",
        phone="(555) 555-5555",
    )
    assert order.lines == [
        OrderLine(
            id="315", product_id="93", name="Woo Single #1", quantity=2, total=Decimal("6.00"), tax=Decimal("0.45")
        ),
        OrderLine(
            id="316",
            product_id="22",
            variation_id="23",
            sku="Bar3",
            name="Ship Your Idea – Color: Black, Size: M Test",
            quantity=1,
            total=Decimal("12.00"),
            tax=Decimal("0.90"),
        ),
    ]
    assert (order.payment_method, order.payment_method_title) == ("bacs", "Direct Bank Transfer")
    assert (order.created_at, order.modified_at) == (utc(2017, 3, 22, 19, 28, 2), utc(2017, 3, 22, 19, 28, 8))
    assert (order.paid_at, order.completed_at) == (utc(2017, 3, 22, 19, 28, 8), None)
    assert (order.refunds, order.coupons, order.attribution, order.problems) == ([], [], {}, [])


def test_an_updated_order_is_its_latest_state():
    event = of("order.updated")
    assert (event.kind, event.occurred_at) == (EventKind.ORDER_UPDATED, utc(2017, 3, 22, 19, 30, 35))
    assert (event.data["status"], event.data["change"]) == ("completed", "updated")


def test_a_deleted_order_is_only_an_id():
    event = of("order.deleted")
    assert (event.kind, event.source_id, event.occurred_at) == (EventKind.ORDER_DELETED, "727", RECEIVED)
    assert event.data == {"problems": [], "id": "727"}


def test_an_action_of_the_shop_keeps_its_argument():
    event = of("action.woocommerce_add_to_cart")
    assert event.kind == EventKind.SHOP_ACTION
    argument = "d5f6c3a1b2e4f60718293a4b5c6d7e8f"
    assert event.data == {"problems": [], "action": "woocommerce_add_to_cart", "argument": argument}


def test_refunds_coupons_and_the_orders_origin_are_read():
    order = material(
        of(
            "order.updated",
            customer_id=25,
            refunds=[{"id": 1, "reason": "late", "total": "-10.00"}, {"id": 2, "total": "-0.50"}, 7],
            coupon_lines=[{"code": "AUTUMN"}],
            meta_data=[
                {"key": "_wc_order_attribution_utm_source", "value": "newsletter"},
                {"key": "_wc_order_attribution_utm_term", "value": ""},
                {"key": "other", "value": "x"},
            ],
        )
    )
    assert order.refunds == [
        Refund(id="1", amount=Decimal("10.00"), reason="late"),
        Refund(id="2", amount=Decimal("0.50")),
    ]
    assert (order.refunded, order.coupons, order.customer.id) == (Decimal("10.50"), ["AUTUMN"], "25")
    assert order.attribution == {"utm_source": "newsletter"}
    assert order.problems == ["refunds: an item is no object"]


def test_a_changed_customer_and_product_are_read():
    body = {"id": 25, "email": " john@example.com ", "first_name": "John", "last_name": "Doe", "username": "john"}
    customer = one("woocommerce", body, headers={"X-WC-Webhook-Topic": "customer.created"})
    assert (customer.kind, customer.source_id, customer.key) == (EventKind.CUSTOMER_CHANGED, "25", "customer:25")
    assert material(customer).customer == Person(
        id="25", email="john@example.com", first_name="John", last_name="Doe", name="John Doe"
    )
    body = {
        "id": 799,
        "name": "Ship &amp; Co",
        "sku": "S1",
        "price": "21.99",
        "manage_stock": True,
        "stock_quantity": 3,
    }
    product = one("woocommerce", body, headers={"X-WC-Webhook-Topic": "product.updated"})
    found = material(product)
    assert (product.kind, found.name, found.price, found.stock) == (
        EventKind.PRODUCT_CHANGED,
        "Ship & Co",
        Decimal("21.99"),
        3,
    )


def test_without_a_topic_the_body_tells_what_it_is():
    event = one("woocommerce", payload("woocommerce/order.created.json"))
    assert event.kind == EventKind.ORDER_UPDATED
    with pytest.raises(Unreadable, match="has no topic"):
        read("woocommerce", {"id": 727})


def test_a_wrong_amount_is_reported_and_the_rest_is_read():
    order = material(of("order.created", total="free", line_items={"0": {"id": 1, "quantity": "two"}}, billing="none"))
    assert (order.total, [line.quantity for line in order.lines], order.customer.email) == (None, [0], "")
    assert [problem.split(":")[0] for problem in order.problems] == [
        "Order.total",
        "Order.billing",
        "Line.quantity",
        "Order.total",
        "Order.billing",
    ]


def test_a_topic_that_nobody_needs_is_ignored():
    with pytest.raises(Ignore, match=r"topic 'coupon.created' is not one that is acted upon"):
        read("woocommerce", {"id": 1}, headers={"X-WC-Webhook-Topic": "coupon.created"})


def test_an_order_without_an_id_is_unreadable():
    with pytest.raises(Unreadable, match=r"order.created names nothing"):
        read("woocommerce", {"status": "pending"}, headers={"X-WC-Webhook-Topic": "order.created"})


def test_a_repeat_has_the_same_hook_topic_and_body():
    def key(name: str, **headers: str) -> str:
        given = {"X-WC-Webhook-Topic": name, "X-WC-Webhook-ID": "142", **headers}
        return SHOP.delivery_key(sent(f"woocommerce/{name}.json", headers=given))

    # The delivery id is shared by all deliveries of one second: two orders then must not be one.
    assert key("order.created", X_ignored="1") == key("order.created", **{"X-WC-Webhook-Delivery-ID": "d"})
    assert key("order.created") != key("order.updated")
    assert key("order.created") != key("order.created", **{"X-WC-Webhook-ID": "143"})
    # A deletion's body is only the id: deleted, restored and deleted again are three deliveries.
    first, second = ({"X-WC-Webhook-Delivery-ID": name} for name in "ab")
    assert key("order.deleted", **first) == key("order.deleted", **first) != key("order.deleted", **second)


def test_the_ping_is_a_test_call_only_unsigned():
    ping = raw("woocommerce/ping.raw")
    assert SHOP.is_test_call(Delivery(ping)) is True
    assert SHOP.is_test_call(Delivery(ping, {"X-WC-Webhook-Signature": "x"})) is False
    assert SHOP.ordering_key(json_delivery([])) == ""
