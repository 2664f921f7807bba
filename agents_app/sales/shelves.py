"""The lines of an order and the stock that they take: once for each line, given back when the order falls through."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from agents_app.models import Task
from agents_app.sales import chores, course
from agents_app.sales.states import is_paid, moment_of, status_of
from agents_app.services import catalog
from agents_app.text import one_line
from bookings import stock
from bookings.models import Order, OrderLine, Product
from higherself.integrations import material

_GIVEN_BACK = ("cancelled", "refunded", "failed")


def put(order: Order, told: Iterable[material.OrderLine], goods: dict[str, Product], *, new: bool) -> list[Task]:
    """Makes the order's lines those of its newest state, and settles their stock; returns new tasks."""
    known = {} if new else {line.external_id: line for line in OrderLine.objects.filter(order=order)}
    before = {key: copy.copy(line) for key, line in known.items()}
    wanted: dict[str, OrderLine] = {}
    for number, item in enumerate(told):
        key = (item.id or f"#{number}")[:100]
        line = known.get(key) or OrderLine(order=order, external_id=key)
        line.product = goods.get(item.product_id) or line.product
        line.name, line.sku = one_line(item.name, 500), one_line(item.sku, 200)
        line.quantity, line.total = item.quantity, item.total
        wanted[key] = line
    return _write(order, before, wanted)


def settle(order: Order) -> list[Task]:
    """Settles the stock of an order of which only the status has changed; returns new tasks."""
    lines = {line.external_id: line for line in OrderLine.objects.filter(order=order)}
    return _write(order, {key: copy.copy(line) for key, line in lines.items()}, lines)


def _write(order: Order, before: dict[str, OrderLine], after: dict[str, OrderLine]) -> list[Task]:
    taken, returned = taken_at(order), returned_at(order)
    for line in after.values():
        line.taken_at, line.returned_at = taken, returned
    gone = [line.pk for key, line in before.items() if key not in after]
    if gone:
        OrderLine.objects.filter(pk__in=gone).delete()
    OrderLine.objects.bulk_create([line for line in after.values() if line.pk is None])
    changed = [line for key, line in after.items() if key in before and _values(line) != _values(before[key])]
    if changed:
        OrderLine.objects.bulk_update(changed, _FIELDS)
    return _count(before, after)


_FIELDS = ("product", "name", "sku", "quantity", "total", "taken_at", "returned_at")


def _values(line: OrderLine) -> tuple[object, ...]:
    return (line.product_id, *(getattr(line, name) for name in _FIELDS[1:]))


def _count(before: dict[str, OrderLine], after: dict[str, OrderLine]) -> list[Task]:
    touched = {
        line.product_id
        for key in {*before, *after}
        for line in (before.get(key), after.get(key))
        if line is not None and line.product_id and _moves(before.get(key)) != _moves(after.get(key))
    }
    tasks = []
    for product in stock.locked(pk for pk in touched if pk).values():
        difference: Counter[int] = Counter()
        for sign, lines in ((-1, before), (1, after)):
            for line in lines.values():
                if line.product_id == product.pk:
                    difference[product.pk] += sign * stock.effect(line, product.stock_at)
        was_low = stock.is_low(product)
        is_low = stock.change(product, difference[product.pk])
        if was_low != is_low:
            tasks += restock(product, is_low)
    return tasks


def _moves(line: OrderLine | None) -> tuple[object, ...]:
    return () if line is None else (line.product_id, line.quantity, line.taken_at, line.returned_at)


def restock(product: Product, low: bool) -> list[Task]:
    """The task to make or buy more, open while the stock is low."""
    task = chores.while_true(
        f"{product.product_id}:restock",
        low,
        f"Restock: {product.name}",
        f"{product.inventory_count} are left. This task is cancelled by itself once there are {stock.LOW} again.",
        role="gallery",
        days=3,
        entity=catalog.current().entity_with_pk(product.business_entity_id),
        category="Admin",
    )
    return [task] if task is not None else []


def taken_at(order: Order) -> datetime | None:
    """When the order's goods left the stock: when it was paid, by the shop's clock."""
    if not is_paid(order):
        return None
    seen = [order.stages[name] for name in course.PAID if name in order.stages]
    return order.paid_at or moment_of(min(seen))


def returned_at(order: Order) -> datetime | None:
    """When they came back; None while they are gone, and for an order that never took any."""
    status = status_of(order)
    if status not in _GIVEN_BACK or not is_paid(order):
        return None
    if status in order.stages:
        return moment_of(order.stages[status])
    return moment_of(max(order.presence.get("deleted", {}).values()))
