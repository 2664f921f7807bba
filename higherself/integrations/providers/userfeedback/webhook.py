"""UserFeedback: somebody answered a survey on the site.

The plug-in's own webhook has a body that its owner maps, and a hash header of an undocumented name: the shared secret
proves it. See `schemas` for the shapes that are read; answers come raw, as the visitor typed them.
"""

from __future__ import annotations

from typing import Any

from higherself.integrations.base import Delivery, Ignore, SharedSecretProvider, Unreadable, digest
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import Person, SurveyAnswer, SurveyMaterial
from higherself.integrations.providers.userfeedback.client import UserFeedbackClient
from higherself.integrations.providers.userfeedback.schemas import Answer, Response
from higherself.integrations.reading import as_list, looks_like_email, object_of, peek, read, text, time_of

_EVENTS = {"", "response_added", "survey_response", "userfeedback_survey_response", "feedback.created"}


class UserFeedback(SharedSecretProvider):
    slug = "userfeedback"
    label = "UserFeedback"
    source = "Userfeedback"
    client_class = UserFeedbackClient

    def delivery_key(self, delivery: Delivery) -> str:
        """Survey and response: a response never changes."""
        found, _ = read(Response, _flat(peek(delivery)))
        if not found.response_id:
            return super().delivery_key(delivery)
        return f"{found.survey_id}:{found.response_id}"

    def event_type(self, delivery: Delivery) -> str:
        return text(peek(delivery).get("event")) or text(delivery.params.get("event"))

    def ordering_key(self, delivery: Delivery) -> str:
        return ""

    def parse(self, delivery: Delivery) -> list[Event]:
        name = self.event_type(delivery)
        body = object_of(delivery)
        if name not in _EVENTS:
            raise Ignore(f"UserFeedback's event {name[:100]!r} is not one that is acted upon.")
        found, problems = read(Response, _flat(body))
        material = _material(found, problems)
        if not (material.response_id or material.answers or material.text or material.rating is not None):
            raise Unreadable("UserFeedback's delivery holds no response: neither its id, nor answers, nor a text.")
        return [
            event(
                EventKind.SURVEY_ANSWERED,
                material,
                source=self.source,
                source_id=material.response_id or digest(delivery.body),
                occurred_at=material.submitted_at or delivery.received_at,
            )
        ]


def _flat(body: dict[str, Any]) -> dict[str, Any]:
    """The response without its wrappers: ``data`` (Zoho Flow's), ``json_params`` (the hook's third argument)."""
    found = dict(body)
    for wrapper in ("data", "json_params"):
        inner = found.pop(wrapper, None)
        if isinstance(inner, dict):
            found |= inner
    if not found.get("response_id") and (found.get("feedback_text") or found.get("answers")):
        found["response_id"] = found.get("id")
    return found


def _material(found: Response, problems: list[str]) -> SurveyMaterial:
    answers = found.answers or found.question_data
    page = found.page if found.model_fields_set & {"page"} else found.page_data
    missing = [] if found.survey_id else ["Response.survey_id: not given"]
    return SurveyMaterial(
        survey_id=found.survey_id,
        survey_title=found.survey_title,
        response_id=found.response_id,
        answers=[_answer(answer) for answer in answers],
        person=_person(found, answers),
        rating=found.rating,
        text=found.feedback_text,
        page_title=page.title or page.name,
        page_url=page.url or page.link or found.page_url,
        # The plug-in's own time is the site's wall clock, whose zone nobody tells: only an offset makes it a moment.
        submitted_at=_moment(found.submitted_at) or _moment(found.created_at),
        problems=problems + missing,
    )


def _answer(answer: Answer) -> SurveyAnswer:
    choices = as_list(answer.value) if isinstance(answer.value, dict) else None
    return SurveyAnswer(
        question_id=answer.question_id,
        question=answer.question_title or answer.title,
        value=answer.value if choices is None else choices,
        comment=text(answer.extra.get("comments")),
    )


def _person(found: Response, answers: list[Answer]) -> Person:
    """Whoever gave an address: in a field of their own, or as the answer to a question for it."""
    given = next((answer for answer in answers if looks_like_email(answer.value)), None)
    email = found.email or (text(given.value) if given else "")
    name = found.name or (text(given.extra.get("name")) if given else "")
    return Person(id=found.user_id, email=email, name=name)


def _moment(written: str) -> Any:
    has_offset = written.endswith("Z") or "+" in written[10:] or "-" in written[10:]
    return time_of(written) if has_offset or written.isdigit() else None
