"""Typeform: a form was submitted. Source of all rules here: Typeform's webhook pages."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from pydantic import ValidationError

from higherself.integrations import verify
from higherself.integrations.base import Delivery, Ignore, Provider, Unreadable, digest
from higherself.integrations.events import Event, EventKind
from higherself.integrations.providers.typeform.client import TypeformClient
from higherself.integrations.providers.typeform.schemas import Answer, Payload, Response
from higherself.integrations.reading import check_depth

COMPLETE = "form_response"
PARTIAL = "form_response_partial"
_KINDS = {COMPLETE: EventKind.LEAD_SUBMITTED, PARTIAL: EventKind.LEAD_PARTIAL}


class Typeform(Provider):
    slug = "typeform"
    label = "Typeform"
    source = "Typeform"
    signs = True
    proofs = ("typeform-signature",)
    keeps = ("typeform-signature",)
    client_class = TypeformClient

    def verify(self, delivery: Delivery) -> bool:
        """``Typeform-Signature: sha256=`` + base64 over the raw body. There is no timestamp, so no replay window."""
        given = delivery.headers.get("typeform-signature", "")
        return verify.hmac_base64(delivery.body, given, self.secrets, prefix="sha256=")

    def delivery_key(self, delivery: Delivery) -> str:
        """``form_id:token``: Typeform says to find repeats by the token. ``event_id`` may differ between them.

        A respondent may reach the point of partial submission several times, each with more answers.
        """
        form_id, token = _ids(delivery)
        if not (form_id and token):
            return super().delivery_key(delivery)
        if self.event_type(delivery) != PARTIAL:
            return f"{form_id}:{token}"
        return f"{form_id}:{token}:{PARTIAL}:{_text(_response(delivery).get('submitted_at'))}"

    def event_type(self, delivery: Delivery) -> str:
        return _text(_body(delivery).get("event_type"))

    def ordering_key(self, delivery: Delivery) -> str:
        form_id, token = _ids(delivery)
        return f"{form_id}:{token}" if form_id and token else ""

    def parse(self, delivery: Delivery) -> list[Event]:
        body = delivery.object
        check_depth(body)
        event_type = _text(body.get("event_type"))
        if event_type not in _KINDS:
            raise Ignore(f"Typeform's event type {event_type[:100]!r} is not one that is acted upon.")
        try:
            payload = Payload.model_validate(body)
        except ValidationError as error:
            raise Unreadable(f"Typeform's {event_type} has an unknown shape: {_problems(error)}") from None
        return [_event(_KINDS[event_type], payload, delivery)]


def _event(kind: EventKind, payload: Payload, delivery: Delivery) -> Event:
    response = payload.form_response
    token = response.token or payload.event_id
    return Event(
        kind=kind,
        source=Typeform.source,
        source_id=token or digest(delivery.body),
        occurred_at=_time(response.submitted_at) or _time(response.landed_at) or delivery.received_at,
        key=f"{response.form_id}:{token}" if token else "",
        data=_data(response, delivery),
    )


def _data(response: Response, delivery: Delivery) -> dict[str, Any]:
    submitted = _time(response.submitted_at)
    return {
        "form_id": response.form_id or response.definition.id,
        "form_title": response.definition.title,
        "answers": _answers(response),
        # The query string was set by whoever set up the webhook, the hidden fields by the respondent's link.
        "hidden": {**response.hidden, **delivery.params},
        "fields": {},
        "variables": {item.key: _value(item.type, item.model_extra or {}) for item in response.variables if item.key},
        "calculated": response.calculated,
        "submitted_at": submitted.isoformat() if submitted else None,
        "response_url": response.response_url,
        "consent": None,
    }


def _answers(response: Response) -> list[dict[str, Any]]:
    """Each answer with the title and ref of its question, which the definition holds."""
    questions = {question.id: question for question in response.definition.fields if question.id}
    found = []
    for answer in response.answers:
        question = questions.get(answer.field.id, answer.field)
        found.append(
            {
                "ref": answer.field.ref or question.ref,
                "id": answer.field.id,
                "title": answer.field.title or question.title,
                # The kind of question tells more than the kind of answer: long_text rather than text.
                "type": answer.field.type or question.type or answer.type,
                "value": _answer_value(answer),
            }
        )
    return found


def _answer_value(answer: Answer) -> Any:
    return _value(answer.type, answer.model_extra or {})


def _value(kind: str, values: dict[str, Any]) -> Any:
    """The value under the key that the type names, made plain; of an unknown type whatever the answer holds."""
    if kind in values:
        return _plain(values[kind])
    rest = {name: value for name, value in values.items() if name not in {"answer_url"}}
    return _plain(next(iter(rest.values()))) if len(rest) == 1 else rest or None


def _plain(value: Any) -> Any:
    """A choice becomes its label, several become a list of labels; what a person typed under "other" is one more.

    A checkbox has an array of choices where other questions have an object of lists.
    """
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "labels" in value or "ids" in value:
        return [*(value.get("labels") or []), *_other(value)]
    if "label" in value or "other" in value:
        return next(iter([*_label(value), *_other(value)]), None)
    return value


def _label(value: dict[str, Any]) -> list[Any]:
    return [value["label"]] if value.get("label") else []


def _other(value: dict[str, Any]) -> list[Any]:
    return [value["other"]] if value.get("other") else []


def _body(delivery: Delivery) -> dict[str, Any]:
    try:
        return delivery.object
    except Unreadable:
        return {}


def _response(delivery: Delivery) -> dict[str, Any]:
    response = _body(delivery).get("form_response")
    return response if isinstance(response, dict) else {}


def _ids(delivery: Delivery) -> tuple[str, str]:
    response = _response(delivery)
    return _text(response.get("form_id")), _text(response.get("token"))


def _text(value: Any) -> str:
    return str(value) if isinstance(value, (str, int)) else ""


def _time(text: str) -> datetime | None:
    """An ISO 8601 time. The year 1 means "not submitted" (Typeform: retrieve responses)."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.year <= 1:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _problems(error: ValidationError) -> str:
    """Which fields are wrong and how, without their values: these are somebody's answers."""
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:5])
