"""Answers to surveys become rows of Feedback & Surveys; a bad one gets a person and a deadline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from agents_app.agents.base import Context, Created, Outcome, Result
from agents_app.leads.schema import email_problem
from agents_app.models import Task
from agents_app.services import catalog, errands, messages, people
from agents_app.text import clean, one_line, shorten
from campaigns.choices import FeedbackSource, FeedbackStatus, FeedbackType, Sentiment
from campaigns.models import Feedback
from campaigns.queries import feedback_from
from contacts import interactions
from contacts.choices import InteractionKind, LeadSource
from contacts.models import Contact
from higherself.integrations.material import SurveyMaterial

# Feedback & Surveys and Lead Source have options of their own; what they do not know came by e-mail or else.
_FEEDBACK_SOURCE = {"Typeform": FeedbackSource.TYPEFORM, "Userfeedback": FeedbackSource.USERFEEDBACK}
_FEEDBACK_SOURCE |= {"Beehiiv": FeedbackSource.EMAIL, "TutorLM": FeedbackSource.TUTORLM}
_LEAD_SOURCE = {
    "Typeform": LeadSource.TYPEFORM,
    "Userfeedback": LeadSource.USERFEEDBACK,
    "Beehiiv": LeadSource.BEEHIIV_NEWSLETTER,
}
ALERT = "feedback_alert"
CONTENT_LIMIT = 6000
# Of five: below this a person has to look.
GOOD_FROM, POOR_BELOW = 4.0, 3.0
_TAGS = {
    "Customer Service": r"service|support|answer(?:ed)?|reply|helpful",
    "Pricing": r"price|pricing|expensive|cheap|cost|worth",
    "Delivery": r"deliver\w*|shipping|arriv\w*|packag\w*",
    "Website": r"website|page|checkout|login|broken link",
    "Staff": r"staff|team|teacher|facilitator|host",
    "Facilities": r"room|food|bed|venue|facilit\w*",
    "Product Quality": r"quality|material|damaged|defect\w*",
    "Experience": r"retreat|workshop|experience|atmosphere|session",
}
_RATING = re.compile(r"rat(?:e|ing)|score|stars?|satisf|recommend|how likely|how (?:good|happy)", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """What the answers say in figures and in one text."""

    rating: float | None
    scale: float | None
    content: str
    sentiment: str
    tags: list[str]

    @property
    def of_five(self) -> float | None:
        return self.rating * 5 / self.scale if self.rating is not None and self.scale else None


def hear(data: SurveyMaterial, context: Context) -> Outcome:
    """One response becomes one row, whatever is told of it again."""
    source = _FEEDBACK_SOURCE.get(context.source, FeedbackSource.OTHER)
    reference = ":".join(part for part in (data.survey_id, data.response_id or context.source_id) if part)[:200]
    known = feedback_from(source, reference)
    if known is not None:
        return Outcome(Result.DUPLICATE, f"This response is {known.feedback_id} already.")
    contact, new = _contact(data, context)
    reading = read(data, context.event_id)
    feedback = _row(data, source, reference, contact, reading, context)
    try:
        with transaction.atomic():
            feedback.save(force_insert=True)
    except IntegrityError:
        return Outcome(Result.DUPLICATE, f"The response {reference} is here already.")
    if contact is not None:
        key = f"{context.source}:survey:{reference}"
        when = feedback.date_received or context.occurred_at
        interactions.record(
            contact,
            InteractionKind.SURVEY_ANSWERED,
            source=context.source,
            key=key,
            at=when,
            about=feedback.survey_form,
        )
        people.count(contact, context.now)
    tasks = [look(feedback, contact, context)] if feedback.response_required else []
    rows = [feedback, *([contact] if new and contact else []), *tasks]
    mood = feedback.sentiment.lower() or "without a rating"
    text = f"{feedback.feedback_id} from {contact or 'somebody without an address'}: {mood}"
    return Outcome(Result.DONE, f"{text}.", tuple(Created.of(row) for row in rows))


def _contact(data: SurveyMaterial, context: Context) -> tuple[Contact | None, bool]:
    if not data.person.email or email_problem(clean(data.person.email)):
        return None, False
    entity = catalog.current().entity_of_source(context.source)
    return people.remember(
        people.Person(
            email=data.person.email,
            source=_LEAD_SOURCE.get(context.source, LeadSource.OTHER),
            at=data.submitted_at or context.occurred_at,
            source_record_id=data.response_id or context.source_id,
            name=data.person.name,
            first_name=data.person.first_name,
            last_name=data.person.last_name,
            phone=data.person.phone,
            entities=[entity] if entity else [],
            own=True,
        )
    )


def _row(
    data: SurveyMaterial, source: str, reference: str, contact: Contact | None, reading: Reading, context: Context
) -> Feedback:
    title = one_line(data.survey_title or data.page_title or data.survey_id or context.source, 200)
    of_five = reading.of_five
    poor = reading.sentiment == Sentiment.NEGATIVE or (of_five is not None and of_five < GOOD_FROM)
    return Feedback(
        feedback_title=f"{title}: {contact}" if contact else title,
        source=source,
        external_reference_id=reference,
        survey_form=one_line(data.page_url or data.survey_title or data.survey_id, 2000),
        contact=contact,
        business_entity=catalog.current().entity_of_source(context.source),
        date_received=data.submitted_at or context.occurred_at,
        feedback_type=FeedbackType.SURVEY_RESPONSE,
        rating=reading.rating,
        rating_scale=reading.scale,
        feedback_content=shorten(reading.content, CONTENT_LIMIT, context.event_id),
        sentiment=reading.sentiment,
        status=FeedbackStatus.NEW,
        response_required=poor,
        tags=reading.tags,
    )


def read(data: SurveyMaterial, event_id: str) -> Reading:
    """Rating, words, mood and topics. A mood is only told where a rating is; words alone are left to people."""
    rating, scale = _rating(data)
    lines = [clean(data.text)] if data.text else []
    for answer in data.answers:
        value = ", ".join(map(clean, answer.value)) if isinstance(answer.value, list) else clean(answer.value)
        said = "; ".join(part for part in (value, clean(answer.comment)) if part)
        if said and said != clean(data.text):
            lines.append(f"{one_line(answer.question, 200)}: {said}" if answer.question else said)
    content = "\n".join(lines)
    said_freely = " ".join([data.text, *(clean(answer.value) for answer in data.answers)])
    tags = [name for name, words in _TAGS.items() if re.search(rf"\b(?:{words})\b", said_freely, re.IGNORECASE)]
    return Reading(rating, scale, content, _mood(rating, scale), tags)


def _rating(data: SurveyMaterial) -> tuple[float | None, float | None]:
    if data.rating is not None:
        return float(data.rating), _scale(float(data.rating))
    for answer in data.answers:
        value = _number(answer.value)
        if value is not None and _RATING.search(answer.question):
            return value, _scale(value)
    return None, None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if 0 <= found <= 10 else None


def _scale(rating: float) -> float:
    """Nobody tells the scale: what does not fit five is of ten."""
    return 5.0 if rating <= 5 else 10.0


def _mood(rating: float | None, scale: float | None) -> str:
    if rating is None or not scale:
        return ""
    of_five = rating * 5 / scale
    if of_five >= GOOD_FROM:
        return Sentiment.POSITIVE
    return Sentiment.NEGATIVE if of_five < POOR_BELOW else Sentiment.NEUTRAL


def review_key(feedback: Feedback) -> str:
    return f"{feedback.feedback_id}:review"


def look(feedback: Feedback, contact: Contact | None, context: Context) -> Task:
    """A task to look into bad feedback, and a word to the team."""
    task, _ = errands.errand(
        review_key(feedback),
        f"Look into feedback: {contact or feedback.feedback_title}",
        f"{feedback.feedback_title}\n\n{feedback.feedback_content}",
        context,
        entity=feedback.business_entity,
        contact=contact,
        due=timedelta(days=1),
        priority="High",
        category="Customer Service",
        related_feedback=feedback,
        tags=["Client-facing"],
    )
    template = catalog.current().templates.get(ALERT)
    if template is not None:
        values = {
            "feedback_title": feedback.feedback_title,
            "feedback_id": feedback.feedback_id,
            "feedback_rating": _shown(feedback),
            "feedback_content": feedback.feedback_content,
            "client_name": str(contact or "somebody without an address"),
        }
        occasion = messages.Occasion(feedback.feedback_id, values, task=task)
        messages.queue(messages.compose(template, "team", occasion), may_exist=True)
    return task


def _shown(feedback: Feedback) -> str:
    return f"{feedback.rating:g} of {feedback.rating_scale:g}" if feedback.rating is not None else "no rating"
