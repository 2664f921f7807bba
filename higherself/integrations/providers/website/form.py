"""The website's own form: flat fields, or the nested shape of its script, from JSON or from a form."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from email_validator import EmailNotValidError, validate_email
from rest_framework import serializers
from rest_framework.fields import empty

from higherself.integrations.base import Delivery, Provider, Unreadable, digest
from higherself.integrations.delivery import BadBody
from higherself.integrations.events import Event, EventKind
from higherself.integrations.reading import check_depth

HONEYPOT = "website"
TRAPPED = "The hidden field was filled in, as bots do. If this was a person, replay it."
# Without a key of its own, the same content within so many seconds is the same submission.
WINDOW = 600
_MAX_FIELDS = 100
_NESTED = ("fields", "form_data")
_ABOUT = ("form_id", "form", "submission_id", "submitted_at", "page_url", "referrer", "consent", "utm", HONEYPOT)
_UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
_BRACKETS = re.compile(r"(?P<outer>\w+)\[(?P<inner>\w*)\]\Z")
_YES = {"true", "on", "yes", "1", "y"}


class NotAForm(Exception):
    """The content type is neither JSON nor a form's."""


@extend_schema_field({"oneOf": [{"type": "boolean"}, {"type": "string"}, {"type": "object"}]})
class ConsentField(serializers.Field):
    """A tick (true, on, yes, 1), or ``{"marketing": true, "text": …, "version": …}``."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict):
            return {**data, "marketing": _ticked(data.get("marketing"))}
        consent: dict[str, Any] = {"marketing": _ticked(data)}
        # A tick whose value is a sentence is not a plain yes; a person may read it.
        return consent if consent["marketing"] or not isinstance(data, str) else {**consent, "text": data}

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "string", "format": "email", "maxLength": 200})
class AddressField(serializers.CharField):
    """An e-mail address; what is one is decided by `SubmissionSerializer.validate_email`."""


class MomentField(serializers.DateTimeField):
    """A moment; empty, as hidden fields that no script has filled in are, is none."""

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(None if data == "" else data)


class NamesField(serializers.ListField):
    """A list of names; one text with commas counts as several."""

    def to_internal_value(self, data: Any) -> list[str]:
        if isinstance(data, str):
            data = [part.strip() for part in data.split(",") if part.strip()]
        return super().to_internal_value(data)


def _line(length: int, **options: Any) -> serializers.CharField:
    return serializers.CharField(max_length=length, required=False, allow_blank=True, allow_null=True, **options)


class SubmissionSerializer(serializers.Serializer):
    """Fields beyond these are taken as they are and kept with the lead."""

    email = AddressField(max_length=200)
    first_name = _line(150)
    last_name = _line(150)
    name = _line(300)
    phone = _line(100)
    message = _line(20_000)
    interests = NamesField(child=serializers.CharField(max_length=100), max_length=100, required=False)
    source = _line(100)  # type: ignore[assignment]
    form_id = _line(100)
    business_entity = _line(100)
    consent = ConsentField(required=False, allow_null=True)
    submission_id = _line(200)
    submitted_at = MomentField(required=False, allow_null=True)
    page_url = _line(2000)
    referrer = _line(2000)

    def validate_email(self, value: str) -> str:
        try:
            # Addresses under .test are let through so that people can try their form out.
            found = validate_email(value, check_deliverability=False, test_environment=True)
        except EmailNotValidError as error:
            raise serializers.ValidationError(str(error)) from None
        return found.normalized.lower()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(self.initial_data) > _MAX_FIELDS:
            raise serializers.ValidationError(_("The form has too many fields."))
        return attrs


@dataclass(frozen=True)
class Submission:
    """What was sent, flat: the person's fields and what is about the form side by side."""

    values: dict[str, Any]

    @classmethod
    def of(cls, delivery: Delivery) -> Submission:
        """Raises `NotAForm`, or `BadBody` where the body is not what its content type says."""
        return cls(_flat(_sent(delivery)))

    @property
    def is_trapped(self) -> bool:
        return bool(self.values.get(HONEYPOT))

    @property
    def email(self) -> str:
        email = self.values.get("email")
        return email.strip().lower() if isinstance(email, str) else ""

    def has_own_key(self, delivery: Delivery) -> bool:
        return bool(delivery.headers.get("idempotency-key") or self.values.get("submission_id"))

    def key(self, delivery: Delivery, windows_ago: int = 0) -> str:
        """What makes a repeat: the sender's key, or the content within the time window.

        A key counts per email address: a page with a fixed key must not lose everybody but its first visitor.
        """
        if given := delivery.headers.get("idempotency-key"):
            return f"key:{digest(given, self.email)}"
        if given := self.values.get("submission_id"):
            return f"id:{digest(given, self.email)}"
        window = int(delivery.received_at.timestamp() // WINDOW) - windows_ago
        content = {name: value for name, value in self.values.items() if name != "submitted_at"}
        return f"content:{digest(json.dumps(content, sort_keys=True, default=str))}:{window}"


class Website(Provider):
    slug = "website"
    label = "Website form"
    source = "Website"
    takes_webhooks = False
    keeps = ("idempotency-key", "origin", "referer")

    @property
    def configured(self) -> bool:
        """The form needs no secret: it is public."""
        return True

    def verify(self, delivery: Delivery) -> bool:
        """Nobody proves anything here; the form has its own address, not the webhooks'."""
        return False

    def delivery_key(self, delivery: Delivery) -> str:
        return _safely(delivery).key(delivery)

    def event_type(self, delivery: Delivery) -> str:
        return "form.submitted"

    def ordering_key(self, delivery: Delivery) -> str:
        """Two forms of one person come one after the other."""
        return _safely(delivery).email

    def parse(self, delivery: Delivery) -> list[Event]:
        submission = _safely(delivery)
        serializer = SubmissionSerializer(data=submission.values)
        if not serializer.is_valid():
            raise Unreadable(f"The form cannot be used: {_problems(serializer.errors)}")
        return [_event(submission, serializer.validated_data, delivery)]


def _event(submission: Submission, known: dict[str, Any], delivery: Delivery) -> Event:
    submitted = known.get("submitted_at") or delivery.received_at
    fields = {name: value for name, value in submission.values.items() if name not in (*_ABOUT, *_UTM)}
    fields |= {name: value for name, value in known.items() if name in fields}
    return Event(
        kind=EventKind.LEAD_SUBMITTED,
        source=Website.source,
        source_id=known.get("submission_id") or submission.key(delivery),
        occurred_at=submitted,
        key=known["email"],
        data={
            "form_id": known.get("form_id") or "",
            "form_title": "",
            "answers": [],
            "hidden": _hidden(submission, delivery),
            "fields": {name: value for name, value in fields.items() if value not in (None, "", [])},
            "submitted_at": submitted.isoformat(),
            "consent": known.get("consent"),
        },
    )


def _hidden(submission: Submission, delivery: Delivery) -> dict[str, Any]:
    """Where the visitor came from."""
    found = {name: submission.values.get(name) for name in (*_UTM, "page_url", "referrer")}
    found = {**found, "page_url": found["page_url"] or delivery.headers.get("referer", "")}
    return {name: value for name, value in found.items() if value}


def _sent(delivery: Delivery) -> dict[str, Any]:
    if delivery.is_form:
        return _from_form(delivery.form)
    # Pages that send without a preflight say text/plain.
    if delivery.is_json or delivery.media_type in {"", "text/plain"}:
        try:
            check_depth(delivery.object)
            return delivery.object
        except BadBody:
            raise
        except Unreadable as error:
            raise BadBody(str(error)) from None
    raise NotAForm(f"Send the form as JSON or as a form, not as {delivery.media_type[:100]}.")


def _from_form(form: dict[str, list[str]]) -> dict[str, Any]:
    """``interests[]`` and repeated names are lists, ``utm[source]`` is a part of ``utm``."""
    values: dict[str, Any] = {}
    for name, given in form.items():
        match = _BRACKETS.match(name)
        if match and match["inner"]:
            outer = values.setdefault(match["outer"], {})
            if isinstance(outer, dict):
                outer[match["inner"]] = given[-1]
        elif match:
            values[match["outer"]] = given
        else:
            values[name] = given[0] if len(given) == 1 else given
    return values


def _flat(sent: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in sent.items() if name not in _NESTED}
    for name in _NESTED:
        if isinstance(sent.get(name), dict):
            values |= sent[name]
    # JavaScript frameworks send the brackets in JSON, too.
    if "interests[]" in values:
        values["interests"] = values.pop("interests[]")
    if not values.get("form_id") and isinstance(values.get("form"), str):
        values["form_id"] = values["form"]
    utm = values.get("utm")
    for name, value in utm.items() if isinstance(utm, dict) else ():
        values.setdefault(f"utm_{name}", value)
    return values


def _safely(delivery: Delivery) -> Submission:
    try:
        return Submission.of(delivery)
    except NotAForm as error:
        raise Unreadable(str(error)) from None


def _ticked(value: Any) -> bool:
    return value is True or str(value).strip().lower() in _YES


def _problems(errors: Any) -> str:
    return "; ".join(f"{name}: {' '.join(map(str, found))}" for name, found in errors.items())
