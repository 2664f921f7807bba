"""What may be wanted of Amelia."""

from __future__ import annotations

from pydantic import model_validator

from higherself.integrations.client import Payload


class Reservation(Payload):
    """An appointment or an event, by its id there (`BookingMaterial.reservation_id`)."""

    appointment_id: str = ""
    event_id: str = ""

    @model_validator(mode="after")
    def _one(self) -> Reservation:
        if bool(self.appointment_id) == bool(self.event_id):
            raise ValueError("either appointment_id or event_id has to be given")
        return self

    @property
    def name(self) -> str:
        return f"appointment:{self.appointment_id}" if self.appointment_id else f"event:{self.event_id}"
