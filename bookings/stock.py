"""How much of a product is there: what the shop last counted, less what has been sold since.

A shop counts too: its figure includes what was sold before it was sent. So a sale counts here only when it is later
than the last figure (``Product.stock_at``), and the result is the same in whatever order both are told.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Sum

from bookings.choices import ProductStatus, ProductType
from bookings.models import OrderLine, Product

LOW = 5
_GONE = (ProductStatus.OUT_OF_STOCK, ProductStatus.SOLD)


def effect(line: OrderLine, since: datetime | None) -> int:
    """What a line does to a figure that was taken at ``since``."""
    if since is None:
        return -line.quantity if line.taken_at and not line.returned_at else 0
    taken = line.quantity if line.taken_at and line.taken_at > since else 0
    returned = line.quantity if line.returned_at and line.returned_at > since else 0
    return returned - taken


def locked(ids: Iterable[int]) -> dict[int, Product]:
    """The products, locked in the order of their ids so that two orders cannot wait for each other."""
    rows = Product.objects.select_for_update(of=("self",)).filter(pk__in=set(ids)).order_by("pk")
    return {row.pk: row for row in rows}


def change(product: Product, difference: int) -> bool:
    """Adds to the count of a locked product and follows with its status; returns whether it has become low."""
    if product.inventory_count is None:
        return _unique(product)
    before = product.inventory_count
    product.inventory_count = before + difference
    follow(product)
    if (product.inventory_count, difference) != (before, 0):
        product.save(update_fields=["inventory_count", "status"])
    return is_low(product)


def is_low(product: Product) -> bool:
    """Whether more should be made or bought; an art piece cannot be."""
    counted = product.inventory_count
    return counted is not None and counted < LOW and product.type != ProductType.ART_PIECE


def report(product: Product, count: int | None, at: datetime) -> list[str]:
    """Takes over a figure that was counted at ``at``; returns the names of the fields that it may have changed.

    The product is not saved. An older figure than the one that is known changes nothing.
    """
    if product.stock_at is not None and at < product.stock_at:
        return []
    product.stock_at = at
    product.inventory_count = count if count is None or product.pk is None else count + _since(product, at)
    follow(product)
    return ["stock_at", "inventory_count", "status"]


def _since(product: Product, at: datetime) -> int:
    lines = OrderLine.objects.filter(product=product).order_by()
    taken = lines.filter(taken_at__gt=at).aggregate(n=Sum("quantity"))["n"] or 0
    returned = lines.filter(returned_at__gt=at).aggregate(n=Sum("quantity"))["n"] or 0
    return int(returned - taken)


def _unique(product: Product) -> bool:
    """An art piece that nobody counts is one of a kind: sold while any order holds it."""
    if product.type == ProductType.ART_PIECE:
        sold = OrderLine.objects.filter(product=product, taken_at__isnull=False, returned_at__isnull=True).exists()
        before = product.status
        if sold:
            product.status = ProductStatus.SOLD
        elif before == ProductStatus.SOLD:
            product.status = ProductStatus.ACTIVE
        if product.status != before:
            product.save(update_fields=["status"])
    return False


def follow(product: Product) -> bool:
    """Nothing left is Sold or Out of Stock; what has come back is Active again. Other decisions of people stay.

    The product is not saved; returns whether its status has changed.
    """
    counted, before = product.inventory_count, product.status
    if counted is None:
        return False
    if counted <= 0 and product.status in (ProductStatus.ACTIVE, *_GONE):
        art = product.type == ProductType.ART_PIECE
        product.status = ProductStatus.SOLD if art else ProductStatus.OUT_OF_STOCK
    elif counted > 0 and product.status in _GONE:
        product.status = ProductStatus.ACTIVE
    return product.status != before
