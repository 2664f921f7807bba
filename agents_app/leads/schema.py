"""What a form sends (`LeadSubmission`) and what the agents work with (`Lead`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import BaseModel, ConfigDict, Field, field_validator

from agents_app.text import clean, one_line, option_names

# Notion: reference/request-limits. An email or telephone value holds at most 200 characters.
CONTACT_LIMIT = 200
NAME_LIMIT = 150


class Answer(BaseModel):
    """One answered question; ``type`` is the provider's own word for the kind of answer or question."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ref: str = ""
    id: str = ""
    title: str = ""
    type: str = ""
    value: Any = None

    @field_validator("ref", "id", "title", "type", mode="before")
    @classmethod
    def _text(cls, value: Any) -> str:
        return clean(value)


class LeadSubmission(BaseModel):
    """The raw material of a lead, before a Data Transformation says what each answer means."""

    model_config = ConfigDict(frozen=True, extra="allow")

    form_id: str = ""
    form_title: str = ""
    answers: tuple[Answer, ...] = ()
    hidden: dict[str, Any] = Field(default_factory=dict)
    fields: dict[str, Any] = Field(default_factory=dict)
    submitted_at: datetime | None = None
    consent: bool | dict[str, Any] | None = None

    @field_validator("form_id", "form_title", mode="before")
    @classmethod
    def _text(cls, value: Any) -> str:
        return clean(value)

    @field_validator("answers", "hidden", "fields", mode="before")
    @classmethod
    def _nothing(cls, value: Any, info: Any) -> Any:
        return value if value is not None else (() if info.field_name == "answers" else {})

    @property
    def explicit_consent(self) -> bool:
        """True only when the sender says so in so many words; a missing tick is no consent."""
        if isinstance(self.consent, Mapping):
            return self.consent.get("marketing") is True
        return self.consent is True


def email_problem(value: str) -> str:
    """Why nobody can be written to at this address; empty when it is fine."""
    if not value:
        return "it has no email address"
    try:
        normalise_email(value)
    except ValueError as error:
        return f"its email address {one_line(value, 60)!r} is not valid: {error}"
    return ""


def normalise_email(value: str) -> str:
    """Lower case, without surroundings; raises ValueError with a sentence for a person."""
    try:
        # Addresses under .test are let through so that people can try their forms out.
        found = validate_email(clean(value), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error
    if len(found.normalized) > CONTACT_LIMIT:
        raise ValueError(f"It has more than {CONTACT_LIMIT} characters, which Notion cannot hold.")
    return found.normalized.lower()


def normalise_phone(value: str, region: str | None = None) -> str:
    """E.164 where the number can be read (``region``: ISO country for numbers without +); else as it was written."""
    text = one_line(value, CONTACT_LIMIT)
    if not text:
        return ""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_possible_number(number):
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def split_name(name: str) -> tuple[str, str]:
    """First and last name, split at the first space."""
    first, _, last = one_line(name, 2 * NAME_LIMIT).partition(" ")
    return first[:NAME_LIMIT], last[:NAME_LIMIT]


class Lead(BaseModel):
    """One person who showed interest, in our words. Validation normalises; only ``email`` is required."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    email: str
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    message: str = ""
    company: str = ""
    job_title: str = ""
    city: str = ""
    country: str = ""
    interests: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    email_opt_in: bool = False
    sms_opt_in: bool = False
    lead_source: str = ""
    business_entity: str = ""
    additional: dict[str, str] = Field(default_factory=dict)

    @field_validator("email")
    @classmethod
    def _email(cls, value: str) -> str:
        return normalise_email(value)

    @field_validator("first_name", "last_name", "company", "job_title", "city", mode="before")
    @classmethod
    def _name(cls, value: Any) -> str:
        return one_line(value, NAME_LIMIT)

    @field_validator("country", "lead_source", "business_entity", mode="before")
    @classmethod
    def _option(cls, value: Any) -> str:
        return next(iter(option_names([value])), "")

    @field_validator("message", mode="before")
    @classmethod
    def _message(cls, value: Any) -> str:
        return clean(value)

    @field_validator("interests", "tags", mode="before")
    @classmethod
    def _names(cls, value: Any) -> tuple[str, ...]:
        return tuple(option_names(value))

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)

    def facts(self) -> dict[str, Any]:
        """What guards and notification templates may ask about."""
        return {
            "email": self.email,
            "name": self.full_name or self.email,
            "first_name": self.first_name,
            "interests": list(self.interests),
            "source": self.lead_source,
            "message": self.message,
        }
