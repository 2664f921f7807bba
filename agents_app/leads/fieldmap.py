"""Declarative field maps: which answer of a form is the email, the name, the message.

A map is the JSON of a Data Transformations row. It holds names and conditions, never code::

    {"fields": {"email": [{"type": "email"}, {"field": "email"}],
                "first_name": [{"ref": "first_name"}, {"title": "first name"}],
                "interests": [{"type": "choice"}]},
     "constants": {"lead_source": "Typeform", "business_entity": "the-7-space"}}

``"purpose": "survey"`` says that the form asks for an opinion: its answers become feedback and no lead.

For each target the sources are tried in order and the first that is not empty wins; for ``interests``, ``tags`` and
``message`` all of them are taken together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agents_app.leads.schema import Answer, Lead, LeadSubmission, email_problem, normalise_phone, split_name
from agents_app.text import clean, option_names

Target = Literal[
    "email",
    "name",
    "first_name",
    "last_name",
    "phone",
    "message",
    "company",
    "job_title",
    "city",
    "country",
    "interests",
    "tags",
    "email_opt_in",
    "sms_opt_in",
    "lead_source",
    "business_entity",
]
MANY = ("interests", "tags")
FLAGS = ("email_opt_in", "sms_opt_in")
# Names of the kinds of answer and of question that mean the same to us. Typeform: webhooks/example-payload.
FAMILIES = {
    "text": {"text", "short_text", "long_text"},
    "choice": {"choice", "choices", "multiple_choice", "picture_choice", "dropdown", "checkbox", "ranking"},
    "email": {"email"},
    "phone": {"phone", "phone_number"},
    "boolean": {"boolean", "yes_no", "legal"},
}


def _as_text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(clean(item) for item in value if clean(item))
    if isinstance(value, dict):
        return _as_text(_choice_labels(value)) or clean(json.dumps(value, ensure_ascii=False, sort_keys=True))
    return clean(value)


def _choice_labels(value: dict[str, Any]) -> list[Any]:
    """Typeform: a choice is {"label", "other"}, choices are {"labels", "other"}."""
    labels = value.get("labels") or ([value["label"]] if value.get("label") else [])
    return [*labels, value["other"]] if value.get("other") else list(labels)


def _as_list(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = _choice_labels(value)
    if isinstance(value, (list, tuple)):
        return [clean(item) for item in value if clean(item)]
    return [part.strip() for part in clean(value).split(",") if part.strip()]


def _as_flag(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "yes" if clean(value).casefold() in {"yes", "true", "1", "on", "y", "i agree", "i accept"} else ""


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "text": _as_text,
    "list": _as_list,
    "flag": _as_flag,
    "lower": lambda value: _as_text(value).lower(),
    "title": lambda value: _as_text(value).title(),
    "first_word": lambda value: split_name(_as_text(value))[0],
    "other_words": lambda value: split_name(_as_text(value))[1],
}


class Source(BaseModel):
    """Where a value comes from: an answer (all conditions given must fit), a flat field, or a hidden field."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ref: str = ""
    id: str = ""
    type: str = ""
    title: str = ""
    field: str = ""
    hidden: str = ""
    convert: Literal["text", "list", "flag", "lower", "title", "first_word", "other_words"] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        answer = bool(self.ref or self.id or self.type or self.title)
        if answer + bool(self.field) + bool(self.hidden) != 1:
            raise ValueError("a source names either an answer (ref, id, type, title), a field, or a hidden field")
        return self

    def fits(self, answer: Answer) -> bool:
        return (
            (not self.ref or answer.ref.casefold() == self.ref.casefold())
            and (not self.id or answer.id == self.id)
            and (not self.type or answer.type in FAMILIES.get(self.type, {self.type}))
            and (not self.title or self.title.casefold() in answer.title.casefold())
        )


class FieldMap(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: dict[Target, tuple[Source, ...]]
    constants: dict[Target, str] = {}
    # ISO country that telephone numbers without a + belong to, such as "US".
    phone_region: str = Field(default="", pattern="^([A-Z]{2})?$")
    # Whether who fills in this form is told to HubSpot, where that is configured.
    sync_to_hubspot: bool = True
    # Whether what they wrote becomes a note at their contact there.
    hubspot_note: bool = False
    # A survey's answers are feedback: they become no lead, and need no address.
    purpose: Literal["lead", "survey"] = "lead"

    @model_validator(mode="after")
    def _finds_people(self) -> FieldMap:
        if "email" not in self.fields and self.purpose == "lead":
            raise ValueError("the map says nothing about “email”, without which there is no lead")
        return self


class BrokenMap(ValueError):
    """A Data Transformations row cannot be used; the message lists why."""


def parse(logic: str | dict[str, Any]) -> FieldMap:
    """A field map from the text (or JSON) of a Data Transformations row; raises `BrokenMap`."""
    try:
        data = json.loads(logic) if isinstance(logic, str) else logic
        return FieldMap.model_validate(data)
    except json.JSONDecodeError as error:
        raise BrokenMap(f"the transformation logic is not JSON: {error}") from error
    except ValidationError as error:
        listed = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'map'}: {item['msg']}" for item in error.errors())
        raise BrokenMap(listed) from error


def _field(name: str) -> dict[str, str]:
    return {"field": name}


