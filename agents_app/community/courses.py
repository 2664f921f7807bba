"""Courses: who enrolled, finished a lesson, a quiz or a course, or left."""

from __future__ import annotations

from agents_app.agents.base import Context, Created, Outcome, Result
from agents_app.community import members, rewards
from agents_app.services import catalog, people
from agents_app.text import one_line
from contacts import interactions
from contacts.choices import InteractionKind as Kind
from contacts.choices import LeadSource
from contacts.models import Contact
from higherself.integrations.events import EventKind
from higherself.integrations.material import LearningMaterial

SOURCE = LeadSource.TUTORLM.value
_KINDS = {
    EventKind.COURSE_ENROLLED: Kind.COURSE_ENROLLED,
    EventKind.COURSE_COMPLETED: Kind.COURSE_COMPLETED,
    EventKind.COURSE_LEFT: Kind.COURSE_LEFT,
    EventKind.LESSON_COMPLETED: Kind.LESSON_COMPLETED,
    EventKind.QUIZ_FINISHED: Kind.QUIZ_FINISHED,
}


def hear(data: LearningMaterial, context: Context) -> Outcome:
    """One step of one student. The same step counts once; a course, a lesson or a quiz once for each student."""
    kind = _KINDS[EventKind(context.kind)]
    identity = f"tutorlm:{data.site}:{data.student.id}" if data.student.id else ""
    contact, new = _contact(data, kind, identity, context)
    who = data.student.id or data.student.email.lower()
    thing = data.attempt_id or data.quiz_id or data.lesson_id or data.course_id
    key = f"tutorlm:{kind}:{data.site}:{who}:{thing}"
    title = data.course_title or data.lesson_title or data.quiz_title or thing
    fresh = interactions.record(
        contact, kind, source=SOURCE, key=key, at=context.occurred_at, identity=identity, about=title
    )
    if contact is None:
        return Outcome(
            Result.DONE if fresh else Result.NOTHING,
            f"Student {one_line(data.student.id, 60)} is not known here: Tutor LMS sent no address. What they did is "
            "kept and counts as soon as one of their events has it.",
        )
    interactions.claim(identity, contact)
    people.count(contact, context.now)
    members.study(contact, context)
    earned = []
    if kind == Kind.COURSE_COMPLETED:
        earned = rewards.issue(rewards.COURSE, contact, f"{data.site}:{data.course_id}", context.now)
    if not fresh and not new and not earned:
        return Outcome(Result.DUPLICATE, f"This was told of {contact} already.")
    rows = [*([contact] if new else []), *earned]
    text = f"{contact}: {Kind(kind).label.lower()}, {one_line(title, 80)}."
    return Outcome(Result.DONE, text, tuple(Created.of(row) for row in rows))


def _contact(data: LearningMaterial, kind: str, identity: str, context: Context) -> tuple[Contact | None, bool]:
    if not data.student.email:
        found = interactions.known_as(identity)
        return (Contact.objects.select_for_update().get(pk=found.pk) if found else None), False
    entity = catalog.current().entity_of_source(SOURCE)
    course = [data.course_title] if data.course_title else []
    return people.remember(
        people.Person(
            email=data.student.email,
            source=LeadSource.TUTORLM,
            at=context.occurred_at,
            source_record_id=context.source_id,
            name=data.student.name,
            interests=course if kind != Kind.COURSE_LEFT else [],
            experiences=course if kind == Kind.COURSE_COMPLETED else [],
            entities=[entity] if entity else [],
            external={"tutorlm": data.student.id} if data.student.id else {},
            own=kind == Kind.COURSE_ENROLLED,
        )
    )
