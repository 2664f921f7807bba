"""Bookings and orders with their money: today's figures, thirty days, and a person's purchases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.utils.translation import gettext as _

from bookings.models import Booking, Order
from contacts.models import Contact
from higherself.core.admin import (
    Chart,
    Figure,
    Moment,
    Scope,
    bounded,
    by_day,
    cells,
    charts,
    figures,
    story,
    until,
)

ENTITY = "business_entity"
_NET = F("total") - F("refunded")
# A chart for each of so many currencies; more are a mistake, or a story of their own.
CURRENCIES = 2


def said(amounts: Iterable[tuple[str, Decimal | None]]) -> str:
    """``1,240.00 USD + 300.00 EUR``; empty when there is no money in it."""
    return " + ".join(f"{amount:,.2f} {currency}".strip() for currency, amount in sorted(amounts) if amount)


def _taken(rows: QuerySet[Any], scope: Scope, amount: Any) -> str:
    paid = rows.filter(paid_at__gte=scope.start, paid_at__lt=scope.end, **scope.of(ENTITY)).order_by()
    return said(paid.values_list("currency").annotate(paid_sum=Sum(amount)))


@figures
def sold(scope: Scope) -> list[Figure]:
    today = {"created_at__gte": scope.start, "created_at__lt": scope.end, **scope.of(ENTITY)}
    return [
        Figure(
            _("bookings today"),
            bounded(Booking.objects.filter(**today)),
            cells.list_url(Booking),
            icon="event_available",
            permission="bookings.view_booking",
            money=_taken(Booking.objects.all(), scope, "paid"),
            order=20,
        ),
        Figure(
            _("orders today"),
            bounded(Order.objects.filter(deleted=False, **today)),
            cells.list_url(Order),
            icon="shopping_bag",
            permission="bookings.view_order",
            money=_taken(Order.objects.filter(deleted=False), scope, _NET),
            order=21,
        ),
    ]


@charts
def takings(scope: Scope) -> list[Chart]:
    """What was paid on each day, by bookings and orders together, for each currency that there is."""
    bookings = Booking.objects.filter(paid_at__isnull=False, **scope.of(ENTITY))
    orders = Order.objects.filter(paid_at__isnull=False, deleted=False, **scope.of(ENTITY))
    found = []
    for currency in _currencies(bookings, orders):
        booked = dict(by_day(bookings.filter(currency=currency), "paid_at", of=Sum("paid")))
        ordered = by_day(orders.filter(currency=currency), "paid_at", of=Sum(_NET))
        days = tuple((day, Decimal(amount) + Decimal(booked[day])) for day, amount in ordered)
        found.append(
            Chart(
                _("Paid"), days, cells.list_url(Order), unit=currency or "–", permission="bookings.view_order", order=5
            )
        )
    return found


def _currencies(*parts: QuerySet[Any]) -> list[str]:
    """Of the newest payments: counting all of them would be dear and say the same."""
    newest = [row for rows in parts for row in rows.order_by("-paid_at").values_list("currency", flat=True)[:50]]
    return sorted(set(newest), key=lambda currency: -newest.count(currency))[:CURRENCIES]


@story(Contact)
def bookings(contact: Contact, before: datetime | None, limit: int) -> list[Moment]:
    rows = until(Booking.objects.filter(contact=contact), "created_at", before, limit).select_related("product")
    return [
        Moment(
            row.created_at,
            _("booking"),
            str(row.product or row),
            "event_available",
            row.system,
            cells.change_url(Booking, row.pk),
            " · ".join(filter(None, [row.status, said([(row.currency, row.paid)]), _starts(row)])),
            "good",
        )
        for row in rows
    ]


def _starts(row: Booking) -> str:
    return f"{row.starts_at:%Y-%m-%d %H:%M}" if row.starts_at else ""


@story(Contact)
def orders(contact: Contact, before: datetime | None, limit: int) -> list[Moment]:
    rows = until(Order.objects.filter(contact=contact), "created_at", before, limit)
    return [
        Moment(
            row.created_at,
            _("order"),
            str(row),
            "shopping_bag",
            row.system,
            cells.change_url(Order, row.pk),
            " · ".join(filter(None, [row.status, said([(row.currency, (row.total or 0) - row.refunded)])])),
            "good",
        )
        for row in rows
    ]
