"""The content of the operations at the shop."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from higherself.integrations.client import Payload

OrderStatus = Literal["pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed"]


class OrderNote(Payload):
    """A remark at an order; with ``for_customer`` the shop mails it to the buyer."""

    order_id: int = Field(gt=0)
    note: str = Field(min_length=1, max_length=10_000)
    for_customer: bool = False


class OrderChange(Payload):
    order_id: int = Field(gt=0)
    status: OrderStatus


class OrderMeta(Payload):
    """Values kept with an order under our own names, such as the id of its page in Notion."""

    order_id: int = Field(gt=0)
    values: dict[str, str] = Field(min_length=1)


class Stock(Payload):
    """How many of a product are left; ``variation_id`` where it has variations."""

    product_id: int = Field(gt=0)
    variation_id: int = Field(default=0, ge=0)
    quantity: int
