"""The content of the operations at HubSpot, in our words, and HubSpot's names for it."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from pydantic import Field

from higherself.integrations.client import Payload


class Contact(Payload):
    """A person. What is empty is left as it is at HubSpot; ``more`` holds custom properties by HubSpot's names."""

    email: str = Field(min_length=3)
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    company: str = ""
    job_title: str = ""
    city: str = ""
    country: str = ""
    lifecycle_stage: str = ""
    more: dict[str, str] = {}

    def properties(self) -> dict[str, str]:
        """What is said of a known contact. Its address and stage stay: a stage only moves forward."""
        named = {
            "firstname": self.first_name,
            "lastname": self.last_name,
            "phone": self.phone,
            "company": self.company,
            "jobtitle": self.job_title,
            "city": self.city,
            "country": self.country,
        }
        return {name: value for name, value in {**named, **self.more}.items() if value}

    def first_properties(self) -> dict[str, str]:
        stage = {"lifecyclestage": self.lifecycle_stage} if self.lifecycle_stage else {}
        return {**self.properties(), **stage, "email": self.email}


class Deal(Payload):
    """A sale. ``ref`` is our id of it, by which it is found again; ``stage`` and ``pipeline`` are HubSpot's ids."""

    ref: str = Field(min_length=1, max_length=100)
    name: str
    contact_email: str = Field(min_length=3)
    stage: str = ""
    pipeline: str = ""
    amount: Decimal | None = None
    close_date: datetime | None = None

    def properties(self) -> dict[str, str]:
        named = {
            "dealname": f"{self.name} ({self.ref})",
            "dealstage": self.stage,
            "pipeline": self.pipeline,
            "amount": "" if self.amount is None else str(self.amount),
            "closedate": _iso(self.close_date) if self.close_date else "",
        }
        return {name: value for name, value in named.items() if value}


class Note(Payload):
    """A remark at a contact, in plain text."""

    contact_email: str = Field(min_length=3)
    text: str = Field(min_length=1, max_length=60_000)
    at: datetime

    def properties(self, mark: str) -> dict[str, Any]:
        return {"hs_timestamp": _iso(self.at), "hs_note_body": f"{self.text}\n\n{mark}"}


def _iso(moment: datetime) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return aware.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
