"""What bookings and orders tell about people. Amounts, dates and products stay: the books need them."""

from __future__ import annotations

from bookings.models import Booking, Order
from higherself.core import personal


def _empty(model: type[Booking] | type[Order], name: str) -> object:
    return model._meta.get_field(name).get_default()  # type: ignore[union-attr]


personal.holder(
    "bookings",
    lambda person: Booking._base_manager.filter(contact__in=person.pks),
    clear={
        "customer_id": "",
        "answers": lambda: _empty(Booking, "answers"),
        "evidence": lambda: _empty(Booking, "evidence"),
    },
)
personal.holder(
    "orders",
    lambda person: Order._base_manager.filter(contact__in=person.pks),
    clear={"customer_id": "", "note": "", "shipping": lambda: _empty(Order, "shipping")},
)
