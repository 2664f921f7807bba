"""WooCommerce's objects, as its REST API v3 and its webhooks write them. Amounts are texts; ``*_gmt`` times are UTC.

Source: WooCommerce's REST API documentation. Real shops add keys of their plug-ins.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from higherself.integrations.reading import Amount, Flag, Objects, Part, Text, Whole


class Contact(Part):
    first_name: Text = ""
    last_name: Text = ""
    company: Text = ""
    address_1: Text = ""
    address_2: Text = ""
    city: Text = ""
    state: Text = ""
    postcode: Text = ""
    country: Text = ""
    email: Text = ""
    phone: Text = ""


class Line(Part):
    id: Text = ""
    name: Text = ""
    product_id: Text = ""
    variation_id: Text = ""
    quantity: Whole = None
    total: Amount = None
    total_tax: Amount = None
    sku: Text = ""


class Refund(Part):
    """``total`` is negative."""

    id: Text = ""
    reason: Text = ""
    total: Amount = None


class Coupon(Part):
    code: Text = ""


class Meta(Part):
    key: Text = ""
    value: Any = None


class Order(Part):
    """A guest's order has ``customer_id`` 0 and the address in ``billing``."""

    wanted: ClassVar[tuple[str, ...]] = ("status", "currency", "total", "billing", "date_modified_gmt")

    id: Text = ""
    number: Text = ""
    status: Text = ""
    currency: Text = ""
    total: Amount = None
    total_tax: Amount = None
    shipping_total: Amount = None
    discount_total: Amount = None
    customer_id: Text = ""
    customer_note: Text = ""
    billing: Contact = Contact()
    shipping: Contact = Contact()
    payment_method: Text = ""
    payment_method_title: Text = ""
    transaction_id: Text = ""
    date_created_gmt: Text = ""
    date_modified_gmt: Text = ""
    date_paid_gmt: Text = ""
    date_completed_gmt: Text = ""
    line_items: Annotated[list[Line], Objects] = []
    refunds: Annotated[list[Refund], Objects] = []
    coupon_lines: Annotated[list[Coupon], Objects] = []
    meta_data: Annotated[list[Meta], Objects] = []


class Customer(Part):
    wanted: ClassVar[tuple[str, ...]] = ("email",)

    id: Text = ""
    email: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    username: Text = ""
    billing: Contact = Contact()
    is_paying_customer: Flag = False
    date_created_gmt: Text = ""
    date_modified_gmt: Text = ""


class Category(Part):
    name: Text = ""


class Product(Part):
    wanted: ClassVar[tuple[str, ...]] = ("name",)

    id: Text = ""
    name: Text = ""
    sku: Text = ""
    type: Text = ""
    status: Text = ""
    price: Amount = None
    regular_price: Amount = None
    manage_stock: Flag = False
    stock_quantity: Whole = None
    stock_status: Text = ""
    permalink: Text = ""
    categories: Annotated[list[Category], Objects] = []
    date_modified_gmt: Text = ""
