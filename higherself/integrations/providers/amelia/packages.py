"""A package of Amelia's. Nobody has published such a delivery: what can be recognised is read."""

from __future__ import annotations

from higherself.integrations import material as m
from higherself.integrations.base import Unreadable
from higherself.integrations.providers.amelia import bookings
from higherself.integrations.providers.amelia.schemas import Package, Payload
from higherself.integrations.reading import read


def material(payload: Payload, change: str, problems: list[str]) -> m.PackageMaterial:
    """Raises `Unreadable` where no package can be recognised."""
    package, more = read(Package, payload.package or payload.appointment)
    package_id = package.package_id or package.id
    if not package_id:
        raise Unreadable("Amelia's delivery about a package names none: its id is missing.")
    found = payload.bookings or package.bookings
    customer = package.customer if package.customer.id or package.customer.email else None
    customer = customer or (found[0].customer if found else package.customer)
    payments = package.payments or [payment for booking in found for payment in booking.payments]
    return m.PackageMaterial(
        package_id=package_id,
        purchase_id=package.package_customer_id or (package.id if package.package_id else ""),
        change=change,
        name=package.name,
        status=package.status,
        customer=bookings.person(customer),
        price=package.price,
        payments=[bookings.payment(payment) for payment in payments],
        booking_ids=[booking.id for booking in found if booking.id],
        problems=problems + more,
    )
