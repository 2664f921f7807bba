"""What edits of people and answers of customers set in motion for bookings and orders."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from agents_app.sales import feedback, outbound, shelves
from bookings import stock
from bookings.models import Product
from bookings.signals import stock_counted
from campaigns.models import Feedback
from higherself.core.signals import record_pulled


@receiver(post_save, sender=Feedback)
def feedback_was_saved(sender: type[Feedback], instance: Feedback, raw: bool = False, **_kwargs: Any) -> None:
    if not raw:
        feedback.heard(instance)


@receiver(record_pulled)
def record_was_pulled(sender: type[Any], pk: Any, changed: dict[str, tuple[Any, Any]], **_kwargs: Any) -> None:
    """A person's edit in Notion: a figure of the stock, or feedback that was given its contact."""
    if sender is Product and "inventory_count" in changed:
        _counted(pk)
    elif sender is Feedback and "contact" in changed:
        row = Feedback.objects.filter(pk=pk).first()
        if row is not None:
            feedback.heard(row)


@receiver(stock_counted)
def stock_was_counted(sender: type[Any], pk: Any, **_kwargs: Any) -> None:
    """A person's edit in the console."""
    _counted(pk)


def _counted(pk: Any) -> None:
    """From now on sales are taken off this figure, the status follows it, and the shop sells by it."""
    with transaction.atomic():
        row = stock.locked([pk]).get(pk)
        if row is None:
            return
        row.stock_at = timezone.now()
        # The plain manager: the figure is what Notion has, and its time is nobody's business there.
        Product._base_manager.filter(pk=pk).update(stock_at=row.stock_at)
        if stock.follow(row):
            row.save(update_fields=["status"])
        shelves.restock(row, stock.is_low(row))
        outbound.stock_counted(row)
