"""What staff want to be handed on, as data: rows of the Data Transformations, each known by its *Form or source key*.

They ship as *In Development*, which means off; *Active* switches one on. An edit that cannot be used is put back, and
the last good version goes on::

    circle-memberships  {"types": ["Membership"], "member_tags": ["Member"], "space_ids": []}
    tutorlm-enrolments  {"courses": {"YOGA-101": "4505"}}
    snovio-prospects    {"list_id": "12345", "sources": ["Website"], "enrich": ["Typeform"]}
    woocommerce-notes   {"states": {"shipped": {"note": "It is on its way.", "for_customer": true}}}
    airtable-copies     {"contacts": {"table": "Contacts", "fields": {"Contact ID": "contact_id", "Email": "email"}}}
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

AIRTABLE, CIRCLE = "airtable-copies", "circle-memberships"
SNOVIO, TUTORLM = "snovio-prospects", "tutorlm-enrolments"
WOOCOMMERCE = "woocommerce-notes"

CONTACT_FIELDS = (
    *("contact_id", "full_name", "first_name", "last_name", "email", "phone", "contact_type", "lead_source"),
    *("status", "tags", "interests", "marketing_segments", "email_opt_in", "sms_opt_in", "engagement_score"),
    *("lead_score", "quality_level", "date_added", "last_interaction", "next_follow_up_date", "address", "city"),
    *("state_province", "postal_code", "country", "company", "job_title", "experience_attended", "is_archived"),
)
INSTANCE_FIELDS = (
    *("instance_id", "instance_name", "workflow_id", "current_state", "status", "priority", "source_system"),
    *("source_record_id", "client_lead_email", "client_lead_name", "client_lead_phone", "start_date"),
    *("last_transition_date", "end_date", "is_archived"),
)


class BrokenRule(ValueError):
    """A row cannot be used; the message lists why."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Memberships(_Data):
    """Who buys a product of one of these types is invited to Circle.so and gets these member tags. A product's own
    tag *Circle* invites its buyers, too, and *Circle: NAME* gives them the member tag of that name."""

    types: tuple[str, ...] = ()
    member_tags: tuple[str, ...] = Field(default=(), max_length=20)
    space_ids: tuple[int, ...] = Field(default=(), max_length=50)


class Enrolments(_Data):
    """Courses of Tutor LMS by the SKU of what sells them, for those that have no row in Products & Services."""

    courses: dict[str, str] = {}

    @field_validator("courses")
    @classmethod
    def _ids(cls, courses: dict[str, str]) -> dict[str, str]:
        wrong = [sku for sku, course in courses.items() if not sku.strip() or not course.isdecimal()]
        if wrong:
            raise ValueError(f"a course is named by its number in Tutor LMS, as a text; look at {', '.join(wrong)}")
        return courses


class Prospects(_Data):
    """Leads for a list of Snov.io. ``sources`` are lead sources (none: all); those in ``enrich`` are looked up
    (whoever answers through Snov.io is anyway: its delivery is only a ping)."""

    list_id: str = ""
    sources: tuple[str, ...] = ()
    enrich: tuple[str, ...] = ()


class OrderNote(_Data):
    note: str = Field(min_length=1, max_length=2000)
    # The shop mails it to the buyer.
    for_customer: bool = False


class OrderNotes(_Data):
    """What the shop is to note at an order that has come into a state here, by the name of the state."""

    states: dict[str, OrderNote] = Field(default={}, max_length=20)


class Copy(_Data):
    """One table of Airtable: its fields, and which of ours each of them gets."""

    table: str = Field(min_length=1, max_length=200)
    fields: dict[str, str] = Field(min_length=1, max_length=100)

    def field_of(self, ours: str) -> str:
        """Airtable's field that gets ours; empty where none does."""
        return next((there for there, name in self.fields.items() if name == ours), "")


class Copies(_Data):
    """Tables of Airtable that hold copies of contacts and workflow instances: Airtable's field ← ours."""

    contacts: Copy | None = None
    instances: Copy | None = None

    @model_validator(mode="after")
    def _can_be_made(self) -> Copies:
        for copy, known in ((self.contacts, CONTACT_FIELDS), (self.instances, INSTANCE_FIELDS)):
            if copy is None:
                continue
            unknown = sorted(set(copy.fields.values()) - set(known))
            if unknown:
                raise ValueError(f"{', '.join(unknown)} cannot be copied to {copy.table!r}; known: {', '.join(known)}")
            if not copy.field_of(known[0]):
                raise ValueError(f"the table {copy.table!r} needs a field for {known[0]}: by it a row is found again")
        return self


RULES: dict[str, type[BaseModel]] = {
    AIRTABLE: Copies,
    CIRCLE: Memberships,
    SNOVIO: Prospects,
    TUTORLM: Enrolments,
    WOOCOMMERCE: OrderNotes,
}


def parse(key: str, logic: str | dict[str, Any]) -> Any:
    """The rule of this key. Raises `BrokenRule`."""
    try:
        return RULES[key].model_validate(json.loads(logic) if isinstance(logic, str) else logic)
    except json.JSONDecodeError as error:
        raise BrokenRule(f"the transformation logic is not JSON: {error}") from error
    except ValidationError as error:
        listed = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'rule'}: {item['msg']}" for item in error.errors())
        raise BrokenRule(listed) from error