# Serves forms for which nobody wrote a map: by kind of answer for email and telephone, by ref, title or field name
# for the rest, and every choice is an interest.
DEFAULT_LOGIC: dict[str, Any] = {
    "fields": {
        "email": [{"type": "email"}, {"ref": "email"}, _field("email"), {"hidden": "email"}, {"title": "email"}],
        "phone": [{"type": "phone"}, {"ref": "phone"}, _field("phone"), {"hidden": "phone"}, {"title": "phone"}],
        "first_name": [
            {"ref": "first_name"},
            {"ref": "firstname"},
            _field("first_name"),
            {"hidden": "first_name"},
            {"title": "first name"},
            {"title": "given name"},
        ],
        "last_name": [
            {"ref": "last_name"},
            {"ref": "lastname"},
            _field("last_name"),
            {"hidden": "last_name"},
            {"title": "last name"},
            {"title": "surname"},
            {"title": "family name"},
        ],
        "name": [
            {"ref": "name"},
            {"ref": "full_name"},
            _field("name"),
            {"hidden": "name"},
            {"title": "full name"},
            {"title": "your name", "type": "text"},
        ],
        "message": [
            {"ref": "message"},
            _field("message"),
            {"title": "message"},
            {"title": "how can we help"},
            {"title": "tell us"},
            {"title": "comment"},
            {"title": "looking for", "type": "text"},
            {"title": "hoping for", "type": "text"},
            {"type": "long_text"},
        ],
        "company": [{"ref": "company"}, _field("company"), {"title": "company"}, {"title": "organisation"}],
        "interests": [{"type": "choice"}, {"ref": "interests"}, _field("interests"), {"hidden": "interests"}],
        "email_opt_in": [
            {"ref": "email_opt_in"},
            {"ref": "newsletter"},
            {"ref": "marketing_consent"},
            _field("email_opt_in"),
            {"title": "newsletter", "type": "boolean"},
        ],
        "sms_opt_in": [{"ref": "sms_opt_in"}, _field("sms_opt_in")],
        "business_entity": [_field("business_entity"), {"hidden": "business_entity"}],
        "lead_source": [_field("source"), {"hidden": "lead_source"}],
    },
}
DEFAULT_MAP = parse(DEFAULT_LOGIC)


class _Reader:
    """Reads one submission through one map and remembers which answers have found their place."""

    def __init__(self, submission: LeadSubmission, field_map: FieldMap) -> None:
        self.submission, self.map = submission, field_map
        self.used_answers: set[int] = set()
        self.used_fields: set[str] = set()

    def one(self, target: Target) -> str:
        constant = self.map.constants.get(target, "")
        convert = _as_flag if target in FLAGS else _as_text
        for source in self.map.fields.get(target, ()):
            for value in self._values(source, convert, take_all=False):
                if value:
                    return _as_text(value)
        return constant

    def message(self) -> str:
        """Several open questions make one message, each on its own lines."""
        found: list[str] = []
        for source in self.map.fields.get("message", ()):
            found += [_as_text(value) for value in self._values(source, _as_text, take_all=True)]
        return "\n\n".join(dict.fromkeys(text for text in found if text)) or self.map.constants.get("message", "")

    def many(self, target: Target) -> list[str]:
        found = _as_list(self.map.constants.get(target, ""))
        for source in self.map.fields.get(target, ()):
            for value in self._values(source, _as_list, take_all=True):
                found += value if isinstance(value, list) else [value]
        return found

    def _values(self, source: Source, default: Callable[[Any], Any], take_all: bool) -> Iterator[Any]:
        convert = CONVERTERS[source.convert] if source.convert else default
        if source.field or source.hidden:
            store = self.submission.fields if source.field else self.submission.hidden
            name = source.field or source.hidden
            if name in store:
                self.used_fields.add(name)
                yield convert(store[name])
            return
        for number, answer in enumerate(self.submission.answers):
            if number not in self.used_answers and source.fits(answer):
                value = convert(answer.value)
                if value:
                    self.used_answers.add(number)
                    yield value
                    if not take_all:
                        return

    def rest(self) -> dict[str, str]:
        """What no rule of the map has taken, by question, so that nothing a person wrote gets lost."""
        found: dict[str, str] = {}
        for label, value in self._unused():
            text = _as_text(value)
            if text:
                key = label if label not in found else f"{label} ({len(found) + 1})"
                found[key] = text
        return found

    def _unused(self) -> Iterable[tuple[str, Any]]:
        for number, answer in enumerate(self.submission.answers):
            if number not in self.used_answers:
                yield answer.title or answer.ref or answer.id or f"Answer {number + 1}", answer.value
        for store in (self.submission.fields, self.submission.hidden):
            for name, value in store.items():
                if name not in self.used_fields:
                    yield clean(name), value


class NoAddress(ValueError):
    """There is nobody to answer: the submission has no usable email address. The message says what was found."""


def read(submission: LeadSubmission, field_map: FieldMap, *, source: str) -> Lead:
    """The lead in a submission. Raises `NoAddress` when no email address in it can be used."""
    reader = _Reader(submission, field_map)
    email = reader.one("email")
    if problem := email_problem(email):
        raise NoAddress(problem)
    # First and last name before the full one: a title such as "first name" must not be taken for "name".
    first, last = reader.one("first_name"), reader.one("last_name")
    name = reader.one("name")
    if name and not (first and last):
        whole = split_name(name)
        first, last = first or whole[0], last or whole[1]
    return Lead(
        email=email,
        first_name=first,
        last_name=last,
        phone=normalise_phone(reader.one("phone"), field_map.phone_region or None),
        message=reader.message(),
        company=reader.one("company"),
        job_title=reader.one("job_title"),
        city=reader.one("city"),
        country=reader.one("country"),
        interests=tuple(option_names(reader.many("interests"))),
        tags=tuple(option_names(reader.many("tags"))),
        email_opt_in=submission.explicit_consent or bool(reader.one("email_opt_in")),
        sms_opt_in=bool(reader.one("sms_opt_in")),
        lead_source=reader.one("lead_source") or source,
        business_entity=reader.one("business_entity"),
        additional=reader.rest(),
    )
