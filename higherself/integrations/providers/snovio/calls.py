"""What may be wanted of Snov.io."""

from __future__ import annotations

from pydantic import Field, model_validator

from higherself.integrations.client import Payload


class Prospect(Payload):
    """Somebody for a list. Beware: a list that feeds an active campaign starts it for them (Snov.io: API)."""

    list_id: str = Field(min_length=1)
    email: str = ""
    linkedin: str = ""
    first_name: str = ""
    last_name: str = ""
    full_name: str = ""
    position: str = ""
    company: str = ""
    company_site: str = ""
    country: str = ""
    locality: str = ""
    phones: list[str] = []
    custom_fields: dict[str, str] = {}

    @model_validator(mode="after")
    def _named(self) -> Prospect:
        if not (self.email or self.linkedin):
            raise ValueError("email or linkedin has to be given")
        return self

    @property
    def who(self) -> str:
        return self.email.lower() or self.linkedin


class Enrichment(Payload):
    """What Snov.io knows of an address; with ``campaign_id`` also how they stand in that campaign."""

    email: str = Field(min_length=3)
    campaign_id: str = ""
