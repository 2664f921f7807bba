"""An answered survey. Beehiiv documents that the event exists, not what is in it: what can be recognised is read."""

from __future__ import annotations

from typing import Any

from higherself.integrations.base import Unreadable
from higherself.integrations.material import Person, SurveyAnswer, SurveyMaterial
from higherself.integrations.reading import as_list, find, found_text, time_of


def survey(data: dict[str, Any], problems: list[str]) -> SurveyMaterial:
    """Raises `Unreadable` where neither survey, response nor subscriber can be recognised."""
    email = found_text(data, "email", "subscriber_email", "subscription_email")
    survey_id = found_text(data, "survey_id")
    response_id = found_text(data, "response_id", "survey_response_id") or found_text({"id": data.get("id")}, "id")
    if not (email or survey_id or response_id):
        raise Unreadable("Beehiiv's survey response names no survey, no response and no subscriber.")
    subscriber = found_text(data, "subscription_id", "subscriber_id")
    return SurveyMaterial(
        survey_id=survey_id,
        survey_title=found_text(data, "survey_name", "survey_title", "title"),
        response_id=response_id,
        answers=_answers(data),
        person=Person(id=subscriber, email=email),
        submitted_at=time_of(find(data, "submitted_at", "created_at", "created")),
        problems=problems,
    )


def _answers(data: dict[str, Any]) -> list[SurveyAnswer]:
    items = as_list(find(data, "answers", "responses", "questions")) or []
    return [
        SurveyAnswer(
            question_id=found_text(item, "question_id", "id"),
            question=found_text(item, "question_prompt", "question", "question_title", "title", "name"),
            value=find(item, "answer", "value", "response"),
        )
        for item in items
        if isinstance(item, dict)
    ]
