"""A survey's response, in the shapes in which it can come.

UserFeedback's own webhook sends what its owner maps; a bridge sends the arguments of the plug-in's hook
``userfeedback_survey_response``; Zoho Flow's bridge wraps the same in ``{"event", "data"}``. Source: the plug-in's and
the bridges' code.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from higherself.integrations.reading import Amount, Named, Objects, Part, Text


class Answer(Part):
    """``extra`` holds ``name`` beside an address, or ``comments`` beside a choice. Titles come from bridges only."""

    question_id: Text = ""
    question_title: Text = ""
    title: Text = ""
    value: Any = None
    extra: Named = {}


class Page(Part):
    title: Text = ""
    name: Text = ""
    link: Text = ""
    url: Text = ""


class Response(Part):
    """``feedback_text``, ``email``, ``name``, ``rating`` and ``page_url`` are what people map by hand."""

    survey_id: Text = ""
    survey_title: Text = ""
    response_id: Text = ""
    answers: Annotated[list[Answer], Objects] = []
    question_data: Annotated[list[Answer], Objects] = []
    page: Page = Field(default=Page(), alias="page_submitted")
    page_data: Page = Page()
    submitted_at: Text = ""
    created_at: Text = ""
    email: Text = ""
    name: Text = ""
    rating: Amount = None
    feedback_text: Text = ""
    page_url: Text = ""
    user_id: Text = ""
