"""Tutor LMS: somebody enrolled, finished a lesson, a quiz or a course, or left.

Tutor LMS sends no webhooks; a bridge on the site does, and Tutor's actions may fire again for the same thing. See
`schemas` for the shapes. Proof is the shared secret, or the signature of the bridges that make one.
"""

from __future__ import annotations

from typing import Any

from higherself.integrations import verify
from higherself.integrations.base import Delivery, Ignore, SharedSecretProvider, Unreadable, digest
from higherself.integrations.events import Event, EventKind
from higherself.integrations.kinds import event
from higherself.integrations.material import LearningMaterial, Person
from higherself.integrations.providers.tutorlm.client import TutorClient
from higherself.integrations.providers.tutorlm.schemas import Doing, Envelope
from higherself.integrations.reading import object_of, peek, plain_name, read, text, time_of

_ENROLLED, _COMPLETED, _LEFT = EventKind.COURSE_ENROLLED, EventKind.COURSE_COMPLETED, EventKind.COURSE_LEFT
_LESSON, _QUIZ = EventKind.LESSON_COMPLETED, EventKind.QUIZ_FINISHED
# By the name without case and signs: the bridges' events, WP Webhooks' triggers, and Tutor's own actions.
_KINDS = {
    **dict.fromkeys(("courseenrolled", "tutorcourseenrolled", "tutorafterenrolled", "enrolled"), _ENROLLED),
    **dict.fromkeys(("coursecompleted", "tutorcoursecompleted", "tutorcoursecompleteafter"), _COMPLETED),
    **dict.fromkeys(("lessoncompleted", "tutorlessoncompleted", "tutorlessoncompletedafter"), _LESSON),
    **dict.fromkeys(("quizpassed", "quizfailed", "quizcompleted", "quizattempted", "tutorquizcompleted"), _QUIZ),
    "tutorquizattemptended": _QUIZ,
    **dict.fromkeys(("enrollmentcancelled", "enrollmentcanceled", "enrollmentdeleted", "courseunenrolled"), _LEFT),
    **dict.fromkeys(("tutorafterenrollmentcancelled", "tutorafterenrollmentdeleted"), _LEFT),
}
_PASSED = {"quizpassed": True, "pass": True, "passed": True, "quizfailed": False, "fail": False, "failed": False}


class TutorLM(SharedSecretProvider):
    slug = "tutorlm"
    label = "Tutor LMS"
    source = "TutorLM"
    client_class = TutorClient
    proofs = (*SharedSecretProvider.proofs, "x-wp-webhook-signature", "x-tlat-signature")
    keeps = ("x-tlat-event", "x-tlat-timestamp", "x-wp-webhook-name", "x-wp-webhook-source")

    def verify(self, delivery: Delivery) -> bool:
        """The shared secret; WP Webhooks' base64 or Advanced Tracking's hex, both over the raw body."""
        headers, body = delivery.headers, delivery.body
        return (
            super().verify(delivery)
            or verify.hmac_base64(body, headers.get("x-wp-webhook-signature", ""), self.secrets)
            or verify.hmac_hex(body, headers.get("x-tlat-signature", ""), self.secrets)
        )

    def delivery_key(self, delivery: Delivery) -> str:
        """Who did what where, and on which day: a course may be completed again. An attempt at a quiz has an id or,
        failing that, its moment; an enrolment with an id is known by it, from bridge and list alike."""
        body = peek(delivery)
        envelope, _ = read(Envelope, body)
        found, _ = read(Doing, _data(body))
        if not (found.user_id or found.user_email):
            return super().delivery_key(delivery)
        moment = time_of(envelope.timestamp) or delivery.received_at
        name = plain_name(self.event_type(delivery))
        if _KINDS.get(name) == _ENROLLED and found.enrollment_id:
            return f"enrolled:{found.enrollment_id}:{found.user_id}:{found.course_id}"
        is_attempt = _KINDS.get(name) == _QUIZ
        when = (_attempt(found) or moment.isoformat()) if is_attempt else moment.date().isoformat()
        what = (found.course_id, found.enrollment_id, found.lesson_id, found.quiz_id)
        return f"{name}:{digest(envelope.site_url, found.user_id or found.user_email, *what, when)}"

    def event_type(self, delivery: Delivery) -> str:
        """Named in the body, by a header, by the address (``?event=course_completed``), or by the body's shape."""
        body, headers = peek(delivery), delivery.headers
        named = text(body.get("event")) or text(headers.get("x-tlat-event")) or text(delivery.params.get("event"))
        header = text(headers.get("x-wp-webhook-name"))
        return named or (header if plain_name(header) in _KINDS else "") or _shape(body)

    def ordering_key(self, delivery: Delivery) -> str:
        found, _ = read(Doing, _data(peek(delivery)))
        student = found.user_id or found.user_email.lower()
        return f"student:{student}" if student else ""

    def parse(self, delivery: Delivery) -> list[Event]:
        body, name = object_of(delivery), self.event_type(delivery)
        kind = _KINDS.get(plain_name(name))
        if kind is None:
            raise Ignore(f"Tutor LMS's event {name[:100]!r} is not one that is acted upon.")
        envelope, problems = read(Envelope, body)
        found, more = read(Doing, _data(body))
        if not (found.user_id or found.user_email):
            raise Unreadable(f"Tutor LMS's {name} names no student: both user_id and user_email are missing.")
        material = _material(found, envelope, name, problems + more)
        moment = time_of(envelope.timestamp) or time_of(found.completed_at) or time_of(found.enrolled_at)
        return [
            event(
                kind,
                material,
                source=self.source,
                source_id=_thing(kind, material),
                occurred_at=moment or delivery.received_at,
                key=self.ordering_key(delivery),
            )
        ]


def _thing(kind: EventKind, material: LearningMaterial) -> str:
    """The enrolment or attempt, where it has an id; else who and what."""
    named = material.attempt_id if kind == _QUIZ else material.enrollment_id if kind == _ENROLLED else ""
    what = material.quiz_id or material.lesson_id or material.course_id
    return named or f"{material.student.id or material.student.email}:{what}"


def _material(found: Doing, envelope: Envelope, name: str, problems: list[str]) -> LearningMaterial:
    return LearningMaterial(
        student=Person(id=found.user_id, email=found.user_email, name=found.user_name),
        site=envelope.site_url,
        change=name,
        course_id=found.course_id,
        course_title=found.course_title or _title(found.course),
        enrollment_id=found.enrollment_id,
        lesson_id=found.lesson_id,
        lesson_title=found.lesson_title or _title(found.lesson),
        quiz_id=found.quiz_id,
        quiz_title=found.quiz_title or _title(found.quiz),
        attempt_id=_attempt(found),
        passed=_PASSED.get(plain_name(name), _PASSED.get(found.result.lower())),
        score=found.score,
        problems=problems,
    )


def _attempt(found: Doing) -> str:
    return found.attempt_id or text(found.attempt.get("attempt_id"))


def _title(post: dict[str, Any]) -> str:
    """WP Webhooks sends the WordPress post itself."""
    return text(post.get("post_title"))


def _data(body: dict[str, Any]) -> dict[str, Any]:
    data = body.get("data")
    return data if isinstance(data, dict) and data else body


def _shape(body: dict[str, Any]) -> str:
    """WP Webhooks names the event in no place that is sure: each trigger has parts of its own."""
    if "course_completed" in body and "course_id" in body:
        return "tutor_course_completed"
    if "attempt_id" in body or "quiz_id" in body:
        return "tutor_quiz_completed"
    return "tutor_lesson_completed" if "lesson_id" in body else ""
