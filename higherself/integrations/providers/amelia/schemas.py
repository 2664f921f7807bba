"""Amelia's webhook payloads: the plug-in writes every list as an object with number keys, and an empty one as ``{}``.

Source: Amelia's webhook documentation, captured deliveries, and the plug-in's source. Nobody has published a delivery
about an event or a package: their objects are read as far as they are known from Amelia's API.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from higherself.integrations.reading import Amount, Flag, Named, Objects, Part, Text, Whole


class AmeliaPart(Part):
    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)


class Customer(AmeliaPart):
    """A customer or a provider."""

    id: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    email: Text = ""
    phone: Text = ""


class Payment(AmeliaPart):
    """``status`` is pending, paid, partiallyPaid or refunded. There is no currency: it is the site's."""

    id: Text = ""
    amount: Amount = None
    gateway: Text = ""
    status: Text = ""
    transaction_id: Text = ""
    wc_order_id: Text = ""


class Extra(AmeliaPart):
    name: Text = ""
    extra_id: Text = ""


class Booking(AmeliaPart):
    """One customer's booking. ``info`` is what the customer typed in, ``infoArray`` the same decoded."""

    wanted: ClassVar[tuple[str, ...]] = ("status", "customer")

    id: Text = ""
    customer_id: Text = ""
    customer: Customer = Customer()
    status: Text = ""
    price: Amount = None
    persons: Whole = None
    appointment_id: Text = ""
    payments: Annotated[list[Payment], Objects] = []
    extras: Annotated[list[Extra], Objects] = []
    custom_fields: Named = {}
    coupon: Named = {}
    info: Named = {}
    info_array: Named = {}
    is_recurring_booking: Flag = False
    is_package_booking: Flag = False


class Service(AmeliaPart):
    id: Text = ""
    name: Text = ""


class Period(AmeliaPart):
    period_start: Text = ""
    period_end: Text = ""


class Reservation(AmeliaPart):
    """An appointment or an event. An appointment has a service and one time, an event a name and periods.

    Times are the site's wall clock, without an offset. The older time of a rescheduled one is sent by newer releases.
    """

    wanted: ClassVar[tuple[str, ...]] = ("id",)

    id: Text = ""
    type: Text = ""
    name: Text = ""
    status: Text = ""
    bookings: Annotated[list[Booking], Objects] = []
    service_id: Text = ""
    service: Service = Service()
    provider: Customer = Customer()
    providers: Annotated[list[Customer], Objects] = []
    location: Any = None
    custom_location: Text = ""
    booking_start: Text = ""
    booking_end: Text = ""
    periods: Annotated[list[Period], Objects] = []
    initial_appointment_date_time: Named = {}
    initial_event_start: Text = ""
    initial_event_end: Text = ""
    internal_notes: Text = ""
    is_rescheduled: Flag = False


class Package(AmeliaPart):
    wanted: ClassVar[tuple[str, ...]] = ("name", "customer")

    id: Text = ""
    package_id: Text = ""
    package_customer_id: Text = ""
    name: Text = ""
    status: Text = ""
    price: Amount = None
    customer: Customer = Customer()
    payments: Annotated[list[Payment], Objects] = []
    bookings: Annotated[list[Booking], Objects] = []


class Payload(AmeliaPart):
    """One of the three, and under ``bookings`` those of its bookings that changed, which may be none."""

    appointment: Named = {}
    event: Named = {}
    package: Named = {}
    bookings: Annotated[list[Booking], Objects] = []
