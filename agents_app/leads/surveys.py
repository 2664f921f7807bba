"""A form that asks for an opinion: its answers are handed to whoever keeps the feedback."""

from __future__ import annotations

from typing import Any

from agents_app.agents import handover
from agents_app.agents.base import Context, Outcome, WorkKind
from agents_app.leads.schema import LeadSubmission, email_problem, split_name
from agents_app.services.catalog import FormMap
from agents_app.text import clean
from higherself.integrations.material import Person, SurveyAnswer, SurveyMaterial

FEEDBACK = "CommunityEngagementAgent"
_RATINGS = frozenset({"rating", "opinion_scale", "nps"})


def pass_on(data: LeadSubmission, form: FormMap, context: Context) -> Outcome:
    return handover.hand_over(FEEDBACK, WorkKind.SURVEY_RECEIVED, survey_of(data, context), context)


def survey_of(data: LeadSubmission, context: Context) -> SurveyMaterial:
    """The submission as a response; whoever gave an address, in an answer or a hidden field, is its person."""
    email = next((clean(item.value) for item in data.answers if item.type == "email"), "")
    email = email or clean(data.hidden.get("email")) or clean(data.fields.get("email"))
    name = clean(data.hidden.get("name")) or clean(data.fields.get("name"))
    first, last = split_name(name)
    rated = next((item.value for item in data.answers if item.type in _RATINGS and _is_number(item.value)), None)
    return SurveyMaterial(
        survey_id=data.form_id,
        survey_title=data.form_title,
        response_id=context.source_id,
        answers=[
            SurveyAnswer(question_id=item.id, question=item.title, value=item.value)
            for item in data.answers
            if item.type != "email"
        ],
        person=Person(email="" if email_problem(email) else email, first_name=first, last_name=last),
        rating=rated,
        submitted_at=data.submitted_at,
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
